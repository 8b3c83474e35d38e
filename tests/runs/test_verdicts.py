"""What a training that has ended says of itself: each verdict planted, and the endings right."""

import math

import numpy as np
import pytest

import downslope as ds
from downslope.runs.outcome import STILL_FALLING, Outcome
from downslope.runs.verdicts import Baseline, Course, advised, verdicts
from tests.runs import by_hand

ENDED = Outcome("epochs", "Trained for 40 epochs.", STILL_FALLING, 400, 400)
BASE = Baseline(0.69, (0.68, 0.70), 0.5, 200, 1)
TIMES = np.arange(1, 41)


def course(validation, train=None, accuracy=None, *, base=BASE, ended=ENDED, loss="cross_entropy"):
    validation = np.asarray(validation, float)
    columns = {
        "epoch": TIMES,
        "step": 10 * TIMES,
        "validation_loss": validation,
        "train_loss": validation if train is None else np.asarray(train, float),
    }
    if base.accuracy is not None:
        named = np.full(len(TIMES), 0.5) if accuracy is None else np.asarray(accuracy, float)
        columns |= {"validation_accuracy": named, "train_accuracy": named}
    return Course(columns, loss, ended, base)


def causes(*arguments, **named):
    return [one.cause for one in verdicts(course(*arguments, **named))]


def test_a_network_that_learnt_nothing_is_told_beside_the_baseline():
    (found,) = verdicts(course(np.full(40, 0.689)))
    assert (found.cause, found.level) == ("no_better_than_baseline", "warning")
    assert "0.69 (95 %: 0.68 to 0.7)" in found.seen
    ended = advised(ENDED, (found,))
    assert STILL_FALLING not in str(ended)
    assert ended.advice == str(found)


def test_what_unseen_samples_tell_decides_not_the_size_of_the_gain():
    slightly = np.full(40, 0.66)  # 0.03 nats a sample: of 200 samples 6 nats, of 50 only 1.5
    assert "no_better_than_baseline" not in causes(slightly)
    few = Baseline(0.69, (0.68, 0.70), 0.5, 50, 1)
    assert causes(slightly, base=few)[0] == "no_better_than_baseline"
    right = np.full(40, 0.9)  # a loss that is spoilt by a few, and an accuracy that is not
    assert "no_better_than_baseline" not in causes(np.full(40, 0.8), accuracy=right)


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_numbers_have_a_baseline_as_well(loss):
    base = Baseline(2.0, (1.8, 2.2), None, 100, 1)
    assert causes(np.full(40, 1.99), base=base, loss=loss)[0] == "no_better_than_baseline"
    assert "no_better_than_baseline" not in causes(np.full(40, 1.6), base=base, loss=loss)


def test_the_validation_loss_above_its_minimum_is_told_with_its_epoch():
    falling = 0.6 * np.exp(-TIMES / 6)
    rising = np.where(TIMES > 12, falling[11] + 0.02 * (TIMES - 12), falling)
    accuracy = np.where(TIMES > 12, 0.8, 0.9)
    found = verdicts(course(rising, falling, accuracy))
    assert (found[0].cause, found[0].level) == ("overfits", "warning")
    assert found[0].where == "since epoch 12"
    assert "memorises" in advised(ENDED, found).advice


def test_surer_wrong_predictions_are_normal():
    falling = 0.6 * np.exp(-TIMES / 6)
    rising = np.where(TIMES > 12, falling[11] + 0.02 * (TIMES - 12), falling)
    found = verdicts(course(rising, falling, np.linspace(0.8, 0.9, 40)))
    assert (found[0].cause, found[0].level) == ("surer_when_wrong", "normal")


def test_a_fall_of_the_accuracy_within_chance_is_none():
    falling = 0.6 * np.exp(-TIMES / 6)
    rising = np.where(TIMES > 12, falling[11] + 0.02 * (TIMES - 12), falling)
    accuracy = np.where(TIMES > 15, 0.895, 0.9)  # of 200 samples, each of which may go either way
    accuracy[11] = 0.95  # by luck
    assert causes(rising, falling, accuracy)[0] == "surer_when_wrong"
    many = Baseline(0.69, (0.68, 0.70), 0.5, 5000, 1)
    assert causes(rising, falling, accuracy, base=many)[0] == "overfits"


def test_noise_is_no_overfitting():
    draw = np.random.default_rng(0)
    for _ in range(20):
        noisy = 0.3 + 0.02 * draw.normal(size=40)
        assert "overfits" not in causes(noisy, np.linspace(0.3, 0.25, 40), np.full(40, 0.9))


def test_a_loss_that_still_falls():
    found = verdicts(course(np.linspace(0.65, 0.3, 40), accuracy=np.linspace(0.6, 0.9, 40)))
    assert [one.cause for one in found] == ["still_falling"]
    assert found[0].change == {"epochs": 80}
    assert advised(ENDED, found).advice == STILL_FALLING
    right = np.linspace(0.6, 0.98, 40)  # of 200: hardly any is wrong any more
    assert verdicts(course(np.linspace(0.65, 0.3, 40), accuracy=right))[0].level == "note"


def test_a_loss_that_falls_while_the_accuracy_stands_is_normal():
    falling = 0.1 + 0.5 * np.exp(-TIMES / 12)
    found = verdicts(course(falling, accuracy=np.full(40, 0.95)))
    assert found[-1].cause == "accuracy_stands"
    assert found[-1].level == "normal"


def test_few_validation_samples_are_told():
    base = Baseline(0.69, (0.6, 0.8), 0.5, 4, 1)
    found = verdicts(course(np.full(40, 0.01), accuracy=np.ones(40), base=base))
    assert [one.cause for one in found] == ["few_validation_samples"]
    assert "25%" in found[0].seen


def test_a_loss_that_is_never_finite_has_no_verdict():
    assert verdicts(course(np.full(40, math.nan))) == ()


def test_a_run_keeps_its_verdicts_in_its_folder_and_tells_them(tmp_path):
    data = by_hand.classes_data()
    run = ds.train("dense 6 tanh, dense 3", data, learning_rate=1e-7, epochs=6, record=ds.Record(
        every=1), folder=tmp_path / "run")  # fmt: skip
    assert run.findings[0].cause == "no_better_than_baseline"
    assert run.findings[0].means in run.outcome.advice
    assert STILL_FALLING not in run.outcome.advice
    assert ds.open_run(tmp_path / "run").findings == run.findings
    told = ds.training_result(run, with_test=False)
    assert told.to_dict()["outcome"]["findings"][0]["cause"] == "no_better_than_baseline"
    assert run.findings[0].means in run._repr_html_()


def test_a_failed_step_is_a_fault():
    run = ds.train("dense 6 tanh, dense 3", by_hand.classes_data(), optimizer="sgd",
                   learning_rate=1e38, epochs=3)  # fmt: skip
    (found,) = run.findings
    assert (found.cause, found.level) == ("non_finite", "fault")
    assert found.seen == run.outcome.message
