"""Where two runs part, why, and how far apart they end: against plain NumPy, word for word."""

import dataclasses

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.insight import diff
from downslope.insight.diff import RunDiff
from downslope.nn.notation import parse
from downslope.runs.resume import fork, resume
from tests.plain import PLAIN
from tests.runs import by_hand

DATA = by_hand.classes_data()
NETWORK = parse("dense 4 tanh, dense 3")
SETTINGS = {"epochs": 4, "batch_size": 10, "learning_rate": 0.2}  # five steps in an epoch
SAME = "Data, network, settings and versions are the same."


def lines(found: RunDiff) -> tuple[str, ...]:
    return tuple(found.summary.split("\n"))


def fit(network=NETWORK, data=DATA, **settings) -> ds.Run:
    return ds.train(network, data, options=PLAIN, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fit(folder=tmp_path_factory.mktemp("runs") / "a")


def with_losses(run: ds.Run, **changes: float) -> ds.Run:
    """The run with another batch loss at some steps, from 1."""
    losses = run.trace.batch_loss.copy()
    for step, loss in changes.items():
        losses[int(step.removeprefix("at")) - 1] = loss
    steps = {**run.trace.steps, "batch_loss": losses}
    trace = dataclasses.replace(run.trace, steps=steps)
    return dataclasses.replace(run, trace=trace, folder=None)


def with_settings(run: ds.Run, **changes) -> ds.Run:
    """The run as if it had been trained with other settings."""
    settings = dataclasses.replace(run.settings, **changes)
    rates = settings.schedule.rates(settings.learning_rate, 20)
    trace = dataclasses.replace(run.trace, steps={**run.trace.steps, "learning_rate": rates})
    return dataclasses.replace(run, settings=settings, trace=trace, folder=None)


def test_the_same_training_again_is_told_as_such(run):
    found = diff(run, fit())
    assert (found.differs_from, found.equal_steps, found.cause) == (None, 20, "none")
    assert (found.same_weights, found.weights_apart) == (True, 0.0)
    assert found.largest_ratio is found.first_losses is found.first_difference is None
    assert lines(found) == (
        SAME,
        "All 20 batch losses are the same, bit for bit.",
        "The final weights are the same, bit for bit.",
        "Both: Trained for 4 epochs.",
    )


def test_one_folder_is_one_run(run):
    found = diff(run, ds.open_run(run.folder))
    assert found.same_folder
    assert lines(found) == (f"Both are the same run: {run.folder}.",)


def test_a_fork_parts_one_loss_behind_the_step_with_another_rate(run, tmp_path):
    other = fork(run, 12, tmp_path / "b", learning_rate=0.05)
    found = diff(run, other)
    assert (found.differs_from, found.takes_effect_at, found.cause) == (14, 14, "settings")
    mine, yours = (np.float64(one.trace.batch_loss) for one in (run, other))
    np.testing.assert_array_equal(mine[:13], yours[:13])
    assert mine[13] != yours[13]
    ratios = np.maximum(mine / yours, yours / mine)
    assert found.largest_ratio == (pytest.approx(ratios.max(), rel=1e-12), ratios.argmax() + 1)
    a, b = (
        np.concatenate([np.float64(leaf).ravel() for leaf in jax.tree.leaves(one.parameters)])
        for one in (run, other)
    )
    apart = np.linalg.norm(a - b) / np.sqrt((a @ a + b @ b) / 2)
    assert found.weights_apart == pytest.approx(apart, rel=1e-9)
    by = abs(mine[13] - yours[13]) / max(mine[13], yours[13])
    assert lines(found) == (
        "B was forked from A at step 12.",
        "From step 13 on: learning rate: 0.2 and 0.05.",
        "Data, network and versions are the same.",
        "The batch losses are the same, bit for bit, up to step 13 of 20; at step 14 they are "
        f"{mine[13]:.9g} and {yours[13]:.9g}, {100 * by:.2g} % apart.",
        "That is the first loss that what differs can change.",
        f"The difference is largest at step {ratios.argmax() + 1}, where "
        + (f"one batch loss is {ratios.max():.3g} times the other." if ratios.max() >= 1.1 else
           f"the batch losses lie {100 * (ratios.max() - 1):.2g} % apart."),
        f"The final weights differ by {apart:.2g} times their length (0: the same; 1.4: "
        "nothing in common).",
        "Both: Trained for 4 epochs.",
    )  # fmt: skip
    assert lines(diff(other, run))[0] == "A was forked from B at step 12."


def test_two_forks_of_one_run_and_other_batches(run, tmp_path):
    one = fork(run, 5, tmp_path / "b", seed=3)
    other = fork(run, 10, tmp_path / "c", seed=4)
    found = diff(one, other)
    assert (found.differs_from, found.takes_effect_at, found.cause) == (6, 6, "settings")
    assert not found.same_batches and found.largest_ratio is None
    assert lines(found)[:3] == (
        f"Both were forked from the run in {run.folder}: A at step 5 and B at step 10.",
        "From step 6 on: seed: 3 and 0.",
        "From step 11 on: seed: 3 and 4.",
    )
    alone = dataclasses.replace(one, parent=dataclasses.replace(one.parent, run=""))
    assert lines(diff(run, alone))[0] == "B was forked from a run without a folder at step 5."
    assert lines(diff(other, fit(epochs=3)))[0] == (
        f"A was forked from the run in {run.folder} at step 10."
    )


def test_a_training_that_went_on_longer(run, tmp_path):
    first = fit(folder=tmp_path / "b")
    longer = resume(first.folder, epochs=6, learning_rate=0.1, data=DATA)
    found = diff(run, longer)
    assert (found.differs_from, found.cause, found.steps) == (None, "none", 20)
    assert lines(found)[:3] == (
        "B went on from step 20 with learning rate 0.1 instead of 0.2, epochs 6 instead of 4.",
        f"As far as both go, {SAME[0].lower()}{SAME[1:]}",
        "All 20 batch losses that both have are the same, bit for bit; B went on to step 30.",
    )
    assert lines(found)[-2:] == (
        "A: Trained for 4 epochs.",
        "B: Trained for 6 epochs.",
    )
    assert "The final weights (of step 20 in A and 30 in B) differ by " in lines(found)[3]
    both = diff(longer, dataclasses.replace(longer, folder=None))
    assert lines(both)[0].startswith("Both went on from step 20 with learning rate 0.1 ")


def test_settings_act_from_the_loss_that_they_can_change(run):
    def effect(**changes):
        return diff(run, with_settings(run, **changes)).takes_effect_at

    assert effect(optimizer=ds.Optimizer("adam")) == effect(learning_rate=0.1) == 2
    assert effect(batch_size=25) == effect(class_weights=(1, 2, 1)) == effect(seed=1) == 1
    assert effect(schedule=ds.Schedule("cosine")) == 3  # the first rate is the same
    assert effect(record=ds.Record(every=1)) is effect(epochs=5) is None
    assert effect(stop=ds.Stop(patience=3)) is None


def test_what_nothing_recorded_explains(run):
    near = float(np.nextafter(run.trace.batch_loss[6], np.float32(9)))
    fraction = near / float(run.trace.batch_loss[6]) - 1
    found = diff(run, with_losses(run, at7=near))
    assert (found.differs_from, found.cause) == (7, "unknown")
    assert found.first_difference == pytest.approx(fraction, rel=1e-6)
    said = (
        "Nothing that is recorded explains it: no setting that changes a step differs before "
        "that, and the versions are the same. It began as small as rounding in another order. "
        "Another machine or another number of cores may be the reason; see docs/determinism.md."
    )
    assert said in found.summary
    assert f", {fraction:.1e} of their size apart." in found.summary
    far = diff(run, with_losses(run, at7=9.0))
    assert said.replace("It began as small as rounding in another order. ", "") in far.summary


def test_other_versions_explain_other_bits(run):
    versions = {**run.versions, "native kernel": "AVX", "jax": "0.1"}
    found = diff(run, dataclasses.replace(with_losses(run, at7=9.0), versions=versions))
    assert found.cause == "versions"
    own = run.versions
    assert (
        f"Versions: jax {own['jax']} and 0.1, native kernel {own['native kernel']} and AVX."
        in found.summary
    )
    assert (
        "No setting that changes a step differs before that, but the versions do: under others "
        "the bits may be others." in found.summary
    )
    assert "Data, network and settings are the same." in found.summary


def test_parting_before_a_setting_differs_is_not_explained_by_it(run, tmp_path):
    other = fork(run, 12, tmp_path / "b", learning_rate=0.05)
    assert diff(run, with_losses(other, at7=9.0)).cause == "unknown"
    # and where it shows later than it could
    late = with_losses(other, at14=float(run.trace.batch_loss[13]))
    assert diff(run, late).differs_from == 15
    assert (
        "What differs can change the losses from step 14 on: it showed a little later."
        in diff(run, late).summary
    )


def test_other_data_and_networks_are_compared_in_what_can_be(run):
    wider = parse("dense 5 tanh, dense 3")
    model = dataclasses.replace(run.model, network=wider, parameters=wider.init((4,), 0))
    found = diff(run, dataclasses.replace(with_losses(run, at1=9.0), model=model))
    assert (found.cause, found.same_weights, found.weights_apart) == ("network", None, None)
    assert 'Network: "dense 4 tanh, dense 3" and "dense 5 tanh, dense 3".' in found.summary.split(
        "\n"
    )
    assert "Their weights have other shapes and cannot be compared." in found.summary
    found = diff(run, fit(data=by_hand.classes_data(seed=1)))
    assert (found.cause, found.same_batches, found.largest_ratio) == ("data", False, None)
    assert found.same_weights is False
    assert (
        "They learn from other data, so that their losses cannot be compared step by step."
        in found.summary
    )
    hinge = dataclasses.replace(run.loss, name="mine")
    model = dataclasses.replace(run.model, loss=hinge)
    found = diff(run, dataclasses.replace(with_losses(run, at1=9.0), model=model))
    assert found.cause == "loss"
    assert (
        "They have other losses, so that their losses cannot be compared step by step."
        in found.summary
    )


def test_another_start_explains_what_follows(run):
    found = diff(run, dataclasses.replace(with_losses(run, at1=9.0), origin=run.as_origin))
    assert found.cause == "start"
    assert "They began with the weights of different runs, or one with new ones." in found.summary


def test_losses_that_are_no_numbers(run):
    broken = with_losses(run, at3=np.nan, at4=np.inf)
    assert diff(broken, with_losses(run, at3=np.nan, at4=np.inf)).differs_from is None
    found = diff(run, broken)
    assert (found.differs_from, found.first_difference) == (3, None)
    assert np.isnan(found.ratios[2:4]).all()
    assert np.isfinite(np.delete(found.ratios, [2, 3])).all()
    assert "and nan." in found.summary
    assert found.largest_ratio == (1.0, 5)  # the same again behind them
    nothing = with_losses(run, **{f"at{step}": np.nan for step in range(3, 21)})
    assert diff(run, nothing).largest_ratio is None
    assert "The difference is largest" not in diff(run, nothing).summary


def test_figures_are_those_of_the_weights_that_were_kept(run):
    side = diff(run, run).a
    assert side.metrics["epoch"] == 4
    assert side.metrics["validation_loss"] == run.trace.validation_loss[-1]
    kept = dataclasses.replace(run.outcome, kept_step=run.trace.epochs["step"][0])
    early = diff(run, dataclasses.replace(run, outcome=kept)).b
    assert early.metrics["train_accuracy"] == run.trace.epochs["train_accuracy"][0]
    none = dataclasses.replace(run.outcome, kept_step=0)
    assert diff(run, dataclasses.replace(run, outcome=none)).b.metrics == {}


def test_the_test_part_stays_sealed_and_no_data_is_read(run):
    opened = dataclasses.replace(
        ds.open_run(run.folder), data=dataclasses.replace(run.data, source="/nowhere")
    )
    assert diff(opened, run).same_folder
    assert diff(opened, fit()).cause == "none"
    assert opened.test_evaluations == 0
