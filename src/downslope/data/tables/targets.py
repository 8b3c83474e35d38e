"""What is learnt: a column's values as classes or as numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.data.dataset import Task
from downslope.data.readers.frames import refuse_unusable
from downslope.data.tables.column_types import (
    NUMBERS_ROWS,
    Column,
    Said,
    as_numbers,
    as_texts,
    decide,
    is_text,
    is_written,
    missing_column,
    shown,
    yes_or_no,
)
from downslope.data.tables.encoding import ColumnCode, Encoding, numbers_of
from downslope.data.tables.numbers import (
    DECIMALS,
    PLAIN,
    find_numbers,
    is_missing,
    read_numbers,
    without_marks,
)
from downslope.data.tables.options import TableOptions
from downslope.errors import DataError, SettingError

pc: Any = compute  # whose functions are made when it is imported
MOST_CLASSES_OF_NUMBERS = 20  # whole numbers with more values are learnt as numbers
MOST_DOUBTED = 100  # whole numbers with more values are numbers beyond doubt
ROWS_OF_A_CLASS = 5  # on average: whole numbers with fewer are learnt as numbers
LEAST_ROWS = 10
_LONG = re.compile(r"[+-]?[0-9]{16,300}")  # whole numbers that may be too long for a float
_USUAL_TARGETS = ("target", "label", "class", "y", "outcome", "income", "price")


class Labelled(NamedTuple):
    """The rows of a table that have a target, and what the target is.

    Attributes:
        table: Those rows, with all columns.
        numbers: Which row of the table each was, from 1, int64 (N,).
        columns: What each column is.
        task: "classification" or "regression".
        targets: Classes as int32 (N,), numbers as float64 (N, 1).
        class_names: One name per class; empty for numbers.
        notes: What a user should know, a sentence each.
        code: How the target is read.
    """

    table: pa.Table
    numbers: np.ndarray
    columns: tuple[Column, ...]
    task: Task
    targets: np.ndarray
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    code: ColumnCode


def labelled(table: pa.Table, target: str, options: TableOptions, name: str) -> Labelled:
    """Keep the rows that have a target, and learn what it is.

    Args:
        table: Named columns.
        target: The column that is to be learnt.
        options: What the user said; its target is not looked at.
        name: What messages call the table.

    Raises:
        DataError: The target cannot be learnt, or there are too few rows.
        SettingError: There is no such column, kind or task.
    """
    if target not in table.column_names:
        raise missing_column(target, table.column_names)
    if options.task not in (None, "classification", "regression"):
        raise SettingError(
            f"The task is {options.task!r}.",
            "classification or regression",
            "Leave it out to see it.",
        )
    refuse_unusable(table, target, "target")
    if options.learnt is not None and options.learnt.target_code is not None:
        return _as_learnt(table, options.learnt, options.learnt.target_code)
    values, notes, kinds = _known(table, target, options)
    known = pc.is_valid(values)
    rows = table.set_column(
        table.column_names.index(target), table.schema.field(target), values
    ).filter(known)
    numbers = np.flatnonzero(known.to_numpy()) + 1
    absent = table.num_rows - rows.num_rows
    if not rows.num_rows:
        raise _no_target(target)
    rows, columns, more = decide(rows, kinds, numbers)
    own = next(column for column in columns if column.name == target)
    if own.distinct < 2:
        raise DataError(
            f"The column {target!r} has the same value in every row.",
            "a target with at least two values",
            "Name another column with --target.",
        )
    task = options.task or _task(own, rows.column(target))
    if options.task is None:
        notes = (*notes, *_doubts(own, rows.column(target), task))
    columns = _with_an_input(columns, target)
    made = _classes if task == "classification" else _numbers
    targets, names = made(own, rows.column(target), options.class_names)
    if len(targets) < LEAST_ROWS:
        raise DataError(
            f"{name} has {len(targets)} rows with a target.",
            f"at least {LEAST_ROWS}",
            "Add rows; a network needs hundreds to learn anything that lasts.",
        )
    if absent:
        notes = (left_out(absent, target), *notes)
    code = _code(own, rows.column(target), task, names)
    return Labelled(rows, numbers, columns, task, targets, names, (*notes, *more), code)


def _code(
    column: Column, values: pa.ChunkedArray, task: Task, names: tuple[str, ...]
) -> ColumnCode:
    """How later values of the target are read."""
    if task == "regression":
        return ColumnCode(column.name, "number", form=column.form or PLAIN)
    if column.kind == "yes/no":
        return ColumnCode(column.name, "yes/no", values=names)
    by_value = not (is_text(values.type) or pa.types.is_boolean(values.type))
    form = (column.form or PLAIN) if by_value else ""
    return ColumnCode(column.name, "category", values=names, form=form)


def _as_learnt(table: pa.Table, learnt: Encoding, code: ColumnCode) -> Labelled:
    """The rows that have a target, read as an earlier training read its own.

    Raises:
        DataError: A value is none that was learnt, or no row has one.
    """
    values = table.column(code.name)
    if code.kind == "category":
        texts = code.texts(values)
        known = {text: place for place, text in enumerate(code.values)}
        absent = is_missing(values) if is_text(values.type) else np.zeros(len(values), bool)
        targets = np.array(
            [
                known.get(text, -1 if text is None or no else -2)
                for text, no in zip(texts, absent, strict=True)
            ],
            np.int32,
        )
        if (targets == -2).any():
            raise _new_class(code.name, str(texts[(targets == -2).argmax()]), code.values)
        is_known = targets >= 0
    elif code.kind == "yes/no":
        numbers = yes_or_no(code.name, values)
        is_known = ~np.isnan(numbers)
        targets = np.where(is_known, numbers, 0).astype(np.int32)
    else:
        if is_text(values.type) and (odd := read_numbers(values, code.form)[1]).any():
            raise _odd_target(code.name, values, odd)
        numbers = numbers_of(code.name, values, code.form, [])
        is_known = ~np.isnan(numbers)
        targets = numbers[:, None]
    if not is_known.any():
        raise _no_target(code.name)
    absent = int((~is_known).sum())
    return Labelled(
        table=table.filter(pa.array(is_known)),
        numbers=np.flatnonzero(is_known) + 1,
        columns=tuple(Column(one.name, one.kind, 0, 0, form=one.form) for one in learnt.columns),
        task="regression" if code.kind == "number" else "classification",
        targets=targets[is_known],
        class_names=() if code.kind == "number" else code.values,
        notes=(left_out(absent, code.name),) if absent else (),
        code=code,
    )


def _no_target(name: str) -> DataError:
    return DataError(
        f"The column {name!r} has no value in any row.",
        "a target in each row that is to be learnt from",
        "Name another column with --target, or fill it in.",
    )


def _new_class(name: str, text: str, names: Sequence[str]) -> DataError:
    return DataError(
        f"The column {name!r} has the class {text!r}.",
        f"the classes of the training: {', '.join(names)}",
        "Correct it, or leave these rows out.",
    )


def _known(
    table: pa.Table, target: str, options: TableOptions
) -> tuple[pa.ChunkedArray, tuple[str, ...], dict[str, Said]]:
    """The values of the target, null where there is none; notes; and what is said of columns.

    Of numbers, a mark such as NA says that there is none. Among classes it is a class by that
    name, unless it is rare beside them.

    Raises:
        DataError: A cell in a column of numbers is no number.
    """
    field, values = table.schema.field(target), table.column(target)
    said = options.kinds.get(target)
    if not is_text(field.type):
        return values, (), dict(options.kinds)
    absent = is_missing(values)
    texts = as_texts(values)
    if said == "category":
        return pa.chunked_array([pa.array(texts, pa.string())]), (), dict(options.kinds)
    is_number = said == "number" or said in DECIMALS or is_written(field)
    decimal = said if said in DECIMALS else None
    found = find_numbers(values, is_said=said is not None, decimal=decimal) if is_number else None  # pyright: ignore[reportArgumentType] - one of DECIMALS
    if found is not None:
        odd = read_numbers(values, found.form)[1]
        if odd.any():
            raise _odd_target(target, values, odd)
        values = without_marks(values)
        if said is None and options.task != "regression" and _are_inexact(values, options.task):
            texts = pa.chunked_array([pa.array(as_texts(values), pa.string())])
            return texts, (), {**options.kinds, target: "category"}  # as they are written
        return values, (), dict(options.kinds)
    given = Counter(text for text, no in zip(texts, absent, strict=True) if not no)
    marks = Counter(text for text, no in zip(texts, absent, strict=True) if no and text)
    least = min(min(given.values(), default=0), 0.05 * len(texts))
    kept = {mark for mark, count in marks.items() if count >= least and mark.lower() != "nan"}
    notes = tuple(
        f"{mark!r} is taken as a class of {target}, of {_rows(marks[mark])}: empty these cells if "
        "it means that there is no value."
        for mark in sorted(kept)
    ) + tuple(
        f"{mark!r} is taken as no value of {target}, in {_rows(marks[mark])}: say --column "
        f"{target}=category if it is a class."
        for mark in sorted({*marks} - kept)
    )
    texts = [
        None if no and text not in kept else text for text, no in zip(texts, absent, strict=True)
    ]
    kinds: dict[str, Said] = {**options.kinds, target: "category"} if kept else dict(options.kinds)
    return pa.chunked_array([pa.array(texts, pa.string())]), notes, kinds


def _are_inexact(values: pa.ChunkedArray, task: str | None) -> bool:
    """Whether values would be classes, and some whole number of them no number of 64 bits is."""
    written = {text.strip() for text in as_texts(values) if text is not None}
    if task is None and len(written) > MOST_CLASSES_OF_NUMBERS:
        return False
    return any(int(one) != float(one) for one in written if _LONG.fullmatch(one))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _odd_target(target: str, values: pa.ChunkedArray, odd: np.ndarray) -> DataError:
    count, first = int(odd.sum()), int(odd.argmax())
    more = f", and {count - 1:,} more such cells" if count > 1 else ""
    return DataError(
        f"The target {target!r} has {shown(values[first])} in row {first + 1:,}{more}, and numbers "
        "in the other rows.",
        "a number in each row that is to be learnt from",
        f"Correct the cell, or empty it to leave the row out; say --column {target}=category to "
        "learn each value as a class.",
    )


def refuse_new_classes(found: Labelled, training: np.ndarray, test: np.ndarray) -> None:
    """Check that no class is in the test part alone.

    Args:
        found: What is learnt.
        training: The rows of the training part, shape (K,).
        test: The rows of the test part.

    Raises:
        DataError: A class is.
    """
    if not found.class_names:
        return
    known = set(found.targets[training].tolist())
    new = sorted(set(found.targets[test].tolist()) - known)
    if new:
        raise DataError(
            f"The test part has the class {found.class_names[new[0]]!r}.",
            "the classes of the training part: "
            + ", ".join(found.class_names[one] for one in sorted(known)),
            "Correct it, or add training samples of it.",
        )


def left_out(rows: int, target: str) -> str:
    """How many rows are not used, as they have no value in this column."""
    what = "1 row has" if rows == 1 else f"{rows:,} rows have"
    return f"{what} no {target} and {'was' if rows == 1 else 'were'} left out."


def which_target(names: list[str]) -> SettingError:
    """What to raise where nobody said which of these columns is to be learnt."""
    usual = [name for name in names if name.strip().lower() in _USUAL_TARGETS]
    shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    return SettingError(
        "No column was named as the target.",
        f"one of the columns: {shown}",
        f"Say which one is to be learnt, such as --target {(usual or names[-1:])[0]!r}.",
    )


def _task(column: Column, values: pa.ChunkedArray) -> Task:
    if column.kind in ("category", "yes/no"):
        return "classification"
    if column.kind == "number" or column.note == NUMBERS_ROWS:
        is_whole = pa.types.is_integer(values.type)
        few = is_whole and column.distinct <= MOST_CLASSES_OF_NUMBERS
        each = len(values) / column.distinct  # rows of one value
        return "classification" if few and each >= ROWS_OF_A_CLASS else "regression"
    what = {"date": "dates"}.get(column.kind, column.note)
    raise DataError(
        f"The target {column.name!r} cannot be learnt: {what}.",
        "numbers, or classes of several rows each",
        "Name another column with --target.",
    )


def _doubts(column: Column, values: pa.ChunkedArray, task: Task) -> tuple[str, ...]:
    """What is said where whole numbers could be classes as well as numbers."""
    if not pa.types.is_integer(values.type) or not 2 < column.distinct <= MOST_DOUBTED:
        return ()
    if (
        column.distinct > MOST_CLASSES_OF_NUMBERS
        and len(values) < ROWS_OF_A_CLASS * column.distinct
    ):
        return ()
    other, way = ("numbers", "regression")
    if task == "regression":
        other, way = ("classes", "classification")
    learnt = "classes" if task == "classification" else "numbers"
    return (
        f"The {column.distinct} different whole numbers of {column.name} are learnt as {learnt}: "
        f"say --task {way} if they are {other}.",
    )


def _with_an_input(columns: tuple[Column, ...], target: str) -> tuple[Column, ...]:
    """The columns; where nothing else could be learnt from, one that counts up is an input."""
    if any(one.kind != "ignored" for one in columns if one.name != target):
        return columns
    return tuple(
        replace(one, kind="number", note="")
        if one.note == NUMBERS_ROWS and one.name != target
        else one
        for one in columns
    )


def _classes(
    column: Column, values: pa.ChunkedArray, known: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    texts = as_texts(values)
    if column.kind == "yes/no":
        lower = np.array([text.lower() for text in texts], object)
        if len({*texts}) > 2 or {*lower} == {"true", "false"}:  # which each program writes its way
            texts = lower
    found = sorted(set(texts), key=_in_order)
    names = known or tuple(found)
    new = [text for text in found if text not in names]
    if new:
        raise _new_class(column.name, new[0], names)
    places = {text: place for place, text in enumerate(names)}
    return np.array([places[text] for text in texts], np.int32), names


def _in_order(text: str) -> tuple[int, float, str]:
    """Numbers by size, then texts by their letters."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _numbers(
    column: Column, values: pa.ChunkedArray, known: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    try:
        numbers = as_numbers(values)
    except pa.ArrowException:
        numbers = np.array([np.nan])
    if np.isnan(numbers).any():
        raise DataError(
            f"The target {column.name!r} is to be learnt as a number, and not all of its values "
            "are finite numbers.",
            "numbers",
            "Correct the values, or learn it as classes with --task classification.",
        )
    return numbers[:, None], ()
