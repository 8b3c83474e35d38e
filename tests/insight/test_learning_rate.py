"""The search for a learning rate: it repeats, changes nothing, and ends near the best."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.insight import find_rate
from downslope.insight.learning_rate_trials import Question, effort_for, try_rates
from downslope.nn.losses import resolve
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 8 tanh, dense 3")
DATA = by_hand.classes_data(200, 200)
SETTINGS = {"batch_size": 20, "epochs": 8}


@pytest.fixture(scope="module")
def found():
    return find_rate(NETWORK, DATA, options=PLAIN, **SETTINGS)


def test_the_same_answer_again_and_nothing_is_changed(found):
    before = ds.train(NETWORK, DATA, options=PLAIN, learning_rate=found.learning_rate, **SETTINGS)
    state = np.random.get_state()[1].copy()
    again = find_rate(NETWORK, DATA, options=PLAIN, **SETTINGS)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert (again.learning_rate, again.good) == (found.learning_rate, found.good)
    assert (again.overshoots, again.too_slow) == (found.overshoots, found.too_slow)
    assert again.curvature.eigenvalue == found.curvature.eigenvalue
    for one, other in (
        (again.first_look, found.first_look),
        (again.second_look, found.second_look),
    ):
        for name in ("rates", "seeds", "validation_loss", "train_loss", "rose"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for one, other in zip(again.proof, found.proof, strict=True):
        np.testing.assert_array_equal(one.batch_loss, other.batch_loss)
    after = ds.train(NETWORK, DATA, options=PLAIN, learning_rate=found.learning_rate, **SETTINGS)
    by_hand.assert_same_parameters(before.parameters, after.parameters)
    by_hand.assert_same_trace(before.trace, after.trace)


def test_the_recommended_rate_ends_near_the_best_of_a_grid(found):
    rates, seeds = np.geomspace(1e-3, 30, 25), 100 + np.arange(6)

    def final(rates) -> np.ndarray:
        trained = ds.train_side_by_side(
            NETWORK,
            DATA,
            options=PLAIN,
            learning_rates=np.repeat(rates, len(seeds)),
            seeds=np.tile(seeds, len(rates)),
            **SETTINGS,
        )
        return trained.validation_loss.reshape(len(rates), -1).mean(axis=1)

    assert final(np.array([found.learning_rate]))[0] <= 1.1 * final(rates).min()
    assert found.good[0] < found.learning_rate < found.good[1] < found.overshoots
    assert found.too_slow < found.good[0]


def test_what_it_says(found):
    low, high = found.good
    assert found.summary == (
        f"A good learning rate is {found.learning_rate:g}: with {low:.2g} to {high:.2g}, training "
        "ends within 10 % of the lowest validation loss. "
        f"It overshoots above {found.overshoots:.2g}. It is too slow below {found.too_slow:.2g}."
    )
    assert found.how == (
        f"Tried: 24 rates for 30 steps, then {len(found.second_look.rates)} rates with 8 seeds for "
        "80 steps, the whole length of the training."
    )
    bend = found.curvature
    assert found.about_curvature == (
        "Largest curvature of the training loss at the initial weights (the Hessian's largest "
        f"eigenvalue): {bend.eigenvalue:.3g}. Full-batch gradient descent diverges above a rate of "
        f"2 / {bend.eigenvalue:.3g} = {bend.highest_rate:.3g}."
    )
    assert (
        found.settings.learning_rate == found.learning_rate == float(f"{found.learning_rate:.3g}")
    )


def test_three_short_trainings_show_it(found):
    small, good, jumps = found.proof
    assert [one.name for one in found.proof] == ["too small", "good", "overshoots"]
    assert small.rate == pytest.approx(found.too_slow / 3)
    assert good.rate == found.learning_rate
    assert jumps.rate == pytest.approx(2 * found.overshoots)
    assert len({len(one.batch_loss) for one in found.proof}) == 1
    ends = [one.batch_loss[-8:].mean() for one in found.proof]
    assert ends[1] < ends[0]
    assert not ends[2] <= ends[1]


def test_progress_rises_to_its_end():
    told = []
    find_rate(
        NETWORK,
        DATA,
        options=PLAIN,
        on_progress=lambda done, total: told.append((done, total)),
        **SETTINGS,
    )
    assert told == sorted(told)
    assert told[-1] == (100, 100)
    assert len(told) > 3


def test_momentum_is_told_its_own_border(found):
    settings = replace(found.settings, optimizer=ds.Optimizer("momentum"))
    border = 3.8 / found.curvature.eigenvalue
    said = replace(found, settings=settings).about_curvature
    assert said.endswith(f", full-batch momentum above {border:.3g}.")
    assert replace(found, curvature=None).about_curvature == ""


def question(steps: int, network=NETWORK, data=DATA) -> Question:
    settings = ds.Settings("cross_entropy", batch_size=20, epochs=steps // 10)
    return Question(network, data, resolve("cross_entropy"), settings)


def test_the_effort_is_counted_and_not_timed():
    short = effort_for(question(100), 20.0)
    assert (short.fraction, short.seeds) == (1.0, 8)
    long = question(1_000_000)
    effort = effort_for(long, 20.0)
    assert effort.seeds == 2
    assert effort.fraction < 1
    assert effort.trainings * long.seconds <= max(20.0, long.seconds)
    assert 2 * effort.trainings * long.seconds > max(20.0, long.seconds)


def test_less_than_an_epoch_is_trained_on_some_of_the_samples():
    data = by_hand.classes_data(3000)
    one_epoch = ds.Settings("cross_entropy", batch_size=20, epochs=1)
    asked = Question(NETWORK, data, resolve("cross_entropy"), one_epoch)
    tried = try_rates(asked, np.array([0.01, 0.1]), asked.seeds(1), 1 / 3, np.array([1.1]))
    assert tried.steps == 50
    assert tried.validation_loss.shape == (2, 1)
    assert tried.validation_loss[1, 0] < tried.validation_loss[0, 0]


def test_a_training_that_diverges_counts_as_infinite():
    asked = question(40)
    tried = try_rates(asked, np.array([0.1, 1e38]), asked.seeds(2), 1.0, np.full(2, 1.1))
    assert np.isfinite(tried.validation_loss[0]).all()
    assert np.isinf(tried.validation_loss[1]).all()
    assert tried.rose.tolist() == [[False, False], [True, True]]


def test_the_seeds_are_its_own_and_those_that_follow():
    asked = question(40)
    assert asked.seeds(3).tolist() == [0, 1, 2]
    last = ds.Settings("cross_entropy", seed=2**32 - 1)
    assert Question(NETWORK, DATA, resolve("cross_entropy"), last).seeds(2).tolist() == [
        2**32 - 1,
        0,
    ]


def test_the_borders_are_checked_as_for_a_training():
    with pytest.raises(ds.SettingError, match="There is no optimizer called 'sdg'"):
        find_rate(NETWORK, DATA, options=PLAIN, optimizer="sdg")
    with pytest.raises(ds.NetworkError, match="The network's last layer gives outputs"):
        find_rate(parse("dense 2"), DATA, options=PLAIN)
    with pytest.raises(ds.SettingError) as raised:
        find_rate(NETWORK, DATA, options=PLAIN, seconds=0)
    assert str(raised.value) == (
        "The search may take 0 seconds. Expected a number above 0. 20 are usual."
    )


def test_training_names_the_search_where_it_is_told_auto():
    with pytest.raises(ds.SettingError) as raised:
        ds.train(NETWORK, DATA, options=PLAIN, learning_rate="auto")
    assert str(raised.value) == (
        'The learning rate is "auto", which only downslope train takes. Expected a number above 0. '
        "Find one with: downslope rate DATA; in Python with downslope.insight.find_rate, which "
        "takes the same arguments."
    )


def test_everything_it_leaves_is_plain(found):
    assert all(
        isinstance(value, float) for value in (found.learning_rate, *found.good, found.start_loss)
    )
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(found.curvature.direction))
