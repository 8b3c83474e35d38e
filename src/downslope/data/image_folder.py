"""Folders of images with a sub-folder per class, whose name is the class.

    cats/a.jpg  cats/b.png  dogs/c.jpg                          split by us
    train/cats/a.jpg  train/dogs/b.jpg  test/cats/c.jpg         `test` is the test part

Where there are both `test` and `val`, the images of `val` join the training images, from which a
validation part is taken as from any others.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.file_names import is_image
from downslope.data.image_file import Ranges
from downslope.data.image_set import ImageFile, Shape, read_images
from downslope.data.progress import OnProgress
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

_TEST_NAMES = ("test", "val", "valid", "validation")


class _Labelled(NamedTuple):
    path: Path
    label: int


def holds_classes(folder: Path, class_names: Sequence[str] = ()) -> bool:
    """Say whether a folder, or its sub-folder `train`, holds images in a folder per class.

    A single class is enough where it is among `class_names`, those of an earlier training.
    """
    return _is_whole(folder, class_names) or len(_classes(folder / "train")) > 1


def _is_whole(folder: Path, class_names: Sequence[str]) -> bool:
    classes = _classes(folder)
    return len(classes) > 1 or any(one.name in class_names for one in classes)


def read_image_folder(
    folder: Path,
    side: int | None = None,
    on_progress: OnProgress | None = None,
    *,
    class_names: Sequence[str] = (),
    shape: Shape | None = None,
    ranges: Ranges | None = None,
) -> Unsplit:
    """Read all images of such a folder.

    Args:
        folder: The folder.
        side: The longer side is at most this many pixels; 64 if None.
        on_progress: Called with (images so far, images in all).
        class_names: The classes of an earlier training, in their order; not all need to be there.
        shape: Height, width and channels that all images are brought to; None for the rule.
        ranges: Which values of images of more than 8 bits are black and white, where an earlier
            training decided it.

    Raises:
        DataError: An image cannot be read, or there is a class that training does not have.
    """
    is_parted = not _is_whole(folder, class_names) or len(_classes(folder / "train")) > 1
    train = folder / "train" if is_parted else folder
    names = tuple(class_names) or tuple(one.name for one in _classes(train))
    _check_names(train, names)
    files, left_out = _labelled(train, names)
    tests: list[_Labelled] = []
    parts = [folder / name for name in _TEST_NAMES if is_parted and _classes(folder / name)]
    for place, part in enumerate(parts):
        _check_names(part, names)
        more, others = _labelled(part, names)
        (files if place else tests).extend(more)
        left_out += others
    images = read_images(
        [ImageFile(one.path) for one in files],
        [ImageFile(one.path) for one in tests],
        side,
        on_progress,
        shape,
        ranges,
    )
    labels = np.array([one.label for one in (*files, *tests)], np.int32)
    sources = tuple(one.path.relative_to(folder).as_posix() for one in (*files, *tests))
    both = Samples(images.pixels, labels, sources=sources)
    return Unsplit(
        name=folder.name,
        task="classification",
        samples=both.take(np.arange(len(files))) if tests else both,
        test=both.take(np.arange(len(files), len(both))) if tests else None,
        per="all" if images.is_grey else "channel",
        class_names=names,
        source=str(folder),
        ranges=images.ranges,
        notes=(*images.notes, *_left_out(left_out)),
        options={} if side is None else {"photo_side": side},
    )


def _classes(folder: Path) -> list[Path]:
    """The sub-folders that hold images, by name."""
    try:
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        return [
            one
            for one in inside
            if not one.name.startswith(".") and one.is_dir() and any(map(is_image, one.iterdir()))
        ]
    except OSError:  # no permission, or links in a circle
        return []


def _labelled(folder: Path, names: Sequence[str]) -> tuple[list[_Labelled], list[str]]:
    """The images with the places of their classes, and the names of what is no image."""
    files, others = [], []
    for label, name in enumerate(names):
        inside = sorted(folder.joinpath(name).iterdir()) if (folder / name).is_dir() else []
        for path in inside:
            if is_image(path):
                files.append(_Labelled(path, label))
            elif not path.name.startswith("."):
                others.append(path.name)
    return files, others


def _check_names(folder: Path, names: Sequence[str]) -> None:
    new = [one.name for one in _classes(folder) if one.name not in names]
    if new:
        what = "test part" if folder.name in _TEST_NAMES else "folder"
        raise DataError(
            f"The {what} {folder} has the class {new[0]!r}.",
            f"the classes of the training{' part' if what == 'test part' else ''}: "
            f"{', '.join(names)}",
            "Rename it, or add training images of it.",
        )


def _left_out(others: Sequence[str]) -> tuple[str, ...]:
    if not others:
        return ()
    some = ", ".join(sorted(others)[:3]) + (", ..." if len(others) > 3 else "")
    several = f"{len(others):,} files are no images and were"
    what = "1 file is no image and was" if len(others) == 1 else several
    return (f"{what} left out: {some}.",)
