"""What is trained: a network, its samples and how many steps, as values that name no library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Dense:
    """Fully connected."""

    units: int
    activation: str = "identity"


@dataclass(frozen=True)
class Conv:
    """Convolution with stride 1 that keeps the image's size."""

    channels: int
    size: int
    activation: str = "identity"


@dataclass(frozen=True)
class Pool:
    """The largest value of windows of 2 x 2 pixels."""


@dataclass(frozen=True)
class Norm:
    """Batch normalisation, and an activation."""

    activation: str = "identity"


@dataclass(frozen=True)
class Flatten:
    """All values of a sample in one row."""


Layer = Dense | Conv | Pool | Norm | Flatten
Kind = Literal["digits", "plane", "classes", "density"]


@dataclass(frozen=True)
class Work:
    """A training: what everybody has to do alike.

    Attributes:
        layers: The network.
        kind: How the samples are made; see `samples`.
        input_shape: Shape of one sample, images as (height, width, channels).
        samples: How many there are.
        batch_size: Samples per step; the last batch of an epoch may be smaller.
        epochs: How often all samples are seen, in an order drawn anew each time.
        learning_rate: Of plain gradient descent.
    """

    layers: tuple[Layer, ...]
    kind: Kind
    input_shape: tuple[int, ...]
    samples: int
    batch_size: int
    epochs: int
    learning_rate: float

    @property
    def loss(self) -> str:
        """The mean square over all outputs, or the cross-entropy from logits."""
        return "squared_error" if self.kind in ("plane", "density") else "cross_entropy"

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return -(-self.samples // self.batch_size) * self.epochs

    @property
    def is_image(self) -> bool:
        """Whether a sample is an image rather than a row of numbers."""
        return len(self.input_shape) == 3

    @property
    def matrix_products(self) -> float:
        """Floating-point operations per step in the matrix products of a dense network.

        Two per weight and sample forward, two for the weights' gradient, two for the inputs'
        gradient; nobody asks for the gradient of the samples themselves.
        """
        before, operations = math.prod(self.input_shape), 0.0
        for index, layer in enumerate(self.layers):
            assert isinstance(layer, Dense)
            products = 3 if index else 2
            operations += 2.0 * products * self.batch_size * before * layer.units
            before = layer.units
        return operations


def fans_in(work: Work) -> tuple[int, ...]:
    """How many inputs one unit of each layer has, in order; 0 for layers without weights."""
    shape: tuple[int, ...] = work.input_shape
    fans = []
    for layer in work.layers:
        match layer:
            case Dense():
                fans.append(shape[0])
                shape = (layer.units,)
            case Conv():
                fans.append(shape[2])
                shape = (*shape[:2], layer.channels)
            case Pool():
                fans.append(0)
                shape = (shape[0] // 2, shape[1] // 2, shape[2])
            case Norm():
                fans.append(shape[-1])
            case Flatten():
                fans.append(0)
                shape = (math.prod(shape),)
    return tuple(fans)
