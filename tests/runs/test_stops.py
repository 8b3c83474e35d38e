"""Every way in which a training ends, and what is kept of it."""

import dataclasses
import os
import signal
import threading

import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.engine.batches import BatchPlan
from downslope.nn.notation import parse
from downslope.runs import training
from downslope.runs.train_many import train_side_by_side
from tests.plain import PLAIN
from tests.runs import by_hand

NETWORK = parse("dense 6 tanh, dense 3")
DATA = by_hand.classes_data()


def fit(network=NETWORK, data=DATA, **settings) -> ds.Run:
    settings = {"batch_size": 16, "epochs": 4, "record": ds.Record(every=1), **settings}
    return ds.train(network, data, options=PLAIN, **settings)


def meaningless(seed=0) -> ds.Dataset:
    """Labels that have nothing to do with the inputs: soon only the training loss falls."""
    data = by_hand.classes_data(seed=seed)
    rng = np.random.default_rng(seed)
    parts = {
        name: ds.Samples(part.inputs, rng.permutation(part.targets))
        for name, part in (("train", data.train), ("validation", data.validation))
    }
    return dataclasses.replace(data, **parts)


def test_all_epochs():
    outcome = fit().outcome
    assert outcome.reason == "epochs"
    assert (outcome.step, outcome.kept_step) == (16, 16)


def test_the_target_ends_at_the_first_epoch_that_reaches_it():
    losses = fit(epochs=8).trace.validation_loss
    assert (np.diff(losses) < 0).all()
    run = fit(epochs=8, stop=ds.Stop(target_loss=float(losses[4])))
    assert run.outcome.reason == "target"
    assert run.trace.epochs["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert run.outcome.message == (
        f"The validation loss reached {losses[4]:.4g} (target: {losses[4]:.4g}) in epoch 5."
    )


def test_patience_restores_the_best_weights():
    data = meaningless()
    run = fit(data=data, epochs=200, learning_rate=0.5, stop=ds.Stop(patience=6))
    losses = run.trace.validation_loss
    best = int(losses.argmin()) + 1
    assert run.outcome.reason == "no_improvement"
    assert len(losses) == best + 6
    assert run.outcome.kept_step == best * 4 < run.outcome.step == len(losses) * 4
    assert run.outcome.message == (
        f"The validation loss had not fallen for 6 epochs; the weights of epoch {best}, where "
        f"it was {losses.min():.4g}, were restored."
    )
    short = fit(data=data, epochs=best, learning_rate=0.5)
    by_hand.assert_same_parameters(run.parameters, short.parameters, rtol=1e-6)
    inputs, labels = data.scaling.apply(data.validation.inputs), data.validation.targets
    logits, _ = by_hand.forward(NETWORK, run.parameters, inputs)
    assert by_hand.cross_entropies(logits, labels).mean() == pytest.approx(losses.min(), rel=1e-5)


def lowest(run) -> int:
    """The step behind which the validation loss was lowest."""
    return int(run.trace.epochs["step"][np.nanargmin(run.trace.validation_loss)])


def test_patience_restores_the_best_weights_where_all_epochs_are_done():
    data = meaningless()
    run = fit(data=data, epochs=20, learning_rate=0.5, stop=ds.Stop(patience=50))
    assert run.outcome.reason == "epochs"
    assert run.outcome.kept_step == lowest(run) < run.outcome.step == 80
    short = fit(data=data, epochs=lowest(run) // 4, learning_rate=0.5)
    by_hand.assert_same_parameters(run.parameters, short.parameters, rtol=1e-6)
    assert run.measure(data.validation)["loss"] == pytest.approx(run.trace.validation_loss.min())


def test_patience_restores_the_best_weights_at_ctrl_c(tmp_path):
    settings = {"data": meaningless(), "learning_rate": 0.5, "stop": ds.Stop(patience=50)}
    run = stopped_after(62, epochs=40, folder=tmp_path / "run", **settings)
    assert run.outcome.reason == "interrupted"
    assert run.outcome.kept_step == lowest(run) < run.outcome.step == 62
    opened = ds.open_run(tmp_path / "run")
    by_hand.assert_same_parameters(opened.parameters, run.parameters)
    again = ds.resume(tmp_path / "run", data=settings["data"])  # from the last ones, bit for bit
    whole = fit(epochs=40, **settings)
    np.testing.assert_array_equal(again.trace.batch_loss, whole.trace.batch_loss)
    by_hand.assert_same_parameters(again.parameters, whole.parameters)


def test_patience_restores_the_best_weights_where_a_step_fails():
    data = by_hand.numbers_data()
    stop = ds.Stop(patience=500)
    run = fit(parse("dense 2"), data, learning_rate=50.0, epochs=100, batch_size="full", stop=stop)
    assert run.outcome.reason == "non_finite"
    assert run.outcome.kept_step == lowest(run) < run.outcome.step
    assert run.measure(data.validation)["loss"] == pytest.approx(
        np.nanmin(run.trace.validation_loss), rel=1e-5
    )


def test_what_is_patient_side_by_side_is_what_one_alone_is():
    settings = {"batch_size": 16, "epochs": 20, "stop": ds.Stop(patience=50)}
    side = train_side_by_side(
        NETWORK, meaningless(), options=PLAIN, learning_rates=[0.5, 1e-4], **settings
    )
    alone = fit(data=meaningless(), learning_rate=0.5, record=None, **settings)
    assert side.outcomes[0].kept_step == alone.outcome.kept_step < 80
    by_hand.assert_same_parameters(side.parameters_of(0), alone.parameters, rtol=1e-4, atol=1e-6)
    assert side.validation_loss[0] == pytest.approx(alone.trace.validation_loss.min(), rel=1e-4)


@pytest.mark.parametrize("value", [np.inf, np.nan, -np.inf])
def test_a_validation_loss_that_is_no_number_is_never_the_best(value):
    def broken(prediction, target):
        loss = ((prediction - target) ** 2).mean(axis=1)
        return jnp.where(target[:, 0] > 1e5, value, loss)  # of one validation sample

    data = by_hand.numbers_data()
    data.validation.targets[3] = 2e6
    stop = ds.Stop(patience=3, target_loss=1e-9)
    run = fit(parse("dense 2"), data, loss=broken, stop=stop, epochs=9)
    assert run.outcome.reason == "no_improvement"
    assert run.outcome.kept_step == run.outcome.step == 12
    assert run.outcome.message == (
        "In 3 epochs the validation loss was never a finite number; the last weights were kept."
    )
    untrained = run.network.init((3,))
    assert not np.array_equal(run.parameters[0]["weights"], untrained[0]["weights"])
    run = fit(parse("dense 2"), data, loss=broken, stop=ds.Stop(patience=30))
    assert run.outcome.message == (
        "Trained for 4 epochs; the validation loss was never a finite number."
    )


@pytest.mark.parametrize(
    ("patience", "record", "every"),
    [(5, None, 1), (40, ds.Record(), 1), (3, ds.Record(every=20), 3), (9, ds.Record(every=2), 2)],
)
def test_it_is_measured_often_enough_for_the_patience(patience, record, every):
    stop = ds.Stop(patience=patience)
    run = fit(data=by_hand.classes_data(50, 3000), epochs=12, stop=stop, record=record)
    assert run.trace.epochs["epoch"].tolist() == sorted({*range(every, 13, every), 12})


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_an_optimizer_state_that_overflows_is_said(optimizer):
    """Its mean of squares would be infinite, and the weight would never move again."""

    def steep(prediction, target):
        return 1e17 * jnp.abs(prediction - target).sum(axis=1)  # times inputs of some hundreds

    data = by_hand.numbers_data()
    data = dataclasses.replace(
        data,
        train=ds.Samples(1e4 * data.train.inputs, data.train.targets),
        scaling=ds.Scaling(np.zeros(3, np.float32), np.ones(3, np.float32)),
    )
    run = fit(parse("dense 2"), data, loss=steep, optimizer=optimizer, learning_rate=0.01)
    assert run.outcome.reason == "non_finite"
    assert run.outcome.step == 0
    assert run.outcome.message == (
        "At step 1 (epoch 1) the optimizer state for the weights of layer 1 (Dense) became inf, "
        "behind which they would not move again; the weights before that step were kept."
    )
    assert "clip the gradients" in run.outcome.advice
    clipped = ds.Optimizer(optimizer, clip_norm=1.0)
    run = fit(parse("dense 2"), data, loss=steep, optimizer=clipped, learning_rate=0.01)
    assert run.outcome.reason == "epochs"
    first = run.network.init((3,))
    assert not np.array_equal(run.parameters[0]["weights"], first[0]["weights"])


def test_patience_counts_epochs_also_where_not_each_is_measured():
    run = fit(
        data=meaningless(), epochs=200, learning_rate=0.5, stop=ds.Stop(patience=6),
        record=ds.Record(every=2),
    )  # fmt: skip
    epochs, losses = run.trace.epochs["epoch"], run.trace.validation_loss
    assert run.outcome.reason == "no_improvement"
    assert epochs[-1] == epochs[losses.argmin()] + 6


def test_a_missing_value_is_caught_at_the_step_that_meets_it():
    data = by_hand.classes_data()
    data.train.inputs[37, 2] = np.nan  # behind the door, which would not let it in
    order = BatchPlan(50, 16, 4, seed=3).epoch_batches(0)
    met = int(np.argwhere(order == 37)[0, 0])  # steps before that one
    assert met > 0
    run = fit(data=data, seed=3, optimizer="momentum")
    assert run.outcome.reason == "non_finite"
    assert (run.outcome.step, run.outcome.kept_step) == (met, met)
    assert run.outcome.message == (
        f"At step {met + 1} (epoch 1) input 2 of training sample 37 was nan; the weights before "
        "that step were kept."
    )
    assert len(run.trace.batch_loss) == met + 1
    assert np.isfinite(run.trace.batch_loss[:-1]).all()
    assert np.isnan(run.trace.batch_loss[-1])
    assert len(run.trace.epochs["epoch"]) == 0

    healthy = stopped_after(met, seed=3, optimizer="momentum")
    by_hand.assert_same_parameters(run.parameters, healthy.parameters)


def stopped_after(steps, **settings) -> ds.Run:
    """A training that Ctrl-C ends behind `steps` steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "CHUNK_SECONDS", 0.0)  # one step at a time

        def interrupt(progress):
            if progress.step == steps:
                os.kill(os.getpid(), signal.SIGINT)

        return fit(on_chunk=interrupt, **settings)


def test_a_huge_learning_rate_ends_with_finite_weights():
    data = by_hand.numbers_data()
    run = fit(parse("dense 2"), data, learning_rate=50.0, epochs=100, batch_size="full")
    assert run.outcome.reason == "non_finite"
    assert run.outcome.step > 3
    assert np.isfinite(run.trace.batch_loss[:-1]).all()
    for own in run.parameters:
        assert all(np.isfinite(leaf).all() for leaf in own.values())


def test_a_step_that_leaves_the_range_of_numbers_is_not_taken():
    network = parse("dense 2")  # its slopes are above 1: times this rate they have no number
    run = fit(network, by_hand.numbers_data(), learning_rate=3e38, batch_size="full")
    assert run.outcome.reason == "non_finite"
    assert run.outcome.step == 0
    assert np.isfinite(run.trace.batch_loss[0])
    assert run.outcome.message == (
        "At step 1 (epoch 1) the step would have made the weights of layer 1 (Dense) inf; the "
        "weights before that step were kept."
    )
    by_hand.assert_same_parameters(run.parameters, network.init((3,)))


def test_ctrl_c_keeps_what_was_learnt():
    before = signal.getsignal(signal.SIGINT)
    run = stopped_after(6)
    assert signal.getsignal(signal.SIGINT) is before
    assert run.outcome == ds.Outcome(
        reason="interrupted",
        message="Stopped on request at step 6 (epoch 2); what was learnt is kept.",
        advice="Train again without stopping to see all epochs.",
        step=6,
        kept_step=6,
    )
    whole = fit()
    np.testing.assert_array_equal(run.trace.batch_loss, whole.trace.batch_loss[:6])
    assert run.trace.epochs["step"].tolist() == [4]


def test_a_second_ctrl_c_interrupts_at_once():
    def interrupt_twice(_progress):
        signal.raise_signal(signal.SIGINT)  # in this thread, and one after the other
        signal.raise_signal(signal.SIGINT)

    # a process that a shell started in the background ignores Ctrl-C from its birth
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(on_chunk=interrupt_twice)
    finally:
        signal.signal(signal.SIGINT, before)


def test_training_works_outside_of_the_main_thread():
    runs = []
    thread = threading.Thread(target=lambda: runs.append(fit()))
    thread.start()
    thread.join()
    by_hand.assert_same_parameters(runs[0].parameters, fit().parameters)


def test_an_onlooker_says_how_long_the_next_chunk_is_and_when_to_end():
    seen, weights = [], {}

    def on_chunk(progress):
        seen.append(progress.step)
        weights[progress.step] = progress.model.parameters[0]["weights"].copy()
        return ds.NextChunk(0 if progress.step >= 10 else 3)

    network = "dense 4 tanh, dense 2"
    run = ds.train(network, "moons", epochs=2, on_chunk=on_chunk)
    assert seen == [1, 4, 7, 10]
    assert (run.outcome.reason, run.outcome.step) == ("interrupted", 10)
    whole = ds.train(network, "moons", epochs=2, on_chunk=lambda progress: progress.step)
    assert np.array_equal(whole.trace.batch_loss[:10], run.trace.batch_loss)
    for step in seen:  # the model of each moment is the replayed one
        then = ds.replay(whole).parameters(step)[0]["weights"]
        assert np.array_equal(weights[step], np.asarray(then))
    with pytest.raises(ds.SettingError, match="number of steps in a chunk is -1"):
        ds.NextChunk(-1)
