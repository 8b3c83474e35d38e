"""Folders of crowd photos with the position of every head: ShanghaiTech and Mall.

ShanghaiTech: Y. Zhang, D. Zhou, S. Chen, S. Gao, Y. Ma, "Single-image crowd counting via
multi-column convolutional neural network", CVPR 2016. Mall: K. Chen, C. C. Loy, S. Gong,
T. Xiang, "Feature mining for localised crowd counting", BMVC 2012.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.density import STRIDE, density_map
from downslope.data.heads import read_mall_heads, read_shanghaitech_heads
from downslope.data.photos import SUFFIXES, fitted_size, photo_size, read_photo, working_side
from downslope.data.progress import OnProgress
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

LABEL_FOLDERS = ("ground-truth", "ground_truth")


@dataclass(frozen=True)
class PhotoOptions:
    """How photos are read.

    Attributes:
        photo_side: The longer side is at most this many pixels; None for the rule of
            `photos.working_side`.
        stride: Pixels per cell of the density map, along each side: 1, 2, 4 or 8.
        on_progress: Called with (photos read so far, photos in all), from the caller's thread.
    """

    photo_side: int | None = None
    stride: int = STRIDE
    on_progress: OnProgress | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class LabelledPhoto:
    """A photo's path, the name it is shown under, and its heads: float64 (K, 2), (x, y) pixels."""

    path: Path
    name: str
    heads: np.ndarray


def holds_shanghaitech(folder: Path) -> bool:
    """Say whether a folder looks like ShanghaiTech, or like the parent of its two parts."""
    return any((folder / name).is_dir() for name in ("images", *LABEL_FOLDERS, "train_data"))


def holds_mall(folder: Path) -> bool:
    """Say whether a folder looks like the Mall data set."""
    return (folder / "mall_gt.mat").is_file() or (folder / "frames").is_dir()


def read_shanghaitech(folder: Path, options: PhotoOptions) -> Unsplit:
    """Read `images/IMG_n.jpg` with `ground-truth/GT_IMG_n.mat`.

    Where the folder holds `train_data` and `test_data` instead, the second is the test part.

    Raises:
        DataError: There are no photos, a photo has no labels, labels have no photo, or a file
            cannot be read.
    """
    if not (folder / "train_data").is_dir():
        photos = find_shanghaitech(folder)
        return _unsplit(folder, *_split_off(photos, 0, options), options)
    photos = find_shanghaitech(folder / "train_data", "train_data/")
    tests = []
    if (folder / "test_data").is_dir():
        tests = find_shanghaitech(folder / "test_data", "test_data/")
    return _unsplit(folder, *_split_off(photos + tests, len(tests), options), options)


def read_mall(folder: Path, options: PhotoOptions) -> Unsplit:
    """Read `frames/seq_000001.jpg` and so on, with `mall_gt.mat`: one video, split in time.

    Raises:
        DataError: There are no frames, a frame has no labels, labels have no frame, or a file
            cannot be read.
    """
    photos = find_mall(folder)
    return _unsplit(folder, *_split_off(photos, 0, options), options, in_time=True)


def find_shanghaitech(folder: Path, prefix: str = "") -> list[LabelledPhoto]:
    """List the photos of one ShanghaiTech part with their heads, in the order of their numbers."""
    label_folder = next((name for name in LABEL_FOLDERS if (folder / name).is_dir()), None)
    labels_at = folder / (label_folder or LABEL_FOLDERS[0])
    photos = {path.stem: path for path in _files(folder / "images", SUFFIXES)}
    labels = {path.stem.removeprefix("GT_"): path for path in _files(labels_at, (".mat",))}
    if not photos and not labels:
        raise _no_photos(folder, "images/IMG_1.jpg and so on")
    without_labels = [photos[stem] for stem in photos if stem not in labels]
    if without_labels:
        first = without_labels[0]
        raise unmatched(
            len(without_labels),
            "photo",
            "no labels",
            first,
            f"{labels_at.name}/GT_{first.stem}.mat beside images/{first.name}",
        )
    without_photo = [labels[stem] for stem in labels if stem not in photos]
    if without_photo:
        first = without_photo[0]
        stem = first.stem.removeprefix("GT_")
        raise unmatched(
            len(without_photo),
            "label file",
            "no photo",
            first,
            f"images/{stem}.jpg beside {labels_at.name}/{first.name}",
        )
    return [
        LabelledPhoto(path, f"{prefix}images/{path.name}", read_shanghaitech_heads(labels[stem]))
        for stem, path in photos.items()
    ]


def find_mall(folder: Path) -> list[LabelledPhoto]:
    """List the frames of a Mall folder with their heads, in order of time.

    Labels are matched to frames in order. Where the frames are a later piece of the video and
    the labels are those of the whole video, they are matched by the number in the frame's name.
    """
    at = folder / "mall_gt.mat"
    frames = [path for path in _files(folder / "frames", SUFFIXES) if _number(path) is not None]
    if not frames:
        raise _no_photos(folder, "frames/seq_000001.jpg and so on")
    if not at.is_file():
        example = f"{at.name} beside the folder frames"
        raise unmatched(len(frames), "photo", "no labels", frames[0], example)
    first, last = _number(frames[0]) or 0, _number(frames[-1]) or 0
    if last - first + 1 != len(frames):
        numbers = {_number(path) for path in frames}
        missing = next(number for number in range(first, last) if number not in numbers)
        raise DataError(
            f"In {folder / 'frames'} there are {len(frames)} frames numbered {first} to {last}; "
            f"number {missing} is missing or double.",
            "frames that follow each other without a hole",
            "Add the missing frame, or remove the double one.",
        )
    heads = read_mall_heads(at)
    if first > 1 and len(heads) != len(frames):
        heads = heads[first - 1 : last]
    if len(heads) < len(frames):
        example = f"one entry of {at.name} for each frame"
        without = len(frames) - len(heads)
        raise unmatched(without, "photo", "no labels", frames[len(heads)], example)
    if len(heads) > len(frames):
        raise unmatched(
            len(heads) - len(frames),
            "entry of labels",
            "no photo",
            at,
            f"a frame for each of its {len(heads)} entries; there are {len(frames)}",
        )
    return [
        LabelledPhoto(path, f"frames/{path.name}", points)
        for path, points in zip(frames, heads, strict=True)
    ]


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
    photos: Sequence[LabelledPhoto], side: int, options: PhotoOptions
) -> Samples:
    """Read photos and draw their density maps, on several threads.

    Photos smaller than the largest one are padded at the bottom and right: with black, and with
    cells in which nobody stands.

    Args:
        photos: The photos with their heads.
        side: The longer side of a photo is shrunk to at most this many pixels.
        options: Stride and progress.

    Returns:
        Inputs uint8 (N, height, width, 3); targets float32 (N, height/stride, width/stride, 1).
    """
    stride = options.stride
    originals = [photo_size(photo.path) for photo in photos]
    sizes = [fitted_size(*size, side) for size in originals]
    width, height = (max(size[axis] for size in sizes) for axis in (0, 1))
    inputs = np.zeros((len(photos), height, width, 3), np.uint8)
    targets = np.zeros((len(photos), height // stride, width // stride, 1), np.float32)

    def read(index: int) -> None:
        across, down = sizes[index]
        scale = np.divide(sizes[index], originals[index])
        heads = photos[index].heads * scale
        inputs[index, :down, :across] = read_photo(photos[index].path, side)
        density = density_map(heads, down, across, stride=stride)
        targets[index, : density.shape[0], : density.shape[1]] = density

    threads = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        for done, _ in enumerate(threads.map(read, range(len(photos))), start=1):
            if options.on_progress is not None:
                options.on_progress(done, len(photos))
    finally:
        threads.shutdown(cancel_futures=True)  # after an error or Ctrl-C, do not read on
    return Samples(inputs, targets, sources=tuple(photo.name for photo in photos))


def _split_off(
    photos: list[LabelledPhoto], tests: int, options: PhotoOptions
) -> tuple[Samples, Samples | None, int]:
    """Read photos whose last `tests` are the test part; also return the side used."""
    side = options.photo_side
    if side is None:
        side = working_side(max(max(photo_size(photo.path)) for photo in photos))
    samples = read_labelled_photos(photos, side, options)
    if not tests:
        return samples, None, side
    border = len(photos) - tests
    return (
        samples.take(np.arange(border)),
        samples.take(np.arange(border, len(photos))),
        side,
    )


def _unsplit(
    folder: Path,
    samples: Samples,
    test: Samples | None,
    side: int,
    options: PhotoOptions,
    in_time: bool = False,
) -> Unsplit:
    # a folder called train_data says nothing: its parent is called as the set is
    is_part = folder.name in ("train_data", "test_data")
    return Unsplit(
        name=(folder.parent if is_part else folder).name,
        task="counting",
        samples=samples,
        test=test,
        per="channel",
        photo_side=side,
        source=str(folder),
        in_time=in_time,
        options={"photo_side": side, "stride": options.stride},
    )


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """List the visible files with these endings, IMG_2 before IMG_10; empty without a folder."""
    if not folder.is_dir():
        return []
    paths = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".")
    ]
    return sorted(paths, key=lambda path: (_number(path) or 0, path.name))


def _number(path: Path) -> int | None:
    """Return the last number in a file's name, without its ending."""
    digits = re.findall(r"[0-9]+", path.stem)
    return int(digits[-1]) if digits else None


def _no_photos(folder: Path, example: str) -> DataError:
    return DataError(
        f"The folder {folder} holds no photos.", example, "Check the path, or add the photos."
    )
