"""From the columns of a table to the numbers that a network sees, learnt from training rows only.

A number stays one, with the median where it is missing and a further input that says so. A
category becomes one input per value, or the place of its value where there are many. A date
becomes the time that has passed and where in the year, week and day it is. A text becomes a list
of numbers of its words and of parts of them (`words.py`). For networks that ask
for it, numbers and dates also become ranks among their quantiles. What was learnt is kept with the
run and applied again to what it is asked later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from jaxtyping import Float

from downslope.data.tables.column_types import (
    KINDS,
    YES,
    Column,
    Kind,
    as_numbers,
    as_texts,
    is_text,
    told,
    yes_or_no,
)
from downslope.data.tables.dates import as_seconds
from downslope.data.tables.numbers import PLAIN, read_numbers, without_marks
from downslope.data.tables.words import cut_messages, learn_words, word_indices
from downslope.errors import DataError

MOST_VALUES = 64  # inputs for one category; with more, its values get learnt numbers
MOST_EMBEDDED = 20_000  # values with learnt numbers of their own; rarer ones share theirs
LEAST_COUNT = 2  # rows with a value that is to have an input of its own
NUMBERS_OF_WORDS = 16  # learnt for each word, and for each part of one
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
        values: A category's values with an input of their own; of yes/no, the words for no and yes.
        has_others: Whether a further input stands for all other values of a category.
        cycles: Of a date: "year", "week", "day", as far as it goes through them.
        numbers: Of a category whose values get learnt numbers, how many each; it is one input
            then, the value's index: 0 for values never seen, 1 for none, 2 and on for `values`.
            Of a text, how many each of its `hashes` gets.
        form: In which form texts are numbers or dates; empty if that is to be found. Of a
            category: how texts are numbers, where its values are numbers and no texts.
        quantiles: Of a number or date that also becomes a rank, the quantiles of its first input,
            in rising order.
        hashes: Of a text: the hashes of words and of parts of words that have learnt numbers, in
            rising order.
        size: Of a text: how many inputs it becomes. They are the indices, from 1, of those of
            its `hashes` that the text has, and 0 behind them.
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
    quantiles: tuple[float, ...] = ()
    hashes: tuple[int, ...] = ()
    size: int = 0

    @property
    def indices(self) -> int:
        """How many indices a category or a text with learnt numbers has."""
        return len(self.hashes) + 1 if self.kind == "text" else len(self.values) + 2

    @property
    def input_names(self) -> tuple[str, ...]:
        """What each input is called."""
        if self.kind == "text":
            own = [f"{self.name} (word {number})" for number in range(1, self.size + 1)]
        elif self.numbers:
            own = [f"{self.name} (index)"]
        elif self.kind == "category":
            own = [f"{self.name} = {value}" for value in self.values]
            own += [f"{self.name} = (other)"] * self.has_others
        else:
            own = [self.name]
            for cycle in self.cycles:
                own += [f"{self.name}, {cycle} (sine)", f"{self.name}, {cycle} (cosine)"]
        return (*own, *[f"{self.name} is missing"] * self.says_missing)

    def rank(self, first: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """The rank of the column's first input among the quantiles q_0, q_1, ..., q_K.

            rank(x) = k + (x - q_k) / (q_(k+1) - q_k)  for q_k <= x < q_(k+1)

        It is 0 below all of them and K above.
        """
        return np.interp(first, self.quantiles, np.arange(len(self.quantiles)))

    def encode(
        self,
        column: pa.ChunkedArray,
        notes: list[str] | None = None,
        rows: np.ndarray | None = None,
    ) -> Float[np.ndarray, "n inputs"]:
        """The inputs, float64; those of a row depend on its own value alone.

        What is far from 0 is centred before it becomes float32.

        Args:
            column: The values: typed, or texts as they are written.
            notes: To which a sentence is added for each thing that a user should know.
            rows: Which row of its source each one is, from 1; None for all in turn.

        Raises:
            DataError: The values are not of the column's kind.
        """
        notes = [] if notes is None else notes
        rows = np.arange(1, len(column) + 1) if rows is None else rows
        try:
            inputs, missing = self._inputs(column, notes, rows)
        except (pa.ArrowException, ValueError) as error:
            raise DataError(
                f"The column {self.name!r} holds values that are no {self.kind}: "
                f"{' '.join(str(error).split())[:120]}.",
                f"values like those that the run was trained on, a {self.kind}",
                "Correct the values.",
            ) from error
        parts = [*inputs, missing] if self.says_missing else inputs
        return np.stack(parts, axis=1).astype(np.float64)

    def _inputs(
        self, column: pa.ChunkedArray, notes: list[str], rows: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        if self.kind == "category":
            texts = self.texts(column)
            self._tell_new(texts, notes, rows)
            return self._indices(texts) if self.numbers else self._one_hot(texts)
        if self.kind == "text":
            return self._words(column, notes, rows)
        if self.kind == "yes/no":
            numbers = yes_or_no(self.name, column, rows)
        elif self.kind == "number":
            numbers = numbers_of(self.name, column, self.form, notes, rows)
        else:
            numbers = as_seconds(
                without_marks(column) if is_text(column.type) else column, self.form
            )
        missing = np.isnan(numbers)
        numbers = np.where(missing, self.fill, numbers)
        if self.kind != "date":
            return [numbers], missing
        waves = [2 * np.pi * numbers / CYCLES[cycle] for cycle in self.cycles]
        turns = [turn for wave in waves for turn in (np.sin(wave), np.cos(wave))]
        return [numbers / DAY, *turns], missing

    def _words(
        self, column: pa.ChunkedArray, notes: list[str], rows: np.ndarray
    ) -> tuple[list[np.ndarray], np.ndarray]:
        texts = as_texts(column)
        found = word_indices(texts, self.hashes, self.size)
        cut = cut_messages(texts, found, self.hashes)
        if len(cut):
            which = f"that of row {rows[cut[0]]:,}"
            which = f"{which} has" if len(cut) == 1 else f"{len(cut):,} texts have"
            such = "" if len(cut) == 1 else f", such as that of row {rows[cut[0]]:,}"
            notes.append(
                f"Of each text of the column {self.name!r} at most 1,000 words are read, and "
                f"{self.size:,} numbers of words, pairs and parts are kept: {which} more{such}."
            )
        return list(found.T), np.array([one is None for one in texts], bool)

    def texts(self, column: pa.ChunkedArray) -> np.ndarray:
        """The values of a category as the run knows them, (N,)."""
        texts = as_texts(column)
        if self.form and is_text(column.type):  # 3.0 is the number 3
            numbers, _ = read_numbers(column, self.form)
            by_value = as_texts(pa.chunked_array([numbers]))
            return np.where(np.isnan(numbers), texts, by_value)
        if pa.types.is_boolean(column.type):  # as the text file wrote them
            own = {value.lower(): value for value in reversed(self.values)}
            return np.array([own.get(text, text) for text in texts], object)
        return texts

    def _tell_new(self, texts: np.ndarray, notes: list[str], rows: np.ndarray) -> None:
        known = {None, *self.values}
        new = [row for row, text in enumerate(texts) if text not in known]
        if new:
            first = f"{str(texts[new[0]])[:40]!r} in row {rows[new[0]]:,}"
            what = (
                f"{first}, a value that has"
                if len(new) == 1
                else f"{len(new):,} rows with values that have"
            )
            example = "" if len(new) == 1 else f", such as {first}"
            notes.append(
                f"The column {self.name!r} has {what} no weights of their own, as the training "
                f"saw them once at most{example}."
            )

    def _indices(self, texts: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        indices = {value: index for index, value in enumerate(self.values, start=2)} | {None: 1}
        found = np.array([indices.get(text, 0) for text in texts], np.int64)
        return [found], found == 1

    def _one_hot(self, texts: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        missing = np.array([text is None for text in texts], bool)
        indices = {value: index for index, value in enumerate(self.values)}
        found = np.array([indices.get(text, -1) for text in texts], np.int64)
        columns = [found == index for index in range(len(self.values))]
        if self.has_others:
            columns.append((found < 0) & ~missing)
        return columns, missing


@dataclass(frozen=True)
class Encoding:
    """How all columns become inputs, in order.

    Attributes:
        columns: One code per column that is used; those with learnt numbers come last, texts
            behind categories.
        targets: How the columns that are learnt are read: numbers; yes or no; or classes, whose
            names are the `values`.
    """

    columns: tuple[ColumnCode, ...]
    targets: tuple[ColumnCode, ...] = ()

    @property
    def input_names(self) -> tuple[str, ...]:
        """What each input is called."""
        ranks = tuple(f"{code.name} (rank)" for code in self.ranked)
        return (*ranks, *(name for column in self.columns for name in column.input_names))

    @property
    def input_columns(self) -> tuple[str, ...]:
        """Of which column each input is."""
        ranks = tuple(code.name for code in self.ranked)
        return (*ranks, *(code.name for code in self.columns for _ in code.input_names))

    @property
    def ranked(self) -> tuple[ColumnCode, ...]:
        """The columns that become ranks as well; the ranks are the first inputs."""
        return tuple(one for one in self.columns if one.quantiles)

    @property
    def without_ranks(self) -> Encoding:
        """The same encoding without ranks."""
        return replace(self, columns=tuple(replace(one, quantiles=()) for one in self.columns))

    @property
    def is_embedded(self) -> np.ndarray:
        """Which inputs are places, for which the network learns numbers: a mask."""
        inputs = len(self.input_names)
        return np.arange(inputs) >= inputs - sum(len(one.input_names) for one in self.embedded)

    @property
    def embedded(self) -> tuple[ColumnCode, ...]:
        """The columns that are given as indices, for which the network learns numbers."""
        return tuple(one for one in self.columns if one.numbers)

    def encode(
        self,
        table: pa.Table,
        notes: list[str] | None = None,
        rows: np.ndarray | None = None,
        noted: Sequence[Kind] = KINDS,
    ) -> Float[np.ndarray, "n inputs"]:
        """The inputs of all rows, float64; those of a row do not depend on the others.

        Args:
            table: The columns: typed, or texts as a text file holds them.
            notes: To which a sentence is added for each thing that a user should know, such as
                values that were never seen in training.
            rows: Which row of its source each one is, from 1; None for all in turn.
            noted: The kinds of columns of which there is something to know.

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
        plain = np.concatenate(
            [
                one.encode(table.column(one.name), notes if one.kind in noted else None, rows)
                for one in self.columns
            ],
            axis=1,
        )
        return self.with_ranks(plain)

    @property
    def firsts(self) -> Iterator[tuple[ColumnCode, int]]:
        """Each column with the index of its first input, without ranks."""
        first = 0
        for code in self.columns:
            yield code, first
            first += len(code.input_names)

    def with_ranks(self, plain: Float[np.ndarray, "n plain"]) -> Float[np.ndarray, "n inputs"]:
        """The inputs without ranks, with the ranks put before them."""
        ranks = [code.rank(plain[:, at]) for code, at in self.firsts if code.quantiles]
        return np.concatenate([np.stack(ranks, axis=1), plain], axis=1) if ranks else plain

    def learn_ranks(self, plain: Float[np.ndarray, "n plain"], bins: int) -> Encoding:
        """The same encoding, in which numbers and dates become ranks as well.

        Args:
            plain: The training inputs without ranks, and only those.
            bins: Into how many intervals the quantiles divide the values, the same number of
                training values in each as far as values are not repeated; 0 for no ranks.
        """
        codes = []
        for code, at in self.firsts:
            quantiles: tuple[float, ...] = ()
            if bins and code.kind in ("number", "date"):
                fractions = np.linspace(0, 1, bins + 1)
                found = np.unique(np.quantile(plain[:, at], fractions, method="inverted_cdf"))
                quantiles = tuple(found.tolist()) if len(found) > 2 else ()  # as 0 and 1 are
            codes.append(replace(code, quantiles=quantiles))
        return replace(self, columns=tuple(codes))


def learn(
    table: pa.Table, columns: Sequence[Column], targets: Sequence[ColumnCode] = ()
) -> Encoding:
    """Learn from training rows how columns become inputs.

    Args:
        table: The training rows, and only those.
        columns: What the table's columns are.
        targets: How the columns that are to be learnt are read, which are no inputs.

    Raises:
        DataError: No column is left to learn from.
    """
    learnt = {code.name for code in targets}
    used = [one for one in columns if one.name not in learnt and one.kind != "ignored"]
    if not used:
        raise DataError(
            "There is no column to learn from.",
            f"at least one besides the target{'s' * (len(learnt) > 1)} whose values differ",
            "Say what a column is, such as --column NAME=category.",
        )
    codes = [_learn(table.column(one.name), one) for one in used]
    codes = [code for code in codes if code.kind != "text" or code.hashes]
    if not codes:
        raise DataError(
            f"No two texts of the column {used[0].name!r} have a word in common.",
            "texts whose words come again",
            "Give more rows, or add another column.",
        )
    codes.sort(key=lambda code: (code.numbers > 0, code.kind == "text"))
    return Encoding(tuple(codes), tuple(targets))


def _learn(values: pa.ChunkedArray, column: Column) -> ColumnCode:
    name, kind, has_gaps = column.name, column.kind, bool(values.null_count)
    if kind == "category":
        form = "" if is_text(values.type) or pa.types.is_boolean(values.type) else PLAIN
        counts = Counter(text for text in as_texts(values) if text is not None)
        often = [value for value, count in counts.most_common() if count >= LEAST_COUNT]
        if len(often) > MOST_VALUES:
            own = tuple(sorted(often[:MOST_EMBEDDED]))
            return ColumnCode(name, kind, values=own, numbers=_numbers_for(len(own)), form=form)
        own = tuple(sorted(often))
        others = len(counts) > len(own)
        return ColumnCode(
            name, kind, says_missing=has_gaps, values=own, has_others=others, form=form
        )
    if kind == "text":
        hashes, size = learn_words(as_texts(values))
        return ColumnCode(name, kind, numbers=NUMBERS_OF_WORDS, hashes=hashes, size=size)
    if kind == "yes/no":
        numbers = yes_or_no(name, values)
        pair = tuple(
            sorted({text.lower() for text in as_texts(values) if text is not None}, key=_truth)
        )
        return ColumnCode(name, kind, _middle(numbers), has_gaps, values=pair)
    if kind == "number":
        numbers = numbers_of(name, values, column.form or PLAIN, [])
        form = column.form or PLAIN
    else:
        numbers, form = as_seconds(values, column.form), column.form
    has_gaps = bool(np.isnan(numbers).any())
    cycles = _cycles(numbers[~np.isnan(numbers)]) if kind == "date" else ()
    return ColumnCode(name, kind, _middle(numbers), has_gaps, cycles=cycles, form=form)


def numbers_of(
    name: str,
    values: pa.ChunkedArray,
    form: str,
    notes: list[str],
    rows: np.ndarray | None = None,
) -> Float[np.ndarray, " n"]:
    """The numbers in a column, float64, NaN where there is none.

    Args:
        name: The column's name.
        values: Numbers, or texts.
        form: How texts are written.
        notes: To which a sentence is added, if there are cells that are no numbers.
        rows: Which row of its source each one is, from 1; None for all in turn.

    Raises:
        pyarrow.ArrowInvalid: The values are of a type that has no numbers.
    """
    if not is_text(values.type):
        return as_numbers(values)
    numbers, odd = read_numbers(values, form)
    if odd.any():
        rows = np.arange(1, len(odd) + 1) if rows is None else rows
        notes.append(told(name, values, odd, rows))
    if odd.any() and np.isnan(numbers).all():
        notes.append(
            f"The column {name!r} has no number in any row: these predictions do without it. "
            f"Numbers are expected as in the training, written like {form}."
        )
    return numbers


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
    return text in YES, text
