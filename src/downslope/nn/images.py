"""Layers for images, (N, height, width, channels): convolution, pooling, enlarging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import NetworkError
from downslope.nn.activations import Activation, Function, activation
from downslope.nn.dense import LARGEST, keep_plain, positive
from downslope.nn.initializers import Function as Draw
from downslope.nn.initializers import Initializer, initializer
from downslope.nn.layer import Layer, Misfit, Parameters, Shape
from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.pooling import LARGEST_INDEXED, average_pool, max_pool, upsample

FARTHEST = 128  # pixels that a patch may always reach over, however small the image has become
IMAGES = "images, (height, width, channels)"


def _is_image(shape: Shape) -> None:
    if len(shape) != 3:
        raise Misfit(IMAGES, "Use dense layers for flat inputs, or give the inputs as images.")


@dataclass(frozen=True)
class Conv2D(Layer):
    """Convolution: each unit sees a patch of `size` x `size` pixels, the same weights everywhere.

    Attributes:
        channels: Number of output channels.
        size: Height and width of the patch.
        activation: A name in `ACTIVATIONS`, a function a(z) written with `jax.numpy`, or an
            `Activation`.
        stride: Step between patches, in pixels.
        dilation: Distance between the pixels of a patch.
        padding: "same" surrounds the image with zeros so that stride 1 keeps its size; "valid"
            uses whole patches only.
        initializer: A name in `INITIALIZERS`, "auto" for the one that fits the activation, a
            function (key, shape, dtype) -> weights, or an `Initializer`.
    """

    channels: int
    size: int = 3
    activation: str | Function | Activation = "identity"
    stride: int = 1
    dilation: int = 1
    padding: Literal["same", "valid"] = "same"
    initializer: str | Draw | Initializer = "auto"
    word: ClassVar[str] = "conv"

    def __post_init__(self) -> None:
        for name in ("channels", "size", "stride", "dilation"):
            positive(name, getattr(self, name), "Conv2D")
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
        """Weights (size, size, inputs, channels) from the initializer, biases zero."""
        inputs, area = input_shape[2], self.size**2
        draw = initializer(self.initializer, self.activation).draw
        shape = (self.size, self.size, inputs, self.channels)
        weights = draw(key, shape, area * inputs, area * self.channels)
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
        )

    def side_after(self, side: Any) -> Any:
        """As `output_shape` has it."""
        if self.padding == "same":
            return -(-side // self.stride)
        return (side - (self.size - 1) * self.dilation - 1) // self.stride + 1

    def activate(self, sums: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        """Apply the activation to each sum."""
        return activation(self.activation)(sums)


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


@dataclass(frozen=True)
class MaxPool2D(_Pool):
    """The largest value of each window.

    Attributes:
        size: Height, width and step of the window, in pixels.
    """

    largest: ClassVar[int] = LARGEST_INDEXED
    word: ClassVar[str] = "max_pool"

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 c"]:
        """Take the maximum; a layer without weights has its outputs for sums."""
        return max_pool(inputs, self.size)


@dataclass(frozen=True)
class AveragePool2D(_Pool):
    """The mean of each window.

    Attributes:
        size: Height, width and step of the window, in pixels.
    """

    word: ClassVar[str] = "average_pool"

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n h w c"], key: Array | None = None
    ) -> Float[Array, "n h2 w2 c"]:
        """Take the mean; a layer without weights has its outputs for sums."""
        return average_pool(inputs, self.size)


@dataclass(frozen=True)
class Upsample2D(Layer):
    """Each pixel repeated `factor` times in both directions (nearest neighbour).

    Attributes:
        factor: How many times larger both sides become.
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
        """Repeat; a layer without weights has its outputs for sums."""
        return upsample(inputs, self.factor)
