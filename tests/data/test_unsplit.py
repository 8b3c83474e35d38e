"""From what was read to a data set in three parts."""

import numpy as np
import pytest

from downslope.data.dataset import Samples
from downslope.data.unsplit import Unsplit


def numbered(count, task="regression", **options):
    """Return samples whose input is their own number."""
    inputs = np.arange(count, dtype=np.float32)[:, None]
    return Unsplit("set", task, Samples(inputs, inputs.copy()), **options)


def numbers(part):
    return part.inputs[:, 0].astype(int).tolist()


def test_each_sample_is_in_one_part_with_its_target():
    dataset = numbered(50).split(0)
    parts = (dataset.train, dataset.validation, dataset.test)
    assert sorted(number for part in parts for number in numbers(part)) == list(range(50))
    for part in parts:
        np.testing.assert_array_equal(part.inputs, part.targets)


def test_the_scaling_is_learnt_from_training_alone():
    dataset = numbered(50).split(0)
    assert dataset.scaling.mean == pytest.approx(np.mean(numbers(dataset.train)))
    assert dataset.scaling.std == pytest.approx(np.std(numbers(dataset.train)))


def test_a_test_part_of_its_own_is_kept_as_it_is():
    test = Samples(np.full((4, 1), 99, np.float32), np.zeros((4, 1), np.float32))
    unsplit = numbered(50, test=test)
    dataset = unsplit.split(0)
    assert dataset.test is test
    assert dataset.sizes == {"train": 45, "validation": 5, "test": 4}
    assert unsplit.for_testing is test


def test_a_video_is_split_in_time_whatever_the_seed():
    for seed in (0, 1):
        dataset = numbered(50, in_time=True).split(seed)
        assert numbers(dataset.train) == list(range(33))
        assert numbers(dataset.validation) == list(range(34, 39))
        assert numbers(dataset.test) == list(range(40, 50))


def test_full_and_empty_photos_are_in_each_part():
    maps = np.zeros((100, 1, 1, 1), np.float32)
    maps[:, 0, 0, 0] = np.arange(100) ** 3
    unsplit = Unsplit("set", "counting", Samples(np.zeros((100, 4, 4, 3), np.uint8), maps))
    for seed in range(5):
        dataset = unsplit.split(seed)
        for part in (dataset.train, dataset.validation, dataset.test):
            assert part.counts.max() >= 90**3
            assert part.counts.min() < 10**3


def test_options_are_what_load_needs():
    dataset = numbered(50, options={"stride": 4}).split(7)
    assert dataset.options == {"split_seed": 7, "stride": 4}
