"""Images at exactly the size that a network takes: for training and for answering alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from downslope.data.readers.image_file import Header, Ranges, Size, read_header, read_image


def look_at(path: Path) -> Header:
    """Read an image's header.

    Raises:
        DataError: It is no image, or has too many pixels.
    """
    return read_header(path, "image")


def read_pixels(
    path: Path, height: int, width: int, mode: Literal["L", "RGB"], ranges: Ranges | None = None
) -> np.ndarray:
    """Pixels of 0 to 255 at exactly this size, turned upright; transparent ones are black.

    Args:
        path: An image of a documented format.
        height: In pixels; the image's own proportions are not kept.
        width: Likewise.
        mode: "L" for grey, "RGB" for colours.
        ranges: Which values are black and white, where the image has more than 8 bits per value;
            None to see it from the image itself.

    Returns:
        (height, width), or (height, width, 3): uint8, or float32 with all levels of an image of
        more than 8 bits per value.

    Raises:
        DataError: It is no whole image, or has too many pixels.
    """
    return read_image(path, (width, height), mode, _filter, ranges, "image")


def _filter(own: Size, size: Size) -> Any:
    from PIL.Image import Resampling

    return Resampling.BOX if min(own) > max(size) else Resampling.BILINEAR
