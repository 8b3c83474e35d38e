"""What is learnt: the values of one column, or of several, as classes, labels or numbers."""

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
    find_durations,
    find_numbers,
    is_missing,
    read_numbers,
    without_marks,
)
from downslope.data.tables.options import TableOptions
from downslope.data.tables.rows import MOST_NAMED, left_out
from downslope.errors import DataError, Faults, SettingError

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
        task: "classification", "multilabel" or "regression".
        targets: Classes as int32 (N,), labels as float32 (N, targets), numbers as float64
            (N, targets).
        class_names: One name per class or label; empty for numbers.
        notes: What a user should know, a sentence each.
        codes: How each target is read.
    """

    table: pa.Table
    numbers: np.ndarray
    columns: tuple[Column, ...]
    task: Task
    targets: np.ndarray
    class_names: tuple[str, ...]
    notes: tuple[str, ...]
    codes: tuple[ColumnCode, ...]

    @property
    def target_names(self) -> tuple[str, ...]:
        """The columns that are learnt."""
        return tuple(code.name for code in self.codes)


def named_targets(said: Sequence[str], names: list[str]) -> tuple[str, ...]:
    """The columns that are to be learnt.

    Args:
        said: Their names; one that is no column's may be several, separated by commas.
        names: Of the table's columns.

    Raises:
        SettingError: There is no such column, one is named twice, or none is named.
    """
    found: list[str] = []
    for one in said:
        parts = [part.strip() for part in one.split(",")]
        found += [one] if one in names or not {*parts} & {*names} else parts
    if not found:
        raise which_target(names)
    faults = Faults()
    for index, one in enumerate(found):
        with faults.check():
            if one not in names:
                raise missing_column(one, names)
            if one in found[:index]:
                raise SettingError(
                    f"The column {one!r} was named as a target twice.",
                    "each target once",
                    "Leave it out once.",
                )
    faults.tell()
    return tuple(found)


def check_task(task: str | None) -> None:
    """Check that it is known whether classes or numbers are to be learnt.

    Raises:
        SettingError: There is no such task.
    """
    if task not in (None, "classification", "regression"):
        raise SettingError(
            f"The task is {task!r}.", "classification or regression", "Leave it out to see it."
        )


def labelled(table: pa.Table, targets: Sequence[str], options: TableOptions, name: str) -> Labelled:
    """Keep the rows that have all targets, and learn what these are.

    Args:
        table: Named columns.
        targets: The columns that are to be learnt.
        options: What the user said; its targets are not looked at.
        name: What messages call the table.

    Raises:
        DataError: A target cannot be learnt, targets are of several kinds, or there are too few
            rows.
        SettingError: There is no such column, kind or task.
    """
    check_task(options.task)
    for target in targets:
        refuse_unusable(table, target, "target")
    if options.learnt is not None and options.learnt.targets:
        return _as_learnt(table, options.learnt)
    notes, column_types, rows = (), dict(options.column_types), table
    for target in targets:
        values, more, column_types = _known(
            rows, target, options._replace(column_types=column_types), len(targets) > 1
        )
        index, notes = table.column_names.index(target), (*notes, *more)
        rows = rows.set_column(index, table.schema.field(target), values)
    absent = np.stack([rows.column(target).is_null().to_numpy() for target in targets])
    notes = (*_absent(targets, absent), *notes)
    numbers = np.flatnonzero(~absent.any(axis=0)) + 1
    rows = rows.filter(pa.array(~absent.any(axis=0)))
    rows, columns, more = decide(rows, column_types, numbers)
    by_name = {column.name: column for column in columns}
    own = [by_name[target] for target in targets]
    for column in own:
        if column.distinct < 2:
            raise DataError(
                f"The column {column.name!r} has the same value in every row.",
                "a target with at least two values",
                "Name another column with --target.",
            )
    values = [rows.column(target) for target in targets]
    task = _task(own, values, options.task)
    if options.task is None:
        pairs = zip(own, values, strict=True)
        notes += tuple(one for pair in pairs for one in _doubts(*pair, task, len(own) > 1))
    made = [
        _values(*pair, task, options.class_names if task == "classification" else ())
        for pair in zip(own, values, strict=True)
    ]
    if len(numbers) < LEAST_ROWS:
        raise DataError(
            f"{name} has {len(numbers)} rows with a target.",
            f"at least {LEAST_ROWS}",
            "Add rows; a network needs hundreds to learn anything that lasts.",
        )
    codes = tuple(
        _code(column, one, task, words)
        for column, one, (_, words) in zip(own, values, made, strict=True)
    )
    return Labelled(
        table=rows,
        numbers=numbers,
        columns=_with_an_input(columns, targets),
        task=task,
        targets=_together([one for one, _ in made], task),
        class_names=_class_names(codes, task),
        notes=(*notes, *more),
        codes=codes,
    )


def _together(targets: Sequence[np.ndarray], task: Task) -> np.ndarray:
    """Classes (N,); of labels and numbers (N,) each, all beside each other, (N, targets)."""
    if task == "classification":
        return targets[0]
    return np.stack(targets, axis=1, dtype=np.float32 if task == "multilabel" else np.float64)


def _class_names(codes: Sequence[ColumnCode], task: Task) -> tuple[str, ...]:
    if task == "multilabel":
        return tuple(code.name for code in codes)
    return () if task == "regression" else codes[0].values


def _absent(targets: Sequence[str], absent: np.ndarray) -> tuple[str, ...]:
    """What is said of rows of which a target is missing.

    Args:
        targets: The columns.
        absent: Where they have no value, (targets, N).

    Raises:
        DataError: No row has all targets.
    """
    counts, rows = absent.sum(axis=1), int(absent.any(axis=0).sum())
    empty = [name for name, one in zip(targets, absent, strict=True) if one.all()]
    if rows == absent.shape[1]:
        raise _no_target(empty[0] if empty else None)
    if not rows:
        return ()
    each = [
        f"{name}: {count:,}" for name, count in zip(targets, counts.tolist(), strict=True) if count
    ]
    some = [name for name, count in zip(targets, counts, strict=True) if count]
    return (left_out(rows, some, f" ({', '.join(each)})" if len(some) > 1 else ""),)


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


def _as_learnt(table: pa.Table, learnt: Encoding) -> Labelled:
    """The rows that have all targets, read as an earlier training read its own.

    Raises:
        DataError: A value is none that was learnt, or no row has one.
    """
    codes = learnt.targets
    found = [_read(code, table.column(code.name)) for code in codes]
    absent = np.stack([~is_known for _, is_known in found])
    notes = _absent([code.name for code in codes], absent)
    rows = np.flatnonzero(~absent.any(axis=0))
    task: Task = "regression" if codes[0].kind == "number" else "classification"
    task = "multilabel" if task == "classification" and len(codes) > 1 else task
    return Labelled(
        table=table.filter(pa.array(~absent.any(axis=0))),
        numbers=rows + 1,
        columns=tuple(Column(one.name, one.kind, 0, 0, form=one.form) for one in learnt.columns),
        task=task,
        targets=_together([values[rows] for values, _ in found], task),
        class_names=_class_names(codes, task),
        notes=notes,
        codes=codes,
    )


def _read(code: ColumnCode, values: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """A target as classes or numbers (N,), and which rows have one, (N,).

    Raises:
        DataError: A value is none that was learnt.
    """
    if code.kind == "category":
        texts = code.texts(values)
        known = {text: index for index, text in enumerate(code.values)}
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
        return targets, targets >= 0
    if code.kind == "yes/no":
        numbers = yes_or_no(code.name, values)
        is_known = ~np.isnan(numbers)
        return np.where(is_known, numbers, 0).astype(np.int32), is_known
    if is_text(values.type) and (odd := read_numbers(values, code.form)[1]).any():
        raise _odd_target(code.name, values, odd)
    numbers = numbers_of(code.name, values, code.form, [])
    return numbers, ~np.isnan(numbers)


def _no_target(name: str | None) -> DataError:
    """What to raise where a column is empty, or None: where each row lacks one of several."""
    what = (
        "No row has a value of each target"
        if name is None
        else (f"The column {name!r} has no value in any row")
    )
    return DataError(
        f"{what}.",
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
    table: pa.Table, target: str, options: TableOptions, is_one_of_several: bool
) -> tuple[pa.ChunkedArray, tuple[str, ...], dict[str, Said]]:
    """The values of a target, null where there is none; notes; and what is said of columns.

    Of numbers, and of several targets, a mark such as NA says that there is none. Among classes it
    is a class by that name, unless it is rare beside them.

    Raises:
        DataError: A cell in a column of numbers is no number.
    """
    field, values = table.schema.field(target), table.column(target)
    said = options.column_types.get(target)
    if not is_text(field.type):
        return values, (), dict(options.column_types)
    if is_one_of_several:
        values = without_marks(values)
    absent = is_missing(values)
    texts = as_texts(values)
    if said == "category":
        return pa.chunked_array([pa.array(texts, pa.string())]), (), dict(options.column_types)
    is_number = said == "number" or said in DECIMALS or is_written(field)
    decimal = said if said in DECIMALS else None
    found = find_numbers(values, is_said=said is not None, decimal=decimal) if is_number else None  # pyright: ignore[reportArgumentType] - one of DECIMALS
    if found is None and is_number and decimal is None:
        found = find_durations(values, is_said=said is not None)
    if found is not None:
        odd = read_numbers(values, found.form)[1]
        if odd.any():
            raise _odd_target(target, values, odd)
        values = without_marks(values)
        if said is None and options.task != "regression" and _are_inexact(values, options.task):
            texts = pa.chunked_array([pa.array(as_texts(values), pa.string())])
            return texts, (), {**options.column_types, target: "category"}  # as they are written
        return values, (), dict(options.column_types)
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
    column_types: dict[str, Said] = (
        {**options.column_types, target: "category"} if kept else dict(options.column_types)
    )
    return pa.chunked_array([pa.array(texts, pa.string())]), notes, column_types


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
    if found.task != "classification":
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


def which_target(names: list[str]) -> SettingError:
    """What to raise where nobody said which of these columns is to be learnt."""
    usual = [name for name in names if name.strip().lower() in _USUAL_TARGETS]
    shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    return SettingError(
        "No column was named as the target.",
        f"one of the columns: {shown}",
        f"Say which one is to be learnt, such as --target {(usual or names[-1:])[0]!r}.",
    )


def _task(columns: Sequence[Column], values: Sequence[pa.ChunkedArray], said: str | None) -> Task:
    """What is learnt of some columns together.

    Raises:
        DataError: They cannot be learnt, or are of several kinds.
    """
    if len(columns) == 1:
        return said or _task_of_one(columns[0], values[0])  # pyright: ignore[reportReturnType] - checked
    pairs = [(one, own.type) for one, own in zip(columns, values, strict=True)]
    types = ["number" if _is_number(*pair, said) else pair[0].kind for pair in pairs]
    if {*types} == {"number"} and said != "classification":
        return "regression"
    if {*types} == {"yes/no"} and said != "regression":
        return "multilabel"
    listed = ", ".join(
        f"{one.name!r} ({one.note or kind if kind == 'ignored' else kind})"
        for one, kind in zip(columns[:MOST_NAMED], types, strict=False)
    ) + (", ..." if len(columns) > MOST_NAMED else "")
    advice = "Train a run for each, or for those of one kind."
    if said is None and all(_is_number(*pair, "regression") for pair in pairs):
        advice += " To learn yes and no as 1 and 0, say --task regression."
    asked = "" if said is None else f", and {said} was asked for"
    raise DataError(
        f"The targets cannot be learnt together: {listed}{asked}.",
        "several columns of numbers, or several of yes and no",
        advice,
    )


def _is_number(column: Column, kind: pa.DataType, said: str | None) -> bool:
    """Whether a target is learnt as a number among others; yes and no are where that is said."""
    if column.kind == "yes/no":
        return said == "regression" and not is_text(kind)
    return column.kind == "number" or column.note == NUMBERS_ROWS


def _task_of_one(column: Column, values: pa.ChunkedArray) -> Task:
    if column.kind in ("category", "yes/no"):
        return "classification"
    if column.kind == "number" or column.note == NUMBERS_ROWS:
        is_whole = pa.types.is_integer(values.type)
        few = is_whole and column.distinct <= MOST_CLASSES_OF_NUMBERS
        each = len(values) / column.distinct  # rows of one value
        return "classification" if few and each >= ROWS_OF_A_CLASS else "regression"
    what = {"date": "dates", "text": "text"}.get(column.kind, column.note)
    raise DataError(
        f"The target {column.name!r} cannot be learnt: {what}.",
        "numbers, or classes of several rows each",
        "Name another column with --target.",
    )


def _doubts(
    column: Column, values: pa.ChunkedArray, task: Task, is_one_of_several: bool
) -> tuple[str, ...]:
    """What is said where whole numbers could be classes as well as numbers."""
    if not pa.types.is_integer(values.type) or not 2 < column.distinct <= MOST_DOUBTED:
        return ()
    is_large = column.distinct > MOST_CLASSES_OF_NUMBERS
    has_few_rows = len(values) < ROWS_OF_A_CLASS * column.distinct
    if is_one_of_several:
        if is_large or has_few_rows:  # numbers by themselves as well
            return ()
        return (
            f"The {column.distinct} different whole numbers of {column.name} are learnt as "
            "numbers: to learn them as classes, train a run for them alone.",
        )
    if is_large and has_few_rows:
        return ()
    other, way = ("numbers", "regression")
    if task == "regression":
        other, way = ("classes", "classification")
    learnt = "classes" if task == "classification" else "numbers"
    return (
        f"The {column.distinct} different whole numbers of {column.name} are learnt as {learnt}: "
        f"say --task {way} if they are {other}.",
    )


def _with_an_input(columns: tuple[Column, ...], targets: Sequence[str]) -> tuple[Column, ...]:
    """The columns; where nothing else could be learnt from, one that counts up is an input."""
    if any(one.kind != "ignored" for one in columns if one.name not in targets):
        return columns
    return tuple(
        replace(one, kind="number", note="")
        if one.note == NUMBERS_ROWS and one.name not in targets
        else one
        for one in columns
    )


def _values(
    column: Column, values: pa.ChunkedArray, task: Task, known: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """A target as numbers, or as classes with their names; (N,)."""
    if task == "regression":
        return _numbers(column, values), ()
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
    indices = {text: index for index, text in enumerate(names)}
    return np.array([indices[text] for text in texts], np.int32), names


def _in_order(text: str) -> tuple[int, float, str]:
    """Numbers by size, then texts by their letters."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _numbers(column: Column, values: pa.ChunkedArray) -> np.ndarray:
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
    return numbers
