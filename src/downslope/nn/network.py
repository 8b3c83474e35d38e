"""A network: layers one after another, checked for shape, drawn from a seed, run forward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.nn.composite import signal_shapes
from downslope.nn.layer import (
    Layer,
    Misfit,
    Parameters,
    Shape,
    as_layer,
    is_ours,
    layer_kind,
    learned_arrays,
    learned_by_name,
)
from downslope.result import pictures
from downslope.text import Table

NetworkParameters = tuple[Parameters, ...]  # one entry per layer, in order


class Signal(NamedTuple):
    """What one layer computed for a batch.

    Attributes:
        layer: The layer's number, from 1, and its type, such as "1 Dense".
        pre_activations: The pre-activations, shape (N, ...).
        activations: The activations, the same shape.

    Example:
        >>> network = ds.parse_network("dense 3 tanh, dense 1")
        >>> signals = network.signals(network.init((2,)), np.ones((5, 2)))
        >>> signals[0].layer, signals[0].activations.shape
        ('1 Dense', (5, 3))
    """

    layer: str
    pre_activations: Float[Array, "n ..."]
    activations: Float[Array, "n ..."]


@dataclass(frozen=True)
class Network:
    """A network: layers applied one after another.

        a_0 = x,  a_k = layer_k(a_(k-1)),  y = a_n

    Attributes:
        layers: The layers, from inputs to outputs.

    Raises:
        NetworkError: There are no layers, or something else than layers was given.

    Example:
        >>> network = ds.Network([ds.Dense(3, "tanh"), ds.Dense(1)])
        >>> parameters = network.init((2,), seed=0)
        >>> parameters[0]["weights"].shape
        (2, 3)
        >>> network.forward(parameters, np.ones((5, 2))).shape
        (5, 1)
    """

    layers: tuple[Layer, ...]

    def __init__(self, layers: Sequence[Layer]) -> None:
        if not isinstance(layers, Sequence) or not layers:
            raise NetworkError(
                f"Network was given {layers!r}.",
                "a list of at least one layer",
                "Write e.g. Network([Dense(32, 'relu'), Dense(10)]).",
            )
        checked = [as_layer(one, f"Layer {index}") for index, one in enumerate(layers, start=1)]
        object.__setattr__(self, "layers", tuple(checked))

    @property
    def is_random(self) -> bool:
        """Whether training draws random numbers inside the network (dropout)."""
        return any(layer.is_random for layer in self.layers)

    @property
    def mixes_batch(self) -> bool:
        """Whether samples of a batch influence each other in training (batch normalisation)."""
        return any(layer.mixes_batch for layer in self.layers)

    @property
    def needs_key(self) -> bool:
        """Whether the network computes something else in training, when it is given a key."""
        return any(layer.needs_key for layer in self.layers)

    def layer_name(self, index: int) -> str:
        """The number, from 1, and type of layer `index`, such as "1 Dense"."""
        return f"{index + 1} {layer_kind(self.layers[index])}"

    def shapes(self, input_shape: Shape) -> tuple[Shape, ...]:
        """Shape of each layer's output for one sample.

        Args:
            input_shape: Shape of one input, without the sample axis.

        Raises:
            NetworkError: A layer does not fit; the message names it, what it got and needs.
        """
        shapes: list[Shape] = []
        shape = tuple(input_shape)
        for index, layer in enumerate(self.layers, start=1):
            try:
                shapes.append(layer.output_shape(shape))
            except Misfit as misfit:
                raise NetworkError(
                    f"Layer {index} ({layer_kind(layer)}) got inputs of shape {shape}.",
                    misfit.needs,
                    misfit.advice,
                ) from None
            except Exception as error:  # whatever a layer of the user's own raises
                if is_ours(layer):
                    raise
                raise NetworkError(
                    f"Layer {index} ({layer_kind(layer)}) failed on an input shape of {shape} "
                    f"({type(error).__name__}: {error}).",
                    "the shape of its output, or a Misfit that says what it needs",
                    "Correct its output_shape.",
                ) from error
            shape = shapes[-1]
        return tuple(shapes)

    def count_weights(self, input_shape: Shape) -> int:
        """How many weights and biases `init` would draw; none is drawn.

        Raises:
            NetworkError: A layer does not fit.
        """
        self.shapes(input_shape)
        return _count_weights(self, tuple(input_shape))

    def signal_sizes(self, input_shape: Shape) -> tuple[int, ...]:
        """How many numbers a sample's inputs and each layer's activations have, the inputs first.

        Raises:
            NetworkError: A layer does not fit.
        """
        self.shapes(input_shape)
        return _signal_sizes(self, tuple(input_shape))

    def multiplications(self, input_shape: Shape) -> int:
        """How many multiplications with weights one sample takes.

        Each number of a layer's matrices or kernels is used once for every position of the layer's
        output: once in a dense layer, for each pixel in a convolution.

        Raises:
            NetworkError: A layer does not fit.
        """
        self.shapes(input_shape)
        return _multiplications(self, tuple(input_shape))

    def summary(self, input_shape: Shape) -> str:
        """The layers in a table: the shape of each output, and how many weights and biases.

        Args:
            input_shape: Shape of one input, without the sample axis.

        Raises:
            NetworkError: A layer does not fit.

        Example:
            >>> network = ds.parse_network("dense 8 tanh, dense 1")
            >>> print(network.summary((2,)))
            layer    output  weights  biases
            inputs   2
            1 Dense  8            16       8
            2 Dense  1             8       1
            all                   24       9
        """
        drawn = jax.eval_shape(lambda: self.init(tuple(input_shape)))
        counts: list[tuple[int, int]] = []
        rows: list[tuple[str, ...]] = [("inputs", _sides(input_shape), "", "")]
        for index, shape in enumerate(self.shapes(input_shape)):
            named = {
                name: math.prod(one.shape) for name, one in learned_by_name(drawn[index]).items()
            }
            biases = sum(count for name, count in named.items() if name.endswith("biases"))
            counts.append((sum(named.values()) - biases, biases))
            told = (f"{count:,}" if count else "" for count in counts[-1])
            rows.append((self.layer_name(index), _sides(shape), *told))
        rows.append(("all", "", *(f"{sum(each):,}" for each in zip(*counts, strict=True))))
        return str(Table(("layer", "output", "weights", "biases"), rows, numeric=(2, 3)))

    def plot(self, input_shape: Shape, folder: Any = None, *, seed: int = 0) -> Any:
        """Draw it with its first weights; the same for a run is `insight.network(run).plot()`.

        Args:
            input_shape: Shape of one input, without the sample axis.
            folder: Where the figure is written as PNG and SVG; None for nowhere.
            seed: The seed of the weights.

        Returns:
            The figure by its name.

        Raises:
            NetworkError: A layer does not fit.
            StorageError: The disk or the folder refuses.

        Example:
            >>> figures = ds.parse_network("dense 8 tanh, dense 1").plot((2,))
            >>> list(figures)
            ['network']
        """
        return pictures().plot_network(self, input_shape, folder, seed)

    def init(self, input_shape: Shape, seed: int | Array = 0) -> NetworkParameters:
        """Draw every layer's parameters, a pure function of (layers, input_shape, seed).

        Raises:
            NetworkError: A layer does not fit.
        """
        before = (tuple(input_shape), *self.shapes(input_shape)[:-1])
        key = jax.random.key(seed)
        return tuple(
            layer.init(jax.random.fold_in(key, index), shape)
            for index, (layer, shape) in enumerate(zip(self.layers, before, strict=True))
        )

    def layer_key(self, key: Array | None, index: int) -> Array | None:
        """The random key of layer `index` in a training step with the random `key`."""
        if key is None or not self.layers[index].needs_key:
            return None
        return jax.random.fold_in(key, index)

    def forward(
        self, parameters: NetworkParameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Compute the network's outputs for `inputs`, shape (N, *output_shape).

        Args:
            parameters: From `init` or from training.
            inputs: Shape (N, *input_shape).
            key: The random key of a training step, or None outside of training.
        """
        for index, layer in enumerate(self.layers):
            inputs = layer.forward(parameters[index], inputs, self.layer_key(key, index))
        return inputs

    def signals(
        self, parameters: NetworkParameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> tuple[Signal, ...]:
        """Each layer's pre-activations and activations; the arguments are those of `forward`."""
        signals = []
        for index, layer in enumerate(self.layers):
            pre_activations = layer.weighted_sum(
                parameters[index], inputs, self.layer_key(key, index)
            )
            inputs = layer.activate(pre_activations)
            signals.append(Signal(self.layer_name(index), pre_activations, inputs))
        return tuple(signals)


def _sides(shape: Shape) -> str:
    return " x ".join(f"{side:,}" for side in shape)


@lru_cache(maxsize=256)
def _count_weights(network: Network, input_shape: Shape) -> int:
    drawn = jax.eval_shape(lambda: network.init(input_shape))
    return count_parameters(drawn)


@lru_cache(maxsize=256)
def _multiplications(network: Network, input_shape: Shape) -> int:
    drawn = jax.eval_shape(lambda: network.init(input_shape))
    total = 0
    for own, shape in zip(drawn, network.shapes(input_shape), strict=True):
        weights = sum(math.prod(one.shape) for one in jax.tree.leaves(own) if len(one.shape) > 1)
        total += weights * math.prod(shape[:-1])
    return total


@lru_cache(maxsize=256)
def _signal_sizes(network: Network, input_shape: Shape) -> tuple[int, ...]:
    shapes = (input_shape, *signal_shapes(network.layers, input_shape))
    return tuple(map(math.prod, shapes))


def count_parameters(parameters: NetworkParameters) -> int:
    """How many weights and biases there are."""
    return sum(math.prod(np.shape(leaf)) for leaf in learned_arrays(parameters))
