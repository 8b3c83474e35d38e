"""The rows of a table beside the data set that was made of them, and how columns split them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from downslope.data.kinds import as_numbers, as_seconds, as_texts, missing_column
from downslope.data.split import Parts
from downslope.errors import DataError, SettingError


@dataclass(frozen=True, eq=False)
class TableRows:
    """What a data set was made of, for looking into it.

    Attributes:
        table: All rows that have a target, with all columns.
        numbers: Which row of the source each one was, from 1, int64 (N,).
        parts: Which of them are in which part.
        group: The column whose groups were not divided.
    """

    table: pa.Table
    numbers: np.ndarray
    parts: Parts
    group: str | None = None


def check_split_columns(names: list[str], target: str, group: str | None, time: str | None) -> None:
    """Check that the columns that decide the split can do so.

    Raises:
        SettingError: There is no such column, it is the target, or there are two.
    """
    if group is not None and time is not None:
        raise SettingError(
            f"Both a group ({group!r}) and a time ({time!r}) were named.",
            "one of the two",
            "Leave one out.",
        )
    for what, name in (("group", group), ("time", time)):
        if name is None:
            continue
        if name not in names:
            raise missing_column(name, names)
        if name == target:
            raise SettingError(
                f"The column {name!r} was named both as the target and as the {what}.",
                f"another column for the {what}",
                "Name another one, or leave it out to split by chance.",
            )


def group_of_rows(values: pa.ChunkedArray) -> np.ndarray:
    """The group of each row as a number from 0, int64 (N,); -1 where it has none."""
    codes = pa.array(as_texts(values)).dictionary_encode().indices
    return codes.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def time_of_rows(name: str, values: pa.ChunkedArray) -> np.ndarray:
    """When each row was, float64 (N,): seconds, or the column's own numbers; NaN where unknown.

    Raises:
        DataError: The column holds neither dates nor numbers.
    """
    is_time = pa.types.is_temporal(values.type) and not pa.types.is_duration(values.type)
    for read in (as_seconds,) if is_time else (as_numbers, as_seconds):
        try:
            return read(values)
        except (pa.ArrowException, ValueError):
            continue
    first = next(one for one in values.to_pylist() if one is not None)
    raise DataError(
        f"The times in the column {name!r} cannot be read, such as {str(first)[:40]!r}.",
        "numbers, or dates that are all written in one form, such as 2024-05-31",
        "Correct the column, or name another one.",
    )
