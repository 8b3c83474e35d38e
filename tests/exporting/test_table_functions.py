"""What is copied into files for tables does what `data/` does."""

import datetime

import numpy as np
import pyarrow as pa

from downslope.data.encoding import learn
from downslope.data.kinds import describe
from downslope.data.table_file import MISSING, read_table
from downslope.exporting import table_functions as copied


def test_the_same_marks_stand_for_missing_values(tmp_path):
    cells = [*MISSING, "17"]
    (tmp_path / "a.csv").write_text("a,b\n" + "".join(f'"{cell}",1.5\n' for cell in cells))
    assert copied.read_csv(tmp_path / "a.csv")["a"] == [*[None] * len(MISSING), "17"]
    known = read_table(tmp_path / "a.csv").column("a").null_count
    assert known == len(MISSING)


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
    encoding = learn(arrow, describe(arrow, kinds), target="")
    number, words, truth, when = encoding.columns
    assert (words.has_others, words.says_missing, len(when.cycles)) == (True, True, 3)
    ours = encoding.encode(arrow)
    inputs = [
        *copied.number(table["n"], number.fill, number.says_missing),
        *copied.category(table["w"], words.values, words.has_others, words.says_missing),
        *copied.yes_no(table["t"], truth.values[-1], truth.fill, truth.says_missing),
        *copied.date(table["d"], when.fill, when.cycles, when.says_missing),
    ]
    np.testing.assert_allclose(np.array(inputs, np.float32).T, ours, rtol=1e-6, atol=1e-6)


def test_whole_numbers_are_one_text():
    assert copied.texts([3.0, 3, " 3", None, float("nan"), ""]) == ["3", "3", "3", None, None, None]
