"""Many images of many sizes, brought to one.

The size is the median height by the median width of the training images, shrunk until the longer
side is at most 64 pixels, both to multiples of 4. Their own proportions are not kept. Where all
are grey, so is what the network sees.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from downslope.data.limits import check_fits
from downslope.data.progress import OnProgress
from downslope.data.readers.image_file import (
    Header,
    Ranges,
    Size,
    range_notes,
    ranges_of,
    read_header,
    read_image,
)
from downslope.errors import DataError


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


Shape = tuple[int, int, int]  # height, width, channels
LONGEST_SIDE = 64
_MULTIPLE = 4


class ImageFile(NamedTuple):
    """An image, and where it was named; that is empty for one found in a folder."""

    path: Path
    named_in: str = ""


class ImageSet(NamedTuple):
    """Images at one size.

    Attributes:
        pixels: (N, height, width, 1 or 3), of 0 to 255: uint8, or float32 where an image has more
            than 8 bits per value.
        notes: How they were changed, a sentence each.
        ranges: Which values are black and white in images of more than 8 bits per value.
    """

    pixels: np.ndarray
    notes: tuple[str, ...]
    ranges: Ranges

    @property
    def is_grey(self) -> bool:
        """Whether they have no colours."""
        return self.pixels.shape[-1] == 1


def read_images(
    training: Sequence[ImageFile],
    test: Sequence[ImageFile] = (),
    side: int | None = None,
    on_progress: OnProgress | None = None,
    shape: Shape | None = None,
    ranges: Ranges | None = None,
) -> ImageSet:
    """Read images, those of the test part behind the others.

    Args:
        training: The images that decide the size, at least one.
        test: The images of the test part.
        side: The longer side is at most this many pixels; 64 if None.
        on_progress: Called with (images so far, images in all).
        shape: Height, width and channels, 1 or 3, where they are those of an earlier training.
        ranges: Which values are black and white, likewise.

    Raises:
        DataError: An image is missing or cannot be read; where it was named is said.
    """
    files = [*training, *test]
    with ThreadPoolExecutor() as threads:
        all_looks = list(threads.map(_look, files))
    looks = all_looks[: len(training)]
    deep = [one for one, look in zip(files, all_looks, strict=True) if look.depth != "bytes"]
    if ranges is None and deep:
        ranges = _ranges(training, looks)
    if shape is None:
        height, width = _size(looks, side or LONGEST_SIDE)
        is_grey = all(look.is_grey for look in looks)
    else:
        height, width, is_grey = *shape[:2], shape[2] == 1
    kind = np.dtype(np.float32 if deep else np.uint8)
    size = (len(files), height, width, 1 if is_grey else 3)
    check_fits(size, kind, "images", "a smaller --photo-side")
    pixels = np.empty(size, kind)

    def read(one: ImageFile) -> np.ndarray:
        try:
            return read_pixels(one.path, height, width, "L" if is_grey else "RGB", ranges)
        except DataError as error:
            raise _named(one, error) from error.__cause__

    threads = ThreadPoolExecutor()
    try:
        for index, image in enumerate(threads.map(read, files)):
            pixels[index] = image.reshape(pixels.shape[1:])
            if on_progress is not None:
                on_progress(index + 1, len(files))
    finally:
        threads.shutdown(cancel_futures=True)  # after an error or Ctrl-C, do not read on
    notes = (*_notes(looks, height, width), *range_notes(ranges or {}))
    return ImageSet(pixels, notes, ranges or {})


def _ranges(training: Sequence[ImageFile], looks: Sequence[Header]) -> Ranges:
    """Those of the training images of more than 8 bits per value."""
    found = [one for one, look in zip(training, looks, strict=True) if look.depth != "bytes"]
    try:
        return ranges_of((one.path for one in found), "image")
    except DataError as error:
        wrong = next((one for one in found if str(one.path) in error.received), ImageFile(Path()))
        raise _named(wrong, error) from error.__cause__


def _look(one: ImageFile) -> Header:
    try:
        return look_at(one.path)
    except DataError as error:
        raise _named(one, error) from error.__cause__


def _named(one: ImageFile, error: DataError) -> DataError:
    """The same error, with the place where the image was named."""
    if not one.named_in:
        return error
    received = f"{error.received.removesuffix('.')} ({one.named_in})."
    return DataError(received, error.expected, error.advice)


def _size(looks: Sequence[Header], side: int) -> tuple[int, int]:
    """Height and width that all images are brought to."""
    height = statistics.median_low([look.height for look in looks])
    width = statistics.median_low([look.width for look in looks])
    shrink = min(1.0, side / max(height, width))
    if shrink == 1 and all(look[:2] == (width, height) for look in looks):
        return height, width  # nothing is to be changed
    sides = (round(one * shrink / _MULTIPLE) * _MULTIPLE for one in (height, width))
    high, wide = (max(_MULTIPLE, one) for one in sides)
    return high, wide


def _notes(looks: Sequence[Header], height: int, width: int) -> tuple[str, ...]:
    changed = sum(look[:2] != (width, height) for look in looks)
    if not changed:
        return ()
    what = "1 image was" if changed == 1 else f"{changed:,} images were"
    return (f"{what} brought to {width} by {height} pixels.",)
