"""The search for changes, with trainings whose outcomes are given: no network is trained."""

import numpy as np
import pytest

import downslope as ds
from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.diagnose import _Search, _unproved
from downslope.diagnosis.proof import Setup, Trial, effect_of

FIRST = {"learning_rate": 0.001, "epochs": 2, "batch_size": 16, "loss": "cross_entropy"}


@pytest.fixture(scope="module")
def start():
    run = ds.train("dense 4 tanh, dense 2", "moons", **{**FIRST, "optimizer": "adam"})
    return Setup.of(run.with_data())


class Given:
    """Trainings that come to what a function of the changed settings says."""

    def __init__(self, accuracy):
        self.accuracy, self.count = accuracy, 0

    def fitted(self, setup, trainings):
        return setup

    def train(self, setup):
        self.count += 1
        noise = np.array([-0.01, 0.0, 0.0, 0.01])
        metrics = {"accuracy": self.accuracy(setup.options) + noise, "loss": np.ones(4)}
        return Trial(setup, metrics, 10, 0.1, {"accuracy": 0.5, "loss": 0.7})


def found(accuracy, start, *, explains=None, **changes):
    """What is named of causes with that name, strength and changes."""
    candidates = [
        (
            Cause(name, "It is so.", lambda _: None, explains=(explains or {}).get(name, ())),
            Symptom(strength, "Seen.", "", own),
        )
        for name, (strength, *own) in changes.items()
    ]
    candidates.sort(key=lambda pair: -pair[1].strength)
    search = _Search(Given(accuracy), candidates, lambda: None)
    return [
        (one.cause, one.level, dict(one.change)) for one in search.run(start)
    ], search.trials.count


def test_the_surer_of_two_changes_that_help_alike_comes_first(start):
    named, _ = found(
        lambda own: 0.9 if own.batch_size == 4 or own.epochs == 8 else 0.5, start,
        sure=(0.8, {"epochs": 8}), weak=(0.3, {"batch_size": 4}),
    )  # fmt: skip
    assert named == [("sure", "fault", {"epochs": 8})]


def test_what_helps_most_comes_before_what_is_surer(start):
    named, _ = found(
        lambda own: 0.95 if own.batch_size == 4 else 0.6 if own.epochs == 8 else 0.5, start,
        sure=(0.8, {"epochs": 8}), weak=(0.3, {"batch_size": 4}),
    )  # fmt: skip
    assert named[0] == ("weak", "fault", {"batch_size": 4})


def test_faults_that_hide_each_other_are_found_together(start):
    def accuracy(own):
        is_mended = own.batch_size == 4 and own.learning_rate == 0.01
        return 0.9 if is_mended else 0.5

    named, _ = found(
        accuracy, start,
        batch=(0.5, {"batch_size": 4}), rate=(0.4, {"learning_rate": 0.01}),
        nothing=(0.6, {"epochs": 8}),
    )  # fmt: skip
    both = {"batch_size": 4, "learning_rate": 0.01}
    assert {one for one, _, _ in named} == {"batch", "rate"}  # and not what it can do without
    assert all(change == both for _, _, change in named)


def test_what_leaves_little_doubt_is_mended_together_before_what_helps_alone(start):
    def accuracy(own):
        is_mended = own.batch_size == 4 and own.learning_rate == 0.01
        return 0.9 if is_mended else 0.65 if own.epochs == 8 else 0.5

    changes = {"epochs": 8}, {"batch_size": 4}, {"learning_rate": 0.01}
    weak, batch, rate = changes
    both = {**batch, **rate}
    named, _ = found(accuracy, start, weak=(0.4, weak), batch=(0.8, batch), rate=(0.75, rate))
    assert [(one, own) for one, _, own in named] == [("batch", both), ("rate", both)]
    named, _ = found(accuracy, start, weak=(0.4, weak), batch=(0.5, batch), rate=(0.5, rate))
    assert named[0] == ("weak", "fault", weak)


def measured(start, usual, **metrics):
    return Trial(start, {name: np.array(own) for name, own in metrics.items()}, 10, 0.1, usual)


def test_what_only_undoes_harm_does_not_help(start):
    usual = {"accuracy": 0.5, "loss": 0.7}
    wild = measured(start, usual, accuracy=[0.5] * 4, loss=[6.0, 5.0, 6.0, 5.0])
    still = measured(start, usual, accuracy=[0.5] * 4, loss=[0.7, 0.7, 0.71, 0.7])
    learnt = measured(start, usual, accuracy=[0.5] * 4, loss=[0.6, 0.6, 0.61, 0.6])
    assert not effect_of(wild, still).helps
    assert effect_of(wild, learnt).helps
    overflowed = measured(start, usual, accuracy=[0.0] * 4, loss=[7.0] * 4)
    assert effect_of(overflowed, still).helps


def test_the_loss_speaks_where_samples_are_too_few_for_the_accuracy(start):
    usual = {"accuracy": 0.4, "loss": 1.1}
    before = measured(start, usual, accuracy=[0.86, 0.9, 0.8, 0.86], loss=[0.5, 0.52, 0.51, 0.5])
    after = measured(start, usual, accuracy=[0.9, 0.9, 0.95, 0.84], loss=[0.2, 0.2, 0.21, 0.2])
    effect = effect_of(before, after)
    assert (effect.helps, effect.proof.metric, effect.proof.better) == (True, "loss", 4)
    worse = measured(start, usual, accuracy=[0.84, 0.88, 0.8, 0.86], loss=[0.2, 0.2, 0.21, 0.2])
    assert not effect_of(before, worse).helps


def test_a_rate_goes_on_as_far_as_it_helps(start):
    by = {0.001: 0.5, 0.01: 0.65, 0.1: 0.9, 1.0: 0.5}
    named, _ = found(
        lambda own: by.get(own.learning_rate, 0.5), start, low=(0.4, {"learning_rate": 0.01})
    )
    assert named == [("low", "fault", {"learning_rate": 0.1})]


def test_what_gains_little_after_the_first_is_a_warning(start):
    def accuracy(own):
        return 0.5 + 0.3 * (own.batch_size == 4) + 0.05 * (own.epochs == 8)

    named, _ = found(accuracy, start, one=(0.5, {"batch_size": 4}), more=(0.4, {"epochs": 8}))
    assert [(name, level) for name, level, _ in named] == [("one", "fault"), ("more", "warning")]


def test_the_same_change_of_two_causes_is_trained_once(start):
    change = {"learning_rate": 0.01}
    named, count = found(lambda own: 0.5, start, one=(0.5, change), other=(0.4, change))
    assert named == []
    assert count == 2


def test_of_the_same_change_the_cause_is_named_that_the_other_follows_from(start):
    change = {"learning_rate": 0.01}

    def accuracy(own):
        return 0.9 if own.learning_rate == 0.01 else 0.5

    both = {"dead": (0.8, change), "rate": (0.75, change)}
    assert found(accuracy, start, **both)[0][0][0] == "dead"
    assert found(accuracy, start, explains={"rate": ("dead",)}, **both)[0][0][0] == "rate"


def test_what_was_tried_in_vain_is_named_only_without_doubt():
    def unproved(strength, tried):
        cause = Cause("cause", "It is so.", lambda _: None)
        return _unproved([(cause, Symptom(strength, "Seen."))], [], tried)

    assert unproved(0.6, set())
    assert not unproved(0.6, {"cause"})
    assert unproved(0.9, {"cause"})
