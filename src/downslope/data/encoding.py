"""From the columns of a table to the numbers that a network sees, learnt from training rows only.

A number stays one, with the median where it is missing and a further input that says so. A
category becomes one input per value, or the place of its value where there are many. A date
becomes the time that has passed and where in the year, week and day it is. What was learnt is
kept with the run and applied again to what it is asked later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from downslope.data.dates import as_seconds
from downslope.data.kinds import Column, Kind, as_numbers, as_texts
from downslope.errors import DataError

MOST_VALUES = 64  # inputs for one category; with more, its values get learnt numbers
MOST_EMBEDDED = 20_000  # values with learnt numbers of their own; rarer ones share theirs
LEAST_COUNT = 2  # rows with a value that is to have an input of its own
DAY = 86_400.0
CYCLES = {"year": 365.2425 * DAY, "week": 7 * DAY, "day": DAY}


@dataclass(frozen=True)
class ColumnCode:
    """How one column becomes inputs.

    Attributes:
        name: The column's name.
        kind: What it is.
        fill: What stands for a missing number, yes/no or date.
        says_missing: Whether a further input says that there was no value.
        values: A category's values with an input of their own; of yes/no, the two texts.
        has_others: Whether a further input stands for all other values of a category.
        cycles: Of a date: "year", "week", "day", as far as it goes through them.
        numbers: Of a category whose values get learnt numbers, how many each; it is one input
            then, the value's place: 0 for values never seen, 1 for none, 2 and on for `values`.
        form: Of a date, in which form texts are written; empty if that is to be found.
    """

    name: str
    kind: Kind
    fill: float = 0.0
    says_missing: bool = False
    values: tuple[str, ...] = ()
    has_others: bool = False
    cycles: tuple[str, ...] = ()
    numbers: int = 0
    form: str = ""

    @property
    def places(self) -> int:
        """How many places a category with learnt numbers has."""
        return len(self.values) + 2

    @property
    def input_names(self) -> tuple[str, ...]:
        """What each input is called."""
        if self.numbers:
            own = [f"{self.name} (place)"]
        elif self.kind == "category":
            own = [f"{self.name} = {value}" for value in self.values]
            own += [f"{self.name} = (other)"] * self.has_others
        else:
            own = [self.name]
            for cycle in self.cycles:
                own += [f"{self.name}, {cycle} (sine)", f"{self.name}, {cycle} (cosine)"]
        return (*own, *[f"{self.name} is missing"] * self.says_missing)

    def encode(self, column: pa.ChunkedArray) -> Float[np.ndarray, "n inputs"]:
        """The inputs, float64: what is far from 0 is centred before it becomes float32.

        Raises:
            DataError: The values are not of the column's kind.
        """
        try:
            inputs, missing = self._inputs(column)
        except (pa.ArrowException, ValueError) as error:
            raise DataError(
                f"The column {self.name!r} holds values that are no {self.kind}: "
                f"{' '.join(str(error).split())[:120]}.",
                f"values like those that the run was trained on, a {self.kind}",
                "Correct the values.",
            ) from error
        parts = [*inputs, missing] if self.says_missing else inputs
        return np.stack(parts, axis=1).astype(np.float64)

    def _inputs(self, column: pa.ChunkedArray) -> tuple[list[np.ndarray], np.ndarray]:
        if self.numbers:
            return self._places(as_texts(column))
        if self.kind == "category":
            return self._one_hot(as_texts(column))
        if self.kind == "yes/no":
            numbers = _yes_or_no(column, self.values)
        else:
            numbers = _measured(column, self.kind, self.form)
        missing = np.isnan(numbers)
        numbers = np.where(missing, self.fill, numbers)
        if self.kind != "date":
            return [numbers], missing
        waves = [2 * np.pi * numbers / CYCLES[cycle] for cycle in self.cycles]
        turns = [turn for wave in waves for turn in (np.sin(wave), np.cos(wave))]
        return [numbers / DAY, *turns], missing

    def _places(self, texts: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        places = {value: place for place, value in enumerate(self.values, start=2)} | {None: 1}
        found = np.array([places.get(text, 0) for text in texts], np.int64)
        return [found], found == 1

    def _one_hot(self, texts: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        missing = np.array([text is None for text in texts], bool)
        places = {value: place for place, value in enumerate(self.values)}
        found = np.array([places.get(text, -1) for text in texts], np.int64)
        columns = [found == place for place in range(len(self.values))]
        if self.has_others:
            columns.append((found < 0) & ~missing)
        return columns, missing


@dataclass(frozen=True)
class Encoding:
    """How all columns become inputs, in order.

    Attributes:
        columns: One code per column that is used; those with learnt numbers come last.
        target: Name of the column that is learnt.
    """

    columns: tuple[ColumnCode, ...]
    target: str

    @property
    def input_names(self) -> tuple[str, ...]:
        """What each input is called."""
        return tuple(name for column in self.columns for name in column.input_names)

    @property
    def embedded(self) -> tuple[ColumnCode, ...]:
        """The columns that are given as places, for which the network learns numbers."""
        return tuple(one for one in self.columns if one.numbers)

    def encode(self, table: pa.Table) -> Float[np.ndarray, "n inputs"]:
        """The inputs of all rows, float64.

        Raises:
            DataError: A column is missing, or holds values of another kind.
        """
        absent = [one.name for one in self.columns if one.name not in table.column_names]
        if absent:
            more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            raise DataError(
                f"The table has no column {absent[0]!r}{more}.",
                "the columns that the run was trained on: "
                + ", ".join(one.name for one in self.columns),
                "Add it; leave its cells empty where the value is not known.",
            )
        return np.concatenate([one.encode(table.column(one.name)) for one in self.columns], axis=1)


def learn(table: pa.Table, columns: Sequence[Column], target: str) -> Encoding:
    """Learn from training rows how columns become inputs.

    Args:
        table: The training rows, and only those.
        columns: What the table's columns are.
        target: The column that is to be learnt, which is no input.

    Raises:
        DataError: No column is left to learn from.
    """
    used = [one for one in columns if one.name != target and one.kind != "ignored"]
    if not used:
        raise DataError(
            "There is no column to learn from.",
            "at least one besides the target whose values differ",
            "Say what a column is, such as --column NAME=category.",
        )
    codes = [_learn(table.column(one.name), one) for one in used]
    return Encoding(tuple(sorted(codes, key=lambda code: code.numbers > 0)), target)


def _learn(values: pa.ChunkedArray, column: Column) -> ColumnCode:
    name, kind, has_gaps = column.name, column.kind, bool(values.null_count)
    if kind == "category":
        counts = Counter(text for text in as_texts(values) if text is not None)
        often = [value for value, count in counts.most_common() if count >= LEAST_COUNT]
        if len(often) > MOST_VALUES:
            own = tuple(sorted(often[:MOST_EMBEDDED]))
            return ColumnCode(name, kind, values=own, numbers=_numbers_for(len(own)))
        own = tuple(sorted(often))
        others = len(counts) > len(own)
        return ColumnCode(name, kind, says_missing=has_gaps, values=own, has_others=others)
    if kind == "yes/no":
        pair = tuple(sorted({text for text in as_texts(values) if text is not None}, key=_truth))
        numbers = _yes_or_no(values, pair)
        return ColumnCode(name, kind, _middle(numbers), has_gaps, values=pair)
    numbers = _measured(values, kind, column.form)
    has_gaps = bool(np.isnan(numbers).any())
    cycles = _cycles(numbers[~np.isnan(numbers)]) if kind == "date" else ()
    return ColumnCode(name, kind, _middle(numbers), has_gaps, cycles=cycles, form=column.form)


def _measured(values: pa.ChunkedArray, kind: Kind, form: str) -> np.ndarray:
    return as_numbers(values) if kind == "number" else as_seconds(values, form)


def _numbers_for(values: int) -> int:
    """How many numbers a value gets, of so many values.

    Twice the fourth root, which is where TensorFlow's guide to feature columns (2017) begins: on
    tables of these sizes the larger ones learnt more and cost little.
    """
    return round(2 * values**0.25)


def _middle(numbers: np.ndarray) -> float:
    known = numbers[~np.isnan(numbers)]
    return float(np.median(known)) if len(known) else 0.0


def _cycles(seconds: np.ndarray) -> tuple[str, ...]:
    """The cycles of which the dates see more than one point."""
    if not len(seconds):
        return ()
    found = []
    if np.ptp(seconds) > 60 * DAY:
        found.append("year")
    if len(np.unique(seconds // DAY % 7)) > 1:
        found.append("week")
    if len(np.unique(seconds % DAY)) > 1:
        found.append("day")
    return tuple(found)


def _truth(text: str) -> tuple[bool, str]:
    return text.lower() in ("yes", "true", "y", "t", "1"), text


def _yes_or_no(values: pa.ChunkedArray, pair: tuple[str, ...]) -> np.ndarray:
    """1 for the last text of `pair`, 0 for any other, NaN where there is none."""
    texts = as_texts(values)
    yes = pair[-1].lower() if pair else ""
    return np.array(
        [np.nan if text is None else float(text.lower() == yes) for text in texts], np.float64
    )
