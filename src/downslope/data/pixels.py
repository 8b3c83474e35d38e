"""Images at exactly the size that a network takes: for training and for answering alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from downslope.data.photos import open_image, orientation_of, unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

_GREY = ("1", "L", "LA", "I;16", "I;16L", "I;16B", "I")


class Look(NamedTuple):
    """What an image's header says: its size as it is meant to be seen, and whether it is grey."""

    height: int
    width: int
    is_grey: bool


def look_at(path: Path) -> Look:
    """Read an image's header.

    Raises:
        DataError: It is no image, or has too many pixels.
    """
    with open_image(path, "image") as image:
        width, height = image.size
        if orientation_of(image) >= 5:
            width, height = height, width
        return Look(height, width, image.mode in _GREY)


def read_pixels(path: Path, height: int, width: int, mode: Literal["L", "RGB"]) -> np.ndarray:
    """Pixels of 0 to 255 at exactly this size, turned upright; transparent ones are black.

    Args:
        path: Any image that Pillow reads.
        height: In pixels; the image's own proportions are not kept.
        width: Likewise.
        mode: "L" for grey, "RGB" for colours.

    Returns:
        uint8 of shape (height, width), or (height, width, 3).

    Raises:
        DataError: It is no whole image, or has too many pixels.
    """
    from PIL import Image, ImageOps

    with open_image(path, "image") as image:
        try:
            flat = _flat(ImageOps.exif_transpose(image), mode)
        except Exception as error:  # decoders of broken files raise many kinds
            raise unreadable(path, "image") from error
    if flat.size != (width, height):
        shrinks = min(flat.size) > max(width, height)
        kind = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
        flat = flat.resize((width, height), kind)
    return np.asarray(flat, np.uint8)


def _flat(image: Image, mode: str) -> Image:
    """Without transparency, and 16 bits made 8: Pillow would cut them off at 255."""
    from PIL import Image as pillow

    if image.mode.startswith("I"):
        values = np.asarray(image).astype(np.int64)
        image = pillow.fromarray((values >> 8 if values.max() > 255 else values).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        seen = image.convert("RGBA")
        image = pillow.alpha_composite(pillow.new("RGBA", seen.size, "black"), seen)
    return image.convert(mode)
