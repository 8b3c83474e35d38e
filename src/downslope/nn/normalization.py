"""Layers that bring signals to mean 0 and variance 1, of each sample or of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.nn.dense import positive
from downslope.nn.forms import Spot, TorchModule
from downslope.nn.layer import Layer, Misfit, Padded, Parameters, Shape
from downslope.nn.ops.batch_norm import Moments, following, moments, normalize_batch

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


def _numpy_rescaled(spot: Spot, normal: str) -> list[str]:
    return [f"x = {normal} * {spot.array('scale')} + {spot.array('offset')}"]


def _torch_weights(spot: Spot) -> dict[str, Any]:
    return {"weight": spot.parameters["scale"], "bias": spot.parameters["offset"]}


def _onnx_standardized(graph: Any, x: str, axes: Sequence[int]) -> str:
    where = graph.constant(np.array(axes), "axes")
    centred = graph.node("Sub", x, graph.node("ReduceMean", x, where))
    variance = graph.node("ReduceMean", graph.node("Mul", centred, centred), where)
    spread = graph.node("Sqrt", graph.node("Add", variance, graph.scalar(EPSILON)))
    return graph.node("Div", centred, spread)


def _onnx_rescaled(spot: Spot, graph: Any, normal: str) -> str:
    channels = (-1, *[1] * (len(spot.shape) - 1))  # (C,) or (C, 1, 1)
    scale, offset = (
        graph.constant(spot.parameters[name].reshape(channels), f"{spot.number}.{name}")
        for name in ("scale", "offset")
    )
    return graph.node("Add", graph.node("Mul", normal, scale), offset)


_KERAS_NAMES = {"scale": "gamma", "offset": "beta"}
_PIXEL_NORM = '''\
class PixelNorm(nn.LayerNorm):
    """Each pixel by itself, over its channels."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)'''


@dataclass(frozen=True)
class Standardize(Layer):
    """Standardise each sample by itself, over all its values; no parameters.

        y = (x - mean) / sqrt(variance + 1e-5)

    Use it as the first layer: photos in different light become alike. Unlike a `GroupNorm` there,
    it needs no gradient with respect to the inputs, which would cost as much as a layer's.

    Example:
        >>> outputs = ds.Standardize().forward({}, np.array([[1.0, 2.0, 3.0, 4.0]]))
        >>> np.round(np.asarray(outputs), 2)
        array([[-1.34, -0.45,  0.45,  1.34]], dtype=float32)
    """

    word: ClassVar[str] = "standardize"

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The standardised inputs."""
        return standardize(inputs, tuple(range(1, inputs.ndim)))

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Padded:
        """Standardise each image by itself."""
        return Padded(standardize_within(inputs.cut, inputs.mask, (1, 2, 3)), inputs.sizes)

    def to_numpy(self, spot: Spot) -> list[str]:
        """Standardise over all axes but the first."""
        return [f"x = standardize(x, {tuple(range(1, len(spot.shape) + 1))})"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A group of all channels, without weights."""
        return [TorchModule(f"nn.GroupNorm(1, {spot.shape[-1]}, affine=False)")]

    def to_keras(self, spot: Spot) -> list[str]:
        """A group of all channels, without weights."""
        plain = f"GroupNormalization(1, epsilon={EPSILON}, center=False, scale=False)"
        return [f"x = layers.{plain}(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """Standardise over all axes but the first."""
        return _onnx_standardized(graph, x, range(1, len(spot.shape) + 1))


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Standardise over the last axis: all features, or the channels of a pixel.

        y = scale (x - mean) / sqrt(variance + 1e-5) + offset

    Scale and offset, one of each per feature or channel, are learned.

    Source: Ba et al., Layer normalization, 2016.

    Example:
        >>> layer = ds.LayerNorm()
        >>> parameters = layer.init(None, (4,))
        >>> outputs = layer.forward(parameters, np.array([[1.0, 2.0, 3.0, 4.0]]))
        >>> np.round(np.asarray(outputs), 2)
        array([[-1.34, -0.45,  0.45,  1.34]], dtype=float32)
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

    keras_names: ClassVar[Mapping[str, str]] = _KERAS_NAMES

    def to_numpy(self, spot: Spot) -> list[str]:
        """Standardise over the last axis."""
        return _numpy_rescaled(spot, "standardize(x, -1)")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A normalisation of each pixel, or of all features."""
        kind, code = ("PixelNorm", _PIXEL_NORM) if spot.is_image else ("nn.LayerNorm", "")
        text = f"{kind}({spot.shape[-1]})"
        return [TorchModule(text, _torch_weights(spot), definition=code)]

    def to_keras(self, spot: Spot) -> list[str]:
        """A layer normalisation."""
        return [f"x = layers.LayerNormalization(epsilon={EPSILON}, {spot.keras_name})(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """Standardise over the channels."""
        return _onnx_rescaled(spot, graph, _onnx_standardized(graph, x, [1]))


@dataclass(frozen=True)
class GroupNorm(Layer):
    """Standardise each image over height, width and a group of channels.

        y = scale (x - mean) / sqrt(variance + 1e-5) + offset

    Flat inputs are standardised over the group alone. Scale and offset, one of each per channel,
    are learned.

    Source: Wu and He, Group normalization, 2018.

    Attributes:
        groups: Number of groups; it must divide the number of channels.

    Raises:
        NetworkError: `groups` is no positive whole number.

    Example:
        >>> network = ds.Network([ds.Conv2D(16, 3), ds.GroupNorm(4)])
        >>> network.shapes((28, 28, 3))
        ((28, 28, 16), (28, 28, 16))
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

    keras_names: ClassVar[Mapping[str, str]] = _KERAS_NAMES

    def to_numpy(self, spot: Spot) -> list[str]:
        """Standardise each group."""
        return _numpy_rescaled(spot, f"standardize_groups(x, {self.groups})")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A group normalisation."""
        return [TorchModule(f"nn.GroupNorm({self.groups}, {spot.shape[-1]})", _torch_weights(spot))]

    def to_keras(self, spot: Spot) -> list[str]:
        """A group normalisation."""
        made = f"GroupNormalization({self.groups}, epsilon={EPSILON}, {spot.keras_name})"
        return [f"x = layers.{made}(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """Standardise each group as an axis of its own."""
        groups = graph.constant(np.array([0, self.groups, -1]), "groups")  # 0: as many samples
        normal = _onnx_standardized(graph, graph.node("Reshape", x, groups), [2])
        return _onnx_rescaled(spot, graph, graph.node("Reshape", normal, graph.node("Shape", x)))


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Standardise each channel over the batch in training, by running statistics elsewhere.

        y = scale (x - mean) / sqrt(variance + 1e-5) + offset

    In training, mean and variance are those of a channel over all samples and pixels of the batch,
    and the gradient goes through them. After each step the running statistics follow:

        running <- (1 - momentum) running + momentum (that of the batch)

    with the batch's unbiased variance, as in PyTorch. Outside of training the running statistics
    take the batch's place, so that a prediction does not depend on what is predicted beside it; the
    layer is then folded into the convolution or dense layer before it. Scale and offset, one of
    each per channel, are learned. A batch has at least two samples, and the last one of an epoch is
    filled up with the epoch's first samples.

    Source: Ioffe and Szegedy, Batch normalization, 2015.

    Attributes:
        momentum: How much of a running statistic comes from the last batch, above 0 and at most 1.

    Raises:
        NetworkError: The momentum is out of range.

    Example:
        >>> network = ds.parse_network("conv 16 3, batch_norm, relu, flatten, dense 10")
        >>> sorted(network.init((8, 8, 1))[1])
        ['offset', 'running_mean', 'running_variance', 'scale']
    """

    momentum: float = 0.1
    word: ClassVar[str] = "batch_norm"

    def __post_init__(self) -> None:
        is_number = isinstance(self.momentum, int | float) and not isinstance(self.momentum, bool)
        if not (is_number and 0 < self.momentum <= 1):
            raise NetworkError(
                f"BatchNorm has momentum {self.momentum!r}.",
                "a number above 0 and at most 1",
                "0.1 is usual: a tenth of a running statistic comes from the last batch.",
            )

    @property
    def mixes_batch(self) -> bool:
        """Yes."""
        return True

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Scale and running variance one, offset and running mean zero, each (channels,)."""
        own = _scale_and_offset(input_shape[-1])
        return own | {"running_mean": own["offset"], "running_variance": own["scale"]}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ... c"], key: Array | None = None
    ) -> Float[Array, "n ... c"]:
        """Standardise, multiply by the scale, add the offset; by the batch where there is a key."""
        return self.rectified_sum(parameters, inputs, key, rectify=False)

    def rectified_sum(
        self, parameters: Parameters, inputs: Array, key: Array | None, rectify: bool
    ) -> Array:
        """The same, with ReLU in the same pass if asked for."""
        if key is None:
            factor, shift = self.affine(parameters)
            outputs = inputs * factor + shift
            return jax.nn.relu(outputs) if rectify else outputs
        scale, offset = parameters["scale"], parameters["offset"]
        outputs, found = normalize_batch(  # pyright: ignore[reportGeneralTypeIssues] - JAX's type
            inputs, scale, offset, EPSILON, rectify
        )
        return self._followed(outputs, parameters, found)

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Padded:
        """The same; padding is left out of the batch's statistics."""
        if key is None:
            return Padded(self.weighted_sum(parameters, inputs.values), inputs.sizes)
        found = self.statistics(inputs)
        normal = (inputs.values - found.mean) / jnp.sqrt(found.variance + EPSILON)
        outputs = normal * parameters["scale"] + parameters["offset"]
        return Padded(self._followed(outputs, parameters, found), inputs.sizes)

    def statistics(self, inputs: Array | Padded) -> Moments:
        """Mean and variance of each channel over a batch."""
        if not isinstance(inputs, Padded):
            return moments(inputs)
        mask, axes = inputs.mask, (0, 1, 2)
        count = mask.sum()
        mean = inputs.cut.sum(axes) / count
        variance = (jnp.square(inputs.values - mean) * mask).sum(axes) / count
        return Moments(mean, variance, count)

    def affine(self, parameters: Parameters) -> tuple[Array, Array]:
        """Outside of training: what each channel is multiplied by, and what is added then.

        A variance below 0, which only a walk through weight space can reach, counts as 0.
        """
        mean, variance = (
            lax.stop_gradient(parameters[name]) for name in ("running_mean", "running_variance")
        )
        factor = parameters["scale"] / jnp.sqrt(jnp.maximum(variance, 0) + EPSILON)
        return factor, parameters["offset"] - mean * factor

    def _followed(self, outputs: Array, parameters: Parameters, found: Moments) -> Array:
        running = {name: parameters[name] for name in ("running_mean", "running_variance")}
        unbiased = found.variance * (found.seen / (found.seen - 1))
        batch = {"running_mean": found.mean, "running_variance": unbiased}
        drift = jax.tree.map(lambda old, new: self.momentum * (old - new), running, batch)
        return following(outputs, running, lax.stop_gradient(drift))

    keras_names: ClassVar[Mapping[str, str]] = {
        **_KERAS_NAMES,
        "running_mean": "moving_mean",
        "running_variance": "moving_variance",
    }

    def to_numpy(self, spot: Spot) -> list[str]:
        """By the running statistics."""
        spread = f"np.sqrt({spot.array('running_variance')} + np.float32({EPSILON}))"
        return _numpy_rescaled(spot, f"(x - {spot.array('running_mean')}) / {spread}")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A batch normalisation, for training on."""
        kind = "BatchNorm2d" if spot.is_image else "BatchNorm1d"
        own = spot.parameters
        weights = _torch_weights(spot) | {
            "running_mean": own["running_mean"],
            "running_var": own["running_variance"],
            "num_batches_tracked": np.array(0),
        }
        text = f"nn.{kind}({spot.shape[-1]}, momentum={self.momentum})"
        return [TorchModule(text, weights)]

    def to_keras(self, spot: Spot) -> list[str]:
        """A batch normalisation, for training on."""
        settings = f"momentum={1 - self.momentum}, epsilon={EPSILON}"
        return [f"x = layers.BatchNormalization({settings}, {spot.keras_name})(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A batch normalisation."""
        names = ("scale", "offset", "running_mean", "running_variance")
        arrays = [graph.constant(spot.parameters[one], f"{spot.number}.{one}") for one in names]
        return graph.node("BatchNormalization", x, *arrays, epsilon=EPSILON)
