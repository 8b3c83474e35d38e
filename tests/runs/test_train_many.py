"""Each member of many trainings is what training it alone gives."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from downslope.runs import train_many
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 6 tanh, dense 3")
DATA = by_hand.classes_data()
EVERY_EPOCH = ds.Record(every=1)


def fit(network=NETWORK, data=DATA, **settings) -> ds.SideBySide:
    settings = {"batch_size": 16, "epochs": 3, "record": EVERY_EPOCH, **settings}
    return ds.train_side_by_side(network, data, options=PLAIN, **settings)


def alone(network, data, learning_rate, seed, **settings) -> ds.Run:
    settings = {"batch_size": 16, "epochs": 3, "record": EVERY_EPOCH, **settings}
    return ds.train(
        network, data, options=PLAIN, learning_rate=learning_rate, seed=seed, **settings
    )


def assert_members_are(found, network=NETWORK, data=DATA, members=None, **settings):
    for index in range(len(found)) if members is None else members:
        rate, seed = float(found.learning_rates[index]), int(found.seeds[index])
        run = alone(network, data, rate, seed, **settings)
        by_hand.assert_same_parameters(
            found.parameters_of(index), run.parameters, rtol=2e-4, atol=2e-5
        )
        trace = found.traces[index]
        for mine, yours in ((trace.steps, run.trace.steps), (trace.epochs, run.trace.epochs)):
            assert mine.keys() == yours.keys()
            for name in mine:
                np.testing.assert_allclose(mine[name], yours[name], rtol=1e-3, atol=1e-5)
        assert found.outcomes[index].reason == run.outcome.reason
        assert found.outcomes[index].step == run.outcome.step
        assert found.outcomes[index].kept_step == run.outcome.kept_step


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_rate_is_as_trained_alone(optimizer):
    rates = np.geomspace(1e-3, 0.3, 5)
    found = fit(learning_rates=rates, optimizer=optimizer, seeds=3)
    np.testing.assert_array_equal(found.learning_rates, rates)
    assert found.seeds.tolist() == [3] * 5
    assert_members_are(found, optimizer=optimizer)
    for index, trace in enumerate(found.traces):
        assert found.train_loss[index] == trace.train_loss[-1]
        assert found.validation_loss[index] == trace.validation_loss[-1]


def test_each_seed_is_as_trained_alone():
    network = parse("dense 6 relu, dropout 0.3, dense 3")
    found = fit(network, seeds=[4, 1, 7], learning_rates=0.1, schedule="cosine")
    assert found.seeds.tolist() == [4, 1, 7]
    assert_members_are(found, network, schedule="cosine")


def test_every_task_trains_side_by_side():
    numbers, crowd = by_hand.numbers_data(), by_hand.crowd_data()
    network = parse("dense 5 tanh, dense 2")
    found = fit(network, numbers, learning_rates=[0.01, 0.1])
    assert_members_are(found, network, numbers)
    network = parse("conv 4 3 relu, max_pool 4, conv 1 1")
    settings = {"batch_size": 4, "augment": ds.Augment(flip=True), "epochs": 2}
    found = fit(network, crowd, learning_rates=[0.01, 0.1], seeds=[0, 1], **settings)
    assert_members_are(found, network, crowd, **settings)


def test_groups_of_any_size_and_a_last_one_that_is_short(monkeypatch):
    monkeypatch.setattr(train_many, "usable_cores", lambda: 2)
    monkeypatch.setattr(train_many, "MEMBERS_AT_ONCE", 2)
    rates = np.geomspace(0.01, 0.3, 7)
    found = fit(learning_rates=rates)
    np.testing.assert_array_equal(found.learning_rates, rates)
    assert_members_are(found, members=(0, 3, 6))


def test_one_that_diverges_keeps_its_last_finite_weights_and_the_others_go_on():
    found = fit(learning_rates=[0.1, 1e38, 0.2], epochs=4)
    assert [one.reason for one in found.outcomes] == ["epochs", "non_finite", "epochs"]
    assert found.outcomes[1].step < found.outcomes[0].step == 16
    for leaf in jax.tree.leaves(found.parameters):
        assert np.isfinite(leaf).all()
    assert_members_are(found, epochs=4)
    # its losses are those of the weights that it kept
    run = alone(NETWORK, DATA, 1e38, 0, epochs=4)
    for loss, part in (
        (found.train_loss[1], DATA.train),
        (found.validation_loss[1], DATA.validation),
    ):
        kept = run.measure(part)["loss"]
        overflows = kept * len(part) > float(np.finfo(np.float32).max)  # as a sum of 32 bits
        assert loss == (np.inf if overflows else pytest.approx(kept, rel=1e-4))


def test_each_stops_by_itself_and_keeps_its_best_weights():
    stop = ds.Stop(patience=2)
    settings = {"epochs": 30, "stop": stop, "batch_size": 16}
    found = fit(learning_rates=[0.003, 0.5, 2.0], **settings)
    steps = [one.step for one in found.outcomes]
    assert len(set(steps)) > 1
    assert_members_are(found, **settings)
    for index, ended in enumerate(found.outcomes):
        if ended.reason == "no_improvement":
            best = found.traces[index].validation_loss.min()
            assert found.validation_loss[index] == pytest.approx(best, rel=1e-4)
    reached = fit(learning_rates=[0.003, 0.5], epochs=30, stop=ds.Stop(target_loss=0.7))
    assert [one.reason for one in reached.outcomes] == ["epochs", "target"]


def test_the_same_arguments_give_the_same_bits():
    one, other = (fit(learning_rates=[0.1, 0.2], seeds=[0, 1]) for _ in range(2))
    by_hand.assert_same_parameters(one.parameters, other.parameters)
    for mine, yours in zip(one.traces, other.traces, strict=True):
        by_hand.assert_same_trace(mine, yours)


def test_rates_and_seeds_have_to_pair():
    with pytest.raises(ds.SettingError) as raised:
        fit(learning_rates=[0.1, 0.2, 0.3], seeds=[0, 1])
    assert str(raised.value) == (
        "There are 3 learning rates and 2 seeds. Expected as many of both, or one of either for "
        "all. Repeat the rates for each seed to train every pair."
    )
    with pytest.raises(ds.SettingError, match="There are 0 learning rates and 1 seeds"):
        fit(learning_rates=[])
    with pytest.raises(ds.SettingError, match="The learning rate is -1"):
        fit(learning_rates=[0.1, -1.0])


def test_progress_is_told_up_to_the_last_step():
    told = []
    fit(learning_rates=[0.1, 0.2], on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (12, 12)
    assert told == sorted(told)
