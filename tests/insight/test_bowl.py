"""The bowl of Figure 4: exact, lowest at (4, 3), and what each rate does on it."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight import bowl
from downslope.insight.bowl import INPUTS, LARGEST_RATE, LOWEST, TARGETS, gradient_at, loss_at


def test_the_mean_square_error_of_the_samples_is_the_bowl_exactly():
    for w in np.random.default_rng(0).integers(-20, 20, (50, 2)) / 4:
        errors = INPUTS.astype(np.float64) @ w - TARGETS[:, 0]
        assert (errors**2).mean() == loss_at(*w)
        assert tuple(2 * INPUTS.T.astype(np.float64) @ errors / len(INPUTS)) == gradient_at(*w)
        assert loss_at(*w) > 0 or tuple(w) == LOWEST
    assert (LOWEST, float(loss_at(4, 3))) == ((4, 3), 0)


@pytest.mark.parametrize("rate", [0.05, 0.6, 1.02])
def test_every_weight_on_the_way_is_that_of_the_closed_form(rate):
    start, steps = np.array([0.5, -1.5]), np.arange(16)[:, None]
    (one,) = bowl(rates=np.array([rate])).descents
    closed = LOWEST + (start - LOWEST) * (1 - rate * np.array([2, 1])) ** steps
    np.testing.assert_allclose(one.weights, closed, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(one.losses, loss_at(*closed.T), rtol=1e-4, atol=1e-9)


def test_small_good_and_too_large():
    found = bowl()
    small, good, large = found.descents
    assert found.gradient == (-7, -4.5)
    assert (np.diff(small.losses) < 0).all() and small.distance > 1
    assert good.distance < 1e-4
    assert large.overshoots == ("w1",) and large.diverges == ("w1",)
    assert (np.diff(large.losses[2:]) > 0).all()
    assert [one.summary for one in found.descents] == [
        "still 2.2 away",
        "arrives",
        "overshoots: w1 jumps across, farther away after each step",
    ]
    assert found.summary == (
        "The loss is lowest at (4, 3). From (0.5, \N{MINUS SIGN}1.5), where it is 22.38, the "
        "gradient (\N{MINUS SIGN}7, \N{MINUS SIGN}4.5) points uphill, and each step goes the "
        "other way. A step at the rate r multiplies the distance of w1 from 4 by 1 "
        "\N{MINUS SIGN} 2r and that of w2 from 3 by 1 \N{MINUS SIGN} r: at a rate above 1, w1 "
        "jumps across and ends farther away."
    )


def test_at_the_lowest_point_nothing_is_uphill():
    found = bowl(start=(4, 3))
    assert found.summary == (
        "The loss is lowest at (4, 3). This is where the descents begin: the gradient there is "
        "(0, 0), no direction leads down, and no step moves."
    )
    assert {one.summary for one in found.descents} == {"stays: it begins at the lowest point"}


def test_each_weight_has_its_own_factor():
    assert [one.summary for one in bowl(start=(4, -1.5), rates=[1.02, 2.02]).descents] == [
        "arrives",
        "overshoots: w2 jumps across, farther away after each step",
    ]
    assert [one.summary for one in bowl(start=(-2, 3), rates=[0.98, 1.02], steps=300).descents] == [
        "arrives",
        "overshoots: w1 jumps across, farther away after each step",
    ]
    (one,) = bowl(start=(4, -1.5), rates=[1.98], steps=300).descents  # rounding moves w1
    assert one.summary.startswith("overshoots, farther away than it began")


def test_near_is_no_arrival():
    assert bowl(start=(4.001, 3), rates=[1e-3], steps=1).descents[0].summary == "still 0.001 away"
    assert bowl(start=(4.001, 3), rates=[0.5], steps=3).descents[0].summary == "arrives"


def test_the_largest_rate_divides_what_arrives_from_what_must_overshoot():
    below, above = bowl(rates=[LARGEST_RATE - 0.02, LARGEST_RATE + 0.02], steps=100).descents
    assert below.losses[-1] < 0.05 * below.losses[0] < above.losses[-1]
    assert below.summary.endswith(", w1 jumping across at each step")


def test_a_rate_that_leaves_float32_ends_in_numbers():
    for steps in (1, 2, 3, 30):
        (one,) = bowl(rates=[1e30], steps=steps).descents
        assert one.summary.startswith("overshoots")


def test_messages():
    with pytest.raises(ds.SettingError) as caught:
        bowl(start=(1.0,))
    assert str(caught.value) == (
        "There are 3 learning rates, and the start is (1.0,). Expected at least one rate, and two "
        "finite numbers to start from. Leave them out for those of the article's figure."
    )
    with pytest.raises(ds.SettingError, match="The learning rate is -1"):
        bowl(rates=[0.1, -1])
    with pytest.raises(ds.SettingError, match="The number of epochs is 0"):
        bowl(steps=0)
