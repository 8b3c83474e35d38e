"""Folders of crowd photos with the position of every head: ShanghaiTech and Mall.

ShanghaiTech: Y. Zhang, D. Zhou, S. Chen, S. Gao, Y. Ma, "Single-image crowd counting via
multi-column convolutional neural network", CVPR 2016. Mall: K. Chen, C. C. Loy, S. Gong,
T. Xiang, "Feature mining for localised crowd counting", BMVC 2012.
"""

from __future__ import annotations

import re
from pathlib import Path

from downslope.data.photos import SUFFIXES
from downslope.data.readers.heads import read_mall_heads, read_shanghaitech_heads
from downslope.data.readers.labelled_photos import (
    LabelledPhoto,
    PhotoOptions,
    read_crowd,
    unmatched,
)
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

LABEL_FOLDERS = ("ground-truth", "ground_truth")


def holds_shanghaitech(folder: Path) -> bool:
    """Say whether a folder looks like ShanghaiTech, or like the parent of its two parts."""
    return any((folder / name).is_dir() for name in ("images", *LABEL_FOLDERS, "train_data"))


def holds_labels(folder: Path) -> bool:
    """Say whether a folder has labels as ShanghaiTech has them, or parts that do."""
    return any((folder / name).is_dir() for name in (*LABEL_FOLDERS, "train_data"))


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
        notes = _unused(folder)
        return read_crowd(folder, find_shanghaitech(folder), (), options, notes=notes)
    photos = find_shanghaitech(folder / "train_data", "train_data/")
    tests = []
    if (folder / "test_data").is_dir():
        tests = find_shanghaitech(folder / "test_data", "test_data/")
    notes = (*_unused(folder / "train_data"), *_unused(folder / "test_data"))
    return read_crowd(folder, photos, tests, options, notes=notes)


def read_mall(folder: Path, options: PhotoOptions) -> Unsplit:
    """Read `frames/seq_000001.jpg` and so on, with `mall_gt.mat`: one video, split in time.

    Raises:
        DataError: There are no frames, a frame has no labels, labels have no frame, or a file
            cannot be read.
    """
    return read_crowd(folder, find_mall(folder), (), options, in_time=True)


def find_shanghaitech(folder: Path, prefix: str = "") -> list[LabelledPhoto]:
    """List the photos of one ShanghaiTech part with their heads, in the order of their numbers."""
    label_folder = next((name for name in LABEL_FOLDERS if (folder / name).is_dir()), None)
    labels_at = folder / (label_folder or LABEL_FOLDERS[0])
    photos = _by_stem(_files(folder / "images", SUFFIXES), "photos")
    labels = _by_stem(_files(labels_at, (".mat",)), "label files", "GT_")
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


def _unused(folder: Path) -> tuple[str, ...]:
    """A note on the files that lie among photos and labels and are neither."""
    read = {"images": SUFFIXES, **dict.fromkeys(LABEL_FOLDERS, (".mat",))}
    others = [
        f"{name}/{path.name}"
        for name, suffixes in read.items()
        if (folder / name).is_dir()
        for path in sorted((folder / name).iterdir())
        if not path.name.startswith(".") and path.suffix.lower() not in suffixes
    ]
    if not others:
        return ()
    more = f" and {len(others) - 5:,} more" if len(others) > 5 else ""
    return (f"Found and not used in {folder.name}: {', '.join(others[:5])}{more}.",)


def _by_stem(paths: list[Path], what: str, prefix: str = "") -> dict[str, Path]:
    """Files by their names without beginning and ending.

    Raises:
        DataError: Two have one name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        stem = path.stem.removeprefix(prefix)
        if stem in found:
            raise DataError(
                f"Two {what} in {path.parent} are called {stem}: {found[stem].name} and "
                f"{path.name}.",
                "one photo for each file of labels",
                "Remove or rename one of them.",
            )
        found[stem] = path
    return found


def _number(path: Path) -> int | None:
    """Return the last number in a file's name, without its ending."""
    digits = re.findall(r"[0-9]+", path.stem)
    return int(digits[-1]) if digits else None


def _no_photos(folder: Path, example: str) -> DataError:
    return DataError(
        f"The folder {folder} holds no photos.", example, "Check the path, or add the photos."
    )
