"""Dates as texts: the form that fits a whole column, told where two do."""

import datetime

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.data.tables.column_types import decide, describe
from downslope.data.tables.dates import as_seconds, date_form, in_words, other_form
from downslope.data.tables.encoding import ColumnCode, learn

DAY = 86_400
AMBIGUOUS = ["01/02/2024", "03/04/2024", None, "05/06/2024"]


def column(*values):
    return pa.chunked_array([pa.array(values, pa.string())])


def seconds(*date):
    return datetime.datetime(*date, tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("texts", "form", "first"),
    [
        (["2024-05-31", "2024-06-01"], "%Y-%m-%d", (2024, 5, 31)),
        (["05/31/2024", "06/01/2024"], "%m/%d/%Y", (2024, 5, 31)),
        (["31/05/2024", "01/06/2024"], "%d/%m/%Y", (2024, 5, 31)),
        (["1.6.2024", "31.5.2024"], "%d.%m.%Y", (2024, 6, 1)),
        (["31-05-2024"], "%d-%m-%Y", (2024, 5, 31)),
        (["05-31-2024"], "%m-%d-%Y", (2024, 5, 31)),
        (["31 May 2024"], "%d %b %Y", (2024, 5, 31)),
        (["31/05/2024 13:07:09"], "%d/%m/%Y %H:%M:%S", (2024, 5, 31, 13, 7, 9)),
    ],
)
def test_forms(texts, form, first):
    assert date_form(column(*texts)) == form
    assert other_form(column(*texts), form) is None
    assert as_seconds(column(*texts))[0] == seconds(*first)


def test_the_whole_column_decides():
    """The first thousand rows could be either."""
    texts = [*["01/02/2024"] * 1500, "31/05/2024"]
    assert date_form(column(*texts)) == "%d/%m/%Y"
    assert as_seconds(column(*texts))[0] == seconds(2024, 2, 1)


def test_where_two_forms_fit_it_is_told_and_can_be_said():
    (found,) = describe(pa.table({"day": AMBIGUOUS}))
    assert (found.kind, found.form) == ("date", "%m/%d/%Y")
    assert found.note == "read as month/day/year; say day-first if it is day/month/year"
    (said,) = describe(pa.table({"day": AMBIGUOUS}), {"day": "day-first"})
    assert (said.kind, said.form, said.note) == ("date", "%d/%m/%Y", "as you said")
    (same,) = describe(pa.table({"day": AMBIGUOUS}), {"day": "month-first"})
    assert (same.form, same.note) == ("%m/%d/%Y", "as you said")
    assert in_words("%d.%m.%Y %H:%M") == "day.month.year hour:minute"


def test_an_order_that_does_not_fit():
    with pytest.raises(ds.DataError) as caught:
        describe(pa.table({"day": ["05/31/2024", "01/02/2024"]}), {"day": "day-first"})
    assert str(caught.value) == (
        "The column 'day' is said to be a date with the day first, and it holds values that are "
        "none: not all are dates in one form, such as '05/31/2024'. Expected a column of dates "
        "with the day first. Correct the values, or say category or ignored."
    )


def test_what_was_learnt_decides_later():
    """A file with few rows could be either, where the training rows were not."""
    table = pa.table({"day": ["31/05/2024", "01/02/2024", "02/02/2024"], "y": [0, 1, 0]})
    encoding = learn(table, describe(table), [ColumnCode("y", "number")])
    later = encoding.encode(pa.table({"day": ["03/04/2024", None]}))
    assert later[0, 0] == pytest.approx(seconds(2024, 4, 3) / DAY)
    same = encoding.encode(pa.table({"day": [datetime.date(2024, 4, 3)]}))
    np.testing.assert_array_equal(same[0], later[0])
    with pytest.raises(ds.DataError) as caught:
        encoding.encode(pa.table({"day": ["03/04/2024", "05/31/2024"]}))
    assert str(caught.value) == (
        "The column 'day' holds values that are no date: '05/31/2024' in row 2 is not written as "
        "day/month/year. Expected values like those that the run was trained on, a date. Correct "
        "the values."
    )


def test_no_guess_where_nothing_was_learnt():
    """The training rows were dates of their own type: texts are read with the year first."""
    table = pa.table({"day": [datetime.date(2024, 5, day) for day in (1, 2, 3)], "y": [0, 1, 0]})
    encoding = learn(table, describe(table), [ColumnCode("y", "number")])
    for texts in (AMBIGUOUS, ["31/05/2024"]):  # the answer to a row does not depend on others
        with pytest.raises(ds.DataError, match="in row 1 is not written as year-month-day"):
            encoding.encode(pa.table({"day": texts}))
    assert encoding.encode(pa.table({"day": ["2024-05-31"]}))[0, 0] == seconds(2024, 5, 31) / DAY


def test_the_split_by_time_reads_the_same_way():
    days = [f"{1 + row % 12:02}/{1 + row // 12:02}/2024" for row in range(48)]
    table = pa.table({"day": days, "x": np.arange(48.0) % 7, "y": [0, 1] * 24})
    month = ds.load(table, target="y", time="day")
    day = ds.load(table, target="y", time="day", column_types={"day": "day-first"})
    assert month.rows is not None and day.rows is not None
    assert {days[row][:2] for row in month.rows.parts.test} == {"10", "11", "12"}
    assert {days[row][3:5] for row in day.rows.parts.test} == {"04"}


DAYS = [f"{day:02}/{month:02}/2023" for month in range(1, 13) for day in (3, 11, 25)]


@pytest.mark.parametrize("odd", ["31/02/2023", "12/25/2023", "soon", "//1994", "x" * 90])
def test_a_typing_error_is_told_and_the_others_stay_dates(odd):
    texts = [*DAYS[:17], odd, *DAYS[17:]]
    decided = decide(pa.table({"day": texts, "x": list(range(len(texts)))}))
    day = decided.columns[0]
    assert (day.kind, day.form, day.missing) == ("date", "%d/%m/%Y", 1)
    assert decided.table.column("day")[17].as_py() is None
    assert decided.notes == (
        f"The column 'day' has {odd[:40]!r} in row 18, which is no date written as "
        "day/month/year: it is taken as missing.",
    )


def test_many_of_another_form_make_no_column_of_dates():
    """Half of them month-first, or words: no form is that of nearly all."""
    for others in ([f"{month:02}/27/2023" for month in range(1, 13)], [f"w{n}" for n in range(9)]):
        (day,) = describe(pa.table({"day": [*DAYS, *others]}))
        assert day.kind != "date"
