"""Photos with the position of every head: from their paths to samples with density maps."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.density import STRIDE, density_map
from downslope.data.limits import check_fits
from downslope.data.photos import fitted_size, read_photo, working_side
from downslope.data.progress import OnProgress
from downslope.data.readers.image_file import Header, Ranges, range_notes, ranges_of, read_header
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

MOST_OUTSIDE = 0.02  # of all heads, where exchanging x and y is not thought of


@dataclass(frozen=True)
class PhotoOptions:
    """How photos are read.

    Attributes:
        photo_side: The longer side is at most this many pixels; None for the rule of
            `photos.working_side`.
        stride: Pixels per cell of the density map, along each side: 1, 2, 4 or 8.
        on_progress: Called with (photos read so far, photos in all), from the caller's thread.
        image_shape: Of images without heads: height, width and channels of an earlier training.
        ranges: Which values of images of more than 8 bits are black and white, likewise.
    """

    photo_side: int | None = None
    stride: int = STRIDE
    on_progress: OnProgress | None = field(default=None, compare=False)
    image_shape: tuple[int, int, int] | None = None
    ranges: Ranges | None = None


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """A photo's path, the name it is shown under, and its heads: float64 (K, 2), (x, y) pixels."""

    path: Path
    name: str
    heads: np.ndarray


def unmatched(count: int, what: str, lacks: str, first: Path, example: str) -> DataError:
    """Say that photos have no labels or labels no photo, naming the first such file."""
    plural = "entries of labels" if what == "entry of labels" else f"{what}s"
    subject = f"1 {what} has" if count == 1 else f"{count} {plural} have"
    return DataError(
        f"{subject} {lacks}: {first}{'' if count == 1 else ' is the first'}.",
        example,
        "Add what is missing, or remove what is too many.",
    )


def read_labelled_photos(
    photos: Sequence[LabelledPhoto],
    headers: Sequence[Header],
    side: int,
    options: PhotoOptions,
    ranges: Ranges,
) -> Samples:
    """Read photos and draw their density maps, on several threads.

    Photos smaller than the largest one are padded at the bottom and right: with black, and with
    cells in which nobody stands.

    Args:
        photos: The photos with their heads.
        headers: What their headers say.
        side: The longer side of a photo is shrunk to at most this many pixels.
        options: Stride and progress.
        ranges: Which values of photos of more than 8 bits are black and white.

    Returns:
        Inputs (N, height, width, 3), uint8 or, with a photo of more than 8 bits, float32; targets
        float32 (N, height/stride, width/stride, 1).
    """
    stride = options.stride
    originals = [header[:2] for header in headers]
    sizes = [fitted_size(*size, side) for size in originals]
    width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
    kind = np.dtype(np.float32 if any(one.depth != "bytes" for one in headers) else np.uint8)
    check_fits((len(photos), height, width, 3), kind, "photos", "a smaller --photo-side")
    inputs = np.zeros((len(photos), height, width, 3), kind)
    targets = np.zeros((len(photos), height // stride, width // stride, 1), np.float32)

    def read(index: int) -> None:
        across, down = sizes[index]
        scale = np.divide(sizes[index], originals[index])
        heads = photos[index].heads * scale
        inputs[index, :down, :across] = read_photo(photos[index].path, side, ranges)
        density = density_map(heads, down, across, stride=stride)
        targets[index, : density.shape[0], : density.shape[1]] = density

    threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        for done, _ in enumerate(threads.map(read, range(len(photos))), start=1):
            if options.on_progress is not None:
                options.on_progress(done, len(photos))
    finally:
        threads.shutdown(cancel_futures=True)  # after an error or Ctrl-C, do not read on
    own = np.array([(down, across) for across, down in sizes], np.float32)
    return Samples(inputs, targets, sources=tuple(photo.name for photo in photos), sizes=own)


def read_crowd(
    folder: Path,
    photos: Sequence[LabelledPhoto],
    tests: Sequence[LabelledPhoto],
    options: PhotoOptions,
    *,
    in_time: bool = False,
    notes: tuple[str, ...] = (),
) -> Unsplit:
    """Read the photos of a folder.

    Args:
        folder: What the data set is called by.
        photos: The photos, without those of `tests`.
        tests: The folder's own test part, or nothing.
        options: How they are read.
        in_time: Whether they are the frames of one video.
        notes: What a user should know of the folder.

    Raises:
        DataError: A photo cannot be read.
    """
    everything = [*photos, *tests]
    headers = [read_header(one.path) for one in everything]
    deep = [
        one.path for one, header in zip(photos, headers, strict=False) if header.depth != "bytes"
    ]
    ranges = ranges_of(deep) if options.ranges is None else options.ranges
    side = options.photo_side
    if side is None:
        side = working_side(max(max(header[:2]) for header in headers))
    both = read_labelled_photos(everything, headers, side, options, ranges)
    border = len(photos)
    # a folder called train_data says nothing: its parent is called as the set is
    is_part = folder.name in ("train_data", "test_data")
    return Unsplit(
        name=(folder.parent if is_part else folder).name,
        task="counting",
        samples=both.take(np.arange(border)) if tests else both,
        test=both.take(np.arange(border, len(both))) if tests else None,
        per="channel",
        photo_side=side,
        source=str(folder),
        in_time=in_time,
        notes=(*notes, *_outside(everything, headers), *range_notes(ranges)),
        ranges=ranges,
        options={"photo_side": side, "stride": options.stride},
    )


def _outside(photos: Sequence[LabelledPhoto], headers: Sequence[Header]) -> tuple[str, ...]:
    """Say how many heads lie outside of their photos.

    Raises:
        DataError: They would not if x and y were exchanged.
    """
    pairs = list(zip(photos, headers, strict=True))
    as_given = [_count_outside(one.heads, header[:2]) for one, header in pairs]
    exchanged = [_count_outside(one.heads[:, ::-1], header[:2]) for one, header in pairs]
    outside, heads = sum(as_given), sum(len(one.heads) for one in photos)
    worst = int(np.argmax(as_given)) if as_given else 0
    if outside > MOST_OUTSIDE * heads and sum(exchanged) < outside / 4:
        name, (width, height) = photos[worst].name, headers[worst][:2]
        raise DataError(
            f"{outside:,} of {heads:,} heads lie outside of their photos, and {sum(exchanged):,} "
            f"would with x and y exchanged: in {name}, {width} by {height} pixels, "
            f"{as_given[worst]:,} of {len(photos[worst].heads):,} do.",
            "x (from the left) before y (from the top), in pixels of the upright photo",
            "Exchange the two columns of the labels.",
        )
    if not outside:
        return ()
    return (
        f"{outside:,} of {heads:,} heads lie outside of their photos, most of them in "
        f"{photos[worst].name}; each counts at the nearest border.",
    )


def _count_outside(heads: np.ndarray, size: tuple[int, int]) -> int:
    """How many of these (x, y) are more than a pixel outside of a photo of (width, height)."""
    return int(((heads < -1) | (heads > np.add(size, 1))).any(axis=1).sum())
