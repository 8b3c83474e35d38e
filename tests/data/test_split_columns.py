"""Groups are never divided; the latest are the test."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import downslope as ds
from downslope.data.tables.split_columns import split_by_group, split_by_time
from downslope.errors import DataError


@given(st.integers(30, 400), st.integers(3, 60), st.integers(1, 4), st.integers(0, 1000))
def test_groups_are_whole_and_every_sample_is_in_one_part(count, groups, classes, seed):
    rng = np.random.default_rng(seed)
    of = np.concatenate(
        [np.arange(groups)[:count], rng.integers(0, groups, max(0, count - groups))]
    )
    labels = rng.integers(0, classes, len(of))
    parts = split_by_group(of, labels, seed)
    together = [parts.train, parts.validation, parts.test]
    assert sorted(np.concatenate(together)) == list(range(len(of)))
    assert min(map(len, together)) > 0
    seen = [set(of[part]) for part in together]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


def test_the_parts_have_their_shares_and_the_mix_of_classes():
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(300), rng.integers(1, 9, 300))
    labels = (rng.random(300) < 0.2)[of].astype(int)
    for seed in range(5):
        parts = split_by_group(of, labels, seed)
        for part, fraction in ((parts.train, 0.7), (parts.validation, 0.1), (parts.test, 0.2)):
            assert len(part) / len(of) == pytest.approx(fraction, abs=0.01)
            assert labels[part].mean() == pytest.approx(labels.mean(), abs=0.01)
    again, other = split_by_group(of, labels, 4), split_by_group(of, labels, 5)
    np.testing.assert_array_equal(again.test, parts.test)
    assert set(other.test) != set(parts.test)


def test_rows_without_a_group_are_groups_by_themselves():
    parts = split_by_group(np.full(50, -1), np.zeros(50, int), 0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (35, 5, 10)


def test_the_latest_are_the_test_and_one_time_is_in_one_part():
    times = np.random.default_rng(0).permutation(np.repeat(np.arange(50.0), 4))
    times[:3] = np.nan
    parts = split_by_time(times)
    ends = [(times[part].min(), times[part].max()) for part in (parts.train, parts.validation)]
    assert ends[0][1] < ends[1][0] and ends[1][1] < times[parts.test].min()
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 197
    assert len(parts.test) == pytest.approx(40, abs=4)


def table(count=60):
    return pa.table(
        {
            "x": np.random.default_rng(0).normal(size=count),
            "who": [f"P{row // 5}" for row in range(count)],
            "day": [f"2024-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(count)],
            "word": ["a b", "c"] * (count // 2),
            "y": [0, 1] * (count // 2),
        }
    )


def test_the_split_is_kept_and_the_group_is_no_input():
    data = ds.load(table(), target="y", group="who")
    assert not any(name.startswith("who") for name in data.input_names)
    assert ds.load(table(), **data.options).fingerprint == data.fingerprint
    asked = ds.load(table(), target="y", group="who", column_types={"who": "category"})
    assert any(name.startswith("who") for name in asked.input_names)
    late = ds.load(table(), target="y", time="day")
    assert late.rows is not None and late.rows.parts.test.tolist() == list(range(48, 60))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"group": "whom"}, "There is no column 'whom'."),
        ({"group": "y"}, "The column 'y' was named both as the target and as the group."),
        ({"group": "who", "time": "day"}, "Both a group ('who') and a time ('day') were named."),
        ({"time": "word"}, "The times in the column 'word' cannot be read, such as 'a b'."),
    ],
    ids=["missing", "target", "both", "unreadable"],
)
def test_mistakes_with_columns(options, message):
    with pytest.raises(ds.InputError) as caught:
        ds.load(table(), target="y", **options)
    assert str(caught.value).startswith(message)


def test_one_group_and_one_time():
    with pytest.raises(DataError) as caught:
        split_by_group(np.zeros(50, int), np.zeros(50, int), 0)
    assert str(caught.value) == (
        "All samples belong to 1 group, and a group is not divided. Expected at least 3 groups, "
        "one for each part. Name another column, or leave it out to split by chance."
    )
    with pytest.raises(DataError) as caught:
        split_by_time(np.ones(50))
    assert str(caught.value) == (
        "All samples are of the same time. Expected at least 3 different times, one for each "
        "part. Name another column, or leave it out to split by chance."
    )


def test_no_group_where_there_is_no_table():
    with pytest.raises(ds.SettingError) as caught:
        ds.load("digits", group="who")
    assert "The column 'who' was named with group, and digits is no table." in str(caught.value)
