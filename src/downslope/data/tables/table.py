"""Tables as data sets: which column is learnt, from which others, and what the rows become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from downslope.data import split
from downslope.data.dataset import Dataset, Samples, Task
from downslope.data.readers.table_file import file_notes, left_out_of
from downslope.data.scaling import Scaling
from downslope.data.tables.column_types import Column, check_said
from downslope.data.tables.encoding import ColumnCode, Encoding, learn
from downslope.data.tables.options import TableOptions
from downslope.data.tables.rows import (
    TableRows,
    check_split_columns,
    form_of,
    group_of_rows,
    split_notes,
    time_of_rows,
)
from downslope.data.tables.targets import check_task, labelled, named_targets
from downslope.data.unsplit import Unsplit, parts_by_column
from downslope.errors import Faults


@dataclass(frozen=True, eq=False)
class UnsplitTable:
    """A table whose target is known, before it is split.

    Attributes:
        name: Short name, also used for the run folder.
        task: "classification", "multilabel" or "regression".
        table: All rows that have all targets, with all columns.
        columns: What each column is.
        codes: How the columns that are learnt are read.
        targets: Their values: classes as int32 (N,), labels as float32 (N, targets), numbers as
            float64 (N, targets).
        class_names: One name per class or label; empty for numbers.
        source: An absolute path; empty for a table from memory.
        group: A column whose groups are not divided by the split.
        time: A column by which the latest rows are the test.
        numbers: Which row of the source each row was, from 1, int64 (N,); None for all in turn.
        notes: What a user should know about how it was read, a sentence each.
        options: What `load` was given besides the source and the split's seed.
        read: How many rows the source has, with a target or without.
        division: How the rows are divided, where it is not the usual way.
    """

    name: str
    task: Task
    table: pa.Table
    columns: tuple[Column, ...]
    codes: tuple[ColumnCode, ...]
    targets: np.ndarray
    class_names: tuple[str, ...] = ()
    source: str = ""
    group: str | None = None
    time: str | None = None
    numbers: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    read: int = 0
    division: split.Division | None = None

    def split(self, seed: int) -> Dataset:
        """Split the rows; learn from the training rows how columns become inputs.

        Raises:
            DataError: There are too few rows, groups or times, no time can be read, or there is
                no column to learn from.
        """
        groups, times = self._groups(), self._times()
        if groups is None and times is None:
            is_classes = self.task == "classification"
            labels = self.targets if is_classes else np.zeros(len(self.targets), np.int32)
            parts = (
                split.split_by_class(labels, seed)
                if self.division is None
                else self.division.parts(labels, seed)
            )
        else:
            parts = parts_by_column(self.task, self.targets, seed, groups=groups, times=times)
        encoding = learn(self.table.take(parts.train), self.columns, self.codes)
        notes = _unread(encoding, self.columns)
        inputs = encoding.encode(self.table, notes, self._numbers, noted=("text",))
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
            scaling=Scaling.learn(train.inputs).without(encoding.is_embedded),
            class_names=self.class_names,
            input_names=encoding.input_names,
            target_names=self._target_names,
            source=self.source,
            encoding=encoding,
            columns=self.columns,
            notes=(*self.notes, *notes, *split_notes(self.group, groups, self.time, times)),
            rows=self._rows(parts, times),
            options={"split_seed": seed, **self.options},
        )

    def _rows(self, parts: split.Parts, times: np.ndarray | None) -> TableRows:
        """The rows beside the data set; those used and those left out are all that were read."""
        left_out = left_out_of(self.table)
        without = self.read - self.table.num_rows - sum(left_out.values())
        names = self._target_names
        left_out[f"with no {names[0]}" if len(names) == 1 else "with a target missing"] = without
        if times is not None:
            left_out[f"with no {self.time}"] = int(np.isnan(times).sum())
        left_out = {why: count for why, count in left_out.items() if count}
        rows = TableRows(self.table, self._numbers, parts, self.group, self.read, left_out)
        assert rows.read == rows.used + sum(left_out.values()), rows
        return rows

    @property
    def _target_names(self) -> tuple[str, ...]:
        return tuple(code.name for code in self.codes)

    @property
    def _numbers(self) -> np.ndarray:
        return np.arange(1, len(self.targets) + 1) if self.numbers is None else self.numbers

    def _groups(self) -> np.ndarray | None:
        return None if self.group is None else group_of_rows(self.table.column(self.group))

    def _times(self) -> np.ndarray | None:
        if self.time is None:
            return None
        return time_of_rows(
            self.time, self.table.column(self.time), form_of(self.columns, self.time)
        )

    def encoded(self, encoding: Encoding) -> Unsplit:
        """All rows as samples, by what was learnt from other rows.

        The notes say what is new in these.

        Raises:
            DataError: A column is missing, or holds values of another kind.
        """
        notes: list[str] = []
        inputs = encoding.encode(self.table, notes, self._numbers)
        return Unsplit(
            name=self.name,
            task=self.task,
            samples=Samples(inputs, self.targets),
            class_names=self.class_names,
            input_names=encoding.input_names,
            target_names=self._target_names,
            source=self.source,
            groups=self._groups(),
            times=self._times(),
            notes=(*self.notes, *notes),
        )


def table_of(
    table: pa.Table, options: TableOptions, *, name: str, source: str = ""
) -> UnsplitTable:
    """Decide what is learnt from which columns.

    Args:
        table: Named columns.
        options: What the user said; where it names no target, that is asked.
        name: Short name.
        source: Where the table came from.

    Raises:
        DataError: The target cannot be learnt, or there are too few rows.
        SettingError: There is no such column, kind or task.
    """
    targets, faults = (), Faults()
    with faults.check():
        targets = named_targets(options.targets, table.column_names)
    with faults.check():
        check_split_columns(table, targets, options.group, options.time)
    with faults.check():
        check_said(table.column_names, options.column_types)
    with faults.check():
        check_task(options.task)
    faults.tell()
    options = options._replace(targets=targets)
    rows = labelled(table, targets, options, name)
    columns = rows.columns
    if options.group is not None and options.group not in options.column_types:
        columns = tuple(_as_group(one) if one.name == options.group else one for one in columns)
    return UnsplitTable(
        name=name,
        task=rows.task,
        table=rows.table,
        columns=columns,
        codes=rows.codes,
        targets=rows.targets,
        class_names=rows.class_names,
        source=source,
        group=options.group,
        time=options.time,
        numbers=rows.numbers,
        notes=(*file_notes(table), *rows.notes),
        options=options.given,
        read=table.num_rows + sum(left_out_of(table).values()),
    )


def _unread(encoding: Encoding, columns: Sequence[Column]) -> list[str]:
    """Which columns of texts have no word that comes again, a sentence each."""
    used = {code.name for code in (*encoding.columns, *encoding.targets)}
    return [
        f"No two texts of the column {one.name!r} have a word in common: it is ignored."
        for one in columns
        if one.kind == "text" and one.name not in used
    ]


def _as_group(column: Column) -> Column:
    return replace(column, kind="ignored", note="rows of one value stay in one part")
