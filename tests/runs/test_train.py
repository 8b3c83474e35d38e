"""A training is a pure function of its arguments, and does what its arithmetic says."""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.engine.batches import BatchPlan
from downslope.nn.notation import parse
from downslope.runs import training
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 6 tanh, dense 3")
DATA = by_hand.classes_data()
EVERY_EPOCH = ds.Record(every=1)


def fit(network=NETWORK, data=DATA, **settings) -> ds.Run:
    settings = {"batch_size": 16, "epochs": 3, "record": EVERY_EPOCH, **settings}
    return ds.train(network, data, options=PLAIN, **settings)


def test_the_same_seed_gives_the_same_bits():
    network = parse("dense 6 tanh, dropout 0.3, dense 3")
    one, other = (fit(network, optimizer="adam", seed=5) for _ in range(2))
    by_hand.assert_same_parameters(one.parameters, other.parameters)
    by_hand.assert_same_trace(one.trace, other.trace)
    assert one.outcome == other.outcome


def test_another_seed_gives_other_weights():
    one, other = fit(seed=0), fit(seed=1)
    for mine, yours in zip(one.parameters, other.parameters, strict=True):
        assert (np.asarray(mine["weights"]) != np.asarray(yours["weights"])).all()


@pytest.mark.parametrize("stop", [ds.Stop(), ds.Stop(patience=3)])
def test_where_chunks_end_changes_nothing(monkeypatch, stop):
    network = parse("dense 6 tanh, dropout 0.3, dense 3")
    runs, chunks = [], []
    for seconds in (0.0, 1e9):
        monkeypatch.setattr(training, "CHUNK_SECONDS", seconds)
        ends = []
        runs.append(
            fit(
                network,
                optimizer="momentum",
                schedule="one-cycle",
                epochs=12,
                stop=stop,
                on_chunk=lambda progress, ends=ends: ends.append(progress.step),
            )
        )
        chunks.append(ends)
    assert chunks[0] == list(range(1, runs[0].outcome.step + 1))  # one step each
    assert chunks[1][:2] == [1, 9]  # each eight times the one before
    by_hand.assert_same_parameters(runs[0].parameters, runs[1].parameters)
    by_hand.assert_same_trace(runs[0].trace, runs[1].trace)
    assert runs[0].outcome == runs[1].outcome


@pytest.mark.parametrize("weighted", [False, True])
def test_an_epoch_is_gradient_descent_batch_after_batch(weighted):
    data = by_hand.classes_data(weighted=weighted)
    run = fit(data=data, batch_size=16, epochs=1, learning_rate=0.3, seed=2)
    parameters = NETWORK.init((4,), seed=2)
    batches = BatchPlan(50, 16, 1, seed=2).epoch_batches(0)
    assert (batches[-1] >= 0).sum() == 2  # the last batch is short
    losses = []
    for batch in batches:
        chosen = data.train.take(batch[batch >= 0])
        inputs = data.scaling.apply(chosen.inputs)
        weights = chosen.weights / data.train.weights.mean() if weighted else None
        loss, parameters = by_hand.descend(
            NETWORK, parameters, inputs, chosen.targets, 0.3, weights
        )
        losses.append(loss)
    np.testing.assert_allclose(run.trace.batch_loss, losses, rtol=1e-5)
    by_hand.assert_same_parameters(run.parameters, parameters, rtol=1e-4, atol=1e-6)


def test_losses_of_both_parts_are_measured_at_the_same_weights():
    for epochs in (1, 2, 3):
        run = fit(epochs=epochs)
        for part, samples in (("train", DATA.train), ("validation", DATA.validation)):
            inputs = DATA.scaling.apply(samples.inputs)
            logits, _ = by_hand.forward(NETWORK, run.parameters, inputs)
            loss = by_hand.cross_entropies(logits, samples.targets).mean()
            hits = (logits.argmax(axis=1) == samples.targets).mean()
            assert run.trace.epochs[f"{part}_loss"][-1] == pytest.approx(loss, rel=1e-5)
            assert run.trace.epochs[f"{part}_accuracy"][-1] == pytest.approx(hits, abs=1e-6)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_losses_of_numbers_are_told_in_their_own_units_or_of_several_in_deviations(loss, outputs):
    data = by_hand.numbers_data()
    parts = {part: getattr(data, part) for part in ("train", "validation", "test")}
    data = dataclasses.replace(data, **{
        part: dataclasses.replace(own, targets=own.targets[:, :outputs])
        for part, own in parts.items()
    })  # fmt: skip
    network = parse(f"dense 5 tanh, dense {outputs}")
    rate = 0.1 if loss != "huber" else 0.02
    run = fit(network, data, loss=loss, learning_rate=rate, epochs=2, batch_size="full")
    predictions, targets = run.predict(data.validation.inputs), data.validation.targets
    miss = np.abs(predictions.astype(np.float64) - targets)
    scaled = miss
    if outputs > 1:
        scaled = miss / data.train.targets.std(axis=0, dtype=np.float64)
    near = np.minimum(scaled, 1)
    values = {
        "squared_error": scaled**2,
        "absolute_error": scaled,
        "huber": near * (scaled - near / 2),
    }[loss]
    assert run.trace.validation_loss[-1] == pytest.approx(values.mean(), rel=1e-4)
    assert run.trace.epochs["validation_mae"][-1] == pytest.approx(miss.mean(), rel=1e-4)
    rmse = np.sqrt((miss**2).mean())
    assert run.trace.epochs["validation_rmse"][-1] == pytest.approx(rmse, rel=1e-4)
    # the second step's batch is the whole training part, at the weights behind the first epoch
    assert run.trace.batch_loss[1] == pytest.approx(run.trace.train_loss[0], rel=1e-4)


def test_at_most_the_recorded_samples_are_measured():
    few = fit(epochs=1, record=ds.Record(samples=7, every=1))
    assert few.trace.epochs["validation_accuracy"][0] * 7 % 1 == pytest.approx(0, abs=1e-5)
    everything = fit(epochs=1)
    by_hand.assert_same_parameters(few.parameters, everything.parameters)


def test_measuring_seldom_does_not_change_what_is_learnt():
    every, third = fit(epochs=8), fit(epochs=8, record=ds.Record(every=3))
    by_hand.assert_same_parameters(every.parameters, third.parameters)
    assert third.trace.epochs["epoch"].tolist() == [3, 6, 8]  # and the last
    for name, column in third.trace.epochs.items():
        np.testing.assert_array_equal(column, every.trace.epochs[name][[2, 5, 7]])


@pytest.mark.parametrize(("batch_size", "steps"), [("full", 1), (1, 50), (50, 1), (49, 2)])
def test_the_batch_size_decides_how_many_steps_an_epoch_has(batch_size, steps):
    run = fit(batch_size=batch_size, epochs=2, learning_rate=0.01)
    assert run.outcome.step == 2 * steps
    assert run.trace.steps["step"].tolist() == list(range(1, 2 * steps + 1))
    assert run.trace.epochs["step"].tolist() == [steps, 2 * steps]


def test_the_full_batch_is_the_whole_training_part():
    run = fit(batch_size="full", epochs=1, learning_rate=0.5)
    inputs = DATA.scaling.apply(DATA.train.inputs)
    _, parameters = by_hand.descend(NETWORK, NETWORK.init((4,)), inputs, DATA.train.targets, 0.5)
    by_hand.assert_same_parameters(run.parameters, parameters, rtol=1e-4, atol=1e-6)


def test_the_traced_learning_rates_are_those_of_the_schedule():
    run = fit(schedule="one-cycle", learning_rate=0.2, epochs=5)
    rates = ds.Schedule("one-cycle").rates(0.2, 20)
    np.testing.assert_array_equal(run.trace.steps["learning_rate"], rates)


@pytest.mark.peers
def test_class_weights_count_as_in_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    class_weights = (0.5, 3.0, 0.0)
    run = fit(batch_size="full", epochs=1, class_weights=class_weights)
    for samples, loss in (
        (DATA.train, run.trace.batch_loss[0]),
        (DATA.validation, run.trace.validation_loss[0]),
    ):
        parameters = NETWORK.init((4,)) if samples is DATA.train else run.parameters
        logits, _ = by_hand.forward(NETWORK, parameters, DATA.scaling.apply(samples.inputs))
        expected = metrics.log_loss(
            samples.targets,
            by_hand.softmax(logits),
            sample_weight=np.asarray(class_weights)[samples.targets],
        )
        assert loss == pytest.approx(expected, rel=1e-5)


def test_class_weights_multiply_sample_weights():
    data = by_hand.classes_data(weighted=True)
    weights = data.train.weights * np.array([1, 2, 3], np.float32)[data.train.targets]
    heavier = dataclasses.replace(
        data, train=ds.Samples(data.train.inputs, data.train.targets, weights)
    )
    one, other = fit(data=data, class_weights=(1, 2, 3)), fit(data=heavier)
    by_hand.assert_same_parameters(one.parameters, other.parameters, rtol=1e-5, atol=1e-7)


def test_a_batch_of_samples_that_do_not_count_changes_nothing():
    run = fit(batch_size=1, epochs=1, class_weights=(1.0, 0.0, 1.0))
    assert run.outcome.reason == "epochs"
    assert (run.trace.batch_loss == 0).sum() == (DATA.train.targets == 1).sum()


def test_dropout_is_for_the_steps_alone():
    dropping, plain = parse("dropout 0.5, dense 6 tanh, dense 3"), NETWORK
    run = fit(dropping, epochs=2)
    inputs = DATA.scaling.apply(DATA.validation.inputs)
    logits, _ = by_hand.forward(plain, run.parameters[1:], inputs)
    loss = by_hand.cross_entropies(logits, DATA.validation.targets).mean()
    assert run.trace.validation_loss[-1] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(run.outputs(DATA.validation.inputs), logits, rtol=1e-4, atol=1e-5)
    # the first step already sees other signals than without dropout
    before = fit(dropping, batch_size="full", epochs=1)
    logits, _ = by_hand.forward(
        plain, dropping.init((4,))[1:], DATA.scaling.apply(DATA.train.inputs)
    )
    undropped = by_hand.cross_entropies(logits, DATA.train.targets).mean()
    assert before.trace.batch_loss[0] != pytest.approx(undropped, rel=1e-3)


def test_a_second_training_of_the_same_kind_compiles_nothing(caplog):
    fit(seed=0)
    with jax.log_compiles(), caplog.at_level("WARNING", "jax"):
        fit(seed=1, learning_rate=0.01)
    messages = [record.getMessage() for record in caplog.records]
    assert [one for one in messages if "ompil" in one] == []


def test_progress_tells_how_far_the_training_is(monkeypatch):
    monkeypatch.setattr(training, "CHUNK_SECONDS", 0.0)
    seen = []
    run = fit(on_chunk=seen.append)
    assert [one.step for one in seen] == list(range(1, 13))
    assert [one.epoch for one in seen] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert {(one.steps, one.epochs) for one in seen} == {(12, 3)}
    assert all(one.seconds <= run.seconds.training for one in seen)
    by_hand.assert_same_trace(seen[-1].trace, run.trace)


def test_times_are_told_apart():
    seconds = fit(seed=9).seconds
    assert 0 < seconds.training <= seconds.total
    assert 0 <= seconds.compiling <= seconds.total


def test_photos_are_learnt_with_changes_and_short_batches():
    data = by_hand.crowd_data()
    network = parse("conv 4 3 relu, average_pool 4, conv 1 1")
    run = fit(network, data, optimizer="adam", learning_rate=0.02, epochs=40, batch_size=5,
              augment=ds.Augment(flip=True, crop=0.5))  # fmt: skip
    assert run.outcome.reason == "epochs"
    assert run.trace.train_loss[-1] < 0.7 * run.trace.train_loss[0]
