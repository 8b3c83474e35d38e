"""Photos with the positions of heads in one file: `heads.csv` or `heads.json`.

    heads.csv     file,x,y         a row per head; of a photo without heads one row `empty.jpg,,`
    heads.json    {"a.jpg": [[x, y], ...], "empty.jpg": []}
    photos.csv    file             may name photos as well: those without a head in heads.csv

Positions are pixels of the photo as it is seen upright, from its top left corner. Each photo that
lies beside a named one has to be named too, so that none is taken for empty by mistake. A folder
whose sub-folders `train` and `test` each have such a file is read with `test` as the test part.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from downslope.data.photos import SUFFIXES, photo_size
from downslope.data.readers.file_names import HEADS, is_there, leads_out
from downslope.data.readers.heads import LARGEST
from downslope.data.readers.labelled_photos import (
    LabelledPhoto,
    PhotoOptions,
    read_crowd,
    unmatched,
)
from downslope.data.readers.table_file import read_table
from downslope.data.tables.column_types import as_texts, is_text
from downslope.data.tables.numbers import PLAIN, find_numbers, read_numbers
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

CSV, JSON = HEADS
PHOTOS = "photos.csv"
_FILE_COLUMNS = ("file", "photo", "image", "filename", "path")
_EXAMPLE = '{"a.jpg": [[120.5, 80], ...], "empty.jpg": []}'


class _Head(NamedTuple):
    """The place of a head in its file, in words, and in its photo."""

    where: str
    x: float
    y: float


def read_head_list(folder: Path, options: PhotoOptions) -> Unsplit:
    """Read the photos that are named with their heads.

    Raises:
        DataError: The file cannot be read, names a photo that is not there, or a position that
            is no number or not in its photo; or a photo is not named.
    """
    if any((folder / name).is_file() for name in HEADS):
        return read_crowd(folder, find_listed(folder), (), options)
    photos, tests = find_listed(folder / "train", "train/"), []
    if any((folder / "test" / name).is_file() for name in HEADS):
        tests = find_listed(folder / "test", "test/")
    return read_crowd(folder, photos, tests, options)


def find_listed(folder: Path, prefix: str = "") -> list[LabelledPhoto]:
    """List the photos that a folder's file names, with their heads, in the order of names."""
    both = [folder / name for name in HEADS if (folder / name).is_file()]
    if len(both) > 1:
        raise DataError(
            f"The folder {folder} has both {CSV} and {JSON}.",
            "one file of head positions",
            "Remove one of them.",
        )
    named = _from_csv(both[0]) if both[0].name == CSV else _from_json(both[0])
    paths = {name: folder / name for name in sorted(named)}
    for name, path in paths.items():
        if leads_out(name):
            where = f" ({named[name][0].where})" if named[name] else ""
            raise DataError(
                f"{both[0]} names the photo {name[:200]!r}{where}, which lies outside of {folder}.",
                "paths of photos beside it or in folders below it",
                "Put the photos there, and name them from there.",
            )
        if not is_there(path):
            where = f" ({named[name][0].where})" if named[name] else ""
            raise DataError(
                f"{both[0]} names the photo {name[:200]!r}{where}, which is not in {folder}.",
                "paths that lead on from there",
                "Correct the name, or add the photo.",
            )
    _check_all_named(folder, paths.values(), both[0])
    return [
        LabelledPhoto(path, prefix + name, _positions(path, named[name]))
        for name, path in paths.items()
    ]


def _from_csv(path: Path) -> dict[str, list[_Head]]:
    """The heads of each photo; of one without heads none."""
    names, table = _named(path)
    named: dict[str, list[_Head]] = {name: [] for name in names}
    lower = {name.lower(): name for name in table.column_names}
    if not {"x", "y"} <= set(lower):
        raise _columns(path, table)
    across, down = (_positions_along(table.column(lower[axis])) for axis in "xy")
    for row, (name, x, y) in enumerate(zip(names, across, down, strict=True), start=1):
        where = f"row {row}"
        if x is None and y is None:
            continue  # a photo without heads
        named[name].append(_Head(where, _number(path, where, x), _number(path, where, y)))
    also = path.with_name(PHOTOS)
    if also.is_file():
        for name in _named(also)[0]:
            named.setdefault(name, [])
    return named


def _positions_along(values: pa.ChunkedArray) -> list[Any]:
    """The numbers in a column, None where there is none; what is no number stays as it is."""
    if not is_text(values.type):
        return values.to_pylist()
    found = find_numbers(values, is_said=True)
    is_certain = found is not None and (not found.other or found.is_usual)
    numbers, odd = read_numbers(values, found.form if found and is_certain else PLAIN)
    cells = zip(numbers.tolist(), odd.tolist(), values.to_pylist(), strict=True)
    return [
        cell if is_odd else None if number != number else number for number, is_odd, cell in cells
    ]


def _named(path: Path) -> tuple[list[str], pa.Table]:
    """The photo of each row, and the table."""
    table = read_table(path)
    lower = {name.lower(): name for name in reversed(table.column_names)}
    column = next((lower[name] for name in _FILE_COLUMNS if name in lower), None)
    if column is None:
        raise _columns(path, table)
    names = as_texts(table.column(column)).tolist()
    if None in names or "" in names:
        raise DataError(
            f"Row {next(row for row, name in enumerate(names, 1) if not name)} of {path} names no "
            "photo.",
            "the file of a photo in each row",
            "Fill it in, or leave the row out.",
        )
    return [os.path.normpath(name) for name in names], table


def _columns(path: Path, table: pa.Table) -> DataError:
    wanted = "file" if path.name == PHOTOS else "file, x and y"
    return DataError(
        f"{path} has the columns {', '.join(table.column_names[:20])}.",
        f"a first line that names the columns {wanted}",
        "Rename them, or add the line.",
    )


def _number(path: Path, where: str, value: Any) -> float:
    """A coordinate.

    Raises:
        DataError: It is no finite number.
    """
    try:
        number = float(value) if not isinstance(value, bool) else np.nan
    except (TypeError, ValueError, OverflowError):
        number = np.nan
    if not np.isfinite(number):
        shown = "nothing" if value is None else repr(value)[:40]
        raise DataError(
            f"{where[0].upper()}{where[1:]} of {path} has {shown} where a position is due.",
            "two numbers, the x and the y of a head in pixels",
            "Correct it; leave both out for a photo without heads.",
        )
    return number


def _from_json(path: Path) -> dict[str, list[_Head]]:
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it is larger than {LARGEST >> 20} MiB")
        content = json.loads(path.read_bytes(), object_pairs_hook=_once)
    except RecursionError:
        raise _no_heads(path, "it goes too deep") from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise _no_heads(path, " ".join(reason.split())[:150]) from None
    if not isinstance(content, dict):
        raise _no_heads(path, f"it begins with a {type(content).__name__}")
    return {os.path.normpath(name): _heads_of(path, name, content[name]) for name in content}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if found.setdefault(name, value) is not value:
            raise ValueError(f"it names {name!r} twice")
    return found


def _heads_of(path: Path, name: str, heads: Any) -> list[_Head]:
    if not isinstance(heads, list):
        raise _no_heads(path, f"{name!r} is followed by {repr(heads)[:40]}")
    found = []
    for number, head in enumerate(heads, start=1):
        where = f"head {number} of {name!r}"
        if not isinstance(head, list) or len(head) != 2:
            raise _no_heads(path, f"{where} is {repr(head)[:40]}")
        found.append(_Head(where, *(_number(path, where, value) for value in head)))
    return found


def _no_heads(path: Path, reason: str) -> DataError:
    return DataError(
        f"The head positions in {path} cannot be read: {reason.rstrip('.')}.",
        _EXAMPLE,
        "Correct it, or write it again.",
    )


def _check_all_named(folder: Path, paths: Iterable[Path], file: Path) -> None:
    """Check that each photo beside a named one is named, too.

    Raises:
        DataError: One is not.
    """
    known = {os.path.normpath(path) for path in paths}
    found = [
        path
        for at in sorted({os.path.dirname(path) for path in known} or {str(folder)})
        for path in sorted(Path(at).iterdir())
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not found:
        raise DataError(
            f"The folder {folder} holds no photos.",
            f"photos that {file.name} names",
            "Check the path, or add the photos.",
        )
    others = [path for path in found if os.path.normpath(path) not in known]
    if others:
        own = others[0].relative_to(folder) if others[0].is_relative_to(folder) else others[0]
        in_csv = f"the row {own},, in {CSV} or the row {own} in {PHOTOS}"
        example = in_csv if file.name == CSV else f'"{own}": [] in {JSON}'
        raise unmatched(
            len(others), "photo", "no labels", others[0], f"for a photo without heads {example}"
        )


def _positions(path: Path, heads: list[_Head]) -> np.ndarray:
    """The heads of a photo, float64 (K, 2).

    Raises:
        DataError: One is not in the photo, or the photo cannot be read.
    """
    width, height = photo_size(path)
    for head in heads:
        if not (0 <= head.x <= width and 0 <= head.y <= height):
            raise DataError(
                f"The head at ({head.x:g}, {head.y:g}), {head.where}, is not in its photo {path}.",
                f"x from 0 to {width} and y from 0 to {height}, the photo's pixels",
                "Correct the position, or leave it out.",
            )
    return np.array([(head.x, head.y) for head in heads], np.float64).reshape(-1, 2)
