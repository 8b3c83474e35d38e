"""What every layer is: a frozen value that says how signals pass, and holds no weights.

The weights travel beside the layer as `Parameters`, so the same layer can be drawn, trained and
compared many times. A layer's work has two halves, as a neuron's has: the weighted sum of the
inputs, then the activation of that sum.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

Shape = tuple[int, ...]
Parameters = dict[str, Any]  # names to arrays; composite layers nest


class Misfit(Exception):
    """A layer cannot take inputs of this shape; the network adds which layer it was.

    Args:
        needs: What the layer needs, as a noun phrase.
        advice: What to do, as a full sentence.
    """

    def __init__(self, needs: str, advice: str) -> None:
        self.needs = needs
        self.advice = advice
        super().__init__(needs)


class Padded(NamedTuple):
    """Images of several sizes in one array, each at its top left corner; the rest is padding.

    Attributes:
        values: Shape (N, height, width, channels).
        sizes: Height and width of each image, float32 (N, 2): they pass through the same
            functions as the values, whose gradients are floats.
    """

    values: Float[Array, "n h w c"]
    sizes: Float[Array, "n 2"]

    @property
    def mask(self) -> Float[Array, "n h w 1"]:
        """1 in the images and 0 in the padding."""
        down, across = (jnp.arange(side) for side in self.values.shape[1:3])
        inside = (down < self.sizes[:, :1])[:, :, None] & (across < self.sizes[:, 1:])[:, None]
        return inside[..., None].astype(self.values.dtype)

    @property
    def cut(self) -> Float[Array, "n h w c"]:
        """The values, with zeros for padding: what a convolution finds beyond a border."""
        return jnp.where(self.mask > 0, self.values, 0)


@dataclass(frozen=True)
class Layer(abc.ABC):
    """Abstract base of all layers."""

    word: ClassVar[str]  # its name in the notation of networks, such as "dense"

    @property
    def is_random(self) -> bool:
        """Whether `weighted_sum` draws from its key in training."""
        return False

    @abc.abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output for one input of `input_shape`, both without the sample axis.

        Raises:
            Misfit: Inputs of this shape cannot be taken.
        """

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Draw this layer's parameters from the random `key`; none unless it says otherwise."""
        return {}

    @abc.abstractmethod
    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The signals before the activation.

        Args:
            parameters: What `init` returned, or what training made of it.
            inputs: Shape (N, *input_shape).
            key: The random key of a training step, or None outside of training.
        """

    def side_after(self, side: Any) -> Any:
        """Height or width of the outputs for images of this height or width, numbers or arrays.

        Unchanged, unless the layer says otherwise.
        """
        return side

    def padded_sum(self, parameters: Parameters, inputs: Padded, key: Array | None = None) -> Any:
        """`weighted_sum` for images of several sizes, each as if it were alone.

        Padding counts as zeros, as beyond the border of an image. A layer that looks at more of
        an image than a neighbourhood has to leave padding out by itself.
        """
        sums = self.weighted_sum(parameters, inputs.cut, key)
        return Padded(sums, self.side_after(inputs.sizes)) if sums.ndim == 4 else sums

    def activate(self, sums: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """The signals that leave the layer; the sums themselves unless it has an activation."""
        return sums

    def forward(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Both halves: weighted sum, then activation."""
        return self.activate(self.weighted_sum(parameters, inputs, key))


def forward_padded(
    layer: Layer, parameters: Parameters, inputs: Padded, key: Array | None = None
) -> Any:
    """Both halves of a layer for images of several sizes; `Padded`, unless the layer is flat."""
    sums = layer.padded_sum(parameters, inputs, key)
    if not isinstance(sums, Padded):
        return layer.activate(sums)
    return Padded(layer.activate(sums.values), sums.sizes)


def numbered(each: Iterable[Any]) -> dict[str, Any]:
    """What each layer of a chain has, under the layer's number: "1", "2", ..."""
    return {str(number): one for number, one in enumerate(each, start=1)}


def in_order(own: Mapping[str, Any]) -> list[Any]:
    """The same as a list, in the order of the layers."""
    return [own[str(number)] for number in range(1, len(own) + 1)]
