"""Layers joined where one pass can do the work of two.

A convolution, its bias, ReLU and a maximum pooling behind it need not each write their numbers to
memory and read the last one's; nor need a batch normalisation and ReLU. What is joined gives the
same outputs and the same gradients from the same parameters; only the signals between the layers
are not there to be looked at. So training uses the joined network, and whoever wants to see every
signal the network itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import jax
from jax import lax
from jaxtyping import Array, Float

from downslope.nn.activations import activation
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Activate, Dense
from downslope.nn.images import Conv2D, MaxPool2D
from downslope.nn.layer import Layer, Padded, Parameters, Shape, in_order, numbered
from downslope.nn.members import GroupedDense
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.normalization import BatchNorm
from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.products import dense_product
from downslope.nn.padded import without_padding


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


@dataclass(frozen=True)
class _JoinedNorm(Layer):
    """A batch normalisation with the ReLU behind it.

    Attributes:
        norm: The layer.
    """

    norm: BatchNorm
    word: ClassVar[str] = "batch_norm"

    @property
    def mixes_batch(self) -> bool:
        """Yes."""
        return True

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """All of it: there is no sum to be seen in between."""
        return self.norm.rectified_sum(parameters, inputs, key, rectify=True)

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Padded:
        """The same without the padding."""
        sums = self.norm.padded_sum(parameters, inputs, key)
        return Padded(jax.nn.relu(sums.values), sums.sizes)


@dataclass(frozen=True)
class _JoinedGroups(Layer):
    """A grouped dense layer with its activation.

    Attributes:
        dense: The layer.
    """

    dense: GroupedDense
    word: ClassVar[str] = "grouped"

    def output_shape(self, input_shape: Shape) -> Shape:
        """That of the layer."""
        return self.dense.output_shape(input_shape)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n units"]:
        """All of it: with ReLU there is no sum to be seen in between."""
        own, count = self.dense, len(inputs)
        product = partial(dense_product, rectify=own.activation == "relu", is_first=False)
        outputs = jax.vmap(product, in_axes=(1, 0, 0), out_axes=1)(
            inputs.reshape(count, own.groups, -1),
            parameters["weights"],
            parameters["biases"],
        ).reshape(count, -1)
        return outputs if own.activation == "relu" else own.activate(outputs)


@lru_cache(maxsize=64)
def fuse(network: Network) -> Network:
    """The same function of the same parameters, in fewer passes over the memory."""
    return Network(_fused(network.layers))


def _fused(layers: Sequence[Layer]) -> list[Layer]:
    """As many layers, each with the parameters that it had."""
    fused: list[Layer] = []
    last = -1  # the place of the last one that does any work
    for layer in layers:
        joined = _joined(fused[last], layer) if fused else None
        if joined is None:
            fused.append(_started(layer, is_first=not fused))
            last = len(fused) - 1
        else:
            fused[last] = joined
            fused.append(_Passed())
    return fused


def _started(layer: Layer, is_first: bool) -> Layer:
    """A layer as it may be joined with those that follow; a subclass may compute something else."""
    if type(layer) is Conv2D:
        return _Joined(layer)
    if type(layer) is Dense:
        return _JoinedDense(layer, is_first)
    if type(layer) is GroupedDense:
        return _JoinedGroups(layer)
    if type(layer) is Residual:
        return Residual(_fused(layer.layers))
    if type(layer) is Parallel:
        return Parallel(*map(_fused, layer.branches))
    return layer


def _joined(before: Layer, layer: Layer) -> Layer | None:
    """A layer with the one before it, whose parameters both need; None where they stay apart."""
    if type(layer) is MaxPool2D and isinstance(before, _Joined) and before.pool == 1:
        is_increasing = activation(before.convolution.activation).is_increasing
        return replace(before, pool=layer.size) if is_increasing else None  # pooling comes first
    if type(layer) is Activate:
        if isinstance(before, _Joined) and before.pool == 1:
            own = _activated(before.convolution, layer)
            return own and replace(before, convolution=own)
        if isinstance(before, _JoinedDense):
            own = _activated(before.dense, layer)
            return own and replace(before, dense=own)
        if type(before) is BatchNorm and layer.activation == "relu":
            return _JoinedNorm(before)
    return None


def _activated(layer: Any, by: Activate) -> Any:
    """A layer that had no activation, with one; None where it had."""
    return replace(layer, activation=by.activation) if layer.activation == "identity" else None


@dataclass(frozen=True)
class _Frozen(Layer):
    """A layer whose parameters stay as they are: it computes in training what it does elsewhere.

    Attributes:
        layer: The layer.
    """

    layer: Layer
    word: ClassVar[str] = "frozen"

    def output_shape(self, input_shape: Shape) -> Shape:
        """That of the layer."""
        return self.layer.output_shape(input_shape)

    def side_after(self, side: Any) -> Any:
        """That of the layer."""
        return self.layer.side_after(side)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The layer's, which no gradient goes through."""
        return self.layer.weighted_sum(lax.stop_gradient(parameters), inputs)

    def padded_sum(self, parameters: Parameters, inputs: Padded, key: Array | None = None) -> Any:
        """The layer's, likewise."""
        return self.layer.padded_sum(lax.stop_gradient(parameters), inputs)

    def activate(self, pre_activations: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """The layer's."""
        return self.layer.activate(pre_activations)


def freeze(network: Network, count: int) -> Network:
    """The network with its first `count` layers frozen.

    They compute what they do outside of training: without dropout, and with running statistics.
    """
    if not count:
        return network
    return Network([*map(_Frozen, network.layers[:count]), *network.layers[count:]])


def following_the_last(network: Network) -> Network:
    """The network whose running statistics become those of the last batch, and nothing else."""
    return Network(_following(network.layers))


def _following(layers: Sequence[Layer]) -> list[Layer]:
    made: list[Layer] = []
    for layer in layers:
        if type(layer) is BatchNorm:
            made.append(replace(layer, momentum=1))
        elif type(layer) is Residual:
            made.append(Residual(_following(layer.layers)))
        elif type(layer) is Parallel:
            made.append(Parallel(*map(_following, layer.branches)))
        else:
            made.append(layer)
    return made


def outside_of_training(
    network: Network, parameters: NetworkParameters
) -> tuple[Network, NetworkParameters]:
    """The same function outside of training: each batch normalisation in the layer before it.

    A batch normalisation by running statistics is a product and a sum per channel, which a
    convolution or a dense layer before it can do as well; then an activation behind it is theirs.

    Args:
        network: The network.
        parameters: Its parameters, or tracers of them.

    Returns:
        A network of as many layers or fewer, and its parameters.
    """
    layers, own = _folded(network.layers, parameters)
    return Network(layers), tuple(own)


def outputs_of(
    network: Network,
    parameters: NetworkParameters,
    inputs: Float[Array, "n ..."],
    sizes: Float[Array, "n 2"] | None = None,
    mirrors: bool = False,
) -> Any:
    """The network's outputs outside of training, in as few passes as can be.

    Args:
        network: The network.
        parameters: Its parameters.
        inputs: As the network takes them.
        sizes: Height and width of each image within its array; None where they fill it.
        mirrors: Whether the outputs for each image and for its mirror image are averaged.

    Returns:
        Shape (N, *output_shape); `Padded` where the images are, and the outputs are images.
    """
    network, parameters = outside_of_training(network, parameters)
    network = fuse(network)
    if sizes is not None:
        padded: Any = Padded(inputs, sizes)
        return without_padding(network).forward(parameters, padded)
    outputs = network.forward(parameters, inputs)
    if not mirrors:
        return outputs
    return (outputs + network.forward(parameters, inputs[:, :, ::-1])) / 2


def _folded(
    layers: Sequence[Layer], parameters: Sequence[Parameters]
) -> tuple[list[Layer], list[Parameters]]:
    folded: list[Layer] = []
    kept: list[Parameters] = []
    for layer, own in zip(layers, parameters, strict=True):
        before = folded[-1] if folded else None
        takes = type(before) in (Dense, Conv2D) and getattr(before, "activation", "") == "identity"
        if takes and type(layer) is BatchNorm:
            factor, shift = layer.affine(own)
            last = kept[-1]
            weights, biases = last["weights"] * factor, last["biases"] * factor + shift
            kept[-1] = {**last, "weights": weights, "biases": biases}
        elif takes and type(layer) is Activate:
            folded[-1] = _activated(before, layer)
        else:
            layer, own = _folded_inside(layer, own)
            folded.append(layer)
            kept.append(own)
    return folded, kept


def _folded_inside(layer: Layer, own: Parameters) -> tuple[Layer, Parameters]:
    if type(layer) is Residual:
        layers, kept = _folded(layer.layers, in_order(own))
        return Residual(layers), numbered(kept)
    if type(layer) is Parallel:
        branches = [
            _folded(branch, in_order(inside))
            for branch, inside in zip(layer.branches, in_order(own), strict=True)
        ]
        made = Parallel(*(layers for layers, _ in branches))
        return made, numbered(numbered(kept) for _, kept in branches)
    return layer, own
