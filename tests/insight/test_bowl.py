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
    assert large.overshoots and (np.diff(large.losses[2:]) > 0).all()
    assert [one.verdict for one in found.descents] == [
        "still 2.2 away",
        "arrives",
        "overshoots, each step jumping across the bowl and further up",
    ]


def test_the_largest_rate_divides_what_arrives_from_what_must_overshoot():
    below, above = bowl(rates=[LARGEST_RATE - 0.02, LARGEST_RATE + 0.02], steps=100).descents
    assert below.losses[-1] < 0.05 * below.losses[0] < above.losses[-1]
    assert below.verdict.endswith(", jumping across the bowl at each step")


def test_a_rate_that_leaves_float32_ends_in_numbers():
    (one,) = bowl(rates=[1e30], steps=3).descents
    assert one.verdict.startswith("overshoots")


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
