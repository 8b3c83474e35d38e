"""One way in: from a built-in name or a path to a data set."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from downslope.data.builtin import BUILT_IN
from downslope.data.dataset import Dataset
from downslope.data.density import STRIDE
from downslope.data.photos import MULTIPLE
from downslope.data.progress import OnProgress
from downslope.data.readers.crowds import (
    holds_labels,
    holds_mall,
    holds_shanghaitech,
    read_mall,
    read_shanghaitech,
)
from downslope.data.readers.file_names import (
    ARRAYS,
    HEADS,
    ending,
    holds_heads,
    is_table_file,
    is_text,
    tables_in,
)
from downslope.data.readers.formats import format_of
from downslope.data.readers.idx import holds_idx, read_idx_folder
from downslope.data.readers.image_file import Ranges
from downslope.data.readers.image_folder import describe_images, find_classes, read_image_folder
from downslope.data.readers.image_set import Shape
from downslope.data.readers.labelled_photos import PhotoOptions
from downslope.data.split import TEST, VALIDATION, Division, check_fractions
from downslope.data.tables.options import TableOptions
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError, Faults, SettingError, quoted
from downslope.names import suggestion, synonyms

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    from downslope.data.tables.column_types import Said
    from downslope.data.tables.encoding import Encoding
    from downslope.data.tables.table import UnsplitTable

ScalingOption = Literal["standard", "none"]
LAYOUTS = (
    "images/IMG_1.jpg with ground-truth/GT_IMG_1.mat (ShanghaiTech), "
    "frames/seq_000001.jpg with mall_gt.mat (Mall), "
    "photos with heads.csv or heads.json, "
    "train-images-idx3-ubyte with train-labels-idx1-ubyte (MNIST), "
    "images with a table that names them and their labels, "
    "or a folder of images for each class, such as cats/1.jpg and dogs/2.jpg"
)


def load(
    source: Any,
    *,
    target: str | Sequence[str] | None = None,
    column_types: Mapping[str, Said] | None = None,
    task: str | None = None,
    group: str | None = None,
    time: str | None = None,
    names: Literal["yes", "no"] | None = None,
    split_seed: int = 0,
    photo_side: int | None = None,
    stride: int = STRIDE,
    scaling: ScalingOption = "standard",
    on_progress: OnProgress | None = None,
) -> Dataset:
    """Load a data set and split it into training, validation and test part.

    `load(dataset.source, **dataset.options)` gives the same data set again, as long as the files
    are the same.

    Args:
        source: A built-in name (see `BUILT_IN`), the path of a folder or of a table, a table in
            memory (a frame of pandas or polars, an Arrow table), or a pair (X, y) as for
            `Dataset.from_arrays`. Put `./` before a folder that has the name of a built-in set.
        target: Tables: the column to predict, or several: of numbers, or of yes and no. A name that
            is no column may be several names, separated by commas.
        column_types: Tables: the types of columns where they should not be guessed: "number",
            "yes/no", "category", "date", "text" or "ignored"; of dates such as 03/04/2024
            also "month-first", "day-first" or "year-first"; of numbers such as 1,234
            "decimal-point" or "decimal-comma".
        task: Tables: "classification" or "regression"; None to guess it from the target. Photos of
            crowds: "regression" to learn how many people there are and not where.
        group: Tables: a column, such as a patient; rows with the same value stay in one part. It is
            no input unless `column_types` gives its type.
        time: Tables: a column of dates or numbers; the latest rows are the test part.
        names: Text files: "yes" if the first line names the columns, "no" if it is a row; None to
            guess it.
        split_seed: Seed of the split; frames of a video are split in time, whatever the seed.
        photo_side: Folders of photos: the longer side is at most this many pixels; None for the
            rule of `photos.working_side`, or for 64 where there is a folder per class.
        stride: Folders of photos: pixels per cell of the density map, 1, 2, 4 or 8.
        scaling: "standard" to subtract the mean of the training part from inputs and numeric
            targets and divide by its standard deviation; "none" to give a network both as they
            are.
        on_progress: Where loading takes a while: called with (photos so far, photos in all).

    Returns:
        The data set.

    Raises:
        DataError: The source is unknown or missing, or a file of it is missing or broken; there
            are too few groups or times to split.
        SettingError: `stride`, `photo_side` or `scaling` is out of range; the target is not named,
            or there is no such column; a group or time is named where there is no table.

    Example:
        >>> data = ds.load("moons")
        >>> data.task, data.train.inputs.shape
        ('classification', (560, 2))
        >>> X, y = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 2
        >>> ds.load((X, y)).sizes
        {'train': 140, 'validation': 20, 'test': 40}
    """
    check_scaling(scaling)
    if isinstance(source, tuple):
        said = TableOptions(TableOptions.names_of(target), {}, None, (), group, time, None, names)
        said.refuse_columns("the source")
        return from_arrays(
            *pair_of(source),
            task=task,
            column_types=column_types,
            split_seed=split_seed,
            scaling=scaling,
            name="arrays",
        )
    unsplit = read(
        source,
        target=target,
        column_types=column_types,
        task=task,
        group=group,
        time=time,
        names=names,
        photo_side=photo_side,
        stride=stride,
        on_progress=on_progress,
    )
    dataset = unsplit.split(split_seed)
    return dataset if scaling == "standard" else dataset.unscaled()


def check_scaling(scaling: Any) -> None:
    """Check that there is such a way to scale.

    Raises:
        SettingError: There is not.
    """
    if scaling not in ("standard", "none"):
        raise SettingError(
            f"The scaling is {quoted(scaling)}.",
            '"standard" or "none"',
            "Leave it out: inputs and targets are standardised.",
        )


def as_dataset(data: Any) -> Dataset:
    """A data set as it is; whatever else `load` takes, loaded."""
    return data if isinstance(data, Dataset) else load(data)


_PARTS = ("train", "validation", "test")
_OF_ARRAYS = ("validation", "test", "class_names", "given")  # options of `from_arrays` alone


def load_again(data: Any, options: Mapping[str, Any], on_progress: OnProgress | None) -> Dataset:
    """Data once more, divided as it was.

    Args:
        data: A `Dataset`, or whatever `load` takes.
        options: Those that the data set had.
        on_progress: Where it takes a while: called with (photos so far, photos in all).

    Raises:
        DataError: It cannot be read, or has to be given as a `Dataset`.
    """
    if isinstance(data, Dataset):
        return data
    if "given" in options:
        parts = " and ".join(options["given"])
        raise DataError(
            f"The {parts} part of the data was given beside the rest.",
            "a Dataset, made as it was",
            f"Give Dataset.from_arrays(X, y, {options['given'][0]}=(X, y)).",
        )
    if isinstance(data, tuple):
        taken = (*_OF_ARRAYS, "task", "column_types", "split_seed", "scaling")
        own = {name: value for name, value in options.items() if name in taken}
        return from_arrays(*pair_of(data), **own)
    usual = {name: value for name, value in options.items() if name not in _OF_ARRAYS}
    return load(data, on_progress=on_progress, **usual)


def from_arrays(
    X: Any,
    y: Any,
    *,
    validation: float | tuple[Any, Any] = VALIDATION,
    test: float | tuple[Any, Any] = TEST,
    names: Sequence[str] = (),
    class_names: Sequence[str] = (),
    task: str | None = None,
    column_types: Mapping[str, Said] | None = None,
    split_seed: int = 0,
    scaling: ScalingOption = "standard",
    name: str = "arrays",
) -> Dataset:
    """Make a data set from samples in memory.

    Classes and numbers are told apart as in tables: texts, yes and no, and whole numbers with few
    values are classes, all else are numbers. Columns of 0 and 1 are one-hot classes if each row has
    exactly one 1, and labels otherwise.

    Args:
        X: Inputs: numbers of shape (N, features), images of shape (N, height, width) or
            (N, height, width, channels), lists of these, a sparse matrix (made dense: at most 1
            GiB, or the limit in the environment variable DOWNSLOPE_MAX_GIB), or a frame of pandas,
            polars or Arrow, whose columns may hold texts, dates and missing values as in a table.
        y: Targets: one value per sample, (N,); or several numbers, labels or a one-hot row,
            (N, outputs).
        validation: The fraction of the samples that is kept for validation, or the (X, y) of a
            separate validation part.
        test: Likewise for the test part.
        names: One name per input of an array; a frame has its own names.
        class_names: The classes in their order: texts of y, or the names of 0, 1, ...; or a name
            for each label.
        task: "classification" or "regression"; None to guess it from y.
        column_types: Types of the columns of a frame, as for `load`.
        split_seed: Seed of the split.
        scaling: Whether inputs and targets are scaled, as for `load`.
        name: Short name, also used for the run folder.

    Returns:
        The data set.

    Raises:
        DataError: The arrays do not fit each other, are too large, hold something else than
            numbers and texts, or y cannot be learned.
        SettingError: A fraction, the task or a name makes no sense here.

    Example:
        >>> X, y = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 2
        >>> data = ds.Dataset.from_arrays(X, y, test=(X[:20], y[:20]), names=["a", "b", "c"])
        >>> data.sizes
        {'train': 180, 'validation': 20, 'test': 20}
    """
    from downslope.data.readers.arrays import read_arrays
    from downslope.data.tables.table import UnsplitTable

    faults = Faults()
    with faults.check():
        check_scaling(scaling)
    options = TableOptions((), column_types or {}, task)
    given, fractions = [(X, y)], {}
    parts = {"train": 0}
    for part, said in (("validation", validation), ("test", test)):
        if isinstance(said, tuple):
            parts[part] = len(given)
            given.append(_two(said, part))
            fractions[part] = 0.0
        else:
            fractions[part] = said
    kept = {
        part: value
        for part, value in fractions.items()
        if value != {"validation": VALIDATION, "test": TEST}[part] and part not in parts
    }
    if len(parts) > 1:
        kept["given"] = [part for part in parts if part != "train"]
    if class_names:
        kept["class_names"] = list(class_names)
    with faults.check():
        check_fractions(len(_PARTS), fractions["test"], fractions["validation"])
    with faults.check():
        unsplit, sizes = read_arrays(given, options, tuple(names), tuple(class_names), name)
    faults.tell()
    # whose part is given is -1 or its number; what is to be divided is -1
    number = [-1 if part == "train" else _PARTS.index(part) for part in parts]
    assigned = np.repeat(number, sizes)  # pyright: ignore[reportPossiblyUnboundVariable] - else it was told why
    if isinstance(unsplit, UnsplitTable) and unsplit.numbers is not None:
        assigned = assigned[unsplit.numbers - 1]
    division = Division(fractions["validation"], fractions["test"], assigned)
    dataset = replace(unsplit, division=division, options={**unsplit.options, **kept}).split(
        split_seed
    )
    return dataset if scaling == "standard" else dataset.unscaled()


Dataset.from_arrays = staticmethod(from_arrays)  # here, as it reads: a data set knows no reader


def _two(pair: tuple[Any, ...], part: str) -> tuple[Any, Any]:
    if len(pair) != 2:
        raise SettingError(
            f"The {part} part has {len(pair)} arrays.",
            "a fraction, or the two (X, y)",
            "Give inputs and targets.",
        )
    return pair[0], pair[1]


def pair_of(source: tuple[Any, ...]) -> tuple[Any, Any]:
    """The two of (X, y).

    Raises:
        DataError: They are not two.
    """
    if len(source) != 2:
        raise DataError(
            f"The source is a tuple of {len(source)}.",
            "the two (X, y): inputs and targets",
            "For a test part of its own: Dataset.from_arrays(X, y, test=(X_test, y_test)).",
        )
    return source[0], source[1]


def read(
    source: Any,
    *,
    target: str | Sequence[str] | None = None,
    column_types: Mapping[str, Said] | None = None,
    task: str | None = None,
    class_names: tuple[str, ...] = (),
    encoding: Encoding | None = None,
    image_shape: Shape | None = None,
    ranges: Ranges | None = None,
    group: str | None = None,
    time: str | None = None,
    names: str | None = None,
    photo_side: int | None = None,
    stride: int = STRIDE,
    on_progress: OnProgress | None = None,
) -> Unsplit | UnsplitTable:
    """Read all samples of a source without splitting them.

    Errors are those of `load`. With `class_names`, `encoding`, `image_shape` and `ranges` new
    samples are read as those of an earlier training were.

    Args:
        source: As for `load`; no pair of arrays.
        target: As for `load`.
        column_types: As for `load`.
        task: As for `load`.
        class_names: Of tables and images: the classes, in their order.
        encoding: Of tables: how the columns become inputs.
        image_shape: Of images: height, width and channels.
        ranges: Of images: which values are black and white.
        group: As for `load`.
        time: As for `load`.
        names: As for `load`.
        photo_side: As for `load`.
        stride: As for `load`.
        on_progress: As for `load`.

    Returns:
        All samples of the source, with what is known of them; its `split` makes a `Dataset`.

    Example:
        >>> whole = ds.data.read("moons")
        >>> len(whole.samples), whole.class_names
        (800, ('upper', 'lower'))
        >>> whole.split(7).sizes
        {'train': 560, 'validation': 80, 'test': 160}
    """
    if names not in (None, "yes", "no"):
        raise SettingError(
            f"names is {names!r}.", "yes or no", "Leave it out to have the line of names found."
        )
    targets = TableOptions.names_of(target)
    table = TableOptions(
        targets, column_types or {}, task, class_names, group, time, encoding, names
    )
    if not isinstance(source, str | Path):
        table.refuse_names("the source is a frame")
        return _table_in_memory(source, table)
    if stride not in (1, 2, 4, 8):
        raise SettingError(
            f"The stride is {stride}.", "1, 2, 4 or 8 pixels per cell", "Use 8 to begin with."
        )
    if photo_side is not None and photo_side < MULTIPLE:
        raise SettingError(
            f"The longer side of photos is set to {photo_side} pixels.",
            f"at least {MULTIPLE}",
            "Use 256 or 512 to begin with.",
        )
    if isinstance(source, str) and source in BUILT_IN:
        if BUILT_IN[source].task == "counting" and task == "regression":
            table._replace(task=None).refuse(source)
            return BUILT_IN[source].read(on_progress).as_counts()
        table.refuse(source)
        return BUILT_IN[source].read(on_progress)
    path = _path(source)
    photos = PhotoOptions(photo_side, stride, on_progress, image_shape, ranges)
    if path.is_file():
        return _file(path, table, photos)
    return _folder(path, table, photos)


def _file(path: Path, table: TableOptions, photos: PhotoOptions) -> Unsplit | UnsplitTable:
    if path.suffix.lower() == ARRAYS:
        from downslope.data.readers.npz import read_npz

        table.refuse_columns(path.name)
        return read_npz(path, table)
    from downslope.data.readers.image_list import file_column, read_image_list
    from downslope.data.readers.table_file import read_table
    from downslope.data.tables.table import table_of

    if format_of(ending(path)) is not None:
        table.refuse_names(f"{path.name} says so itself")
    content = read_table(path, table.has_names, table.known)
    if file_column(content, table.column_types) is not None:
        side, on_progress, shape = photos.photo_side, photos.on_progress, photos.image_shape
        return read_image_list([path], table, side, on_progress, shape=shape, ranges=photos.ranges)
    name = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    return table_of(content, table, name=name, source=str(path))


def _folder(folder: Path, table: TableOptions, photos: PhotoOptions) -> Unsplit:
    tables = [] if _has_labels_of_its_own(folder) else tables_in(folder)
    if tables:
        from downslope.data.readers.image_list import lists_in, read_image_list

        if paths := lists_in(folder, table):
            side, on_progress, shape = photos.photo_side, photos.on_progress, photos.image_shape
            return read_image_list(
                paths, table, side, on_progress, source=folder, shape=shape, ranges=photos.ranges
            )
    if table.task == "regression" and any(
        holds(folder) for holds in (holds_heads, holds_mall, holds_shanghaitech)
    ):
        return _folder(folder, table._replace(task=None), photos).as_counts()
    if photos.image_shape is None:  # else it was said of the data of an earlier training
        table.refuse(folder.name)
    if holds_heads(folder):
        from downslope.data.readers.head_list import read_head_list

        return read_head_list(folder, photos)
    if holds_idx(folder):
        return read_idx_folder(folder)
    if holds_mall(folder):
        return read_mall(folder, photos)
    if holds_shanghaitech(folder):
        return read_shanghaitech(folder, photos)
    inside = [one.name for one in sorted(folder.iterdir()) if _holds_people(one)]
    if inside:
        raise DataError(
            f"The folder {folder} holds several data sets: {', '.join(inside[:5])}.",
            "one of them",
            f"Give its path, such as {folder / inside[0]}.",
        )
    if (classes := find_classes(folder, table.class_names)) is not None:
        return read_image_folder(
            folder,
            classes,
            photos.photo_side,
            photos.on_progress,
            class_names=table.class_names,
            shape=photos.image_shape,
            ranges=photos.ranges,
        )
    if tables:
        raise DataError(
            f"In the folder {folder} no table says what is to be learnt of images: "
            f"{', '.join(path.name for path in tables[:5])}{', ...' if len(tables) > 5 else ''}.",
            "a single table with a column of files such as a.jpg, or train.csv with test.csv",
            f"Give the table that is meant by its own path, such as {tables[0]}.",
        )
    raise DataError(
        describe_images(folder) or f"The folder {folder} is of an unknown kind.",
        LAYOUTS,
        "Arrange the files in one of these ways, or give the folder that holds them.",
    )


def _holds_people(folder: Path) -> bool:
    """Whether a folder is a data set of crowds by itself."""
    visible = folder.is_dir() and not folder.name.startswith(".")
    return visible and any(holds(folder) for holds in (holds_heads, holds_mall, holds_labels))


def _has_labels_of_its_own(folder: Path) -> bool:
    """Whether the folder says where its labels are, so that no table has to."""
    return any(holds(folder) for holds in (holds_heads, holds_idx, holds_mall, holds_labels))


def _table_in_memory(frame: Any, options: TableOptions) -> UnsplitTable:
    from downslope.data.readers.frames import table_from
    from downslope.data.tables.table import table_of

    return table_of(table_from(frame), options, name="table")


def _path(source: str | Path) -> Path:
    """Return the absolute path of a table, or of a folder that has something in it."""
    path = Path(os.path.abspath(Path(source).expanduser()))  # without .. in it: it names the run
    try:
        if path.is_symlink() and not path.exists():
            raise DataError(
                f"{path} is a link that leads nowhere, or to itself.",
                "a folder or a file that is there",
                "Correct the link, or give what it should lead to.",
            )
        if not path.exists():
            raise _missing(str(source), path)
        if not is_text(path):
            raise DataError(
                f"The path {path} is not UTF-8.", "a path whose letters can be told", "Rename it."
            )
        if not path.is_dir() and not path.is_file():
            raise DataError(
                f"{path} is a pipe or a device.",
                "a file or a folder",
                "Save what comes out of it as a file, and give that.",
            )
        if not path.is_dir():
            if path.name in HEADS:
                return path.parent
            if is_table_file(path) or path.suffix.lower() == ARRAYS:
                return path
            raise DataError(
                f"{path} is a file of an unknown kind.",
                "a table (.csv, .tsv, .parquet or .arrow), arrays (.npz), a folder, or the name "
                "of a built-in data set",
                "Give the folder that holds the file, or save the table in one of these forms.",
            )
        if not any(path.iterdir()):
            raise DataError(
                f"The folder {path} is empty.", LAYOUTS, "Check the path, or add the files."
            )
    except (OSError, ValueError) as problem:  # no permission; a null byte in the path
        reason = getattr(problem, "strerror", None) or "it is no valid path"
        raise DataError(
            f"The folder {path} cannot be read: {reason}.",
            "a folder that can be read",
            "Check the path and its permissions.",
        ) from None
    return path


# data sets that people ask for by name and that are not built in; nothing is ever downloaded
ELSEWHERE = synonyms(
    {
        "Give the folder with its IDX files (train-images-idx3-ubyte ...); digits is built in.": (
            "mnist fashionmnist kmnist emnist"
        ),
        "Save it as a folder with a folder per class, or as .npz, and give its path.": (
            "cifar10 cifar100 cifar imagenet catsanddogs dogsvscats svhn"
        ),
        "Save it as a table, such as CSV, and give its path and --target.": (
            "iris wine titanic boston housing californiahousing diabetes adult "
            "breastcancer penguins diamonds mtcars"
        ),
        "spam": "spambase emails sms messages",
        "moons": "twomoons makemoons halfmoons",
        "circles": "makecircles rings",
        "blobs": "makeblobs gaussians",
        "spirals": "spiral twospirals",
        "crowd": "crowds people shanghaitech mall",
        "digits": "loaddigits digit numbers",
        "waves": "sine sin wave",
    }
)


def _missing(source: str, path: Path) -> DataError:
    names = ", ".join(BUILT_IN)
    if os.sep in source or "/" in source or "." in source:
        kind = "file" if path.suffix else "folder"
        gone = next((one for one in reversed(path.parents) if not one.exists()), None)
        near = None if gone else _near_file(path)
        return DataError(
            f"There is no {kind} {path}{f' (there is no folder {gone})' if gone else ''}.",
            f"a file or folder that is there, or one of the built-in data sets: {names}",
            f"Did you mean {near!r}?" if near else "Check the path.",
        )
    beside = _near_file(path, whole_stem=True)
    return DataError(
        f"There is no data set {source!r}.",
        f"one of the built-in data sets ({names}), or the path of a file or folder",
        f"Did you mean {beside!r}?"
        if beside
        else suggestion(source, BUILT_IN, ELSEWHERE) or "Check the name, or give a path.",
    )


def _near_file(path: Path, *, whole_stem: bool = False) -> str | None:
    """The name of a file or folder beside `path` that was probably meant.

    Args:
        path: What is not there.
        whole_stem: Only what has this very name with an ending, such as houses.csv for houses.
    """
    try:
        names = sorted(one.name for one in path.parent.iterdir() if not one.name.startswith("."))
    except OSError:
        return None
    same = [one for one in names if one.lower().partition(".")[0] == path.name.lower()]
    if same or whole_stem:
        return same[0] if same else None
    return next(iter(difflib.get_close_matches(path.name, names, n=1)), None)
