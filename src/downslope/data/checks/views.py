"""The columns of a data set as the guard looks at them, whatever they were read from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from downslope.data.dataset import Dataset
from downslope.data.tables.column_types import Column, as_numbers
from downslope.data.tables.dates import as_seconds
from downslope.data.tables.rows import TableRows

TRAIN, VALIDATION, TEST = range(3)
PART_NAMES = ("training", "validation", "test")


@dataclass(frozen=True, eq=False)
class View:
    """One column.

    Attributes:
        column: What is known of it.
        codes: int64 (N,); the same number for the same value, -1 where there is none.
        numbers: float64 (N,) of a column of numbers or dates, NaN where there is none.
        is_whole: Whether its values are whole numbers.
    """

    column: Column
    codes: np.ndarray
    numbers: np.ndarray | None = None
    is_whole: bool = False

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def is_input(self) -> bool:
        """Whether a network sees it."""
        return self.column.kind != "ignored"

    @cached_property
    def labels(self) -> np.ndarray:
        """The different values numbered from 0, a missing one as well, int64 (N,)."""
        return np.unique(self.codes, return_inverse=True)[1]


@dataclass(frozen=True, eq=False)
class Views:
    """All columns of a data set, with what is learnt.

    Attributes:
        columns: All but the targets.
        targets: Classes (N,), or numbers float64 (N, outputs).
        part: `TRAIN`, `VALIDATION` or `TEST` of each row, -1 where it is in none; int8 (N,).
        numbers: Which row of its source, or of its part, each one is, from 1.
        group: The column whose groups were not divided.
        is_table: Whether the columns are those of a user's table.
    """

    columns: tuple[View, ...]
    targets: np.ndarray
    part: np.ndarray
    numbers: np.ndarray
    group: str | None = None
    is_table: bool = True

    @property
    def inputs(self) -> tuple[View, ...]:
        """The columns that a network sees."""
        return tuple(one for one in self.columns if one.is_input)

    @property
    def seen(self) -> np.ndarray:
        """The rows outside of the test part, as indices."""
        return np.flatnonzero((self.part == TRAIN) | (self.part == VALIDATION))

    @cached_property
    def target_labels(self) -> np.ndarray:
        """The different targets numbered from 0, int64 (N,)."""
        if self.targets.ndim == 1:
            return self.targets.astype(np.int64)
        return np.unique(self.targets, axis=0, return_inverse=True)[1].reshape(-1)

    def row(self, index: int) -> str:
        """A row in words."""
        part = PART_NAMES[self.part[index]]
        if self.is_table:
            return f"row {self.numbers[index]:,} ({part})"
        return f"{part} sample {self.numbers[index]:,}"


def views_of(dataset: Dataset) -> Views:
    """The columns of a table, or of samples that are one row of numbers each."""
    if dataset.rows is not None and dataset.encoding is not None:
        return _of_table(dataset, dataset.rows)
    return _of_arrays(dataset)


def _of_table(dataset: Dataset, rows: TableRows) -> Views:
    parts = (rows.parts.train, rows.parts.validation, rows.parts.test)
    part = np.full(rows.table.num_rows, -1, np.int8)
    like = dataset.train.targets
    targets = np.zeros((rows.table.num_rows, *like.shape[1:]), like.dtype)
    for number, (indices, samples) in enumerate(zip(parts, _samples(dataset), strict=True)):
        part[indices] = number
        targets[indices] = samples.targets
    columns = tuple(
        _view(one, rows.table.column(one.name))
        for one in dataset.columns
        if one.name not in dataset.target_names
    )
    return Views(columns, targets, part, rows.numbers, rows.group)


def _view(column: Column, values: pa.ChunkedArray) -> View:
    if pa.types.is_nested(values.type) or pa.types.is_null(values.type):
        return View(column, np.full(len(values), -1, np.int64))
    is_text = not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type))
    if column.kind == "date":
        seconds = as_seconds(values, column.form)
        return View(column, _bits(seconds), seconds)
    if is_text and column.kind != "number":
        texts = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
        codes = texts.combine_chunks().dictionary_encode().indices.fill_null(-1)
        return View(column, codes.to_numpy(zero_copy_only=False).astype(np.int64))
    numbers = as_numbers(values)
    known = numbers[~np.isnan(numbers)]
    return View(column, _bits(numbers), numbers, bool((known == np.rint(known)).all()))


def _of_arrays(dataset: Dataset) -> Views:
    samples = _samples(dataset)
    inputs = np.concatenate([one.inputs.reshape(len(one), -1) for one in samples])
    names = dataset.input_names
    if len(names) != inputs.shape[1]:
        names = tuple(f"input {index}" for index in range(1, inputs.shape[1] + 1))
    columns = []
    for name, values in zip(names, inputs.T, strict=True):
        numbers = values.astype(np.float64)
        is_whole = bool((numbers == np.rint(numbers)).all())
        columns.append(View(Column(name, "number", 0, 0), _bits(numbers), numbers, is_whole))
    return Views(
        tuple(columns),
        np.concatenate([one.targets for one in samples]),
        np.repeat(np.arange(3, dtype=np.int8), [len(one) for one in samples]),
        np.concatenate([np.arange(1, len(one) + 1) for one in samples]),
        is_table=False,
    )


def _samples(dataset: Dataset):
    return dataset.train, dataset.validation, dataset.test


def _bits(numbers: np.ndarray) -> np.ndarray:
    """The bits of each number as a whole one; alike for 0 and -0, and -1 for none."""
    bits = (numbers + 0.0).view(np.int64)
    return np.where(np.isnan(numbers), -1, bits)
