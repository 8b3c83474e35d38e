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

from downslope.data.dates import ORDERS, Order, date_form, form_note, form_of_type
from downslope.data.frames import is_index, why_unusable
from downslope.errors import DataError, SettingError

pc: Any = compute  # whose functions are made when it is imported

Kind = Literal["number", "yes/no", "category", "date", "ignored"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Said = Kind | Order  # what a user may say of a column
MOST_CATEGORIES = 1000  # different texts; more if each has many rows
ROWS_OF_EACH = 20
_YES_NO = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"0", "1"})
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
        form: In which form its dates are written, if they are texts.
    """

    name: str
    kind: Kind
    distinct: int
    missing: int
    note: str = ""
    form: str = ""


def describe(table: pa.Table, wanted: Mapping[str, Said] | None = None) -> tuple[Column, ...]:
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
        if kind not in (*KINDS, *ORDERS):
            raise SettingError(
                f"The column {name!r} is said to be {kind!r}.",
                f"one of {', '.join((*KINDS, *ORDERS))}",
                "Correct it, or leave it out to have it found.",
            )
    return tuple(_column(table, name, wanted.get(name)) for name in table.column_names)


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


def _column(table: pa.Table, name: str, wanted: Said | None) -> Column:
    values = table.column(name)
    distinct = _distinct(values)
    order: Order | None = None
    kind, note = _found(values, distinct)
    if is_index(table, name):
        kind, note = "ignored", "the index of a pandas frame"
    if why := why_unusable(table, name):
        if wanted not in (None, "ignored"):
            raise _no_such_kind(name, str(wanted), "values that can be read", why)
        return Column(name, "ignored", 0, values.null_count, why)
    if wanted == "month-first" or wanted == "day-first" or wanted == "year-first":
        kind, note, order = "date", "as you said", wanted
    elif wanted is not None and wanted != kind:
        kind, note = wanted, "as you said"
    if kind == "number" and note:
        _check_numbers(name, values)
    form = _form(name, values, order) if kind == "date" else ""
    if form and not pa.types.is_temporal(values.type):
        note = form_note(values, form, order) or note
    return Column(name, kind, distinct, values.null_count, note, form)


def _distinct(values: pa.ChunkedArray) -> int:
    if pa.types.is_nested(values.type) or pa.types.is_null(values.type):
        return 0
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return pc.count_distinct(values, mode="only_valid").as_py()


def _form(name: str, values: pa.ChunkedArray, order: Order | None) -> str:
    """The form of the dates in a column; empty where they are no texts."""
    given = len(values) - values.null_count
    try:
        form = _form_of(values, order) if given else ""
    except pa.ArrowException:  # of a type that cannot be read as dates
        form = None
    if form is None:
        why = f"not all are dates in one form, such as {str(values.drop_null()[0])[:40]!r}"
        if order is None:
            raise _no_such_kind(name, "date", "dates", why)
        way = f"with the {order.removesuffix('-first')} first"
        raise _no_such_kind(name, f"date {way}", f"dates {way}", why)
    return form


def _form_of(values: pa.ChunkedArray, order: Order | None) -> str | None:
    if pa.types.is_temporal(values.type):
        return form_of_type(values.type)
    if pa.types.is_floating(values.type) or pa.types.is_boolean(values.type):
        return None
    return date_form(values.cast(pa.string()), order)


def _check_numbers(name: str, values: pa.ChunkedArray) -> None:
    try:
        as_numbers(values)
    except (pa.ArrowException, ValueError) as error:
        why = " ".join(str(error).split())[:120]
        raise _no_such_kind(name, "number", "numbers", why) from error


def _no_such_kind(name: str, kind: str, plural: str, why: str) -> DataError:
    return DataError(
        f"The column {name!r} is said to be a {kind}, and it holds values that are none: {why}.",
        f"a column of {plural}",
        "Correct the values, or say category or ignored.",
    )


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
        return "date", ""
    if _is_numeric(kind):
        return _of_numbers(values, distinct, rows)
    if pa.types.is_dictionary(kind):
        return "category", ""
    if _is_text(kind):
        return _of_texts(values, distinct, given)
    return "ignored", f"values of type {kind}"


def _is_text(kind: pa.DataType) -> bool:
    is_view = str(kind) == "string_view"
    return is_view or pa.types.is_string(kind) or pa.types.is_large_string(kind)


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
    if date_form(values) is not None:
        return "date", ""
    few = distinct <= MOST_CATEGORIES and (distinct <= 0.5 * given or distinct <= 20)
    if (few or distinct * ROWS_OF_EACH <= given) and distinct < given:
        return "category", ""
    words = pc.mean(pc.add(pc.count_substring(pc.utf8_trim_whitespace(values), " "), 1)).as_py()
    if words > _WORDS_OF_TEXT:
        return "ignored", "text"
    return "ignored", f"{distinct:,} different values in {given:,} rows"


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


def as_texts(values: pa.ChunkedArray) -> np.ndarray:
    """Trimmed texts as an object array of shape (N,), None where there is none."""
    if pa.types.is_floating(values.type):  # 3.0 and 3 are one category
        is_whole = pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), 2.0**53))
        whole = pc.cast(pc.if_else(is_whole, values, 0), pa.int64()).cast(pa.string())
        values = pc.if_else(is_whole, whole, values.cast(pa.string()))
    texts = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return texts.to_numpy(zero_copy_only=False)
