"""Photos from disk, upright, in colour, at a size that a network can work with."""

from __future__ import annotations

import logging
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from downslope.errors import DataError, SettingError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png")
MULTIPLE = 8
_ORIENTATION = 0x0112  # the EXIF tag
_opening = threading.Lock()
_SILENT = logging.NullHandler()


def working_side(longer: int) -> int:
    """Say how long the longer side should be for training, in pixels.

    Photos above 400 pixels are halved once, and again until at most 512 are left: 640 becomes
    320, 1024 and 2048 become 512, and 256 stays. Halving is the reduction that a JPEG decoder
    does while it decodes, and half the side is a quarter of the work.

    Args:
        longer: The longer side of the largest photo, in pixels.
    """
    side = longer // 2 if longer > 400 else longer
    while side > 512:
        side //= 2
    return side


def fitted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the (width, height) in pixels that `read_photo` gives a photo of this size.

    The longer side is at most `side`, and both are the nearest multiples of 8, so that three
    halvings inside a network leave no remainder. No photo is enlarged by more than that.

    Raises:
        SettingError: `side` is less than 8.
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

    Raises:
        DataError: The file is missing, or is not an image, or is too large.
    """
    with open_image(Path(path)) as image:
        return _upright(image.size, orientation_of(image))


def read_photo(path: str | Path, side: int) -> np.ndarray:
    """Read a photo: turned upright as its EXIF says, in RGB, shrunk.

    Args:
        path: A JPEG or PNG file, or anything else that Pillow reads.
        side: The longer side is at most this many pixels; see `fitted_size`.

    Returns:
        uint8 of shape (height, width, 3).

    Raises:
        DataError: The file is missing, or is not an image, or is cut off, or is too large.
    """
    path = Path(path)
    with open_image(path) as image:
        orientation = orientation_of(image)
        size = _upright(fitted_size(*_upright(image.size, orientation), side), orientation)
        try:
            image.draft("RGB", size)  # a JPEG is halved while it is decoded, the cheapest place
            small = _resize(_to_rgb(image), size)
        except Exception:  # decoders of broken files raise many kinds
            raise unreadable(path) from None
        return np.asarray(_turn(small, orientation))


def open_image(path: Path, what: str = "photo") -> Image:
    """Open an image; only its header is read.

    Args:
        path: The file.
        what: What messages call it.

    Raises:
        DataError: The file is missing, or is not an image, or is too large.
    """
    from PIL import Image

    logging.getLogger("PIL").addHandler(_SILENT)  # what is wrong is said once, in our words
    try:
        # the warning filter belongs to the whole process, so one thread at a time
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise DataError(
            f"The {what} {path} has too many pixels to be opened safely.",
            f"at most {(Image.MAX_IMAGE_PIXELS or 0) // 1_000_000} million pixels",
            "Save a smaller copy of it.",
        ) from None
    except FileNotFoundError:
        raise DataError(f"There is no {what} {path}.", "an image file", "Check the path.") from None
    except Exception:  # decoders of broken files raise many kinds
        raise unreadable(path, what) from None


def unreadable(path: Path, what: str = "photo") -> DataError:
    """What to raise where an image is broken."""
    return DataError(
        f"The {what} {path} cannot be read.",
        "a whole JPEG or PNG file",
        "Open it in an image viewer; replace or remove it if it is broken.",
    )


def orientation_of(image: Image) -> int:
    """How the image is turned, 1 to 8, as its EXIF says; 1 where it says nothing."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block says nothing about the picture itself
        return 1


def _upright(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Exchange width and height where the picture lies on its side (its own inverse)."""
    return (size[1], size[0]) if 5 <= orientation <= 8 else size


def _turn(image: Image, orientation: int) -> Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _to_rgb(image: Image) -> Image:
    if image.mode.startswith("I;16"):  # Pillow would cut 16 bits off at 255
        from PIL import Image as pillow

        image = pillow.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def _resize(image: Image, size: tuple[int, int]) -> Image:
    from PIL.Image import Resampling

    if image.size == size:
        return image
    whole = image.width % size[0] == 0 and image.height % size[1] == 0
    # a whole factor is a plain average of pixels; anything else needs a filter
    return image.resize(size, Resampling.BOX if whole else Resampling.LANCZOS)
