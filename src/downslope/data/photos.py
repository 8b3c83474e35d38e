"""Photos from disk, upright, in colour, at a size that a network can work with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from downslope.data.readers.file_names import IMAGES
from downslope.data.readers.image_file import Ranges, Size, read_header, read_image
from downslope.errors import SettingError

SUFFIXES = IMAGES
MULTIPLE = 8


def working_side(longer: int) -> int:
    """Say how long the longer side should be for training, in pixels.

    Photos above 400 pixels are halved once, and again until at most 512 are left: 640 becomes
    320, 1024 and 2048 become 512, and 256 stays. Halving is the reduction that a JPEG decoder
    does while it decodes, and half the side is a quarter of the work.

    Args:
        longer: The longer side of the largest photo, in pixels.

    Returns:
        The longer side in pixels.

    Example:
        >>> [ds.data.working_side(longer) for longer in (256, 640, 2048)]
        [256, 320, 512]
    """
    side = longer // 2 if longer > 400 else longer
    while side > 512:
        side //= 2
    return side


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the (width, height) in pixels that `read_photo` gives a photo of this size.

    The longer side is at most `side`, and both are the nearest multiples of 8, so that three
    halvings inside a network leave no remainder. No photo is enlarged by more than that.

    Args:
        width: Width of the photo in pixels.
        height: Its height in pixels.
        side: What the longer side may be, in pixels.

    Returns:
        Width and height in pixels, multiples of 8.

    Raises:
        SettingError: `side` is less than 8.

    Example:
        >>> ds.data.fitted_size(1024, 768, side=512)
        (512, 384)
    """
    if side < MULTIPLE:
        raise SettingError(
            f"The longer side of photos is set to {side} pixels.",
            f"at least {MULTIPLE}",
            "Use 256 or 512 to begin with.",
        )
    shrink = min(1.0, side / max(width, height))
    largest = side // MULTIPLE
    steps = [round(length * shrink / MULTIPLE) for length in (width, height)]
    across, down = (MULTIPLE * min(max(1, step), largest) for step in steps)
    return across, down


def photo_size(path: str | Path) -> tuple[int, int]:
    """Return (width, height) in pixels as the photo is meant to be seen; reads the header only.

    Args:
        path: An image of a documented format.

    Returns:
        Width and height in pixels.

    Raises:
        DataError: The file is missing, or is not an image, or is too large.

    Example:
        >>> from PIL import Image
        >>> Image.new("RGB", (640, 480)).save("square.png")
        >>> ds.data.photo_size("square.png")
        (640, 480)
    """
    return read_header(Path(path))[:2]


def read_photo(path: str | Path, side: int, ranges: Ranges | None = None) -> np.ndarray:
    """Read a photo: turned upright as its EXIF says, in RGB, shrunk.

    Args:
        path: An image of a documented format.
        side: The longer side is at most this many pixels; see `fitted_size`.
        ranges: Which values are black and white, where the photo has more than 8 bits per value;
            None to see it from the photo itself.

    Returns:
        (height, width, 3): uint8, or float32 of 0 to 255 with all levels of a photo of more than
        8 bits per value.

    Raises:
        DataError: The file is missing, or is not an image, or is cut off, or is too large.

    Example:
        >>> from PIL import Image
        >>> Image.new("RGB", (640, 480)).save("square.png")
        >>> ds.data.read_photo("square.png", side=320).shape
        (240, 320, 3)
    """
    path = Path(path)
    return read_image(path, fitted_size(*photo_size(path), side), "RGB", _filter, ranges)


def _filter(own: Size, size: Size) -> Any:
    from PIL.Image import Resampling

    whole = own[0] % size[0] == 0 and own[1] % size[1] == 0
    # a whole factor is a plain average of pixels; anything else needs a filter
    return Resampling.BOX if whole else Resampling.LANCZOS
