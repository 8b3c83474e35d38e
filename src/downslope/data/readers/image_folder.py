"""Folders of images with a sub-folder per class, whose name is the class.

    cats/a.jpg  cats/more/b.png  dogs/c.jpg                     split by us
    train/cats/a.jpg  train/dogs/b.jpg  test/cats/c.jpg         `test` is the test part
    cat.1.jpg  cat.2.jpg  dog.1.jpg                             the class before the first dot

The parts may be called as people call them: `Train`, `training`, `train_set`, `test1`, `val`,
`validation` and the like. A folder around all of it does no harm. Where there are both a test and
a validation part, the images of the latter join the training images, from which a validation part
is taken as from any others. What is found and not used is listed in one note.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.progress import OnProgress
from downslope.data.readers.file_names import is_image
from downslope.data.readers.image_file import NAMED, Ranges
from downslope.data.readers.image_set import ImageFile, Shape, read_images
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

_WHAT = r"[-_. ]?(set|data|images|imgs|folder|part|split)?[-_. ]?[0-9]*"
_TRAIN = re.compile(rf"train(ing)?{_WHAT}", re.IGNORECASE)
_TEST = re.compile(rf"(test(ing)?|hold-?out){_WHAT}", re.IGNORECASE)
_VALIDATION = re.compile(rf"(val(id|idation)?|dev|eval(uation)?){_WHAT}", re.IGNORECASE)
_FLAT = re.compile(r"([^.]*[^\W\d_][^.]*)\.[0-9]+")  # the stem of cat.1.jpg
_SYSTEM = ("__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__pycache__")
_DEEPEST = 8  # folders below that of a class
_MOST_LISTED = 12


@dataclass
class _Tree:
    """What lies in a folder.

    Attributes:
        path: The folder.
        images: The images directly in it.
        others: Names of its other files.
        folders: Its folders, but those of hidden or system names.
        ignored: Those, and hidden files.
    """

    path: Path
    images: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    folders: list[_Tree] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def all_images(self) -> Iterator[Path]:
        """Those in folders below as well."""
        yield from self.images
        for one in self.folders:
            yield from one.all_images()

    def all_others(self) -> Iterator[str]:
        """Other files, in folders below as well."""
        yield from self.others
        for one in self.folders:
            yield from one.all_others()

    def all_ignored(self) -> Iterator[str]:
        """What is hidden, in folders below as well."""
        yield from self.ignored
        for one in self.folders:
            yield from one.all_ignored()

    @property
    def classes(self) -> list[_Tree]:
        """Its folders that hold images."""
        return [one for one in self.folders if any(one.all_images())]


@dataclass(frozen=True)
class ImageFolder:
    """Which images of a folder belong to which class and part.

    Attributes:
        train: Per class the images to train on.
        test: Likewise those of the test part; empty where there is none.
        notes: What a user should know of it, a sentence each.
    """

    train: dict[str, list[Path]]
    test: dict[str, list[Path]]
    notes: tuple[str, ...]


def find_classes(folder: Path, class_names: Sequence[str] = ()) -> ImageFolder | None:
    """The images of a folder by class; None if it holds none in such an order.

    Args:
        folder: The folder.
        class_names: The classes of an earlier training; a single one of them is enough.

    Raises:
        DataError: A part has a class that the training part does not have.
    """
    tree, notes = _without_wrapping(_scan(folder, 0), class_names)
    train_tree, tests = _parts(tree, class_names)
    train = _by_class(train_tree, class_names)
    if not train or (len(train) < 2 and not set(train) & set(class_names)):
        return None
    notes += _class_notes(train_tree, train)
    unused = _unused(train_tree, train)
    if train_tree.path != tree.path:
        unused += _unused(tree, {one.name: [] for one in (train_tree, *tests)}, deep=False)
    names = tuple(class_names) or tuple(train)
    found: list[dict[str, list[Path]]] = []
    for part in tests:
        own = _by_class(part, names)
        if not own:
            count = sum(1 for _ in part.all_images())
            unused.append(f"{part.name}/ ({_count(count)} without a folder per class)")
            continue
        new = [name for name in own if name not in names]
        if new:
            raise DataError(
                f"The test part {part.path} has the class {new[0]!r}.",
                f"the classes of the training part: {', '.join(names)}",
                "Rename it, or add training images of it.",
            )
        unused += _unused(part, own)
        found.append(own)
    if found and (absent := [name for name in train if name not in found[0]]):
        notes.append(f"The test part has no images of {', '.join(absent[:5])}.")
    for more in found[1:]:
        for name, images in more.items():
            train.setdefault(name, []).extend(images)
    return ImageFolder(train, found[0] if found else {}, (*notes, *_unused_note(unused)))


def read_image_folder(
    folder: Path,
    found: ImageFolder,
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
        found: What `find_classes` found in it.
        side: The longer side is at most this many pixels; 64 if None.
        on_progress: Called with (images so far, images in all).
        class_names: The classes of an earlier training, in their order; not all need to be there.
        shape: Height, width and channels that all images are brought to; None for the rule.
        ranges: Which values of images of more than 8 bits are black and white, where an earlier
            training decided it.

    Raises:
        DataError: An image cannot be read, or there is a class that training does not have.
    """
    names = tuple(class_names) or tuple(found.train)
    for part in (found.train, found.test):
        _check_known(folder, part, names)
    train = [(path, names.index(name)) for name in names for path in found.train.get(name, ())]
    test = [(path, names.index(name)) for name in names for path in found.test.get(name, ())]
    images = read_images(
        [ImageFile(path) for path, _ in train],
        [ImageFile(path) for path, _ in test],
        side,
        on_progress,
        shape,
        ranges,
    )
    labels = np.array([label for _, label in (*train, *test)], np.int32)
    sources = tuple(path.relative_to(folder).as_posix() for path, _ in (*train, *test))
    both = Samples(images.pixels, labels, sources=sources)
    border = len(train)
    return Unsplit(
        name=folder.name,
        task="classification",
        samples=both.take(np.arange(border)) if test else both,
        test=both.take(np.arange(border, len(both))) if test else None,
        per="all" if images.is_grey else "channel",
        class_names=names,
        source=str(folder),
        ranges=images.ranges,
        notes=(*images.notes, *found.notes),
        options={} if side is None else {"photo_side": side},
    )


def images_in(folder: Path) -> tuple[list[Path], str]:
    """The images directly in a folder, and a sentence on what else is in it; empty for nothing.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        os.listdir(folder)
    except OSError as error:
        raise DataError(
            f"The folder {folder} cannot be read: {error.strerror}.",
            "a folder that can be read",
            "Check its permissions.",
        ) from error
    tree = _scan(folder, 0)
    return tree.images, " ".join(_unused_note(_unused(tree, {})))


def unnamed_images(folder: Path, named: Collection[str]) -> tuple[str, ...]:
    """A note on the images in and below a folder that a table does not name."""
    known = {os.path.basename(one) for one in named if one}
    others = [one for one in _scan(folder, 0).all_images() if one.name not in known]
    if not others:
        return ()
    some = ", ".join(one.relative_to(folder).as_posix() for one in others[:3])
    more = ", ..." if len(others) > 3 else ""
    return (f"Found and not used, since the table does not name them: {_count(len(others))} "
            f"({some}{more}).",)  # fmt: skip


def describe_images(folder: Path) -> str:
    """What a folder without a usable order holds of images, as a sentence; empty for none."""
    tree = _scan(folder, 0)
    below = [one.name for one in tree.classes]
    if not tree.images and not below:
        return ""
    direct = f"{_count(len(tree.images))} and " if tree.images else ""
    folders = f"images in the folder{'s' if len(below) > 1 else ''} {', '.join(below[:5])}"
    return f"{folder} holds {direct}{folders if below else 'no folder per class'}."


def _scan(folder: Path, depth: int) -> _Tree:
    tree, others = _Tree(folder), []
    try:
        entries = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError:  # no permission, or links in a circle
        return tree
    for entry in entries:
        path = folder / entry.name
        is_hidden = entry.name.startswith((".", "@", "#recycle")) or entry.name in _SYSTEM
        try:  # below the folders of classes no link is followed: it may lead back up
            is_folder = entry.is_dir(follow_symlinks=depth < 2)
        except OSError:  # a link in a circle, which is told where it is read
            is_folder = False
        if is_folder:
            if is_hidden:
                tree.ignored.append(f"{entry.name}/")
            elif depth < _DEEPEST:
                tree.folders.append(_scan(path, depth + 1))
        elif is_hidden:
            tree.ignored.append(entry.name)
        else:
            (tree.images if is_image(path) else others).append(path)
    tree.others = [one.name for one in others]
    return tree


def _without_wrapping(tree: _Tree, class_names: Sequence[str]) -> tuple[_Tree, list[str]]:
    """The folder that matters, where others lie around it."""
    notes: list[str] = []
    while not tree.images and len(tree.classes) == 1:
        inside = tree.classes[0]
        if inside.name in class_names or _TRAIN.fullmatch(inside.name) or not inside.classes:
            break
        rest = [one for one in tree.folders if one is not inside]
        tree = replace(
            inside,
            folders=[*inside.folders, *rest],
            others=[*inside.others, *tree.others],
            ignored=[*inside.ignored, *tree.ignored],
        )
        notes = [f"The classes were found in the folder {inside.name}."]
    return tree, notes


def _parts(tree: _Tree, class_names: Sequence[str]) -> tuple[_Tree, list[_Tree]]:
    """Where the classes to train on are, and the parts of test and validation, test first."""
    if {one.name for one in tree.classes} & set(class_names):
        return tree, []
    trains = [one for one in tree.folders if _TRAIN.fullmatch(one.name)]
    tests = [one for one in tree.folders if _TEST.fullmatch(one.name)]
    tests += [one for one in tree.folders if _VALIDATION.fullmatch(one.name)]
    # without a test part a class may be called train, beside car and plane
    if len(trains) == 1 and (tests or len(trains[0].classes) > 1):
        return trains[0], tests
    rest = [one for one in tree.folders if one not in tests]
    if not trains and sum(any(one.all_images()) for one in rest) > 1:
        return replace(tree, folders=rest), tests
    return tree, []


def _by_class(tree: _Tree, class_names: Sequence[str]) -> dict[str, list[Path]]:
    """The images below each folder; or by the beginning of their names, such as cat.1.jpg."""
    found = {one.name: sorted(one.all_images()) for one in tree.classes}
    if found:
        return found
    flat: dict[str, list[Path]] = {}
    for path in tree.images:
        if (match := _FLAT.fullmatch(path.stem)) is None:
            return {}
        flat.setdefault(match.group(1), []).append(path)
    is_usable = len(flat) > 1 or bool(set(flat) & set(class_names))
    return dict(sorted(flat.items())) if is_usable else {}


def _class_notes(tree: _Tree, train: dict[str, list[Path]]) -> list[str]:
    if not tree.classes:
        names = ", ".join(list(train)[:5]) + (", ..." if len(train) > 5 else "")
        return [f"The class of an image is what its name begins with: {names}."]
    nested = [one.name for one in tree.classes if one.classes]
    some = ", ".join(nested[:3]) + (", ..." if len(nested) > 3 else "")
    return [f"Images in folders inside of {some} count as of that class."] if nested else []


def _check_known(folder: Path, part: dict[str, list[Path]], names: Sequence[str]) -> None:
    new = [name for name in part if name not in names]
    if new:
        raise DataError(
            f"The folder {folder} has the class {new[0]!r}.",
            f"the classes of the training: {', '.join(names)}",
            "Rename it, or add training images of it.",
        )


def _unused(tree: _Tree, used: dict[str, list[Path]], deep: bool = True) -> list[str]:
    """What of a part is not used: folders without images, images outside of them, other files."""
    found = list(tree.ignored)
    for one in tree.folders:
        if one.name not in used:
            found.append(_told(one))
        elif deep:
            found += sorted(one.all_others())
            found += sorted(one.all_ignored())
    if tree.classes and tree.images and used:
        found.append(f"{_count(len(tree.images))} outside of the folders of classes")
    return found + sorted(tree.others)


def _told(tree: _Tree) -> str:
    """A folder that is not used, and why."""
    images = sum(1 for _ in tree.all_images())
    if images:
        return f"{tree.name}/ ({_count(images)})"
    others = list(tree.all_others())
    if not others:
        return f"{tree.name}/ (empty)"
    kinds = Counter(Path(name).suffix.lower() or "no ending" for name in others)
    words = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(3))
    return f"{tree.name}/ ({words}: not read)"


def _count(images: int) -> str:
    return "1 image" if images == 1 else f"{images:,} images"


def _unused_note(unused: Sequence[str]) -> tuple[str, ...]:
    if not unused:
        return ()
    once = list(dict.fromkeys(unused))
    # first what may be a class that somebody misses
    once.sort(key=lambda one: 0 if "(" in one or " outside " in one else 2 - one.endswith("/"))
    more = len(once) - _MOST_LISTED
    some = ", ".join(once[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")
    return (f"Found and not used: {some}. Images are {NAMED}.",)
