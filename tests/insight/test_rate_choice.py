"""What is chosen from final losses that are made by hand."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight.learning_rate_choice import best_of, choose, drift, merged
from downslope.insight.learning_rate_trials import RATIO, Round

RATES = 0.1 * RATIO ** np.arange(-8, 4.0)


def made(losses, rates=RATES, train=None, rose=None, seeds=8, fraction=1.0, noise=0.0) -> Round:
    draw = np.random.default_rng(0)
    losses = np.repeat(np.asarray(losses, float)[:, None], seeds, axis=1)
    losses = losses * np.exp(noise * draw.normal(size=losses.shape))
    train = losses if train is None else np.repeat(np.asarray(train)[:, None], seeds, axis=1)
    rose = np.zeros(losses.shape, bool) if rose is None else np.repeat(rose[:, None], seeds, axis=1)
    return Round(rates, np.arange(seeds), fraction, int(800 * fraction), 2.0, losses, train, rose)


def bowl(best, width=1.0) -> np.ndarray:
    return 0.1 * np.exp((np.log(RATES / best) / width) ** 2)


def test_the_lowest_of_a_bowl_is_found_between_the_rates():
    for best in (0.031, 0.06, 0.11):
        found = choose(made(bowl(best)))
        assert found.rate == pytest.approx(best, rel=0.02)
        # within a tenth of the lowest: (log r/best)^2 <= log 1.1, a little less for the averaging
        reach = np.exp(np.sqrt(np.log(1.1)))
        assert found.good[0] == pytest.approx(best / reach, rel=0.1)
        assert found.good[1] == pytest.approx(best * reach, rel=0.1)
        assert found.good[0] < found.rate < found.good[1]


def test_noise_moves_it_little():
    found = choose(made(bowl(0.06), noise=0.3))
    assert 0.06 / 1.35 < found.rate < 0.06 * 1.35


def test_one_lucky_training_decides_nothing():
    losses = bowl(0.06)
    tried = made(losses)
    lucky = tried.validation_loss.copy()
    lucky[0, 0] = 1e-3
    spoiled = Round(*(lucky if value is tried.validation_loss else value
                      for value in vars(tried).values()))  # fmt: skip
    assert choose(spoiled).rate == pytest.approx(choose(tried).rate, rel=0.05)


def test_beside_a_cliff_it_keeps_away_from_the_edge():
    losses = 0.1 / np.sqrt(RATES)  # the larger the better,
    losses[-4:] = np.inf  # up to where it diverges
    found = choose(made(losses))
    assert RATES[4] < found.rate <= RATES[7]
    assert found.good[1] < RATES[8]


def test_a_rate_whose_loss_rises_first_is_not_recommended_even_where_it_ends_well():
    losses, rose = bowl(0.11), RATES > 0.07
    found = choose(made(losses, rose=rose))
    assert found.rate < 0.08
    everywhere = choose(made(losses, rose=np.ones(len(RATES), bool)))
    assert everywhere.rate == pytest.approx(0.11, rel=0.02)  # then nothing else is left


def test_borders_are_those_of_the_training_loss():
    validation = bowl(0.03)
    train = np.where(RATES > 0.15, 1.0, 0.05)
    train[:2] = 1.5
    near = made(validation, train=train)
    wide = made(np.full(len(RATES), 1.0), fraction=1 / 8)
    found = choose(near)
    assert found.overshoots(near, wide) == RATES[RATES > 0.15][0]
    assert found.too_slow(near, wide) == RATES[1]


def test_borders_that_the_second_look_does_not_reach_are_those_of_the_first():
    near = made(bowl(0.05), train=np.full(len(RATES), 0.05))
    rates = np.geomspace(1e-5, 1e2, 24)
    train = np.where((rates < 1e-3) | (rates > 1), 1.9, 0.1)
    wide = made(train, rates=rates, rose=rates > 1, fraction=1 / 8, seeds=1)
    found = choose(near)
    assert found.overshoots(near, wide) == rates[rates > 1][0]
    # a training eight times as long is too slow at rates eight times smaller
    assert found.too_slow(near, wide) == pytest.approx(rates[rates < 1e-3][-1] / 8)


def test_no_border_where_none_was_tried():
    near = made(bowl(0.05), train=np.full(len(RATES), 0.05))
    assert choose(near).overshoots(near, near) is None
    assert choose(near).too_slow(near, near) is None


def test_rounds_join_in_the_order_of_their_rates():
    one = made(bowl(0.01)[6:], rates=RATES[6:])
    other = made(bowl(0.01)[:6], rates=RATES[:6])
    both = merged(one, other)
    np.testing.assert_array_equal(both.rates, RATES)
    np.testing.assert_array_equal(both.validation_loss[:, 0], bowl(0.01))


def test_the_first_look_needs_one_finite_loss():
    losses = np.full(len(RATES), np.inf)
    losses[3] = 0.5
    assert best_of(made(losses, seeds=1)) == RATES[3]
    with pytest.raises(ds.DataError) as raised:
        best_of(made(np.full(len(RATES), np.inf), seeds=1))
    assert str(raised.value) == (
        "The loss is finite at none of the learning rates that were tried. Expected a loss that "
        "training can make smaller. Look for missing or huge values in the data."
    )


def test_a_loss_below_zero_has_a_best_rate_as_well():
    losses = bowl(0.06) - 5
    assert choose(made(losses)).rate == pytest.approx(0.06, rel=0.3)


def test_what_two_lengths_show_is_carried_on_to_the_third():
    assert drift(0.4, 0.1, fraction=1 / 16, left=1 / 16) == pytest.approx(16**-0.35)  # at most
    assert drift(0.2, 0.1, fraction=1 / 16, left=1 / 16) == pytest.approx(0.5)
    assert drift(0.1, 0.2, fraction=1 / 16, left=1 / 16) == 1.0  # never up
