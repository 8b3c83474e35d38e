"""Layers that bring each sample's signals to mean 0 and variance 1, then rescale them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.nn.dense import positive
from downslope.nn.layer import Layer, Misfit, Padded, Parameters, Shape

EPSILON = 1e-5  # keeps the division finite for constant signals; PyTorch's value


def standardize(values: Float[Array, "..."], axes: tuple[int, ...]) -> Float[Array, "..."]:
    """(x - mean) / sqrt(variance + epsilon), with both taken over `axes`."""
    centred = values - values.mean(axes, keepdims=True)
    variance = (centred * centred).mean(axes, keepdims=True)
    return centred / jnp.sqrt(variance + EPSILON)


def standardize_within(
    values: Float[Array, "..."], inside: Float[Array, "..."], axes: tuple[int, ...]
) -> Float[Array, "..."]:
    """The same with both taken where `inside` is 1; it has the axes of the values."""
    inside = jnp.broadcast_to(inside, values.shape)
    count = inside.sum(axes, keepdims=True)
    centred = (values - (values * inside).sum(axes, keepdims=True) / count) * inside
    variance = (centred * centred).sum(axes, keepdims=True) / count
    return centred / jnp.sqrt(variance + EPSILON)


def _scale_and_offset(channels: int) -> Parameters:
    return {"scale": jnp.ones(channels), "offset": jnp.zeros(channels)}


@dataclass(frozen=True)
class Standardize(Layer):
    """Each sample by itself to mean 0 and variance 1 over all its values; no parameters.

    For the network's input: photos in different light become alike. Unlike a `GroupNorm` there,
    it asks for no slope at the input, which would cost as much as a layer's.
    """

    word: ClassVar[str] = "standardize"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Standardise; a layer without weights has its outputs for sums."""
        return standardize(inputs, tuple(range(1, inputs.ndim)))

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Padded:
        """Standardise each image by itself."""
        return Padded(standardize_within(inputs.cut, inputs.mask, (1, 2, 3)), inputs.sizes)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Standardise over the last axis (features, or the channels of a pixel).

    Source: Ba et al., Layer normalization, 2016.
    """

    word: ClassVar[str] = "layer_norm"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Scale one and offset zero, each of the last axis' length."""
        return _scale_and_offset(input_shape[-1])

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ... c"], key: Array | None = None
    ) -> Float[Array, "n ... c"]:
        """Standardise, multiply by the scale, add the offset."""
        return standardize(inputs, (-1,)) * parameters["scale"] + parameters["offset"]


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Standardise over height, width and a group of channels; for flat inputs over the group.

    Source: Wu and He, Group normalization, 2018.

    Attributes:
        groups: Number of groups; it must divide the channels.
    """

    groups: int = 8
    word: ClassVar[str] = "group_norm"

    def __post_init__(self) -> None:
        positive("groups", self.groups, "GroupNorm")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        if input_shape[-1] % self.groups:
            raise Misfit(
                f"a number of channels that {self.groups} divides",
                "Choose another number of groups.",
            )
        return input_shape

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Scale one and offset zero, each (channels,)."""
        return _scale_and_offset(input_shape[-1])

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ... c"], key: Array | None = None
    ) -> Float[Array, "n ... c"]:
        """Standardise, multiply by the scale, add the offset."""
        channels = inputs.shape[-1]
        grouped = inputs.reshape(inputs.shape[0], -1, self.groups, channels // self.groups)
        normal = standardize(grouped, (1, 3)).reshape(inputs.shape)
        return normal * parameters["scale"] + parameters["offset"]

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Padded:
        """Standardise each image by itself, multiply by the scale, add the offset."""
        shape = inputs.values.shape
        grouped = inputs.cut.reshape(shape[0], -1, self.groups, shape[-1] // self.groups)
        inside = inputs.mask.reshape(shape[0], -1, 1, 1)
        normal = standardize_within(grouped, inside, (1, 3)).reshape(shape)
        return Padded(normal * parameters["scale"] + parameters["offset"], inputs.sizes)
