"""Density maps: the sum is the number of heads, wherever they stand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from downslope.data.density import density_map
from downslope.errors import SettingError


@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(0, 40), st.just(2)),
        elements=st.floats(-50, 300, allow_nan=False),
    ),
    st.sampled_from([1, 2, 4, 8]),
    st.floats(0.05, 20),
)
def test_mass_is_conserved(heads, stride, sigma):
    density = density_map(heads, 64, 96, stride=stride, sigma=sigma)
    assert density.shape == (64 // stride, 96 // stride, 1)
    assert density.dtype == np.float32
    assert density.min() >= 0
    assert density.sum(dtype=np.float64) == pytest.approx(len(heads), abs=1e-6 * len(heads))


@given(st.floats(0, 96), st.floats(0, 64))
def test_each_head_has_its_own_mass_at_the_border_too(x, y):
    alone = density_map(np.array([[x, y]]), 64, 96)
    both = density_map(np.array([[x, y], [48, 32]]), 64, 96)
    assert alone.sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(both - alone, density_map(np.array([[48, 32]]), 64, 96), atol=1e-6)


def test_inside_it_is_the_integral_of_the_gaussian():
    density = density_map(np.array([[48.0, 32.0]]), 64, 96, stride=4, sigma=1.5)[..., 0]
    fine = (np.arange(-400, 400) + 0.5) / 100  # cells of the map, from the head
    gauss = np.exp(-0.5 * (fine / 1.5) ** 2) / (1.5 * np.sqrt(2 * np.pi)) / 100
    per_cell = gauss.reshape(8, 100).sum(axis=1)
    np.testing.assert_allclose(density[4:12, 8:16], np.outer(per_cell, per_cell), atol=1e-6)


def test_x_runs_across_and_y_runs_down():
    density = density_map(np.array([[90.0, 10.0]]), 64, 96, stride=4, sigma=0.1)[..., 0]
    assert np.unravel_index(density.argmax(), density.shape) == (10 // 4, 90 // 4)
    assert density.max() == pytest.approx(1, abs=1e-5)


def test_a_head_outside_is_counted_at_the_border():
    outside = density_map(np.array([[-30.0, 70.0]]), 64, 96)
    np.testing.assert_array_equal(outside, density_map(np.array([[0.0, 64.0]]), 64, 96))


def test_nobody():
    assert density_map(np.zeros((0, 2)), 64, 96).sum() == 0


def test_no_tiny_numbers_that_slow_down_arithmetic():
    density = density_map(np.array([[3.0, 5.0]]), 384, 512, sigma=1.5)
    tiny = np.finfo(np.float32).tiny
    assert not ((density > 0) & (density < tiny)).any()


def test_a_stride_that_does_not_fit():
    with pytest.raises(SettingError) as caught:
        density_map(np.zeros((0, 2)), 64, 90, stride=4)
    assert str(caught.value) == (
        "The picture is 90 by 64 pixels and the stride is 4. "
        "Expected a stride that divides both sides. Use a stride of 1, 2, 4 or 8."
    )


def test_a_sigma_of_nothing():
    with pytest.raises(SettingError) as caught:
        density_map(np.zeros((0, 2)), 64, 96, sigma=0)
    assert str(caught.value) == (
        "Sigma is 0 cells. Expected a number above 0. Use 0.75 to begin with."
    )
