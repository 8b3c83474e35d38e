"""Folders of images with a sub-folder per class, whose name is the class.

    cats/a.jpg  cats/b.png  dogs/c.jpg                          split by us
    train/cats/a.jpg  train/dogs/b.jpg  test/cats/c.jpg         `test` is the test part

All images are brought to one size: the median height by the median width, shrunk until the longer
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

from downslope.data.dataset import Samples
from downslope.data.pixels import Look, look_at, read_pixels
from downslope.data.progress import OnProgress
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
LONGEST_SIDE = 64
_MULTIPLE = 4
_TEST_NAMES = ("test", "val", "valid", "validation")


class _Labelled(NamedTuple):
    path: Path
    label: int


def holds_classes(folder: Path) -> bool:
    """Say whether a folder, or its sub-folder `train`, holds images in a folder per class."""
    return len(_classes(folder)) > 1 or len(_classes(folder / "train")) > 1


def read_image_folder(
    folder: Path, side: int | None = None, on_progress: OnProgress | None = None
) -> Unsplit:
    """Read all images of such a folder.

    Args:
        folder: The folder.
        side: The longer side is at most this many pixels; 64 if None.
        on_progress: Called with (images so far, images in all).

    Raises:
        DataError: An image cannot be read, or the test part has a class of its own.
    """
    is_parted = len(_classes(folder)) < 2 or len(_classes(folder / "train")) > 1
    train = folder / "train" if is_parted else folder
    names = tuple(one.name for one in _classes(train))
    files, left_out = _labelled(train, names)
    test_folder = next((folder / name for name in _TEST_NAMES if _classes(folder / name)), None)
    test_files: list[_Labelled] = []
    if is_parted and test_folder is not None:
        _check_names(test_folder, names)
        test_files, more = _labelled(test_folder, names)
        left_out += more
    with ThreadPoolExecutor() as threads:
        looks = list(threads.map(look_at, (one.path for one in files)))
    height, width = _size(looks, side or LONGEST_SIDE)
    is_grey = all(look.is_grey for look in looks)
    both = _read([*files, *test_files], folder, height, width, is_grey, on_progress)
    test = both.take(np.arange(len(files), len(both))) if test_files else None
    return Unsplit(
        name=folder.name,
        task="classification",
        samples=both.take(np.arange(len(files))) if test_files else both,
        test=test,
        per="all" if is_grey else "channel",
        class_names=names,
        source=str(folder),
        notes=_notes(looks, height, width, left_out),
        options={} if side is None else {"photo_side": side},
    )


def _classes(folder: Path) -> list[Path]:
    """The sub-folders that hold images, by name."""
    try:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        return [
            one
            for one in inside
            if not one.name.startswith(".") and one.is_dir() and any(map(_is_image, one.iterdir()))
        ]
    except OSError:  # no permission, or links in a circle
        return []


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _labelled(folder: Path, names: Sequence[str]) -> tuple[list[_Labelled], list[str]]:
    """The images with the places of their classes, and the names of what is no image."""
    files, others = [], []
    for label, name in enumerate(names):
        inside = sorted(folder.joinpath(name).iterdir()) if (folder / name).is_dir() else []
        for path in inside:
            if _is_image(path):
                files.append(_Labelled(path, label))
            elif not path.name.startswith("."):
                others.append(path.name)
    return files, others


def _check_names(folder: Path, names: Sequence[str]) -> None:
    new = [one.name for one in _classes(folder) if one.name not in names]
    if new:
        raise DataError(
            f"The test part {folder} has the class {new[0]!r}.",
            f"the classes of the training part: {', '.join(names)}",
            "Rename it, or add training images of it.",
        )


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


def _read(
    files: Sequence[_Labelled],
    folder: Path,
    height: int,
    width: int,
    is_grey: bool,
    on_progress: OnProgress | None,
) -> Samples:
    channels = 1 if is_grey else 3
    inputs = np.empty((len(files), height, width, channels), np.uint8)

    def read(one: _Labelled) -> np.ndarray:
        return read_pixels(one.path, height, width, "L" if is_grey else "RGB")

    with ThreadPoolExecutor() as threads:
        for place, pixels in enumerate(threads.map(read, files)):
            inputs[place] = pixels.reshape(height, width, channels)
            if on_progress is not None:
                on_progress(place + 1, len(files))
    sources = tuple(one.path.relative_to(folder).as_posix() for one in files)
    return Samples(inputs, np.array([one.label for one in files], np.int32), sources=sources)


def _notes(
    looks: Sequence[Look], height: int, width: int, left_out: Sequence[str]
) -> tuple[str, ...]:
    notes = []
    changed = sum(look[:2] != (height, width) for look in looks)
    if changed:
        what = "1 image was" if changed == 1 else f"{changed:,} images were"
        notes.append(f"{what} brought to {width} by {height} pixels.")
    if left_out:
        some = ", ".join(sorted(left_out)[:3]) + (", ..." if len(left_out) > 3 else "")
        several = f"{len(left_out):,} files are no images and were"
        what = "1 file is no image and was" if len(left_out) == 1 else several
        notes.append(f"{what} left out: {some}.")
    return tuple(notes)
