"""An image file: opened safely, upright, at a given size, with all its levels.

Only the formats that are documented are opened, whatever a file is called: some that Pillow knows
start other programs. Images of more than 8 bits per value are read as what they hold; which of
their values are black and white is decided once for a data set, and kept with the run.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from downslope.data.limits import (
    BYTES_PER_PIXEL,
    SETTING,
    gib_for,
    most_pixels,
)
from downslope.errors import DataError, DownslopeError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")
NAMED = "JPEG, PNG, GIF, BMP, WebP, TIFF, PPM or AVIF"
WHITE = 255.0  # what the brightest pixel of any image file becomes
_GREY = ("1", "L", "LA", "I;16", "I;16L", "I;16B", "I", "F")
_ORIENTATION, _WIDTH, _HEIGHT = 0x0112, 0x0100, 0x0101  # EXIF and TIFF tags
_opening = threading.Lock()
_SILENT = logging.NullHandler()

Depth = Literal["bytes", "whole", "float"]
Size = tuple[int, int]  # width and height in pixels
Range = tuple[float, float]  # which values of a file are black and white
Ranges = Mapping[str, Range]  # by depth


class Header(NamedTuple):
    """What an image's header says.

    Attributes:
        width: In pixels, as it is meant to be seen.
        height: Likewise.
        is_grey: Whether it has no colours.
        depth: Whether its values are bytes, whole numbers of more bits, or floats.
    """

    width: int
    height: int
    is_grey: bool
    depth: Depth


def read_header(path: Path, what: str = "photo") -> Header:
    """Read an image's header.

    Args:
        path: The file.
        what: What messages call it.

    Raises:
        DataError: It is missing, is no image of a documented format, or has too many pixels.
    """
    with open_image(path, what) as image:
        depth, is_grey = _depth(image), image.mode in _GREY  # before a PNG's EXIF is looked for
        with _room_for(image):
            width, height = _upright_size(image)
        return Header(width, height, is_grey, depth)


def read_image(
    path: Path,
    size: Size,
    mode: Literal["L", "RGB"],
    filters: Callable[[Size, Size], Any],
    ranges: Ranges | None = None,
    what: str = "photo",
) -> np.ndarray:
    """Read an image, turned upright; transparent pixels are black.

    Args:
        path: The file.
        size: Width and height that it is brought to.
        mode: "L" for grey, "RGB" for colours.
        filters: From two sizes to the filter of Pillow that resizes between them.
        ranges: Which values are black and white, where the image has more than 8 bits per value;
            None to see it from the image itself.
        what: What messages call it.

    Returns:
        (height, width), or (height, width, 3): uint8, or float32 of the same range, 0 to 255, for
        an image of more than 8 bits per value.

    Raises:
        DataError: It is missing, no whole image of a documented format, or has too many pixels.
    """
    with open_image(path, what) as image:
        depth, tile = _depth(image), _tile(image)
        with _room_for(image):
            orientation = 1 if image.format == "TIFF" else orientation_of(image)
        stored = _upright(size, orientation)
        try:
            if depth == "bytes":
                image.draft("RGB", stored)  # a JPEG is shrunk while it is decoded: least work
            with _room_for(image):
                if depth == "bytes":
                    small = _resized(_flat(image, mode), stored, filters)
                    return np.asarray(_turned(small, orientation))
                values = _values(image, tile)
                known = (ranges or {}).get(depth) or range_of(values, depth)
                return _as_read(values, known, stored, orientation, mode, filters)
        except MemoryError:
            raise DataError(
                f"The {what} {path} has {pixels_of(image)} pixels, too many for the memory left.",
                "an image that fits into memory",
                "Save a smaller copy of it.",
            ) from None
        except DownslopeError:
            raise
        except Exception:  # decoders of broken files raise many kinds
            raise unreadable(path, what) from None


def ranges_of(paths: Iterable[Path], what: str = "photo") -> dict[str, Range]:
    """Which values are black and white among the images of a data set, by depth.

    Args:
        paths: Those of its images that have more than 8 bits per value.
        what: What messages call one.

    Raises:
        DataError: One cannot be read.
    """
    found: dict[str, list[Range]] = {}
    for path in paths:
        with open_image(path, what) as image:
            depth, tile = _depth(image), _tile(image)
            if depth == "bytes":
                continue
            try:
                with _room_for(image):
                    values = _values(image, tile)
            except Exception:  # decoders of broken files raise many kinds
                raise unreadable(path, what) from None
            if not np.isfinite(values).all():
                raise DataError(
                    f"The {what} {path} has a pixel that is no finite number.",
                    "finite numbers",
                    "Fill in what is missing, or leave the image out.",
                )
            found.setdefault(depth, []).append((float(values.min()), float(values.max())))
    return {
        depth: _range(min(low for low, _ in all_), max(high for _, high in all_), depth)
        for depth, all_ in found.items()
    }


def range_of(values: np.ndarray, depth: str) -> Range:
    """Which values are black and white in one image."""
    return _range(float(values.min()), float(values.max()), depth)


def _range(low: float, high: float, depth: str) -> Range:
    """A camera's range where the values look like one, else from the lowest to the highest."""
    if depth == "whole" and low >= 0 and high < 2**16:  # of 8, 10, 12, 14 or 16 bits
        return 0.0, float(2 ** max(8, int(high).bit_length()) - 1)
    if depth == "float" and low >= 0 and high <= WHITE:
        return 0.0, 1.0 if high <= 1 else WHITE
    return low, high if high > low else low + 1


def range_notes(ranges: Ranges) -> tuple[str, ...]:
    """What a user should know of them, a sentence each."""
    names = {"whole": "whole numbers of more than 8 bits", "float": "floats"}
    return tuple(
        f"Images of {names[depth]}: {low:,g} is taken for black and {high:,g} for white, here and "
        "in all images that the run will see."
        for depth, (low, high) in ranges.items()
    )


def _as_read(
    values: np.ndarray, known: Range, size: Size, orientation: int, mode: str, filters: Any
) -> np.ndarray:
    """Values as pixels of 0 to 255, at this size, upright, with as many colours as asked for."""
    from PIL import Image as pillow

    low, high = known
    channels = [values] if values.ndim == 2 else list(np.moveaxis(values, -1, 0))
    planes = []
    for channel in channels:
        scaled = ((channel.astype(np.float64) - low) * (WHITE / (high - low))).astype(np.float32)
        small = _resized(pillow.fromarray(scaled), size, filters)
        planes.append(np.asarray(_turned(small, orientation)))
    if mode == "L":
        weights = (0.299, 0.587, 0.114)  # of ITU-R BT.601, as Pillow has it
        grey = sum(weight * one for weight, one in zip(weights, planes, strict=False))
        return planes[0] if len(planes) == 1 else np.asarray(grey, np.float32)
    return np.stack(planes * 3 if len(planes) == 1 else planes, axis=-1)


def _values(image: Image, tile: Any) -> np.ndarray:
    """What an image of more than 8 bits holds: (height, width), or (height, width, 3).

    Args:
        image: The image.
        tile: How its values lie in the file, as was known before anything of it was decoded.
    """
    if image.mode not in _GREY:
        return _sixteen_bit_colours(image, tile)
    raw = str(_rawmode(tile))
    values = np.asarray(image)
    if image.mode == "I" and "32" in raw and not raw.endswith("S"):  # Pillow reads it as signed
        return values.view(np.uint32)
    return values


def _sixteen_bit_colours(image: Image, tile: Any) -> np.ndarray:
    """Both bytes of each value; Pillow gives the higher one, or, read the other way, the lower."""
    raw = str(_rawmode(tile))
    other = raw[:-1] + ("L" if raw.endswith("B") else "B")
    image.load()
    high = np.asarray(image).astype(np.uint16)
    again: Any = _opened(Path(image.filename))  # pyright: ignore[reportAttributeAccessIssue] - it has
    with again:
        again.tile = [one._replace(args=_with_rawmode(one.args, other)) for one in tile]
        again.load()
        low = np.asarray(again).astype(np.uint16)
    values = (high << 8) | low
    if values.shape[-1] == 4:
        opacity = values[..., 3:].astype(np.float64) / 65535
        return np.rint(values[..., :3] * opacity).astype(np.uint16)
    return values


def _tile(image: Any) -> list[Any]:
    """How the values lie in the file; empty once they are decoded."""
    return list(image.tile)


def _rawmode(tile: Any) -> Any:
    args = tile[0][3] if tile else ""
    return args[0] if isinstance(args, tuple) and args else args


def _with_rawmode(args: Any, raw: str) -> Any:
    return (raw, *args[1:]) if isinstance(args, tuple) else raw


def _depth(image: Image) -> Depth:
    if image.mode == "F":
        return "float"
    if image.mode.startswith("I"):
        return "whole"
    # of TIFF only what is not packed: packed, it is decoded by another library
    tile = _tile(image)
    raw, codec = str(_rawmode(tile)), tile[0][0] if tile else ""
    is_deep = raw in ("RGB;16B", "RGB;16L", "RGBA;16B", "RGBA;16L") and codec in ("zip", "raw")
    return "whole" if is_deep else "bytes"


def open_image(path: Path, what: str = "photo") -> Image:
    """Open an image of a documented format; only its header is read.

    Args:
        path: The file.
        what: What messages call it.

    Raises:
        DataError: The file is missing, or is not such an image, or is too large.
    """
    logging.getLogger("PIL").addHandler(_SILENT)  # what is wrong is said once, in our words
    try:
        image = _opened(path)
    except FileNotFoundError:
        raise DataError(f"There is no {what} {path}.", "an image file", "Check the path.") from None
    except Exception:  # decoders of broken files raise many kinds
        raise unreadable(path, what) from None
    if image.width * image.height > most_pixels():
        image.close()
        raise DataError(
            f"The {what} {path} has {pixels_of(image)} pixels, too many to be opened safely.",
            f"at most {most_pixels() / 1e6:,.0f} million pixels",
            "Save a smaller copy of it, or, if it is meant to be so large, set the environment "
            f"variable {SETTING}={gib_for(image.width * image.height * BYTES_PER_PIXEL)}.",
        )
    return image


def _opened(path: Path) -> Image:
    from PIL import Image

    # limit and warning filter belong to the whole process, so one thread at a time
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # we have a limit of our own
        try:
            return Image.open(path, formats=_formats())
        finally:
            Image.MAX_IMAGE_PIXELS = before


@cache
def _formats() -> tuple[str, ...]:
    """Those of the documented formats that this Pillow can open."""
    from PIL import Image

    Image.init()
    return tuple(one for one in FORMATS if one in Image.OPEN)


def pixels_of(image: Image) -> str:
    """How many it has, in words."""
    count = image.width * image.height
    return f"{count / 1e6:,.0f} million" if count >= 1e6 else f"{count:,}"


def unreadable(path: Path, what: str = "photo") -> DataError:
    """What to raise where an image is broken."""
    return DataError(
        f"The {what} {path} cannot be read.",
        f"a whole image file: {NAMED}",
        "Open it in an image viewer; replace or remove it if it is broken.",
    )


class _Room:
    """How many pixels are decoded at once, by all threads together."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._used = 0

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for so many more, or nobody else decodes."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + pixels <= most_pixels())
            self._used += pixels
        try:
            yield
        finally:
            with self._changed:
                self._used -= pixels
                self._changed.notify_all()


_ROOM = _Room()


def _room_for(image: Image) -> Any:
    return _ROOM.taken(image.width * image.height)


def orientation_of(image: Image) -> int:
    """How the image is turned, 1 to 8, as its EXIF says; 1 where it says nothing."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a broken EXIF block says nothing about the picture itself
        return 1


def _upright_size(image: Image) -> Size:
    """Width and height as the picture is meant to be seen.

    A TIFF is turned by Pillow itself while it is decoded, so its own tags are asked.
    """
    orientation = orientation_of(image)
    if image.format == "TIFF":
        tags: Any = image.tag_v2  # pyright: ignore[reportAttributeAccessIssue] - a TIFF has them
        return _upright((int(tags[_WIDTH]), int(tags[_HEIGHT])), orientation)
    return _upright(image.size, orientation)


def _upright(size: Size, orientation: int) -> Size:
    """Exchange width and height where the picture lies on its side (its own inverse)."""
    return (size[1], size[0]) if 5 <= orientation <= 8 else size


def _turned(image: Image, orientation: int) -> Image:
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


def _flat(image: Image, mode: str) -> Image:
    """Without transparency, in grey or in colours."""
    from PIL import Image as pillow

    if image.mode == "LAB":  # which Pillow converts with a profile alone
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
    if "A" in image.getbands() or "transparency" in image.info:
        seen = image.convert("RGBA")
        image = pillow.alpha_composite(pillow.new("RGBA", seen.size, "black"), seen)
    return image.convert(mode)


def _resized(image: Image, size: Size, filters: Callable[[Size, Size], Any]) -> Image:
    return image if image.size == size else image.resize(size, filters(image.size, size))
