"""The rows of a table beside the data set that was made of them, and how columns split them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from downslope.data.readers.frames import refuse_unusable
from downslope.data.split import Parts
from downslope.data.tables.column_types import Column, as_numbers, as_texts, is_text, missing_column
from downslope.data.tables.dates import as_seconds
from downslope.data.tables.numbers import PLAIN, is_notation, read_numbers, without_marks
from downslope.errors import DataError, Faults, SettingError

MOST_NAMED = 5  # targets that a sentence names


@dataclass(frozen=True, eq=False)
class TableRows:
    """What a data set was made of, for looking into it.

    Attributes:
        table: All rows that have a target, with all columns.
        numbers: Which row of the source each one was, from 1, int64 (N,).
        parts: Which of them are in which part.
        group: The column whose groups were not divided.
        read: How many rows the source has.
        left_out: How many of them are in no part, by the reason: "with no price".
    """

    table: pa.Table
    numbers: np.ndarray
    parts: Parts
    group: str | None = None
    read: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def used(self) -> int:
        """How many rows are in a part."""
        return len(self.parts.train) + len(self.parts.validation) + len(self.parts.test)


def check_split_columns(
    table: pa.Table, targets: Sequence[str], group: str | None, time: str | None
) -> None:
    """Check that the columns that decide the split can do so.

    Raises:
        DataError: One holds nothing that can be read.
        SettingError: There is no such column, it is a target, or there are two.
    """
    faults = Faults()
    with faults.check():
        if group is not None and time is not None:
            raise SettingError(
                f"Both a group ({group!r}) and a time ({time!r}) were named.",
                "one of the two",
                "Leave one out.",
            )
    for what, name in (("group", group), ("time", time)):
        with faults.check():
            if name is not None:
                _check_split_column(table, targets, what, name)
    faults.tell()


def _check_split_column(table: pa.Table, targets: Sequence[str], what: str, name: str) -> None:
    if name not in table.column_names:
        raise missing_column(name, table.column_names)
    if name in targets:
        raise SettingError(
            f"The column {name!r} was named both as the target and as the {what}.",
            f"another column for the {what}",
            "Name another one, or leave it out to split by chance.",
        )
    refuse_unusable(table, name, what)


def form_of(columns: Sequence[Column], name: str) -> str:
    """In which form the dates in a column are written, if it is known."""
    return next((one.form for one in columns if one.name == name), "")


def split_notes(
    group: str | None, groups: np.ndarray | None, time: str | None, times: np.ndarray | None
) -> tuple[str, ...]:
    """What a user should know of rows that have no group, or no time, a sentence each."""
    alone = 0 if groups is None else int((groups < 0).sum())
    if alone:
        what = "1 row has" if alone == 1 else f"{alone:,} rows have"
        each = "it is" if alone == 1 else "each is"
        return (f"{what} no {group}: {each} taken as a group by itself.",)
    absent = 0 if times is None else int(np.isnan(times).sum())
    return (left_out(absent, [str(time)]),) if absent else ()


def group_of_rows(values: pa.ChunkedArray) -> np.ndarray:
    """The group of each row as a number from 0, int64 (N,); -1 where it has none."""
    codes = pa.array(as_texts(values)).dictionary_encode().indices
    return codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def time_of_rows(name: str, values: pa.ChunkedArray, form: str = "") -> np.ndarray:
    """When each row was, float64 (N,): seconds, or numbers in order; NaN where unknown.

    `form` is how texts are written, where that is known.

    Raises:
        DataError: The column holds neither dates nor numbers.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if values.null_count == len(values):
        raise DataError(
            f"The column {name!r} was named as the time, and has no value in any row.",
            "a date or a number in the rows that are to be learnt from",
            "Name another column, or leave it out to split by chance.",
        )
    if pa.types.is_integer(values.type):  # of which floats cannot tell the largest apart
        _, ranks = np.unique(values.fill_null(0).to_numpy(), return_inverse=True)
        return np.where(values.is_valid().to_numpy(), ranks.astype(np.float64), np.nan)
    is_time = pa.types.is_temporal(values.type)
    if is_text(values.type):  # a later file, whose columns are not decided
        values = without_marks(values)
        numbers, odd = read_numbers(values, form if is_notation(form) else PLAIN)
        if is_notation(form) or (not form and not odd.any()):
            return numbers
    form = "" if is_notation(form) else form
    for is_number in (False,) if is_time or form else (True, False):
        try:
            return as_numbers(values) if is_number else as_seconds(values, form)
        except (pa.ArrowException, ValueError):
            continue
    first = next(one for one in values.to_pylist() if one is not None)
    raise DataError(
        f"The times in the column {name!r} cannot be read, such as {str(first)[:40]!r}.",
        "numbers, or dates that are all written in one form, such as 2024-05-31",
        "Correct the column, or name another one.",
    )


def left_out(rows: int, columns: Sequence[str], counts: str = "") -> str:
    """How many rows are not used, as they have no value in one of these columns."""
    what = "1 row has" if rows == 1 else f"{rows:,} rows have"
    lacking = " or ".join(f"no {name}" for name in columns)
    if len(columns) > MOST_NAMED:
        lacking = f"no value of one of {len(columns)} targets"
    return f"{what} {lacking} and {'was' if rows == 1 else 'were'} left out{counts}."
