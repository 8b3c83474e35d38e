"""The interval of a difference is Welch's, widened by the chance of the samples."""

import numpy as np
import pytest
from scipy import stats

from downslope.insight.significance import difference, squared_error_of_mean


def test_over_seeds_alone_it_is_welchs_interval():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 0.1, 5), rng.normal(1.2, 0.4, 8)
    same = np.ones(7)  # every sample the same: only seeds vary
    found = difference(first[:, None] * same, second[:, None] * same)
    expected = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert found.mean == pytest.approx(second.mean() - first.mean())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_over_samples_alone_it_is_the_paired_interval():
    rng = np.random.default_rng(1)
    first = rng.exponential(1, 40)
    second = first + rng.normal(0.1, 0.3, 40)
    found = difference(np.tile(first, (3, 1)), np.tile(second, (3, 1)))
    expected = stats.ttest_rel(second, first).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_both_chances_add_up():
    rng = np.random.default_rng(2)
    first, second = rng.normal(0, 1, (4, 30)), rng.normal(0.5, 1, (6, 30))
    weights = rng.uniform(0.2, 3, 30)
    found = difference(first, second, weights, pairs=3)
    fractions = weights / weights.sum()
    means = first @ fractions, second @ fractions
    apart = second.mean(0) - first.mean(0)
    of_samples = (fractions**2 * (apart - apart @ fractions) ** 2).sum() * 30 / 29
    parts = [means[0].var(ddof=1) / 4, means[1].var(ddof=1) / 6, of_samples]
    freedom = sum(parts) ** 2 / sum(
        part**2 / own for part, own in zip(parts, (3, 5, 29), strict=True)
    )
    far = stats.t.ppf(1 - 0.05 / 6, freedom) * np.sqrt(sum(parts))
    mean = means[1].mean() - means[0].mean()
    assert (found.low, found.high) == pytest.approx((mean - far, mean + far), rel=1e-6)


def test_where_nothing_is_there_it_is_seldom_told():
    rng = np.random.default_rng(3)
    told = 0
    for _ in range(1000):  # every seed and every sample has its own fraction of luck
        samples = rng.normal(0, 1, (2, 25))
        ways = [rng.normal(0, 0.3, (4, 1)) + own + rng.normal(0, 0.3, (4, 25)) for own in samples]
        told += difference(*ways).is_told
    assert 10 <= told <= 60  # of 50


def test_one_training_tells_nothing():
    found = difference(np.ones((1, 9)), np.zeros((5, 9)))
    assert (found.mean, found.low, found.high) == (pytest.approx(-1), -np.inf, np.inf)
    assert not found.is_told


def test_what_never_varies_is_told_as_it_is():
    found = difference(np.ones((3, 9)), np.zeros((5, 9)))
    assert (found.low, found.high, found.is_told) == (pytest.approx(-1), pytest.approx(-1), True)
    assert not difference(np.ones((3, 9)), np.ones((3, 9))).is_told


def test_error_of_a_mean():
    values = np.random.default_rng(4).normal(0, 2, 50)
    assert squared_error_of_mean(values) == pytest.approx(values.var(ddof=1) / 50)
    fractions = np.repeat([0.01, 0.03], 25)
    assert squared_error_of_mean(values, fractions) == pytest.approx(
        (fractions**2 * (values - fractions @ values) ** 2).sum() * 50 / 49
    )
