"""Splits never overlap, keep the mix of classes, and depend on nothing but their arguments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from downslope.data.split import bands, split_by_class, split_in_time
from downslope.errors import DataError, SettingError


def split_at_random(count, seed, **fractions):
    return split_by_class(np.zeros(count, np.int32), seed, **fractions)


def together(parts):
    return np.concatenate([parts.train, parts.validation, parts.test])


@given(st.integers(3, 3000), st.integers(0, 2**40))
def test_random_parts_hold_each_sample_once(count, seed):
    parts = split_at_random(count, seed)
    assert sorted(together(parts)) == list(range(count))
    assert len(parts.test) == max(1, round(count * 0.2))
    assert len(parts.validation) == max(1, round(count * 0.1))


@given(
    arrays.arrays(np.int32, st.integers(30, 400), elements=st.integers(0, 6)),
    st.integers(0, 1000),
)
def test_each_class_is_in_each_part_in_proportion(labels, seed):
    parts = split_by_class(labels, seed)
    assert sorted(together(parts)) == list(range(len(labels)))
    for label, size in zip(*np.unique(labels, return_counts=True), strict=True):
        fractions = [(labels[part] == label).sum() for part in (parts.validation, parts.test)]
        assert (labels[parts.train] == label).any()
        if size >= 3:
            assert min(fractions) >= 1
        assert abs(fractions[0] - 0.1 * size) <= 1
        assert abs(fractions[1] - 0.2 * size) <= 1


def test_a_class_of_two_or_one_stays_in_training():
    labels = np.array([0] * 50 + [1] + [2] * 2)
    for seed in range(20):
        parts = split_by_class(labels, seed)
        assert set(labels[parts.train]) == {0, 1, 2}


def test_fractions_are_of_all_samples_and_zero_means_no_part():
    labels = np.arange(1000) % 7
    parts = split_by_class(labels, 0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (700, 100, 200)
    parts = split_by_class(labels, 0, test=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (900, 100, 0)


def test_the_same_seed_gives_the_same_parts_and_another_seed_others():
    labels = np.arange(200) % 3
    first, again, other = (split_by_class(labels, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(together(first), together(again))
    assert not np.array_equal(first.test, other.test)


def test_the_split_of_a_seed_stays_what_it_was():
    parts = split_at_random(20, 0)
    assert parts.test.tolist() == [1, 9, 12, 16]
    assert parts.validation.tolist() == [10, 13]


def test_the_split_is_independent_of_data_drawn_from_the_same_seed():
    for seed in range(5):
        values = np.random.default_rng(seed).uniform(0, 1, 2000)
        parts = split_at_random(2000, seed)
        assert abs(values[parts.test].mean() - 0.5) < 0.06


@given(st.integers(3, 5000))
def test_blocks_of_time_follow_each_other_with_a_gap(count):
    parts = split_in_time(count)
    gap = min(20, count // 40)
    for part in (parts.train, parts.validation, parts.test):
        np.testing.assert_array_equal(part, np.arange(part[0], part[-1] + 1))
    assert parts.train[0] == 0
    assert parts.validation[0] - parts.train[-1] == gap + 1
    assert parts.test[0] - parts.validation[-1] == gap + 1
    assert parts.test[-1] == count - 1


def test_the_800_frames_of_mall():
    parts = split_in_time(800)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (520, 80, 160)
    assert (parts.validation[0], parts.test[0]) == (540, 640)


def test_time_without_a_test_part():
    parts = split_in_time(100, test=0)
    assert len(parts.test) == 0
    assert parts.validation.tolist() == list(range(90, 100))
    assert parts.train.tolist() == list(range(88))


def test_bands_are_equal_and_ordered():
    values = np.array([5.0, 1.0, 9.0, 1.0] * 25)
    labels = bands(values)
    assert np.bincount(labels).tolist() == [10] * 10
    for band in range(9):
        assert values[labels == band].max() <= values[labels == band + 1].min()
    assert bands(np.array([3.0, 1.0])).tolist() == [0, 0]


@pytest.mark.parametrize("split", [split_at_random, lambda count, seed: split_in_time(count)])
def test_too_few_samples(split):
    with pytest.raises(DataError) as caught:
        split(2, 0)
    assert str(caught.value) == (
        "The number of samples is 2. Expected at least 3, one for each part. Add samples."
    )


def test_too_few_of_each_class():
    with pytest.raises(DataError) as caught:
        split_by_class(np.arange(4), 0)
    assert str(caught.value) == (
        "There are 4 samples in 4 classes, too few to split. "
        "Expected at least 3 samples of a class. Add samples."
    )


def test_fractions_out_of_range():
    with pytest.raises(SettingError) as caught:
        split_at_random(10, 0, test=0.9, validation=0.1)
    assert str(caught.value) == (
        "The fractions are 0.9 for the test and 0.1 for validation. "
        "Expected two fractions of at least 0 whose sum is less than 1. "
        "Use 0.2 and 0.1 to begin with."
    )


@pytest.mark.parametrize("seed", [-1, -(10**30), 0.5, "1", None, True])
def test_a_seed_that_is_none_is_told(seed):
    with pytest.raises(SettingError, match="The seed of the split is"):
        split_at_random(10, seed)
