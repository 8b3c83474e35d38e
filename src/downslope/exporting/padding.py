"""The zeros around an image, where a format wants their numbers."""

from __future__ import annotations

from downslope.nn.images import Conv2D
from downslope.nn.layer import Shape


def same_pads(layer: Conv2D, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows of zeros (above, below) and columns (left, right) of a convolution that is "same".

    With a stride they depend on the image's sides. Of photos these are multiples of 8, as those
    that were trained on, so what is right for these is right for all.

    Args:
        layer: The convolution.
        shape: Of its input, (height, width, channels).
    """
    span = (layer.size - 1) * layer.dilation + 1
    above, left = (_around(length, span, layer.stride) for length in shape[:2])
    return above, left


def _around(length: int, span: int, stride: int) -> tuple[int, int]:
    total = max((-(-length // stride) - 1) * stride + span - length, 0)
    return total // 2, total - total // 2
