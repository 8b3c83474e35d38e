"""A data set's parts belong together, and its fingerprint sees every value."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from downslope.data.dataset import Dataset, Samples
from downslope.data.scaling import Scaling
from downslope.errors import DataError


def samples(count, seed=0):
    draw = np.random.default_rng(seed)
    return Samples(
        draw.normal(size=(count, 4)).astype(np.float32),
        draw.integers(0, 3, count).astype(np.int32),
        weights=draw.uniform(size=count).astype(np.float32),
        sources=tuple(f"{number}.png" for number in range(count)),
    )


def dataset():
    train = samples(6)
    scaling = Scaling.learn(train.inputs)
    parts = (train, samples(2, 1), samples(3, 2))
    return Dataset("small", "classification", *parts, scaling, class_names=("a", "b", "c"))


def test_shapes_and_sizes():
    small = dataset()
    assert small.input_shape == (4,)
    assert small.output_shape == (3,)
    assert small.sizes == {"train": 6, "validation": 2, "test": 3}
    assert repr(small) == (
        "Dataset('small', classification, inputs (4,), 6 train, 2 validation, 3 test)"
    )


def test_taking_keeps_everything_together():
    all_samples = samples(6)
    taken = all_samples.take(np.array([4, 1]))
    np.testing.assert_array_equal(taken.inputs, all_samples.inputs[[4, 1]])
    np.testing.assert_array_equal(taken.targets, all_samples.targets[[4, 1]])
    np.testing.assert_array_equal(taken.weights, all_samples.weights[[4, 1]])
    assert taken.sources == ("4.png", "1.png")
    assert Samples(np.zeros((3, 1)), np.zeros(3)).take(np.array([0])).sources is None


def test_counts_are_sums_of_the_maps():
    maps = np.arange(12, dtype=np.float32).reshape(2, 2, 3, 1)
    assert Samples(np.zeros((2, 4, 6, 3)), maps).counts.tolist() == [15, 51]


@given(
    st.sampled_from(["train", "validation", "test"]),
    st.sampled_from(["inputs", "targets", "weights"]),
    st.data(),
)
def test_the_fingerprint_changes_with_any_value(part, name, data):
    before = dataset()
    array = getattr(getattr(before, part), name).copy()
    index = data.draw(st.integers(0, array.size - 1))
    flat = array.reshape(-1)
    flat[index] = (flat[index] + 1) % 3 if name == "targets" else flat[index] + 1  # of 3 classes
    changed = replace(getattr(before, part), **{name: array})
    assert replace(before, **{part: changed}).fingerprint != before.fingerprint


def test_the_fingerprint_sees_shape_and_type_and_nothing_else():
    before = dataset()
    assert dataset().fingerprint == before.fingerprint
    assert replace(before, name="other").fingerprint == before.fingerprint
    wider = replace(before.train, inputs=before.train.inputs.astype(np.float64))
    assert replace(before, train=wider).fingerprint != before.fingerprint
    turned = replace(before.train, inputs=before.train.inputs.reshape(6, 2, 2))
    assert replace(before, train=turned).fingerprint != before.fingerprint
    assert len(before.fingerprint) == 64
    assert replace(before, test=samples(0)).fingerprint != before.fingerprint


def test_a_view_has_the_fingerprint_of_its_values():
    before = dataset()
    backwards = before.train.inputs[::-1].copy()[::-1]
    assert replace(before, train=replace(before.train, inputs=backwards)).fingerprint == (
        before.fingerprint
    )


@pytest.mark.parametrize("name", ["targets", "weights", "sources"])
def test_lengths_that_differ(name):
    good = samples(3)
    with pytest.raises(DataError) as caught:
        replace(good, **{name: getattr(good, name)[:2]})
    assert str(caught.value) == (
        f"There are 3 inputs and 2 {name}. Expected as many {name} as inputs. "
        "Check how the two were read."
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("name", "shape", "index", "said"),
    [
        ("inputs", (3, 4), (1, 2), "input 2 of sample 1"),
        ("inputs", (3, 2, 2, 1), (2, 1, 0, 0), "input [1, 0, 0] of sample 2"),
        ("targets", (3, 2), (0, 1), "target 1 of sample 0"),
        ("targets", (3,), (2,), "target of sample 2"),
    ],
)
def test_numbers_that_are_not_finite(name, shape, index, said, value):
    values = np.ones(shape, np.float32)
    values[index] = value
    with pytest.raises(DataError) as caught:
        replace(samples(3), **{name: values})
    assert str(caught.value) == (
        f"The {said} is {value}. Expected finite numbers. "
        "Fill in what is missing, or leave the sample out."
    )


def test_a_sum_that_is_too_large_is_no_reason():
    largest = np.full((3, 4), 3e38, np.float32)
    np.testing.assert_array_equal(replace(samples(3), inputs=largest).inputs, largest)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_that_are_none(wrong):
    weights = np.array([1.0, wrong, 2.0])
    with pytest.raises(DataError) as caught:
        replace(samples(3), weights=weights)
    assert str(caught.value) == (
        f"The weight of sample 1 is {wrong}. Expected a finite number of at least 0. "
        "Give each sample a weight, or leave the weights out to count all alike."
    )
