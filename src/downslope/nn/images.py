"""Layers for images, (N, height, width, channels): convolution, pooling, enlarging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.nn.activations import Activation, Function, activation
from downslope.nn.dense import LARGEST, add_activation, keep_plain, positive
from downslope.nn.forms import Spot, TorchModule, torch_activation
from downslope.nn.initializers import Function as Draw
from downslope.nn.initializers import Initializer, initializer
from downslope.nn.layer import Layer, Misfit, Padded, Parameters, Shape
from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.pooling import LARGEST_INDEXED, average_pool, max_pool, upsample

FARTHEST = 128  # pixels that a patch may always reach over, however small the image has become
IMAGES = "images, (height, width, channels)"


def _is_image(shape: Shape) -> None:
    if len(shape) != 3:
        raise Misfit(IMAGES, "Use dense layers for flat inputs, or give the inputs as images.")


@dataclass(frozen=True)
class Conv2D(Layer):
    """Convolution: the same `size` x `size` weights are applied to each patch of the image.

        y[n, i, j, k] = a(sum_uvc x[n, i*s + u*d, j*s + v*d, c] W[u, v, c, k] + b[k])

    with stride s and dilation d. As is usual in the field, the patch is not flipped. With g groups,
    each g-th of the output channels sees one g-th of the input channels alone; as many groups as
    input channels make a depthwise convolution (Howard et al., MobileNets, 2017).

    Attributes:
        channels: Number of output channels.
        size: Height and width of the patch, in pixels.
        activation: A name in `ACTIVATIONS`, a function a(z) written with `jax.numpy`, or an
            `Activation`.
        stride: Step between patches, in pixels.
        dilation: Distance between the pixels of a patch.
        padding: "same" surrounds the image with zeros so that stride 1 keeps its size; "valid"
            uses whole patches only.
        initializer: A name in `INITIALIZERS`, "auto" for the one that fits the activation, a
            function (key, shape, dtype) -> weights, or an `Initializer`.
        groups: Into how many parts the channels are divided; 1 lets each output see all of them.

    Raises:
        NetworkError: A size, stride, dilation, name or number of groups is out of range.

    Example:
        >>> ds.Conv2D(16, 3, "relu", stride=2).output_shape((28, 28, 1))
        (14, 14, 16)
    """

    channels: int
    size: int = 3
    activation: str | Function | Activation = "identity"
    stride: int = 1
    dilation: int = 1
    padding: Literal["same", "valid"] = "same"
    initializer: str | Draw | Initializer = "auto"
    groups: int = 1
    word: ClassVar[str] = "conv"

    def __post_init__(self) -> None:
        for name in ("channels", "size", "stride", "dilation", "groups"):
            positive(name, getattr(self, name), "Conv2D")
        if self.channels % self.groups:
            raise NetworkError(
                f"Conv2D has {self.channels} channels in {self.groups} groups.",
                "a number of channels that the groups divide",
                "Choose another number of groups.",
            )
        if self.padding not in ("same", "valid"):
            raise NetworkError(
                f"Conv2D has padding {self.padding!r}.",
                "'same' or 'valid'",
                "Use 'same' to keep the image's size.",
            )
        keep_plain(self)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, inputs) to (height', width', channels)."""
        _is_image(input_shape)
        if input_shape[2] % self.groups:
            raise Misfit(
                f"images with a number of channels that {self.groups} groups divide",
                "Choose another number of groups.",
            )
        reach = (self.size - 1) * self.dilation + 1
        if self.padding == "same":
            longest = max(FARTHEST, 2 * max(input_shape[:2]))
            if self.dilation > 1 and reach > longest:
                raise Misfit(
                    f"patches of at most {longest} x {longest} pixels, while size {self.size} and "
                    f"dilation {self.dilation} reach over {reach}",
                    "Choose a smaller dilation: what lies so far outside is zero.",
                )
            height, width = (-(-side // self.stride) for side in input_shape[:2])
        else:
            if min(input_shape[:2]) < reach:
                raise Misfit(
                    f"images of at least {reach} x {reach} pixels",
                    "Use padding='same', a smaller size, or fewer pooling layers before it.",
                )
            height, width = ((side - reach) // self.stride + 1 for side in input_shape[:2])
        return (height, width, self.channels)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Weights (size, size, inputs / groups, channels) from the initializer, biases zero."""
        inputs, area = input_shape[2] // self.groups, self.size**2
        draw = initializer(self.initializer, self.activation).draw
        shape = (self.size, self.size, inputs, self.channels)
        weights = draw(key, shape, area * inputs, area * self.channels // self.groups)
        return {"weights": weights, "biases": jnp.zeros(self.channels, weights.dtype)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 channels"]:
        """Convolve (without flipping, as is the custom of the field) and add the bias."""
        return convolve(
            inputs,
            parameters["weights"],
            parameters["biases"],
            stride=self.stride,
            dilation=self.dilation,
            padding=self.padding,
            groups=self.groups,
        )

    def side_after(self, side: Any) -> Any:
        """The same as in `output_shape`."""
        if self.padding == "same":
            return -(-side // self.stride)
        return (side - (self.size - 1) * self.dilation - 1) // self.stride + 1

    def activate(self, pre_activations: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        """Apply the activation to each pre-activation."""
        return activation(self.activation)(pre_activations)

    keras_names: ClassVar[Mapping[str, str]] = {"weights": "kernel", "biases": "bias"}

    def same_pads(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows of zeros (above, below) and columns (left, right) where the padding is "same".

        With a stride they depend on the image's sides. Of photos these are multiples of 8, as
        those that were trained on, so what is right for these is right for all.

        Args:
            shape: Of the input, (height, width, channels).
        """
        span = (self.size - 1) * self.dilation + 1
        totals = [
            max((-(-length // self.stride) - 1) * self.stride + span - length, 0)
            for length in shape[:2]
        ]
        above, left = ((total // 2, total - total // 2) for total in totals)
        return above, left

    def to_numpy(self, spot: Spot) -> list[str]:
        """A convolution."""
        settings = {"stride": self.stride, "dilation": self.dilation, "groups": self.groups}
        words = [f", {name}={value}" for name, value in settings.items() if value != 1]
        words += [', padding="valid"'] * (self.padding == "valid")
        product = f"convolve(x, {spot.array('weights')}{''.join(words)})"
        return spot.numpy_activated(self.activation, f"{product} + {spot.array('biases')}")

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A convolution; with padding "same" and a stride, one that pads as Downslope does."""
        words = [str(spot.shape[-1]), str(self.channels), str(self.size)]
        for name in ("stride", "dilation", "groups"):
            if getattr(self, name) != 1:
                words.append(f"{name}={getattr(self, name)}")
        is_strided = self.padding == "same" and self.stride > 1
        if self.padding == "same" and not is_strided:
            words.append('padding="same"')
        own = spot.parameters
        weights = {"weight": own["weights"].transpose(3, 2, 0, 1), "bias": own["biases"]}
        kind, code = ("StridedConv2d", _STRIDED) if is_strided else ("nn.Conv2d", "")
        made = TorchModule(f"{kind}({', '.join(words)})", weights, definition=code)
        return [made, *torch_activation(self.activation)]

    def to_keras(self, spot: Spot) -> list[str]:
        """A convolution."""
        start = f"Conv2D({self.channels}, {self.size}"
        if self.groups > 1:
            start += f", groups={self.groups}"
        if self.dilation > 1:
            start += f", dilation_rate={self.dilation}"
        if self.stride > 1 and self.dilation > 1:
            return self._strided_and_dilated(spot, start)
        if self.stride > 1:
            start += f", strides={self.stride}"
        if self.padding == "same":
            start += ', padding="same"'
        return spot.keras_activated(self.activation, start)

    def _strided_and_dilated(self, spot: Spot, start: str) -> list[str]:
        """Keras refuses both at once: every output is computed, and some are taken."""
        lines = []
        if self.padding == "same":
            pads = self.same_pads(spot.shape)
            if any(map(any, pads)):
                lines.append(f"x = layers.ZeroPadding2D({pads})(x)")
        taken = f"x = layers.MaxPooling2D(1, strides={self.stride})(x)"  # each stride-th pixel
        return [*lines, *spot.keras_activated(self.activation, start), taken]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A convolution."""
        own = spot.parameters
        weights = graph.constant(own["weights"].transpose(3, 2, 0, 1), f"{spot.number}.weights")
        biases = graph.constant(own["biases"], f"{spot.number}.biases")
        settings: dict[str, Any] = {}
        if self.padding == "same" and self.stride > 1 and self.dilation == 1:
            settings["auto_pad"] = "SAME_UPPER"  # right for photos of any size
        elif self.padding == "same":
            (above, below), (left, right) = self.same_pads(spot.shape)
            settings["pads"] = [above, left, below, right]
        steps = {"strides": [self.stride] * 2, "dilations": [self.dilation] * 2}
        z = graph.node("Conv", x, weights, biases, group=self.groups, **steps, **settings)
        return add_activation(self.activation, graph, z)


_STRIDED = '''\
class StridedConv2d(nn.Conv2d):
    """Padding "same" with a stride: the odd zero goes below and to the right."""

    def forward(self, x):
        pads = []
        for length in (x.shape[3], x.shape[2]):
            span = (self.kernel_size[0] - 1) * self.dilation[0] + 1
            zeros = max((-(-length // self.stride[0]) - 1) * self.stride[0] + span - length, 0)
            pads += [zeros // 2, zeros - zeros // 2]
        return super().forward(nn.functional.pad(x, pads))'''


@dataclass(frozen=True)
class _Pool(Layer):
    """What both poolings share: windows of `size` x `size` side by side; a rest is cut off."""

    size: int = 2

    largest: ClassVar[int] = LARGEST

    def __post_init__(self) -> None:
        positive("size", self.size, type(self).__name__, self.largest)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) to (height // size, width // size, channels)."""
        _is_image(input_shape)
        if min(input_shape[:2]) < self.size:
            raise Misfit(
                f"images of at least {self.size} x {self.size} pixels",
                "Remove this pooling layer, or start from larger images.",
            )
        return (input_shape[0] // self.size, input_shape[1] // self.size, input_shape[2])

    def side_after(self, side: Any) -> Any:
        """Whole windows alone."""
        return side // self.size

    names: ClassVar[tuple[str, str, str, str]]  # in NumPy, PyTorch, Keras and ONNX

    def to_numpy(self, spot: Spot) -> list[str]:
        """Over the axes within the windows."""
        return [f"x = windows(x, {self.size}).{self.names[0]}(axis=(2, 4))"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A pooling module."""
        return [TorchModule(f"nn.{self.names[1]}({self.size})")]

    def to_keras(self, spot: Spot) -> list[str]:
        """A pooling layer."""
        return [f"x = layers.{self.names[2]}({self.size})(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A pooling."""
        size = [self.size] * 2
        return graph.node(self.names[3], x, kernel_shape=size, strides=size)


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """Max pooling: the largest value of each window of `size` x `size` pixels.

        y[n, i, j, c] = max of x[n, i*size : (i + 1)*size, j*size : (j + 1)*size, c]

    Attributes:
        size: Height and width of the window, and the step between windows, in pixels.

    Example:
        >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> ds.MaxPool2D(2).forward({}, image)[0, :, :, 0]
        Array([[ 5.,  7.],
               [13., 15.]], dtype=float32)
    """

    largest: ClassVar[int] = LARGEST_INDEXED
    word: ClassVar[str] = "max_pool"
    names: ClassVar = ("max", "MaxPool2d", "MaxPooling2D", "MaxPool")

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 c"]:
        """The largest value of each window."""
        return max_pool(inputs, self.size)


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """Average pooling: the mean of each window of `size` x `size` pixels.

        y[n, i, j, c] = mean of x[n, i*size : (i + 1)*size, j*size : (j + 1)*size, c]

    Attributes:
        size: Height and width of the window, and the step between windows, in pixels.

    Example:
        >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
        >>> ds.AveragePool2D(2).forward({}, image)[0, :, :, 0]
        array([[ 2.5,  4.5],
               [10.5, 12.5]])
    """

    word: ClassVar[str] = "average_pool"
    names: ClassVar = ("mean", "AvgPool2d", "AveragePooling2D", "AveragePool")

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 c"]:
        """The mean of each window."""
        return average_pool(inputs, self.size)


@dataclass(frozen=True)
class _GlobalPool(Layer):
    """What both global poolings share: one number of each channel, whatever the image's size."""

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) to (channels,)."""
        _is_image(input_shape)
        return input_shape[-1:]

    names: ClassVar[tuple[str, str, str, str]]  # in NumPy, PyTorch, Keras and ONNX

    def to_numpy(self, spot: Spot) -> list[str]:
        """Over height and width."""
        return [f"x = x.{self.names[0]}(axis=(1, 2))"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A pooling to one pixel, flat."""
        return [TorchModule(f"nn.{self.names[1]}(1)"), TorchModule("nn.Flatten()")]

    def to_keras(self, spot: Spot) -> list[str]:
        """A global pooling layer."""
        return [f"x = layers.{self.names[2]}()(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A global pooling, flat."""
        return graph.node("Flatten", graph.node(self.names[3], x), axis=1)


@dataclass(frozen=True)
class GlobalAveragePool2D(_GlobalPool):
    """The mean of each channel over the whole image: images of any size become flat.

        y[n, c] = mean over i, j of x[n, i, j, c]

    Source: Lin et al., Network in network, 2013.

    Example:
        >>> ds.GlobalAveragePool2D().output_shape((28, 20, 64))
        (64,)
    """

    word: ClassVar[str] = "global_average_pool"
    names: ClassVar = (
        *("mean", "AdaptiveAvgPool2d"),
        *("GlobalAveragePooling2D", "GlobalAveragePool"),
    )

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n c"]:
        """The mean over height and width."""
        return inputs.mean((1, 2))

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Float[Array, "n c"]:
        """The mean over each image alone."""
        return inputs.cut.sum((1, 2)) / inputs.sizes.prod(axis=1, keepdims=True)


@dataclass(frozen=True)
class GlobalMaxPool2D(_GlobalPool):
    """The largest value of each channel in the whole image: images of any size become flat.

        y[n, c] = max over i, j of x[n, i, j, c]

    Of equal values the first one, row by row, gets the gradient.

    Example:
        >>> ds.GlobalMaxPool2D().output_shape((28, 20, 64))
        (64,)
    """

    word: ClassVar[str] = "global_max_pool"
    names: ClassVar = ("max", "AdaptiveMaxPool2d", "GlobalMaxPooling2D", "GlobalMaxPool")

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n c"]:
        """The maximum over height and width."""
        pixels = jnp.asarray(inputs).reshape(len(inputs), -1, inputs.shape[-1])
        where = jnp.argmax(pixels, axis=1, keepdims=True)
        return jnp.take_along_axis(pixels, where, axis=1)[:, 0]

    def padded_sum(
        self, parameters: Parameters, inputs: Padded, key: Array | None = None
    ) -> Float[Array, "n c"]:
        """The maximum over each image alone."""
        inside = jnp.where(inputs.mask > 0, inputs.values, -jnp.inf)
        return self.weighted_sum(parameters, inside, key)


@dataclass(frozen=True)
class Upsample2D(Layer):
    """Nearest-neighbour upsampling: repeat each pixel `factor` times in both directions.

        y[n, i, j, c] = x[n, i // factor, j // factor, c]

    Attributes:
        factor: How many times larger both sides become.

    Example:
        >>> ds.Upsample2D(2).output_shape((14, 14, 8))
        (28, 28, 8)
    """

    factor: int = 2
    word: ClassVar[str] = "upsample"

    def __post_init__(self) -> None:
        positive("factor", self.factor, "Upsample2D")

    def output_shape(self, input_shape: Shape) -> Shape:
        """(height, width, channels) to (factor height, factor width, channels)."""
        _is_image(input_shape)
        return (input_shape[0] * self.factor, input_shape[1] * self.factor, input_shape[2])

    def side_after(self, side: Any) -> Any:
        """`factor` times larger."""
        return side * self.factor

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 c"]:
        """The repeated pixels."""
        return upsample(inputs, self.factor)

    def to_numpy(self, spot: Spot) -> list[str]:
        """Pixels repeated."""
        return [f"x = upsample(x, {self.factor})"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """An upsampling module."""
        return [TorchModule(f"nn.Upsample(scale_factor={self.factor})")]

    def to_keras(self, spot: Spot) -> list[str]:
        """An upsampling layer."""
        return [f"x = layers.UpSampling2D({self.factor})(x)"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A resize to the nearest pixel."""
        factors = np.array([1, 1, self.factor, self.factor], np.float32)
        return graph.node(
            "Resize",
            x,
            "",  # no region of interest
            graph.constant(factors, "factors"),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
