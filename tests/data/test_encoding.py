"""Columns become numbers by what the training rows taught, and by nothing else."""

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.data.tables.column_types import describe
from downslope.data.tables.encoding import ColumnCode, learn
from downslope.errors import DataError


def learnt(table, wanted=None):
    table = pa.table({**table, "y": [0] * len(next(iter(table.values())))})
    return learn(table, describe(table, wanted), [ColumnCode("y", "number")])


def test_a_missing_number_is_the_median_and_says_so():
    encoding = learnt({"a": [1.0, 2.0, 9.0, None]})
    assert encoding.input_names == ("a", "a is missing")
    found = encoding.encode(pa.table({"a": [None, 5.0]}))
    np.testing.assert_array_equal(found, [[2, 1], [5, 0]])
    assert found.dtype == np.float64


def test_a_number_that_was_never_missing_has_one_input():
    encoding = learnt({"a": [1.0, 2.0, 9.0]})
    np.testing.assert_array_equal(encoding.encode(pa.table({"a": [None, 5.0]})), [[2], [5]])


def test_a_category_has_an_input_per_value():
    encoding = learnt({"a": ["x", "y", "x", "y", "z", None, "y"]})
    assert encoding.input_names == ("a = x", "a = y", "a = (other)", "a is missing")
    found = encoding.encode(pa.table({"a": ["y", "z", "new", None]}))
    np.testing.assert_array_equal(found, [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def test_what_no_training_row_had_is_no_value():
    encoding = learnt({"a": ["x", "y", "x", "y"]})
    np.testing.assert_array_equal(encoding.encode(pa.table({"a": ["new", None]})), np.zeros((2, 2)))


def test_values_that_occur_once_share_an_input():
    texts = [f"v{index}" for index in range(64) for _ in range(3)] + ["once", "and once"]
    encoding = learnt({"a": texts})
    assert len(encoding.input_names) == 65
    assert encoding.encode(pa.table({"a": ["once"]}))[0, -1] == 1


@pytest.mark.parametrize(
    ("values", "asked", "expected"),
    [
        (["no", "yes", "no"], ["YES", "no"], [1, 0]),
        ([True, False, True], [True, False], [1, 0]),
        ([0, 1, 1], [1, 0], [1, 0]),
        (["t", "f", "f"], ["t", None], [1, 0]),
    ],
)
def test_yes_and_no(values, asked, expected):
    found = learnt({"a": values}).encode(pa.table({"a": asked}))
    np.testing.assert_array_equal(found[:, 0], expected)


def test_dates_become_time_and_places_in_cycles():
    encoding = learnt({"a": ["2024-01-01", "2024-07-01", "2024-12-31"]})
    assert encoding.input_names == (
        "a", "a, year (sine)", "a, year (cosine)", "a, week (sine)", "a, week (cosine)",
    )  # fmt: skip
    first, next_day, next_week = encoding.encode(
        pa.table({"a": ["2024-03-04", "2024-03-05", "2024-03-11"]})
    )
    assert next_day[0] - first[0] == 1
    np.testing.assert_allclose(first[3:], next_week[3:], atol=2e-3)
    assert abs(first[3:] - next_day[3:]).max() > 0.3


def test_columns_are_found_by_name():
    encoding = learnt({"a": [1.0, 2.5, 3.0], "b": [4.0, 5.0, 6.5]})
    found = encoding.encode(pa.table({"b": [1.0], "more": ["x"], "a": [2.0]}))
    np.testing.assert_array_equal(found, [[2, 1]])
    with pytest.raises(DataError) as caught:
        encoding.encode(pa.table({"a": [1.0]}))
    assert str(caught.value) == (
        "The table has no column 'b'. Expected the columns that the run was trained on: a, b. "
        "Add it; leave its cells empty where the value is not known."
    )


@pytest.mark.parametrize("odd", ["x", "#N/A", "<0.1", "abc", "1,2", "Total"])
def test_an_odd_cell_is_missing_alone_as_among_others(odd):
    encoding = learnt({"a": [1.0, 2.5, 3.0, None], "b": [1, 2, 4, 8]})
    notes: list[str] = []
    rows = np.array([3, 5, 9])
    among = encoding.encode(pa.table({"a": ["7", odd, "8"], "b": [1, 1, 1]}), notes, rows)
    assert notes == [
        f"The column 'a' has {odd!r} in row 5, which is no number: it is taken as missing."
    ]
    notes = []
    alone = encoding.encode(pa.table({"a": [odd], "b": [1]}), notes)
    np.testing.assert_array_equal(alone, among[1:2])
    np.testing.assert_array_equal(alone, encoding.encode(pa.table({"a": [None], "b": [1]})))
    assert notes == [
        f"The column 'a' has {odd!r} in row 1, which is no number: it is taken as missing.",
        "The column 'a' has no number in any row: these predictions do without it. Numbers are "
        "expected as in the training, written like 1234.5.",
    ]


def test_a_column_without_any_value_is_no_mistake():
    dates = ["2024-01-02", "2024-01-03", None]
    encoding = learnt({"a": [1.0, 2.5, 3.0], "b": ["x", "y", "x"], "c": dates})
    found = encoding.encode(pa.table({"a": [None], "b": [None], "c": [None]}))
    assert np.isfinite(found).all()


def test_nothing_to_learn_from():
    with pytest.raises(DataError) as caught:
        learnt({"a": [1, 1, 1]})
    assert str(caught.value) == (
        "There is no column to learn from. Expected at least one besides the target whose values "
        "differ. Say what a column is, such as --column NAME=category."
    )


def many_values(count=70, rows=3):
    return [f"v{index:03}" for index in range(count) for _ in range(rows)]


def test_a_category_of_many_values_becomes_the_place_of_its_value():
    texts = [*many_values(), "rare", None, None]
    encoding = learnt({"a": texts, "b": np.arange(len(texts)) / 2.0})
    assert encoding.input_names == ("b", "a (index)")  # places come last
    (code,) = encoding.embedded
    assert (code.indices, code.numbers) == (72, 6)
    asked = pa.table({"a": ["v000", "v069", "rare", "new", None], "b": [0.0] * 5})
    np.testing.assert_array_equal(encoding.encode(asked)[:, -1], [2, 71, 0, 0, 1])


def test_places_are_not_scaled():
    table = pa.table(
        {"a": many_values(rows=20), "b": np.arange(1400) / 2.0, "y": np.arange(1400) % 2}
    )
    data = ds.load(table, target="y")
    assert (data.scaling.mean[-1], data.scaling.std[-1]) == (0, 1)
    assert data.scaling.std[0] > 1
