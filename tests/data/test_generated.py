"""Generated sets are what they say, and a pure function of the seed."""

import numpy as np
import pytest

from downslope.data import generated

PLANE = [generated.circles, generated.xor, generated.moons, generated.spirals, generated.blobs]
ALL = [*PLANE, generated.waves]


@pytest.mark.parametrize("make", ALL)
def test_a_pure_function_of_the_seed(make):
    first, again, other = make(seed=0), make(seed=0), make(seed=1)
    np.testing.assert_array_equal(first.samples.inputs, again.samples.inputs)
    np.testing.assert_array_equal(first.samples.targets, again.samples.targets)
    assert not np.array_equal(first.samples.inputs, other.samples.inputs)
    assert first.generated
    assert first.split(0).fingerprint == again.split(0).fingerprint


@pytest.mark.parametrize("make", PLANE)
def test_classes_in_a_plane(make):
    unsplit = make()
    assert 500 <= len(unsplit.samples) <= 1000
    assert unsplit.samples.inputs.shape == (len(unsplit.samples), 2)
    assert unsplit.samples.inputs.dtype == np.float32
    assert unsplit.samples.targets.dtype == np.int32
    sizes = np.bincount(unsplit.samples.targets)
    assert len(sizes) == len(unsplit.class_names)
    assert sizes.min() > 0.8 * sizes.max()
    assert len(make(count=30).samples) == 30


@pytest.mark.parametrize("make", PLANE)
def test_a_good_classifier_gets_there(make):
    """Ask the 7 nearest training samples: what they cannot tell, a network can hardly."""
    dataset = make().split(0)
    distance = np.linalg.norm(dataset.test.inputs[:, None] - dataset.train.inputs, axis=2)
    near = dataset.train.targets[np.argsort(distance, axis=1)[:, :7]]
    votes = np.stack([(near == label).sum(axis=1) for label in range(4)], axis=1)
    assert (votes.argmax(axis=1) == dataset.test.targets).mean() >= 0.95


def test_no_straight_line_divides_circles_xor_and_spirals():
    for make in (generated.circles, generated.xor, generated.spirals):
        samples = make().samples
        design = np.column_stack([samples.inputs, np.ones(len(samples))])
        fit = design @ np.linalg.lstsq(design, samples.targets * 2.0 - 1, rcond=None)[0]
        assert ((fit > 0) == samples.targets).mean() < 0.7


def test_waves_are_three_sines_and_a_little_noise():
    samples = generated.waves().samples
    x, y = samples.inputs.astype(np.float64), samples.targets
    assert y.shape == (800, 1)
    assert y.dtype == np.float32
    rule = np.sin(np.pi * x) + np.sin(3 * np.pi * x + 1) / 2 + np.sin(5 * np.pi * x) / 4
    assert (y - rule).std() == pytest.approx(0.1, abs=0.01)
