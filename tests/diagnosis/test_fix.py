"""A new training with the proved changes, compared with the first one."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

import downslope as ds
from downslope.diagnosis.fix import compared
from downslope.numerals import rounded
from tests.diagnosis.test_diagnose import TWO, ring, train

PROOF = ds.Proof("loss", 0.7, 0.2, (-0.6, -0.4), seeds=4, better=4, steps=280)


def proved(run, metric="loss", **changes):
    """A diagnosis of which the first finding is proved, with these changes."""
    found = ds.diagnose(run, budget=0)
    proof = dataclasses.replace(PROOF, metric=metric)
    first = ds.Finding("some", "fault", "", "", "", changes, proof)
    return dataclasses.replace(found, findings=(first, *found.findings))


def test_the_new_run_has_the_changes_and_all_else_as_before(tmp_path):
    run = train(learning_rate=1e-6, seed=3)
    fixed = ds.fix(proved(run, learning_rate=0.01), folder=tmp_path / "new")
    again = train(learning_rate=0.01, seed=3)
    assert fixed.run is not None
    for one, other in zip(fixed.run.parameters, again.parameters, strict=True):
        np.testing.assert_array_equal(one["weights"], other["weights"])
    assert fixed.run.folder == tmp_path / "new"
    assert fixed.run.evaluations.count == run.evaluations.count == 0  # the test part stays sealed
    part = run.dataset.validation
    assert fixed.before == pytest.approx(run.measure(part)["loss"])
    assert fixed.after == pytest.approx(fixed.run.measure(part)["loss"])
    low, high = fixed.interval
    assert low < fixed.after - fixed.before < high < 0
    assert fixed.is_better is True
    assert fixed.to_dict()["changes"] == {"learning_rate": 0.01}
    assert "Trained anew with learning-rate 0.01. Validation loss: " in fixed.summary
    assert f"{rounded(fixed.after)} now" in fixed.summary
    worse = ds.fix(proved(again, learning_rate=1e-6))
    assert worse.is_better is False
    assert worse.summary.endswith("The new run is worse: keep the first one.")
    same = ds.fix(proved(again, epochs=20))
    assert (same.before, same.is_better) == (same.after, None)
    assert same.summary.endswith("That may be chance.")


def test_a_change_of_the_loss_is_compared_by_a_metric_of_both():
    data = ds.Dataset.from_arrays(*(np.random.default_rng(0).normal(size=(2, 60))[:, :, None]))
    run = train("dense 1", data, epochs=2)
    fixed = ds.fix(proved(run, "mae", loss="absolute_error"))
    assert (fixed.metric, fixed.run.settings.loss) == ("mae", "absolute_error")
    assert fixed.interval is None  # 6 validation samples
    assert "too few to tell whether that is chance" in fixed.summary


def test_where_nothing_is_proved_nothing_is_trained(tmp_path):
    found = ds.diagnose(train(learning_rate=1e-7), budget=0)
    fixed = ds.fix(found, folder=tmp_path / "new")
    assert fixed.run is None
    assert fixed.summary == "No change was proved, so nothing was trained anew."
    assert fixed.to_dict()["changes"] == {}
    assert not (tmp_path / "new").exists()


def test_the_interval_is_that_of_the_same_samples():
    draw = np.random.default_rng(0)
    before = np.abs(draw.normal(5, 3, (400, 2)))
    after = before - 0.1 + 0.01 * draw.normal(size=(400, 2))
    part = ds.Samples(np.zeros((400, 1)), np.zeros(400, int))

    def run(values):
        model = SimpleNamespace(values=lambda part: values)
        return SimpleNamespace(model=model, data=SimpleNamespace(task="classification"))

    first, second, (low, high) = compared(run(before), run(after), part, "loss")
    assert (first, second) == pytest.approx((before[:, 0].mean(), after[:, 0].mean()))
    assert low < -0.1 < high
    assert high - low < 0.004  # that of means of independent samples would be 0.8


@pytest.mark.slow
def test_from_a_run_to_a_better_one():
    fixed = ds.fix(train(TWO, ring(), learning_rate=1e-6), budget=30)
    assert fixed.is_better is True
    assert fixed.diagnosis.trainings >= 8
