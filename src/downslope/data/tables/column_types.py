"""What each column of a table is: numbers, categories, yes or no, dates, texts, or nothing.

It is decided once, from all of a column, before a training; whatever is read later is read as what
was decided then. A text file gives texts as they are written; Parquet, Arrow and frames say
themselves what they hold. A user who knows better can say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa
from pyarrow import compute

from downslope.data.readers.frames import is_index, texts_of_floats, why_unusable
from downslope.data.tables.dates import (
    ORDERS,
    Order,
    date_form,
    form_note,
    form_of_type,
    in_words,
    odd_dates,
)
from downslope.data.tables.numbers import (
    DECIMALS,
    Decimal,
    Found,
    are_whole,
    find_durations,
    find_numbers,
    notation_note,
    read_numbers,
    several_units,
    without_marks,
)
from downslope.errors import DataError, Faults, SettingError

pc: Any = compute  # whose functions are made when it is imported

Kind = Literal["number", "yes/no", "category", "date", "text", "ignored"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Said = Kind | Order | Decimal  # what a user may say of a column
WRITTEN = {"written": "as it stands"}  # metadata of a column of texts that a text file holds
MOST_CATEGORIES = 1000  # different texts; more if each has many rows
ROWS_OF_EACH = 20
LEAST_NUMBERED = 10  # rows that are numbered: fewer may count something
NUMBERS_ROWS = "it numbers the rows"  # the note of a column that does
_YES_NO = ({"yes", "no"}, {"true", "false"}, {"y", "n"}, {"t", "f"}, {"0", "1"})
YES = ("yes", "true", "y", "t", "1", "on")  # what words mean, in lower case
NO = ("no", "false", "n", "f", "0", "off")
_LARGEST_NUMBER = float(np.finfo(np.float32).max)
_EXACT = 2.0**53  # up to here each whole number has a float64 of its own
_WORDS_OF_TEXT = 3  # a column whose values have more words than this on average is text
_READ = 10_000  # values that tell it


@dataclass(frozen=True)
class Column:
    """What is known of a column.

    Attributes:
        name: Its name.
        kind: What it is used as.
        distinct: How many different values it has, missing ones aside.
        missing: In how many rows it has none.
        note: Why it is ignored, or how it was read; empty where that needs no words.
        form: In which form its numbers or dates are written, if they are texts.
    """

    name: str
    kind: Kind
    distinct: int
    missing: int
    note: str = ""
    form: str = ""


class Decided(NamedTuple):
    """A table whose columns are decided.

    Attributes:
        table: The table, with numbers where texts of a text file are numbers, and nulls where
            values are missing.
        columns: What its columns are.
        notes: What a user should know, a sentence each.
    """

    table: pa.Table
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()


def decide(
    table: pa.Table,
    wanted: Mapping[str, Said] | None = None,
    rows: np.ndarray | None = None,
) -> Decided:
    """Decide what each column of a table is.

    Args:
        table: The table.
        wanted: Kinds that were said outright, by the columns' names.
        rows: Which row of its source each one is, from 1; None for all in turn.

    Raises:
        DataError: A column cannot be of the kind that was said, or its numbers can be read in two
            ways.
        SettingError: There is no such column, or no such kind.
    """
    wanted = dict(wanted or {})
    check_said(table.column_names, wanted)
    rows = np.arange(1, table.num_rows + 1) if rows is None else rows
    given = table
    table, found, notes = _with_numbers(table, wanted, rows)
    columns, known = [], {}
    for name in table.column_names:
        values = table.column(name)
        column = _column(table, name, wanted.get(name), rows)
        if is_text(values.type) and column.kind in ("yes/no", "date"):
            values = without_marks(values)
            if column.kind == "date" and (odd := odd_dates(values, column.form)).any():
                what = f"date written as {in_words(column.form)}"
                notes = (*notes, told(name, values, odd, rows, what))
                values = pc.if_else(pa.array(odd), pa.scalar(None, values.type), values)
            known[name] = values
            column = replace(column, missing=values.null_count)
        if wanted.get(name) == "yes/no":
            yes_or_no(name, values, rows)
        if name in found:
            form = found[name].form
            note = "as you said" if wanted.get(name) else column.note
            note = note or notation_note(given.column(name), form)
            column = replace(column, form=form, note=note)
        if name in found or column.kind == "number":
            notes += _joined(name, given.column(name), as_numbers(table.column(name)))
        columns.append(column)
    return Decided(_with_columns(table, known), tuple(columns), notes)


def describe(table: pa.Table, wanted: Mapping[str, Said] | None = None) -> tuple[Column, ...]:
    """What each column of a table is; arguments and errors as for `decide`."""
    return decide(table, wanted).columns


def is_written(field: pa.Field) -> bool:
    """Whether a column holds texts as they stand in a text file, which are not decided yet."""
    return is_text(field.type) and b"written" in (field.metadata or {})


def _with_numbers(
    table: pa.Table, wanted: Mapping[str, Said], rows: np.ndarray
) -> tuple[pa.Table, dict[str, Found], tuple[str, ...]]:
    """The table with numbers where texts are numbers, how these are written, and notes."""
    found = {}
    for field in table.schema:
        said = wanted.get(field.name)
        is_said = said == "number" or said in DECIMALS
        if not (is_text(field.type) and (is_said or (said is None and is_written(field)))):
            continue
        values = table.column(field.name)
        decimal = said if said in DECIMALS else None
        one = find_numbers(values, is_said=is_said, decimal=decimal)  # pyright: ignore[reportArgumentType] - one of DECIMALS
        if one is None and decimal is None:
            one = find_durations(values, is_said=is_said)
        if one is not None:
            found[field.name] = one
        elif is_said and values.null_count < len(values):
            raise _no_such_kind(field.name, "number", "numbers", _not_a_number(values, rows))
        if one is not None and one.mixed >= 0 and said not in DECIMALS:
            raise _mixed(field.name, values, one, rows)
    found = {name: _settled(name, one, found, table, rows) for name, one in found.items()}
    notes, typed = [], {}
    for field in table.schema:
        if wanted.get(field.name) is None and field.name not in found and is_written(field):
            notes += _units_told(field.name, table.column(field.name), rows)
    for name, one in found.items():
        values = table.column(name)
        numbers, odd = read_numbers(values, one.form)
        if wanted.get(name) is not None and np.isnan(numbers).all():
            raise _no_such_kind(name, "number", "numbers", "none is within 3.4e38 of 0")
        if odd.any():
            notes.append(told(name, values, odd, rows))
        column = pa.array(numbers, mask=np.isnan(numbers))
        if are_whole(values, one.form):
            column = column.cast(pa.int64())
        typed[name] = pa.chunked_array([column])
    return _with_columns(table, typed), found, tuple(notes)


def _units_told(name: str, values: pa.ChunkedArray, rows: np.ndarray) -> tuple[str, ...]:
    """What to say of a column that would be one of numbers if they were all in one unit."""
    cells = several_units(values, rows)
    if not cells:
        return ()
    return (
        f"The column {name!r} has numbers in several units, {cells}, and is no column of numbers: "
        "write all of them in one unit, the unit after each or after none.",
    )


def _with_columns(table: pa.Table, columns: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    """The table with other values in some columns."""
    fields, values = [], []
    for field, own in zip(table.schema, table.columns, strict=True):
        new = columns.get(field.name, own)
        fields.append(field if new.type == field.type else pa.field(field.name, new.type))
        values.append(new)
    schema = pa.schema(fields, metadata=table.schema.metadata)
    return pa.Table.from_arrays(values, schema=schema)


def _joined(name: str, values: pa.ChunkedArray, numbers: np.ndarray) -> tuple[str, ...]:
    """What to say where different texts are the same number of 64 bits, as long ones may be."""
    is_long = np.abs(np.nan_to_num(numbers)) >= _EXACT
    if not is_long.any():
        return ()
    texts = pc.count_distinct(values.filter(pa.array(is_long))).as_py()
    apart = len(np.unique(numbers[is_long]))
    if apart >= texts:
        return ()
    return (
        f"The column {name!r} has {texts:,} different numbers of more than 15 digits, of which "
        f"{apart:,} can be told apart: say --column {name}=category if they are names.",
    )


def _mixed(name: str, values: pa.ChunkedArray, found: Found, rows: np.ndarray) -> DataError:
    usual = int(np.flatnonzero(np.isfinite(read_numbers(values, found.form)[0]))[0])
    return DataError(
        f"The column {name!r} has {shown(values[usual])} in row {rows[usual]:,} and "
        f"{shown(values[found.mixed])} in row {rows[found.mixed]:,}.",
        "numbers that are all written in one way",
        f"Write them alike, or say --column {name}=decimal-point or {name}=decimal-comma: what is "
        "written otherwise is missing then.",
    )


def _settled(
    name: str, one: Found, all_found: Mapping[str, Found], table: pa.Table, rows: np.ndarray
) -> Found:
    """The one of two forms that is meant: the file's other columns may say it.

    Raises:
        DataError: Nothing says it.
    """
    if not one.other:
        return one
    marks = {each.decimal for each in all_found.values()} - {""}
    if len(marks) == 1:
        mark = marks.pop()
        ends = {form: form.partition(" ")[0].endswith(f"{mark}5") for form in (one.form, one.other)}
        return one._replace(form=next(form for form, fits in ends.items() if fits), other="")
    if one.is_usual and not marks:
        return one
    cell = table.column(name)[one.cell].as_py().strip()
    raise DataError(
        f"The column {name!r} has {cell!r} in row {rows[one.cell]:,}, which can be "
        f"{cell.replace(',', '').replace('.', '')} or {cell.replace(',', '.')}.",
        "numbers that can be read in one way only",
        f"Say --column {name}=decimal-point if 1,234.5 is how it is written, or "
        f"--column {name}=decimal-comma if 1.234,5 is.",
    )


def told(
    name: str, values: pa.ChunkedArray, odd: np.ndarray, rows: np.ndarray, what: str = "number"
) -> str:
    """Which cells of a column of numbers or dates hold something else, a sentence."""
    count, first = int(odd.sum()), int(odd.argmax())
    where = f"{shown(values[first])} in row {rows[first]:,}"
    if count == 1:
        return f"The column {name!r} has {where}, which is no {what}: it is taken as missing."
    kind, _, form = what.partition(" ")
    several = f"{kind}s {form}".rstrip()
    return (
        f"The column {name!r} has {count:,} values that are no {several}, such as {where}: they "
        "are taken as missing."
    )


def shown(value: pa.Scalar) -> str:
    """A value of a stranger's table as a message shows it."""
    return repr(str(value.as_py()).strip()[:40])


def _not_a_number(values: pa.ChunkedArray, rows: np.ndarray) -> str:
    odd = read_numbers(values)[1]
    first = int(odd.argmax())
    return f"{shown(values[first])} in row {rows[first]:,}"


def check_said(names: list[str], said: Mapping[str, Said]) -> None:
    """Check what is said of columns.

    Raises:
        SettingError: There is no such column, or no such kind.
    """
    faults = Faults()
    for name, kind in said.items():
        with faults.check():
            if name not in names:
                raise missing_column(name, names)
            if kind not in (*KINDS, *ORDERS, *DECIMALS):
                raise SettingError(
                    f"The column {name!r} is said to be {kind!r}.",
                    f"one of {', '.join((*KINDS, *ORDERS, *DECIMALS))}",
                    "Correct it, or leave it out to have it found.",
                )
    faults.tell()


def missing_column(name: str, names: list[str]) -> SettingError:
    """What to raise where a column is named that is not there."""
    import difflib

    near = difflib.get_close_matches(name, names, n=1)
    shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
    advice = f"Did you mean {near[0]!r}?" if near else "Check the name."
    if all(one == f"column {index}" for index, one in enumerate(names, 1)):
        advice = "The first line was taken for values: say --names yes if it names the columns."
    return SettingError(f"There is no column {name!r}.", f"one of {shown}", advice)


def _column(table: pa.Table, name: str, wanted: Said | None, numbers: np.ndarray) -> Column:
    values = table.column(name)
    distinct = _distinct(values)
    order: Order | None = None
    kind, note = _found(values, distinct, numbers)
    if is_index(table, name):
        kind, note = "ignored", "the index of a pandas frame"
    if why := why_unusable(table, name):
        if wanted not in (None, "ignored"):
            raise _no_such_kind(name, str(wanted), "values that can be read", why)
        return Column(name, "ignored", 0, values.null_count, why)
    if wanted == "month-first" or wanted == "day-first" or wanted == "year-first":
        kind, note, order = "date", "as you said", wanted
    elif wanted == "decimal-point" or wanted == "decimal-comma":
        kind, note = "number", "as you said"
    elif wanted is not None and wanted != kind:
        kind, note = wanted, "as you said"
    if kind == "number" and note:
        _check_numbers(name, values)
    if kind == "date" and is_text(values.type):
        values = without_marks(values)
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


def _found(values: pa.ChunkedArray, distinct: int, numbers: np.ndarray) -> tuple[Kind, str]:
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
        return _of_numbers(values, distinct, numbers)
    if pa.types.is_dictionary(kind):
        return "category", ""
    if is_text(kind):
        return _of_texts(values, distinct, given)
    return "ignored", f"values of type {kind}"


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts."""
    is_view = str(kind) == "string_view"
    return is_view or pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_numeric(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _of_numbers(values: pa.ChunkedArray, distinct: int, numbers: np.ndarray) -> tuple[Kind, str]:
    """What a column is whose rows have these numbers in their source, from 1."""
    if pa.types.is_float16(values.type):  # for which Arrow has no smallest and largest
        values = values.cast(pa.float32())
    ends = pc.min_max(values).as_py()
    if distinct == 2 and (ends["min"], ends["max"]) == (0, 1):
        return "yes/no", ""
    if distinct == len(values) >= LEAST_NUMBERED and pa.types.is_integer(values.type):
        first = numbers[0] - values[0].as_py()
        if first in (0, 1) and (values.to_numpy() == numbers - first).all():
            return "ignored", NUMBERS_ROWS
    return "number", ""


def _of_texts(values: pa.ChunkedArray, distinct: int, given: int) -> tuple[Kind, str]:
    values = values.cast(pa.string())
    words = without_marks(values)
    some = pc.unique(words.slice(0, 1000)).to_pylist()
    if len({one.strip().lower() for one in some if one is not None}) <= 2:
        pair = {one.strip().lower() for one in pc.unique(words).to_pylist() if one is not None}
        if pair in _YES_NO:
            return "yes/no", ""
    if words.null_count < len(words) and date_form(words) is not None:
        return "date", ""
    few = distinct <= MOST_CATEGORIES and (distinct <= 0.5 * given or distinct <= 20)
    if (few or distinct * ROWS_OF_EACH <= given) and distinct < given:
        return "category", ""
    if _words_of_each(values) > _WORDS_OF_TEXT:
        return "text", ""
    return "ignored", f"{distinct:,} different values in {given:,} rows"


def _words_of_each(values: pa.ChunkedArray) -> float:
    """How many words values have on average: what spaces separate, and ideographs."""
    some = values.drop_null().slice(0, _READ)
    words = pc.mean(pc.count_substring_regex(some, r"[\p{Han}\p{Hiragana}\p{Katakana}]|\S+"))
    return words.as_py()


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
    """Trimmed texts as an object array of shape (N,), None where there is none.

    Each value becomes a text for itself, whatever stands beside it: 3.0 is "3", and 2.5 is "2.5".
    """
    if pa.types.is_floating(values.type):
        values = texts_of_floats(values)
    texts = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts).to_numpy(
        zero_copy_only=False
    )


def yes_or_no(name: str, values: pa.ChunkedArray, rows: np.ndarray | None = None) -> np.ndarray:
    """1 for yes, 0 for no, NaN where there is none, by what the words mean; float64 (N,).

    Args:
        name: The column's name.
        values: Texts, whole numbers, or true and false.
        rows: Which row of its source each one is, from 1; None for all in turn.

    Raises:
        DataError: A value is neither yes nor no.
    """
    texts = as_texts(without_marks(values) if is_text(values.type) else values)
    meaning = dict.fromkeys(YES, 1.0) | dict.fromkeys(NO, 0.0) | {"1.0": 1.0, "0.0": 0.0}
    numbers = np.array(
        [np.nan if text is None else meaning.get(text.lower(), 2.0) for text in texts], np.float64
    )
    if (numbers == 2).any():
        first = int((numbers == 2).argmax())
        row = first + 1 if rows is None else rows[first]
        other = ""
        if str(texts[first])[-1].isdigit():
            other = f" A number that was only 0 and 1 so far: train with --column {name}=number."
        raise DataError(
            f"The column {name!r} has {str(texts[first])[:40]!r} in row {row:,}, which is "
            "neither yes nor no.",
            "yes or no, true or false, y or n, t or f, 1 or 0",
            f"Correct the value; leave the cell empty where it is not known.{other}",
        )
    return numbers
