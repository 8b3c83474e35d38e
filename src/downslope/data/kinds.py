"""What each column of a table is: numbers, categories, yes or no, dates, or nothing to learn from.

The kind is found from the column's values alone. A user who knows better can say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.errors import DataError, SettingError

pc: Any = compute  # whose functions are made when it is imported

Kind = Literal["number", "yes/no", "category", "date", "ignored"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MOST_CATEGORIES = 1000  # different texts; more if each has many rows
ROWS_OF_EACH = 20
_YES_NO = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"0", "1"})
_DATE_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %b %Y",
    "%b %d, %Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M",
)  # fmt: skip
_LARGEST_NUMBER = float(np.finfo(np.float32).max)
_WORDS_OF_TEXT = 3  # a column whose values have more words than this on average is text


@dataclass(frozen=True)
class Column:
    """What is known of a column.

    Attributes:
        name: Its name.
        kind: What it is used as.
        distinct: How many different values it has, missing ones aside.
        missing: In how many rows it has none.
        note: Why it is ignored, or how it was read; empty where that needs no words.
    """

    name: str
    kind: Kind
    distinct: int
    missing: int
    note: str = ""


def describe(table: pa.Table, wanted: Mapping[str, Kind] | None = None) -> tuple[Column, ...]:
    """Find what each column of a table is.

    Args:
        table: The table.
        wanted: Kinds that were said outright, by the columns' names.

    Raises:
        DataError: A column cannot be of the kind that was said.
        SettingError: There is no such column, or no such kind.
    """
    wanted = dict(wanted or {})
    for name, kind in wanted.items():
        if name not in table.column_names:
            raise missing_column(name, table.column_names)
        if kind not in KINDS:
            raise SettingError(
                f"The column {name!r} is said to be {kind!r}.",
                f"one of {', '.join(KINDS)}",
                "Correct it, or leave it out to have it found.",
            )
    return tuple(_column(name, table.column(name), wanted.get(name)) for name in table.column_names)


def missing_column(name: str, names: list[str]) -> SettingError:
    """What to raise where a column is named that is not there."""
    import difflib

    near = difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    return SettingError(
        f"There is no column {name!r}.",
        f"one of {shown}",
        f"Did you mean {near[0]!r}?" if near else "Check the name.",
    )


def _column(name: str, values: pa.ChunkedArray, wanted: Kind | None) -> Column:
    countable = not (pa.types.is_nested(values.type) or pa.types.is_null(values.type))
    distinct = pc.count_distinct(values, mode="only_valid").as_py() if countable else 0
    kind, note = _found(values, distinct)
    if wanted is not None and wanted != kind:
        kind, note = wanted, "as you said"
        _check_wanted(name, values, wanted)
    return Column(name, kind, distinct, values.null_count, note)


def _check_wanted(name: str, values: pa.ChunkedArray, wanted: Kind) -> None:
    try:
        if wanted == "number":
            as_numbers(values)
        elif wanted == "date":
            as_seconds(values)
    except (pa.ArrowException, ValueError) as error:
        raise DataError(
            f"The column {name!r} is said to be a {wanted}, and it holds values that are none: "
            f"{' '.join(str(error).split())[:120]}.",
            f"a column of {wanted}s",
            "Correct the values, or say category or ignored.",
        ) from error


def _found(values: pa.ChunkedArray, distinct: int) -> tuple[Kind, str]:
    rows, given = len(values), len(values) - values.null_count
    if not given:
        return "ignored", "it has no values"
    if distinct == 1 and given == rows:
        return "ignored", "it has the same value in every row"
    kind = values.type
    if pa.types.is_boolean(kind):
        return "yes/no", ""
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return ("ignored", "times of day") if pa.types.is_time(kind) else ("date", "")
    if _is_numeric(kind):
        return _of_numbers(values, distinct, rows)
    if pa.types.is_dictionary(kind):
        return "category", ""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind):
        return _of_texts(values, distinct, given)
    return "ignored", f"values of type {kind}"


def _is_view(kind: pa.DataType) -> bool:
    return str(kind) == "string_view"


def _is_numeric(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _of_numbers(values: pa.ChunkedArray, distinct: int, rows: int) -> tuple[Kind, str]:
    if pa.types.is_float16(values.type):  # for which Arrow has no smallest and largest
        values = values.cast(pa.float32())
    ends = pc.min_max(values).as_py()
    if distinct == 2 and (ends["min"], ends["max"]) == (0, 1):
        return "yes/no", ""
    counts_up = distinct == rows >= 20 and pa.types.is_integer(values.type)
    if counts_up and ends["max"] - ends["min"] + 1 == rows:
        return "ignored", "it numbers the rows"
    return "number", ""


def _of_texts(values: pa.ChunkedArray, distinct: int, given: int) -> tuple[Kind, str]:
    values = values.cast(pa.string())
    if distinct == 2:
        pair = {one.strip().lower() for one in pc.unique(values).to_pylist() if one is not None}
        if pair in _YES_NO:
            return "yes/no", ""
    if date_format(values) is not None:
        return "date", ""
    few = distinct <= MOST_CATEGORIES and (distinct <= 0.5 * given or distinct <= 20)
    if (few or distinct * ROWS_OF_EACH <= given) and distinct < given:
        return "category", ""
    words = pc.mean(pc.add(pc.count_substring(pc.utf8_trim_whitespace(values), " "), 1)).as_py()
    if words > _WORDS_OF_TEXT:
        return "ignored", "text"
    return "ignored", f"{distinct:,} different values in {given:,} rows"


def date_format(values: pa.ChunkedArray) -> str | None:
    """The format in which all of these texts are dates; None if there is none."""
    some = pc.drop_null(values.slice(0, 1000))
    for one in _DATE_FORMATS if len(some) else ():
        tried = pc.strptime(some, format=one, unit="s", error_is_null=True)
        if not tried.null_count:
            whole = pc.strptime(values, format=one, unit="s", error_is_null=True)
            if whole.null_count == values.null_count:
                return one
    return None


def as_numbers(values: pa.ChunkedArray) -> np.ndarray:
    """Float64 of shape (N,), NaN where there is none, or one that float32 cannot hold.

    Raises:
        pyarrow.ArrowInvalid: A value is not a number.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    numbers = values.cast(pa.float64(), safe=False)
    found = numbers.to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.abs(found) <= _LARGEST_NUMBER, found, np.nan)


def as_seconds(values: pa.ChunkedArray) -> np.ndarray:
    """Seconds since 1970 as float64 of shape (N,), NaN where there is no date.

    Raises:
        ValueError: Not all of the values are dates.
    """
    if not pa.types.is_temporal(values.type):
        texts = values.cast(pa.string())
        found = date_format(texts)
        if found is None and len(values) > values.null_count:
            raise ValueError("no format fits all of them")
        values = pc.strptime(texts, format=found or "%Y", unit="s", error_is_null=True)
    instants = values.cast(pa.timestamp("s"), safe=False)
    seconds = instants.cast(pa.int64()).cast(pa.float64(), safe=False)
    return seconds.to_numpy(zero_copy_only=False).astype(np.float64)


def as_texts(values: pa.ChunkedArray) -> np.ndarray:
    """Trimmed texts as an object array of shape (N,), None where there is none."""
    if pa.types.is_floating(values.type):  # 3.0 and 3 are one category
        whole = pc.cast(values, pa.int64(), safe=False)
        same = pc.equal(pc.cast(whole, pa.float64()), values)
        if pc.all(same).as_py():
            values = whole
    texts = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return texts.to_numpy(zero_copy_only=False)
