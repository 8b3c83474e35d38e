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
from typing import NamedTuple

import numpy as np

from downslope.data.pixels import Look, look_at, read_pixels
from downslope.data.progress import OnProgress
from downslope.errors import DataError

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
        pixels: uint8 of shape (N, height, width, 1 or 3).
        notes: How they were changed, a sentence each.
    """

    pixels: np.ndarray
    notes: tuple[str, ...]

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
) -> ImageSet:
    """Read images, those of the test part behind the others.

    Args:
        training: The images that decide the size, at least one.
        test: The images of the test part.
        side: The longer side is at most this many pixels; 64 if None.
        on_progress: Called with (images so far, images in all).
        shape: Height, width and channels, 1 or 3, where they are those of an earlier training.

    Raises:
        DataError: An image is missing or cannot be read; where it was named is said.
    """
    with ThreadPoolExecutor() as threads:
        looks = list(threads.map(_look, training))
    if shape is None:
        height, width = _size(looks, side or LONGEST_SIDE)
        is_grey = all(look.is_grey for look in looks)
    else:
        height, width, is_grey = *shape[:2], shape[2] == 1
    files = [*training, *test]
    pixels = np.empty((len(files), height, width, 1 if is_grey else 3), np.uint8)

    def read(one: ImageFile) -> np.ndarray:
        try:
            return read_pixels(one.path, height, width, "L" if is_grey else "RGB")
        except DataError as error:
            raise _named(one, error) from error.__cause__

    threads = ThreadPoolExecutor()
    try:
        for place, image in enumerate(threads.map(read, files)):
            pixels[place] = image.reshape(pixels.shape[1:])
            if on_progress is not None:
                on_progress(place + 1, len(files))
    finally:
        threads.shutdown(cancel_futures=True)  # after an error or Ctrl-C, do not read on
    return ImageSet(pixels, _notes(looks, height, width))


def _look(one: ImageFile) -> Look:
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


def _size(looks: Sequence[Look], side: int) -> tuple[int, int]:
    """Height and width that all images are brought to."""
    height = statistics.median_low([look.height for look in looks])
    width = statistics.median_low([look.width for look in looks])
    shrink = min(1.0, side / max(height, width))
    if shrink == 1 and all(look[:2] == (height, width) for look in looks):
        return height, width  # nothing is to be changed
    sides = (round(one * shrink / _MULTIPLE) * _MULTIPLE for one in (height, width))
    high, wide = (max(_MULTIPLE, one) for one in sides)
    return high, wide


def _notes(looks: Sequence[Look], height: int, width: int) -> tuple[str, ...]:
    changed = sum(look[:2] != (height, width) for look in looks)
    if not changed:
        return ()
    what = "1 image was" if changed == 1 else f"{changed:,} images were"
    return (f"{what} brought to {width} by {height} pixels.",)
