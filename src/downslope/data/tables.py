"""Tables as data sets: which column is learnt, from which others, and what the rows become."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.data import split
from downslope.data.dataset import Dataset, Samples, Task
from downslope.data.encoding import Encoding, learn
from downslope.data.kinds import (
    Column,
    as_numbers,
    as_texts,
    describe,
    missing_column,
)
from downslope.data.scaling import Scaling
from downslope.data.table_options import TableOptions
from downslope.data.table_rows import (
    TableRows,
    check_split_columns,
    group_of_rows,
    time_of_rows,
)
from downslope.data.unsplit import Unsplit, parts_by_column
from downslope.errors import DataError, SettingError

pc: Any = compute  # whose functions are made when it is imported
MOST_CLASSES_OF_NUMBERS = 20  # whole numbers with more values are learnt as numbers
LEAST_ROWS = 10
_USUAL_TARGETS = ("target", "label", "class", "y", "outcome", "income", "price")


@dataclass(frozen=True, eq=False)
class UnsplitTable:
    """A table whose target is known, before it is split.

    Attributes:
        name: Short name, also used for the run folder.
        task: "classification" or "regression".
        table: All rows that have a target, with all columns.
        columns: What each column is.
        target: The column that is learnt.
        targets: Its values: classes as int32 (N,), numbers as float32 (N, 1).
        class_names: One name per class; empty for numbers.
        source: An absolute path; empty for a table from memory.
        group: A column whose groups are not divided by the split.
        time: A column by which the latest rows are the test.
        numbers: Which row of the source each row was, from 1, int64 (N,); None for all in turn.
        notes: What a user should know about how it was read, a sentence each.
        options: What `load` was given besides the source and the split's seed.
    """

    name: str
    task: Task
    table: pa.Table
    columns: tuple[Column, ...]
    target: str
    targets: np.ndarray
    class_names: tuple[str, ...] = ()
    source: str = ""
    group: str | None = None
    time: str | None = None
    numbers: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def split(self, seed: int) -> Dataset:
        """Split the rows; learn from the training rows how columns become inputs.

        Raises:
            DataError: There are too few rows, groups or times, no time can be read, or there is
                no column to learn from.
        """
        groups, times = self._groups(), self._times()
        if groups is None and times is None:
            labels = self.targets if self.class_names else np.zeros(len(self.targets), np.int32)
            parts = split.split_by_class(labels, seed)
        else:
            parts = parts_by_column(self.task, self.targets, seed, groups=groups, times=times)
        encoding = learn(self.table.take(parts.train), self.columns, self.target)
        inputs = encoding.encode(self.table)
        train, validation, test = (
            Samples(inputs[rows], self.targets[rows])
            for rows in (parts.train, parts.validation, parts.test)
        )
        return Dataset(
            name=self.name,
            task=self.task,
            train=train,
            validation=validation,
            test=test,
            scaling=Scaling.learn(train.inputs),
            class_names=self.class_names,
            input_names=encoding.input_names,
            source=self.source,
            encoding=encoding,
            columns=self.columns,
            notes=(*self.notes, *self._split_notes(groups, times)),
            rows=TableRows(self.table, self._numbers, parts, self.group),
            options={"split_seed": seed, **self.options},
        )

    @property
    def _numbers(self) -> np.ndarray:
        return np.arange(1, len(self.targets) + 1) if self.numbers is None else self.numbers

    def _groups(self) -> np.ndarray | None:
        return None if self.group is None else group_of_rows(self.table.column(self.group))

    def _times(self) -> np.ndarray | None:
        if self.time is None:
            return None
        return time_of_rows(self.time, self.table.column(self.time))

    def _split_notes(self, groups: np.ndarray | None, times: np.ndarray | None) -> tuple[str, ...]:
        alone = 0 if groups is None else int((groups < 0).sum())
        if alone:
            what = "1 row has" if alone == 1 else f"{alone:,} rows have"
            each = "it is" if alone == 1 else "each is"
            return (f"{what} no {self.group}: {each} taken as a group by itself.",)
        absent = 0 if times is None else int(np.isnan(times).sum())
        return (_left_out(absent, str(self.time)),) if absent else ()

    def encoded(self, encoding: Encoding) -> Unsplit:
        """All rows as samples, by what was learnt from other rows.

        Raises:
            DataError: A column is missing, or holds values of another kind.
        """
        return Unsplit(
            name=self.name,
            task=self.task,
            samples=Samples(encoding.encode(self.table), self.targets),
            class_names=self.class_names,
            input_names=encoding.input_names,
            source=self.source,
            groups=self._groups(),
            times=self._times(),
        )


def table_of(
    table: pa.Table, options: TableOptions, *, name: str, source: str = ""
) -> UnsplitTable:
    """Decide what is learnt from which columns.

    Args:
        table: Named columns.
        options: What the user said; a target that is None is answered with a question.
        name: Short name.
        source: Where the table came from.

    Raises:
        DataError: The target cannot be learnt, or there are too few rows.
        SettingError: There is no such column, kind or task.
    """
    target, kinds, task, class_names, group, time = options
    if target is None:
        raise _which_target(table)
    if target not in table.column_names:
        raise missing_column(target, table.column_names)
    if task not in (None, "classification", "regression"):
        raise SettingError(
            f"The task is {task!r}.", "classification or regression", "Leave it out to see it."
        )
    check_split_columns(table.column_names, target, group, time)
    known = pc.is_valid(table.column(target))
    rows = table.filter(known)
    absent = table.num_rows - rows.num_rows
    if not rows.num_rows:
        raise DataError(
            f"The column {target!r} has no value in any row.",
            "a target in each row that is to be learnt from",
            "Name another column with --target, or fill it in.",
        )
    columns = describe(rows, kinds)
    if group is not None and group not in kinds:
        columns = tuple(_as_group(one) if one.name == group else one for one in columns)
    own = next(column for column in columns if column.name == target)
    if own.distinct < 2:
        raise DataError(
            f"The column {target!r} has the same value in every row.",
            "a target with at least two values",
            "Name another column with --target.",
        )
    chosen = _task(own, rows.column(target)) if task is None else task
    made = _classes if chosen == "classification" else _numbers
    targets, names = made(own, rows.column(target), class_names)
    if len(targets) < LEAST_ROWS:
        raise DataError(
            f"{name} has {len(targets)} rows with a target.",
            f"at least {LEAST_ROWS}",
            "Add rows; a network needs hundreds to learn anything that lasts.",
        )
    given = {
        "target": target,
        "kinds": dict(kinds),
        "task": task,
        "group": group,
        "time": time,
    }
    return UnsplitTable(
        name=name,
        task=chosen,
        table=rows,
        columns=columns,
        target=target,
        targets=targets,
        class_names=names,
        source=source,
        group=group,
        time=time,
        numbers=np.flatnonzero(known.to_numpy()) + 1 if absent else None,
        notes=(_left_out(absent, target),) if absent else (),
        options={option: value for option, value in given.items() if value},
    )


def _as_group(column: Column) -> Column:
    return replace(column, kind="ignored", note="rows of one value stay in one part")


def _left_out(rows: int, target: str) -> str:
    what = "1 row has" if rows == 1 else f"{rows:,} rows have"
    return f"{what} no {target} and {'was' if rows == 1 else 'were'} left out."


def _which_target(table: pa.Table) -> SettingError:
    names = table.column_names
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
    if column.kind == "number" or column.note == "it numbers the rows":
        is_whole = pa.types.is_integer(values.type)
        few = is_whole and column.distinct <= MOST_CLASSES_OF_NUMBERS
        return "classification" if few else "regression"
    what = {"date": "dates"}.get(column.kind, column.note)
    raise DataError(
        f"The target {column.name!r} cannot be learnt: {what}.",
        "numbers, or classes of several rows each",
        "Name another column with --target.",
    )


def _classes(
    column: Column, values: pa.ChunkedArray, known: tuple[str, ...]
) -> tuple[np.ndarray, tuple[str, ...]]:
    texts = as_texts(values)
    found = sorted(set(texts), key=_in_order)
    names = known or tuple(found)
    new = [text for text in found if text not in names]
    if new:
        raise DataError(
            f"The column {column.name!r} has the class {new[0]!r}.",
            f"the classes of the training: {', '.join(names)}",
            "Correct it, or leave these rows out.",
        )
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
            "Correct the values, or learn it as classes.",
        )
    return numbers.astype(np.float32)[:, None], ()
