"""Scaling against plain float64 arithmetic and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from downslope.data.scaling import Scaling


@pytest.mark.peers
def test_tables_agree_with_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    inputs = np.random.default_rng(0).normal([0, 1e3, -5], [1, 1e-2, 40], (999, 3))
    inputs = inputs.astype(np.float32)
    scaling = Scaling.learn(inputs)
    reference = preprocessing.StandardScaler().fit(inputs.astype(np.float64))
    np.testing.assert_allclose(scaling.mean, reference.mean_, rtol=1e-7)
    np.testing.assert_allclose(scaling.std, reference.scale_, rtol=1e-6)
    expected = reference.transform(inputs.astype(np.float64))
    np.testing.assert_allclose(scaling.apply(inputs), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("per", "axes", "shape"),
    [("feature", (0,), (4, 5, 3)), ("channel", (0, 1, 2), (3,)), ("all", (0, 1, 2, 3), ())],
)
def test_each_kind_of_scaling(per, axes, shape):
    inputs = np.random.default_rng(1).integers(0, 256, (300, 4, 5, 3), dtype=np.uint8)
    scaling = Scaling.learn(inputs, per)
    assert scaling.mean.shape == scaling.std.shape == shape
    assert scaling.mean.dtype == scaling.std.dtype == np.float64
    exact = inputs.astype(np.float64)
    np.testing.assert_allclose(scaling.mean, exact.mean(axis=axes), rtol=1e-7)
    np.testing.assert_allclose(scaling.std, exact.std(axis=axes), rtol=1e-7)
    assert scaling.apply(inputs).dtype == np.float32


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 30), st.integers(1, 4)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_scaled_columns_have_mean_0_and_deviation_1_or_0(inputs):
    scaling = Scaling.learn(inputs)
    exact = (inputs.astype(np.float64) - scaling.mean) / scaling.std
    constant = scaling.std == 1
    np.testing.assert_allclose(exact.std(axis=0)[~constant], 1, rtol=1e-5)
    assert np.isfinite(scaling.apply(inputs)).all()


def test_several_pieces_give_the_same_as_one():
    inputs = np.random.default_rng(2).normal(1e4, 1, (9, 500_000)).astype(np.float32)
    scaling = Scaling.learn(inputs, "all")
    np.testing.assert_allclose(scaling.std, inputs.std(dtype=np.float64), rtol=1e-7)


def test_constant_columns_are_only_shifted():
    inputs = np.full((1000, 3), [0.1, 0.0, 1e9], np.float32)
    scaling = Scaling.learn(inputs)
    np.testing.assert_array_equal(scaling.std, 1)
    np.testing.assert_array_equal(scaling.apply(inputs), 0)


def test_small_units_are_not_taken_for_constant():
    inputs = np.array([[1e-9], [2e-9], [3e-9]], np.float32)
    assert Scaling.learn(inputs).apply(inputs).ravel() == pytest.approx(
        [-1.2247, 0, 1.2247], 1e-3, 1e-6
    )
