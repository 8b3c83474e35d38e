"""A table that names images and says what is to be learnt of each.

    labels.csv:  file,label          the only table in its folder, or `train.csv` and `test.csv`
                 a.jpg,cat
                 more/b.png,dog

The column of files is found by its endings. A file is looked for beside the table, then in each
of the sub-folders there. The label is the only other column, or those that are named as targets:
classes, labels or numbers. A column `split` (or `part`, `set`, `subset`) that says train, test or
val in each row makes the test part; where there is none, a column of groups or times can.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.data.dataset import Samples
from downslope.data.progress import OnProgress
from downslope.data.readers.file_names import IMAGES, is_there, leads_out, tables_in
from downslope.data.readers.image_file import Ranges
from downslope.data.readers.image_folder import unnamed_images
from downslope.data.readers.image_set import ImageFile, Shape, read_images
from downslope.data.readers.table_file import read_table
from downslope.data.tables.column_types import as_texts
from downslope.data.tables.options import TableOptions
from downslope.data.tables.rows import (
    check_split_columns,
    form_of,
    group_of_rows,
    split_notes,
    time_of_rows,
)
from downslope.data.tables.targets import (
    Labelled,
    labelled,
    named_targets,
    refuse_new_classes,
    which_target,
)
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

pc: Any = compute  # whose functions are made when it is imported
_PART_COLUMNS = ("split", "part", "set", "subset")
_PARTS = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "val": "val", "valid": "val", "validation": "val",
}  # fmt: skip
_IMAGE = "(" + "|".join(suffix.replace(".", r"\.") for suffix in IMAGES) + ")$"
_ROW = "row in its table"  # columns of ours, with names that no file has
_TABLE = "its table"


class _Rows(NamedTuple):
    """The rows of one or two tables, and which columns say what."""

    table: pa.Table
    paths: tuple[Path, ...]
    files: str
    part: str | None

    def position(self, row: int) -> str:
        """Where a row stands, in words."""
        number = self.table.column(_ROW)[row].as_py()
        return f"row {number} of {self.paths[self.table.column(_TABLE)[row].as_py()]}"


def file_column(table: pa.Table, ignored: Mapping[str, str]) -> str | None:
    """The first column of a table whose values all are names of images; None if there is none."""
    for name, values in zip(table.column_names, table.columns, strict=True):
        is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        if not is_text or ignored.get(name) == "ignored" or values.null_count == len(values):
            continue
        texts = pc.utf8_lower(pc.utf8_trim_whitespace(values.drop_null()))
        are_images = pc.all(pc.match_substring_regex(texts, _IMAGE)).as_py()
        if are_images and not pc.any(pc.match_substring(texts, "://")).as_py():
            return name
    return None


def lists_in(folder: Path, options: TableOptions) -> list[Path]:
    """The table in a folder that names images, or `train` and `test`; none where there is none.

    Raises:
        DataError: A table cannot be read.
    """
    found = tables_in(folder)
    if [path.name.partition(".")[0] for path in found] == ["test", "train"]:
        found = found[::-1]
    elif len(found) != 1:
        return []
    named = [
        file_column(read_table(path, options.has_names), options.column_types) is not None
        for path in found
    ]
    return found if any(named) else []


def read_image_list(
    paths: Sequence[Path],
    options: TableOptions,
    side: int | None = None,
    on_progress: OnProgress | None = None,
    *,
    source: Path | None = None,
    shape: Shape | None = None,
    ranges: Ranges | None = None,
) -> Unsplit:
    """Read the images that a table names.

    Args:
        paths: The table; or two of them, the second of which is the test part.
        options: What the user said of it.
        side: The longer side of an image is at most this many pixels; 64 if None.
        on_progress: Called with (images so far, images in all).
        source: Where this was asked for, if not by the table's path.
        shape: Height, width and channels that all images are brought to; None for the rule.
        ranges: Which values of images of more than 8 bits are black and white, where an earlier
            training decided it.

    Raises:
        DataError: A table or an image cannot be read, a row has no file or a file several rows,
            or the labels cannot be learnt.
        SettingError: Nothing says which column is the label, or there is no such column.
    """
    source = source or paths[0]
    rows = _rows(paths, options)
    if shape is not None:  # what was said of an earlier training's table need not hold here
        options = _as_far_as_there(options, rows.table.column_names)
    if len(paths) > 1 or rows.part is not None:
        options.refuse_splitting(f"{source.name} says itself which images are the test part")
    said = rows.table.drop_columns([_ROW, _TABLE])
    check_split_columns(said, options.targets, options.group, options.time)
    targets = _targets(rows, options)
    named = as_texts(rows.table.column(rows.files)).tolist()  # also where there is no label
    found = labelled(rows.table, targets, options, source.name)
    rows = rows._replace(table=found.table)
    files = _files(rows)
    parts = _parts(rows)
    has_test = "test" in parts
    is_test = np.array([part == ("test" if has_test else "val") for part in parts], bool)
    training, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
    if not len(training):
        raise DataError(
            f"{source} names no training images.",
            "rows whose part is train",
            "Correct the column, or leave it out to have the images split.",
        )
    refuse_new_classes(found, training, test)
    images = read_images(
        [files[row] for row in training],
        [files[row] for row in test],
        side,
        on_progress,
        shape,
        ranges,
    )
    groups, times = _groups(found, options), _times(found, options)
    own = images.pixels[: len(training)]
    given = options._replace(targets=targets).given
    given |= {} if side is None else {"photo_side": side}
    return Unsplit(
        name=source.name.partition(".")[0] if source.is_file() else source.name,
        task=found.task,
        samples=Samples(own, found.targets[training]),
        test=Samples(images.pixels[len(training) :], found.targets[test]) if len(test) else None,
        per="all" if images.is_grey else "channel",
        class_names=found.class_names,
        target_names=found.target_names,
        source=str(source),
        ranges=images.ranges,
        groups=groups,
        times=times,
        notes=(
            *images.notes,
            *found.notes,
            *_unused(rows, targets, options),
            *unnamed_images(rows.paths[0].parent, named),
            *split_notes(options.group, groups, options.time, times),
        ),
        options=given,
    )


def _as_far_as_there(options: TableOptions, names: list[str]) -> TableOptions:
    group, time = (one if one in names else None for one in (options.group, options.time))
    return options._replace(group=group, time=time)


def _groups(found: Labelled, options: TableOptions) -> np.ndarray | None:
    return None if options.group is None else group_of_rows(found.table.column(options.group))


def _times(found: Labelled, options: TableOptions) -> np.ndarray | None:
    if options.time is None:
        return None
    form = form_of(found.columns, options.time)
    return time_of_rows(options.time, found.table.column(options.time), form)


def _rows(paths: Sequence[Path], options: TableOptions) -> _Rows:
    """The rows of all tables, each with its number and the number of its table."""
    tables = []
    for index, path in enumerate(paths):
        table = read_table(path, options.has_names)
        files = file_column(table, options.column_types)
        if files is None:
            raise DataError(
                f"{path} has no column of image files.",
                f"a column of names such as a.jpg; its columns are {', '.join(table.column_names)}",
                "Add it.",
            )
        count = table.num_rows
        table = table.append_column(_ROW, pa.array(np.arange(1, count + 1)))
        tables.append((table.append_column(_TABLE, pa.array(np.full(count, index))), files))
    try:
        together = pa.concat_tables([one for one, _ in tables], promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(
            f"{paths[0]} and {paths[1]} have columns of different types.",
            "two tables with the same columns",
            "Correct the values that are no numbers.",
        ) from error
    files = tables[0][1]
    if any(one != files for _, one in tables):
        raise DataError(
            f"The images are named in {files!r} of {paths[0]} and in {tables[1][1]!r} of "
            f"{paths[1]}.",
            "one name for the column in both",
            "Rename one of them.",
        )
    part = next((one for one in together.column_names if _says_part(together, one)), None)
    return _Rows(together, tuple(paths), files, None if len(paths) > 1 else part)


def _says_part(table: pa.Table, name: str) -> bool:
    values = table.column(name)
    if (
        name.lower() not in _PART_COLUMNS
        or values.null_count
        or not pa.types.is_string(values.type)
    ):
        return False
    return {str(one).strip().lower() for one in pc.unique(values).to_pylist()} <= set(_PARTS)


def _targets(rows: _Rows, options: TableOptions) -> tuple[str, ...]:
    known = (rows.files, rows.part, options.group, options.time, _ROW, _TABLE)
    others = [name for name in rows.table.column_names if name not in known]
    if options.targets:
        return named_targets(options.targets, others)
    if not others:
        raise DataError(
            f"{rows.paths[0]} has no column of labels.",
            f"a column beside {rows.files!r} that says what is to be learnt",
            "Add it.",
        )
    if len(others) > 1:
        raise which_target(others)
    return (others[0],)


def _files(rows: _Rows) -> list[ImageFile]:
    """The images of the rows, each of which is there and named once."""
    texts = as_texts(rows.table.column(rows.files))
    folders = [_with_subfolders(path.parent) for path in rows.paths]
    tables = rows.table.column(_TABLE).to_pylist()
    seen: dict[str, int] = {}
    files, absent = [], []
    for row, (text, table) in enumerate(zip(texts, tables, strict=True)):
        if not text:
            raise DataError(
                f"The column {rows.files!r} is empty in {rows.position(row)}.",
                "the file of an image in each row",
                "Fill it in, or leave the row out.",
            )
        _refuse_elsewhere(text, rows, row)
        path = next((one for one in (at / text for at in folders[table]) if is_there(one)), None)
        if path is None:
            absent.append((row, text))
            continue
        first = seen.setdefault(os.path.realpath(path), row)
        if first != row:
            raise DataError(
                f"The image {path} is named in {rows.position(first)} and in {rows.position(row)}.",
                "each image once",
                "Leave one of the rows out; an image in two parts would make the test too easy.",
            )
        files.append(ImageFile(path, rows.position(row)))
    if absent:
        row, text = absent[0]
        many = (
            f"There are no files for {len(absent):,} images, first"
            if len(absent) > 1
            else ("There is no file for the image")
        )
        raise DataError(
            f"{many} {text[:200]!r} in {rows.position(row)}.",
            f"paths that lead on from {rows.paths[0].parent} or one of its sub-folders",
            f"Correct them, or say --column {rows.files}=ignored to learn from a table's other "
            "columns.",
        )
    return files


def _refuse_elsewhere(text: str, rows: _Rows, row: int) -> None:
    """Check that an image is named beside its table or below: lists come from strangers, too.

    Raises:
        DataError: Its path is one from the root, or leads up and out.
    """
    if leads_out(text):
        raise DataError(
            f"The image {text[:200]!r} in {rows.position(row)} lies outside of the table's folder.",
            "paths of files beside the table or in folders below it",
            "Put the table into the folder that holds the images, and name them from there.",
        )


def _with_subfolders(folder: Path) -> list[Path]:
    try:
        inside = sorted(one for one in folder.iterdir() if one.is_dir())
    except OSError:
        inside = []
    return [folder, *(one for one in inside if not one.name.startswith("."))]


def _parts(rows: _Rows) -> list[str]:
    """Of each row "train", "test" or "val"."""
    if len(rows.paths) > 1:
        return ["test" if index else "train" for index in rows.table.column(_TABLE).to_pylist()]
    if rows.part is None:
        return ["train"] * rows.table.num_rows
    return [_PARTS[one.lower()] for one in as_texts(rows.table.column(rows.part))]


def _unused(rows: _Rows, targets: Sequence[str], options: TableOptions) -> tuple[str, ...]:
    known = (rows.files, rows.part, *targets, options.group, options.time, _ROW, _TABLE)
    others = [name for name in rows.table.column_names if name not in known]
    if not others:
        return ()
    some = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
    is_one = len(others) == 1
    return (
        f"The column{' ' if is_one else 's '}{some} {'is' if is_one else 'are'} not used: the "
        "network sees the images alone.",
    )
