"""A finished run once more: every state bit for bit, and what is said where that cannot be."""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from downslope.runs import replay as replaying
from downslope.runs import run_folder
from tests.insight.drawn_steps import every_state
from tests.plain import PLAIN
from tests.runs import by_hand

DATA = by_hand.classes_data()
SETTINGS = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 8, "epochs": 3}


def fit(network="dense 4 tanh, dense 3", data=DATA, **settings) -> ds.Run:
    return ds.train(parse(network), data, options=PLAIN, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def run():
    return fit()


def assert_same_bits(one, other):
    mine, yours = jax.tree.leaves(one), jax.tree.leaves(other)
    for left, right in zip(mine, yours, strict=True):
        np.testing.assert_array_equal(np.asarray(left), np.asarray(right))


def test_every_state_of_photos_with_all_kinds_of_chance_is_as_it_was():
    network = "conv 2 3 relu, dropout 0.3, max_pool 4, residual (conv 2 1, dropout 0.2), conv 1 1"
    with every_state() as states:
        run = fit(network, by_hand.crowd_data(), augment=ds.Augment(flip=True), batch_size=5)
    for step in (9, 1, 4, 5, len(states)):  # in any order
        assert_same_bits(ds.replay(run).state(step), states[step - 1])
    assert_same_bits(ds.replay(run).state(0).parameters, run.network.init((8, 16, 3), seed=0))


def test_a_run_from_disk_is_the_same_again(run, tmp_path):
    data = ds.load("moons")
    first = ds.train(parse("dense 3 tanh, dense 2"), data, options=PLAIN, epochs=2)
    opened = ds.open_run(first.save(tmp_path / "run").folder)
    assert opened.versions == run_folder.versions()
    for step in (0, 7, first.outcome.step):
        assert_same_bits(ds.replay(opened).parameters(step), ds.replay(first).parameters(step))
    assert_same_bits(ds.replay(opened).parameters(first.outcome.step), first.parameters)


def test_weights_that_were_kept_from_earlier_are_found_there():
    run = fit(learning_rate=0.5, epochs=30, stop=ds.Stop(patience=2))
    assert run.outcome.kept_step < run.outcome.step
    assert_same_bits(ds.replay(run).parameters(run.outcome.kept_step), run.parameters)
    ds.replay(run).state(run.outcome.step)  # past them


def test_a_training_that_diverged_is_replayed_up_to_its_last_step():
    network, data = "dense 4 relu, dense 2", by_hand.numbers_data()
    run = fit(network, data, optimizer="sgd", learning_rate=50.0)
    assert run.outcome.reason == "non_finite"
    assert ds.replay(run).has_failed_step
    assert_same_bits(ds.replay(run).parameters(run.outcome.step), run.parameters)


def test_several_steps_are_one_walk(run):
    told = []
    walked = ds.replay(ds.train(run.network, DATA, options=PLAIN, **SETTINGS))
    found = dict(walked.states([9, 3, 3, 0], lambda done, total: told.append((done, total))))
    assert list(found) == [0, 3, 9]
    assert {total for _, total in told} == {9}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    for step, state in found.items():
        assert int(state.step) == step
        assert_same_bits(state, ds.replay(run).state(step))


def test_what_each_step_saw(run):
    replay = ds.replay(run)
    assert replay.steps == 21
    assert [replay.epoch_of(step) for step in (1, 7, 8, 21)] == [1, 1, 2, 3]
    assert replay.rate_of(5) == np.float32(0.01)
    seen = np.concatenate([replay.batch_of(step) for step in range(1, 8)])
    assert sorted(seen[seen >= 0]) == list(range(50))
    batch = replay.batch_of(7)
    assert (batch < 0).sum() == 6  # the last is short
    inputs = np.asarray(replay.seen(7).inputs)[batch >= 0]
    np.testing.assert_allclose(inputs, DATA.scaling.apply(DATA.train.inputs[batch[batch >= 0]]))


def test_states_that_are_kept_are_few(monkeypatch):
    replay = ds.replay(fit(epochs=1))
    monkeypatch.setattr(replaying, "MOST_KEPT", 0)
    for step in (1, 5, 3, 7):
        replay.state(step)
    assert list(replay._kept) == [3, 7]


def test_no_such_step(run):
    for step in (-1, 22):
        with pytest.raises(ds.RunError) as caught:
            ds.replay(run).parameters(step)
        assert str(caught.value) == (
            f"Step {step} was asked for, and the run has 21 steps. Expected a step from 0 to 21. "
            "Choose another step."
        )


def test_a_run_that_went_on_is_refused_also_from_disk(run, tmp_path):
    second = fit(start=run)
    second.save(tmp_path / "run")
    for one in (second, ds.open_run(tmp_path / "run")):
        with pytest.raises(ds.RunError) as caught:
            ds.replay(one).parameters(1)
        assert str(caught.value) == (
            "The run went on from another one, whose weights are not part of it. Expected a run "
            "that began with weights drawn from its seed, or was trained into a folder. Replay a "
            "run that was trained without start, or give train a folder."
        )


def changed_trace(run, step, value):
    losses = run.trace.batch_loss.copy()
    losses[step - 1] = value
    steps = {**run.trace.steps, "batch_loss": losses}
    return dataclasses.replace(run, trace=dataclasses.replace(run.trace, steps=steps))


def test_a_loss_that_is_another_is_told_with_its_step(run):
    other = changed_trace(run, 5, np.float32(0.25))
    ds.replay(other).parameters(4)
    with pytest.raises(ds.RunError) as caught:
        ds.replay(other).parameters(9)
    assert str(caught.value) == (
        f"At step 5 the replayed training has the batch loss {run.trace.batch_loss[4]!s}, and "
        "recorded was 0.25. Expected the same bits as in the training. The versions are the same: "
        "replay it on the machine that trained it, with as many cores and the same native kernel "
        "(downslope --version tells)."
    )


def test_other_versions_are_named_where_the_training_does_not_repeat(run):
    versions = {**run_folder.versions(), "jax": "0.1"}
    other = dataclasses.replace(changed_trace(run, 5, np.float32(0.25)), versions=versions)
    with pytest.raises(ds.RunError) as caught:
        ds.replay(other).parameters(9)
    now = run_folder.versions()["jax"]
    assert str(caught.value).endswith(
        f"Replay it with the versions that trained it (jax 0.1 then, {now} now)."
    )


def test_weights_that_are_others_are_told(run):
    other = dataclasses.replace(run, model=run.model.at(ds.replay(run).parameters(3)))
    with pytest.raises(ds.RunError) as caught:
        ds.replay(other).parameters(21)
    assert str(caught.value).startswith(
        "Behind step 21 the replayed weights are not those that the run kept."
    )


def test_data_that_has_changed_is_told(run):
    gone = dataclasses.replace(
        run, dataset=None, data=dataclasses.replace(run.data, source="moons")
    )
    with pytest.raises(ds.DataError, match="has changed since the training"):
        ds.replay(gone).parameters(1)
