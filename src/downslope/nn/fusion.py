"""Layers joined where one pass can do the work of two.

A convolution, its bias, ReLU and a maximum pooling behind it need not each write their numbers to
memory and read the last one's. What is joined gives the same outputs and the same gradients from
the same parameters; only the signals between the two layers are not there to be looked at. So
training uses the joined network, and whoever wants to see every signal the network itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from jaxtyping import Array, Float

from downslope.nn.activations import activation
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Dense
from downslope.nn.images import Conv2D, MaxPool2D
from downslope.nn.layer import Layer, Parameters, Shape
from downslope.nn.network import Network
from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.products import dense_product


@dataclass(frozen=True)
class _Joined(Layer):
    """A convolution with its activation, and the maximum pooling behind it.

    Attributes:
        convolution: The convolution.
        pool: Size of the pooled windows; 1 for none.
    """

    convolution: Conv2D
    pool: int = 1
    word: ClassVar[str] = "conv"

    def output_shape(self, input_shape: Shape) -> Shape:
        """What the pooling gives."""
        height, width, channels = self.convolution.output_shape(input_shape)
        return height // self.pool, width // self.pool, channels

    def side_after(self, side: Any) -> Any:
        """What the pooling gives."""
        return self.convolution.side_after(side) // self.pool

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 channels"]:
        """All of it: there is no sum to be seen in between."""
        own = self.convolution
        outputs = convolve(
            inputs,
            parameters["weights"],
            parameters["biases"],
            stride=own.stride,
            dilation=own.dilation,
            padding=own.padding,
            pool=self.pool,
            rectify=own.activation == "relu",
            groups=own.groups,
        )
        return outputs if own.activation == "relu" else activation(own.activation)(outputs)


@dataclass(frozen=True)
class _Passed(Layer):
    """Stands where a layer was that another one does the work of."""

    word: ClassVar[str] = "passed"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The inputs."""
        return inputs


@dataclass(frozen=True)
class _JoinedDense(Layer):
    """A dense layer with its activation.

    Attributes:
        dense: The layer.
        is_first: Whether no layer with weights is before it.
    """

    dense: Dense
    is_first: bool
    word: ClassVar[str] = "dense"

    def output_shape(self, input_shape: Shape) -> Shape:
        """That of the layer."""
        return self.dense.output_shape(input_shape)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n units"]:
        """All of it: with ReLU there is no sum to be seen in between."""
        outputs = dense_product(
            inputs,
            parameters["weights"],
            parameters["biases"],
            rectify=self.dense.activation == "relu",
            is_first=self.is_first,
        )
        return outputs if self.dense.activation == "relu" else self.dense.activate(outputs)


@lru_cache(maxsize=64)
def fuse(network: Network) -> Network:
    """The same function of the same parameters, in fewer passes over the memory."""
    return Network(_fused(network.layers))


def _fused(layers: Sequence[Layer]) -> list[Layer]:
    """As many layers, each with the parameters that it had."""
    fused: list[Layer] = []
    for layer in layers:
        before = fused[-1] if fused else None
        if type(layer) is MaxPool2D and _takes(before):
            assert isinstance(before, _Joined)  # what `_takes` asks
            fused[-1:] = [_Joined(before.convolution, layer.size), _Passed()]
        elif type(layer) is Conv2D:  # a subclass may compute something else
            fused.append(_Joined(layer))
        elif type(layer) is Dense:
            fused.append(_JoinedDense(layer, is_first=not fused))
        elif type(layer) is Residual:
            fused.append(Residual(_fused(layer.layers)))
        elif type(layer) is Parallel:
            fused.append(Parallel(*map(_fused, layer.branches)))
        else:
            fused.append(layer)
    return fused


def _takes(layer: Layer | None) -> bool:
    return (
        isinstance(layer, _Joined)
        and layer.pool == 1
        and activation(layer.convolution.activation).is_increasing  # so pooling may come first
    )
