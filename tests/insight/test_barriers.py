"""Distances between solutions, against plain NumPy and SciPy."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist, squareform

from downslope.insight.barriers import (
    classical_map,
    fraction_apart,
    rise,
    root_mean_square,
    total_variation,
    weights_apart,
)


def test_answers_that_differ():
    chosen = np.random.default_rng(0).integers(0, 3, (5, 20))
    np.testing.assert_allclose(fraction_apart(chosen), squareform(pdist(chosen, "hamming")))
    predictions = np.random.default_rng(1).normal(size=(4, 7, 2))
    rows = predictions.reshape(4, -1)
    np.testing.assert_allclose(root_mean_square(predictions), cdist(rows, rows) / np.sqrt(14))
    fractions = np.random.default_rng(2).dirichlet([1, 1, 1], (3, 6))
    apart = total_variation(fractions)
    kept = np.minimum(fractions[0], fractions[2]).sum(-1)  # what two distributions have in common
    assert apart[0, 2] == pytest.approx((1 - kept).mean())
    assert (np.diag(apart) == 0).all()


def test_weights_apart():
    rng = np.random.default_rng(3)
    one, other = ({"w": rng.normal(size=(50, 60))} for _ in range(2))
    assert weights_apart((one,), (one,)) == 0
    assert weights_apart((one,), (other,)) == pytest.approx(2**0.5, rel=0.05)
    assert weights_apart((one,), ({"w": -one["w"]},)) == pytest.approx(2)
    zero = {"w": np.zeros(3)}
    assert weights_apart((zero,), (zero,)) == 0


def test_rise_is_above_the_line_between_the_ends():
    lines = np.array([[1, 1.5, 2], [1, 2.5, 2], [1, 0.2, 2], [0, 0, 0]], float)
    np.testing.assert_allclose(rise(lines), [0, 1, 0, 0])


def test_points_of_a_plane_are_found_again():
    points = np.random.default_rng(4).normal(size=(9, 2))
    indices, fraction = classical_map(squareform(pdist(points)))
    np.testing.assert_allclose(pdist(indices), pdist(points), atol=1e-9)
    assert fraction == pytest.approx(1)


def test_the_map_says_how_much_it_shows():
    distances = 1 - np.eye(5)  # corners of a simplex: four directions alike, of which two are kept
    indices, fraction = classical_map(distances)
    assert fraction == pytest.approx(0.5)
    assert indices.shape == (5, 2)
    indices, fraction = classical_map(np.zeros((2, 2)))
    assert fraction == 1
    assert (indices == 0).all()
