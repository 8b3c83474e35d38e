"""What a column is, is seen from its values."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from downslope.data.readers.table_file import read_table_text
from downslope.data.tables.column_types import as_numbers, as_texts, decide, describe
from downslope.data.tables.dates import as_seconds
from downslope.data.tables.numbers import read_numbers
from downslope.errors import DataError, SettingError


def kind(values, wanted=None):
    (found,) = describe(pa.table({"a": values}), wanted)
    return found.kind, found.note


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1.5, 2.0, None, 4.0], ("number", "")),
        ([3, 1, 2, 2], ("number", "")),
        ([0, 1, 1, None], ("yes/no", "")),
        ([True, False, True], ("yes/no", "")),
        (["no", "Yes", "no"], ("yes/no", "")),
        (["red", "blue", "red", None], ("category", "")),
        (["a"] * 9 + [None], ("category", "")),
        (["2024-01-02", "2024-02-03", None], ("date", "")),
        (["3.4.2024", "5.6.2024", "7.8.2024"], ("date", "")),
        (["01/31/2024", "02/01/2024"], ("date", "")),
        ([date(2024, 1, 2), date(2024, 1, 3)], ("date", "")),
        ([None, None], ("ignored", "it has no values")),
        ([7, 7, 7], ("ignored", "it has the same value in every row")),
        (list(range(100, 130)), ("number", "")),
        (list(range(1, 31)), ("ignored", "it numbers the rows")),
        (list(range(30)), ("ignored", "it numbers the rows")),
        (list(range(29, -1, -1)), ("number", "")),
        ([*range(20), None], ("number", "")),
        ([f"id{index}" for index in range(50)], ("ignored", "50 different values in 50 rows")),
        ([f"the quick brown fox {index}" for index in range(50)], ("text", "")),
        ([[1], [2]], ("ignored", "values of type list<item: int64>")),
    ],
)
def test_kinds(values, found):
    assert kind(values) == found


def test_what_the_user_says_counts():
    assert kind([3, 1, 2, 2], {"a": "category"}) == ("category", "as you said")
    assert kind(["1", "2", "3", "3"], {"a": "number"}) == ("number", "as you said")
    with pytest.raises(DataError) as caught:
        kind(["x", "y", "y"], {"a": "number"})
    assert str(caught.value).startswith(
        "The column 'a' is said to be a number, and it holds values that are none: "
    )
    with pytest.raises(DataError, match=r"none is within 3\.4e38 of 0"):
        kind(["1e55", "2e55", "3e55"], {"a": "number"})
    with pytest.raises(DataError, match="said to be a date"):
        kind(["x", "y", "y"], {"a": "date"})
    with pytest.raises(SettingError) as caught:
        kind([1, 2], {"b": "number"})
    assert str(caught.value) == "There is no column 'b'. Expected one of a. Check the name."
    with pytest.raises(SettingError) as caught:
        kind([1, 2], {"a": "colour"})
    assert str(caught.value) == (
        "The column 'a' is said to be 'colour'. Expected one of number, yes/no, category, date, "
        "text, ignored, month-first, day-first, year-first, decimal-point, decimal-comma. Correct "
        "it, or leave it out to have it found."
    )


def test_numbers_dates_and_texts_as_arrays():
    column = pa.chunked_array([[1, None], [3]])
    np.testing.assert_array_equal(as_numbers(column), [1, np.nan, 3])
    np.testing.assert_array_equal(as_numbers(pa.chunked_array([[1.0, np.inf]])), [1, np.nan])
    dates = pa.chunked_array([["1970-01-02", None]])
    np.testing.assert_array_equal(as_seconds(dates), [86_400, np.nan])
    whole = pa.chunked_array([[datetime(1970, 1, 1, 1), None]])
    np.testing.assert_array_equal(as_seconds(whole), [3600, np.nan])
    assert list(as_texts(pa.chunked_array([[" a", None]]))) == ["a", None]
    assert list(as_texts(pa.chunked_array([[3.0, None, 4.0]]))) == ["3", None, "4"]
    assert list(as_texts(pa.chunked_array([[3.5, 4.0]]))) == ["3.5", "4"]


def test_numbers_of_16_bits():
    values = pa.array(np.arange(30, dtype=np.float16) / 4)
    (column,) = describe(pa.table({"a": values}))
    assert column.kind == "number"


def test_numbers_that_are_too_large_for_the_engine_are_missing():
    found = as_numbers(pa.chunked_array([pa.array([1.0, 1e39, float("inf"), -3e38])]))
    np.testing.assert_array_equal(found, [1.0, np.nan, np.nan, -3e38])


@pytest.mark.parametrize("first", [2**53, 2**60, 10**17])
@pytest.mark.parametrize("written", [str, int])
def test_numbers_that_64_bits_cannot_tell_apart_are_told(first, written):
    values = [written(first + index) for index in range(1, 41, 2)] * 2
    field = pa.field("id", pa.array(values).type, metadata={"written": "as it stands"})
    (note,) = decide(pa.table([pa.array(values)], schema=pa.schema([field]))).notes
    assert note.startswith("The column 'id' has 20 different numbers of more than 15 digits")


def decided(cells):
    """A column of a text file, beside one of numbers."""
    text = "a;z\n" + "".join(f"{cell};{row}.5\n" for row, cell in enumerate(cells))
    found = decide(read_table_text(text.encode(), Path("t.csv")))
    return found.columns[0], found.table.column(0).to_pylist(), found.notes


UNITS = [
    ("{} kg", "kg"), ("{}km", "km"), ("{}.5 m/s", "m/s"), ("{} m2", "m2"), ("{}%", "%"),
    ("{} °C", "°C"), ("{} days", "days"), ("{}.25 GB", "GB"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "unit"), UNITS)
def test_numbers_with_one_unit_are_numbers(text, unit):
    numbers = [7, 3, 12, 40, 5, 3, 8, 21, 2, 9, 11, 30]
    column, values, notes = decided([text.format(one) for one in numbers])
    assert (column.kind, column.form, notes) == ("number", f"1234.5 {unit}", ())
    assert column.note == f"written as 1234.5 {unit}"
    assert values == [float(text.format(one).removesuffix(unit)) for one in numbers]
    later = pa.chunked_array([[f"6 {unit}", "6", "6 xx", f"(6{unit})"]])
    read, odd = read_numbers(later, column.form)
    np.testing.assert_array_equal(read, [6, np.nan, np.nan, -6])
    assert odd.tolist() == [False, True, True, False]


def test_an_odd_cell_among_numbers_with_a_unit():
    column, values, notes = decided([f"{3 * one % 31} kg" for one in range(30)] + ["heavy"])
    assert (column.kind, values[-1]) == ("number", None)
    assert notes == (
        "The column 'a' has 'heavy' in row 31, which is no number: it is taken as missing.",
    )


SEVERAL = [
    ([f"{one} kg" if one % 3 else f"{one}000 g" for one in range(30)], "0 g", "1 kg"),
    ([f"{one}.5 GB" if one % 2 else f"{one} MB" for one in range(30)], "1.5 GB", "0 MB"),
    ([f"{one} min" if one % 3 else f"{one}" for one in range(30)], "1 min", "0"),
]


@pytest.mark.parametrize(("cells", "first", "second"), SEVERAL)
def test_numbers_in_several_units_are_told(cells, first, second):
    column, _, notes = decided(cells)
    assert column.kind == "ignored"
    assert notes[0].startswith("The column 'a' has numbers in several units, ")
    assert first in notes[0]
    assert repr(second) in notes[0]


@pytest.mark.parametrize(
    "cells",
    [
        [f"{one % 12 + 1} PM" for one in range(30)],
        [f"item{one}" for one in range(30)],
        [f"{one} Jan" for one in range(1, 30)],
        [f"{one:03}kg" for one in range(30)],
        [f"{one}.0.1" for one in range(30)],
        [f"2024Q{one % 4 + 1}" for one in range(30)],
        ["1-", "2", "2-", "3"] * 8,
        [f"{one}.png" for one in range(30)],
        [f"{one}, Oxford" for one in range(30)],
    ],
)
def test_what_only_looks_like_numbers_with_a_unit(cells):
    assert decided(cells)[0].kind != "number"


@pytest.mark.parametrize("negative", ["{}-", "({})", "-{}", "{} -"])
def test_ways_to_write_a_negative_number(negative):
    cells = [negative.format(one) if one % 4 == 0 else str(one) for one in range(12, 40)]
    column, values, notes = decided(cells)
    assert (column.kind, notes) == ("number", ())
    assert values == [-one if one % 4 == 0 else one for one in range(12, 40)]
    shown = negative.format(12)
    assert column.note == ("" if negative == "-{}" else f"{shown} is negative")


DURATIONS = [
    ([f"{one}:05:00" for one in range(20, 40)], "26:05:00", 72_300.0),
    ([f"{one}:05" for one in range(20, 40)], "26:05", 72_300.0),
    ([f"{one} days 00:05:30.5" for one in range(20)], "26:05:00", 330.5),
    (["1 day, 2:00:00", *[f"0:0{one}:00" for one in range(9)]], "26:05:00", 93_600.0),
    ([f"-0:{one}:00" for one in range(10, 30)], "26:05:00", -600.0),
    ([f"-1 days +22:{one}:00" for one in range(10, 30)], "26:05:00", -6_600.0),
]


@pytest.mark.parametrize(("cells", "form", "first"), DURATIONS)
def test_durations_are_seconds(cells, form, first):
    column, values, notes = decided(cells)
    assert (column.kind, column.form, values[0], notes) == ("number", form, first, ())
    assert column.note.startswith("durations in seconds, written as hours:minutes")
    assert (np.diff(values) != 0).all()


def test_times_of_day_stay_times():
    assert decided([f"{one % 24}:05:00" for one in range(30)])[0].kind == "date"
    assert decided([f"{one}:{one}:00" for one in range(10, 24)])[0].kind == "date"


@pytest.mark.parametrize("negative", ["€({})", "(€{})", "€{}-", "-€{}", "€-{}", "({} €)", "{}- €"])
def test_ways_to_write_a_debt(negative):
    """Of a column in which negative numbers alone are written otherwise, none may be lost."""
    cells = [negative.format(one) if one % 4 == 0 else f"€{one}" for one in range(12, 40)]
    column, values, notes = decided(cells)
    assert (column.kind, column.form, notes) == ("number", "1234.5 €", ())
    assert values == [-one if one % 4 == 0 else one for one in range(12, 40)]
