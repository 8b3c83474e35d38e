"""The campaign at a small size: two of its cases, fewer seeds; and the other libraries' rules."""

import numpy as np
import pytest

from tests.campaigns.learning_rate import WITHIN, measure
from tests.campaigns.range_test import (
    RULES,
    Curve,
    averaged,
    fastai_steep,
    fastai_valley,
    lightning,
)
from tests.campaigns.rate_cases import CASES


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.parametrize("name", ["xor, nesterov, steps, batch 64", "waves, rmsprop"])
def test_the_recommendation_ends_within_a_tenth_of_the_best_of_a_grid(name):
    (case,) = (one for one in CASES if one.name == name)
    found = measure(case, first=1000 + np.arange(3), then=2000 + np.arange(8), best=3)
    assert found["same again"]
    assert found["ratios"]["Downslope"] <= WITHIN
    assert set(found["rates"]) == {"Downslope", *RULES}
    assert all(rate is None or 1e-7 <= rate <= 10 for rate in found["rates"].values())


def curve(losses) -> Curve:
    return Curve(np.geomspace(1e-7, 10, 100)[: len(losses)], np.array(losses, float))


def test_the_steepest_fall_is_found_where_it_is():
    losses = np.concatenate([np.full(40, 2.0), np.linspace(2, 1.5, 20), np.linspace(1.5, 0.5, 5),
                             np.full(25, 0.5), np.linspace(0.5, 4, 10)])  # fmt: skip
    found = curve(losses)
    for rule in (lightning, fastai_steep):
        index = int(np.argmin(np.abs(found.rates - rule(found))))
        assert 59 <= index <= 65


def test_the_valley_is_in_the_longest_fall():
    found = curve(np.concatenate([np.full(40, 2.0), np.linspace(1.99, 1, 45), np.full(15, 3.0)]))
    index = int(np.argmin(np.abs(found.rates - fastai_valley(found))))
    assert 55 <= index <= 65  # half of the way from its start to its end


def test_a_curve_ends_where_it_explodes():
    found = averaged(np.geomspace(1e-7, 10, 100), np.concatenate([np.ones(50), np.full(50, 1e9)]))
    assert len(found.losses) == 50
    np.testing.assert_allclose(found.losses, 1)
    assert all(rule(curve([1.0, 2.0])) is None for rule in RULES.values())
