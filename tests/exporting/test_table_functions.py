"""What is copied into files for tables does what `data/` does."""

import datetime
import gzip

import numpy as np
import pyarrow as pa
import pytest

from downslope.data.readers.table_file import read_table
from downslope.data.tables.column_types import describe
from downslope.data.tables.dates import DATES, PERIODS, TIMES, as_seconds, pattern
from downslope.data.tables.encoding import learn
from downslope.data.tables.numbers import (
    DURATIONS,
    MARKS,
    MONEY,
    NOTATIONS,
    UNITS,
    is_missing,
    parts,
    read_numbers,
)
from downslope.exporting import table_functions as copied

FORMS = [
    f"{one}{unit}" for one in NOTATIONS for unit in ("", *(f" {u}" for u in (*UNITS, "kg", "m/s")))
]

MOMENTS = [
    (1999, 12, 31, 23, 59, 58),
    (2000, 2, 29, 0, 0, 0),
    (2024, 1, 1, 12, 30, 5),
    (2026, 11, 27, 1, 2, 3),
]


def test_cells_stay_as_they_are_written_until_their_column_says_what_they_are(tmp_path):
    cells = ["", *MARKS, "None", "N/A", "17"]
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f'"{cell}",1.5\n' for cell in cells))
    theirs = copied.read_csv(tmp_path / "a.csv", ["a"])["a"]
    ours = read_table(tmp_path / "a.csv").column("a")
    assert theirs == [None, *cells[1:]] == ours.to_pylist()
    assert [copied.is_missing(one) for one in theirs] == list(is_missing(ours))


@pytest.mark.parametrize("form", FORMS)
def test_numbers_are_read_alike_in_each_notation(form):
    thousands, decimal, unit = parts(form)
    texts = [f"12{thousands[:1]}345{decimal}5", "7", f"-0{decimal}25", None, "NA", "x", "+3e2"]
    texts = [f"{one}{unit}" if one and one[-1].isdigit() else one for one in texts]
    texts += ["8", "8 lb", f"(9{unit})", "12-", "(1)", f"{unit}(9)", f"{unit} (8)", f"9{unit}-"]
    texts += [f"{unit}9-", f"7- {unit}"]
    ours, _ = read_numbers(pa.chunked_array([pa.array(texts)]), form)
    theirs, _ = copied.number(texts, 1.5, True, thousands, decimal, unit, unit in ("", *MONEY))
    np.testing.assert_array_equal(theirs, np.where(np.isnan(ours), 1.5, ours))
    assert list(ours[:3]) == [12345.5, 7, -0.25]


@pytest.mark.parametrize("form", DURATIONS)
def test_durations_are_read_alike(form):
    texts = [
        "26:05:00",
        "26:05",
        "-1:00:30.5",
        "2 days 01:00:00",
        "-1 days +22:00:00",
        "1 day, 0:30:00",
    ]
    texts += ["+100:59", None, "NA", "x", "1:60:00", "5", "1:2"]
    ours, _ = read_numbers(pa.chunked_array([pa.array(texts)]), form)
    theirs, _ = copied.number(copied.durations(texts, form.count(":") == 2), 1.5, True)
    np.testing.assert_array_equal(theirs, np.where(np.isnan(ours), 1.5, ours))
    assert np.isfinite(ours).sum() == (5 if form == "26:05:00" else 2)


def test_each_kind_of_column_is_encoded_alike():
    day = datetime.datetime(2021, 3, 4, 5, 6)
    table = {
        "n": [1.5, None, float("inf"), -2.0, 8.0],
        "w": ["a ", "b", "a", None, "c"],
        "t": ["Yes", "no", None, "yes", "no"],
        "d": [day, None, day + datetime.timedelta(90), day, day + datetime.timedelta(1.3)],
    }
    arrow = pa.table(table)
    kinds = {"n": "number", "w": "category", "t": "yes/no", "d": "date"}
    encoding = learn(arrow, describe(arrow, kinds))
    number, words, truth, when = encoding.columns
    assert (words.has_others, words.says_missing, len(when.cycles)) == (True, True, 3)
    ours = encoding.encode(arrow)
    inputs = [
        *copied.number(table["n"], number.fill, number.says_missing),
        *copied.category(table["w"], words.values, words.has_others, words.says_missing),
        *copied.yes_no(table["t"], truth.fill, truth.says_missing),
        *copied.date(
            table["d"],
            pattern(when.form, strict=False),
            when.fill,
            when.cycles,
            when.says_missing,
        ),
    ]
    np.testing.assert_allclose(np.array(inputs, np.float32).T, ours, rtol=1e-6, atol=1e-6)


def test_whole_numbers_are_one_text():
    assert copied.texts([3.0, 3, " 3", None, float("nan"), ""]) == ["3", "3", "3", None, None, None]


def written(form, when):
    """A moment in a form, with strftime and with the letters that are our own."""
    quarter = f"{(when.month - 1) // 3 + 1}"
    return when.strftime(form.replace("%q", quarter).replace("%S", "%S.25").replace("%z", "+0130"))


def test_dates_are_read_alike_in_every_form():
    moments = [datetime.datetime(*one) for one in MOMENTS]
    forms = [*DATES, *PERIODS, *TIMES, *(f"%a {one}" for one in DATES)]
    forms += [
        f"{date} {time}{zone}" for date in DATES[:12] for time in TIMES for zone in ("", " %z")
    ]
    for form in forms:
        texts = [written(form, one) for one in moments]
        ours = as_seconds(pa.chunked_array([texts]), form)
        theirs = [copied.moment(text, pattern(form, strict=False)) for text in texts]
        np.testing.assert_array_equal(theirs, ours, err_msg=form)
        assert np.isfinite(ours).all()


def test_a_text_in_another_form_is_refused():
    for text in ("31/05/2024", "2024-13-01", "2024-02-30", "tomorrow", "2024-05-31 13"):
        with pytest.raises(ValueError, match=r"is not written as|must be in|out of range"):
            copied.moment(text, pattern("%Y-%m-%d", strict=False))
    assert np.isnan(copied.moment(None, pattern("%Y-%m-%d", strict=False)))


TEXTS = {
    "plain": "a,b,c\n1.5,x,\n2.5,y,z\n",
    "semicolons": "\n" + "a;b;c\n1,5;x;\n2,5;y;z\n",
    "tabs": "a\tb\tc\n1.5\tx\t\n2.5\ty\tz\n",
    "sep=": "sep=|\r\na|b|c\r\n1.5|x|\r\n2.5|y|z\r\n",
    "titles": "# made by hand\n\na,b,c\n1.5,x,\n   \n2.5,y,z\na,b,c\n3.5,y,z\n",
    "quotes": 'a,b,c\n1.5,"x\n\ny",\n2.5,"say ""z""",z\n',
    "R": '"a","b","c"\n"1",1.5,"x","u"\n"2",2.5,"y","z"\n"3",3.5,"y","z"\n',
    "blanks": 'a  b   c\n1.5 "x y" u\n 2.5   y z\n3 x z\n',
    "an empty name": "a,b,c,\n1.5,x,,7\n2.5,y,z,8\n",
    "a single column": "a\n1.5\n\n2.5\n",
    "a comment": "# by hand, of course\n#a,b,c\n1.5,x,\n2.5,y,z\n3.5,y,z\n",
    "no names": "1.5,x\n2.5,y\n3.5,x\n",
    "no names, blanks": "1.5   x\n2.5 y\n 3.5  x\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_text_files_are_laid_out_alike(text, encoding, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    ours = read_table(path).to_pydict()
    assert copied.read_csv(path, list(ours)) == {
        name: [cell and cell.strip() for cell in cells] for name, cells in ours.items()
    }
    some = list(ours)[-1:]
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(text.encode(encoding)))
    if len(ours) > 1 and not some[0].startswith("column"):
        assert copied.read_csv(packed, some)[some[0]] == copied.read_csv(path, some)[some[0]]


def test_a_file_without_the_columns_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="names all of: a, z"):
        copied.read_csv(tmp_path / "a.csv", ["a", "z"])
