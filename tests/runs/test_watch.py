"""What is told while a training runs: certain, once, and nothing else changes."""

import numpy as np

import downslope as ds
from downslope.runs.trace import Trace
from downslope.runs.verdicts import Baseline
from downslope.runs.watch import Watch

WATCH = Watch("cross_entropy", Baseline(0.69, (0.68, 0.7), 0.5, 200, 1), steps=1000)


def trace(train, validation, accuracy=None, batches=None, per_epoch=10):
    """What a training with these losses has recorded."""
    epochs = np.arange(1, len(train) + 1)
    columns = {
        "epoch": epochs, "step": epochs * per_epoch, "train_loss": np.array(train),
        "validation_loss": np.array(validation),
    }  # fmt: skip
    columns["validation_accuracy"] = np.array([0.5] * len(train) if accuracy is None else accuracy)
    steps = np.ones(len(train) * per_epoch) if batches is None else np.array(batches)
    return Trace({"batch_loss": steps}, columns)


def causes(*given, **more):
    return [one.cause for one in WATCH.findings(trace(*given, **more))]


def test_each_finding_waits_until_it_is_certain():
    falling = np.linspace(0.7, 0.2, 30)
    assert causes(falling, falling + 0.01) == []
    # a loss far above the baseline, for long enough
    assert causes([9.0], [9.0], batches=[0.7, *[9.0] * 60]) == ["loss_explodes"]
    assert causes([9.0], [9.0], batches=[0.7, *[9.0] * 30]) == []
    assert causes([9.0], [9.0], batches=[0.7, *[9.0] * 59, 0.6]) == []  # it comes back
    # weights that do not move
    assert causes([0.8] * 6, [0.9] * 6) == ["nothing_changes"]
    assert causes([0.8] * 4, [0.9] * 4) == []
    assert causes([0.001] * 6, [0.001] * 6) == []  # it has learnt all there is
    # no better than always guessing
    still = 0.69 + 0.001 * np.sin(np.arange(30))
    assert causes(still, still + 0.01) == ["no_better_than_baseline"]
    assert causes(still[:15], still[:15] + 0.01) == []  # too early
    assert causes(np.linspace(0.7, 0.5, 30), still + 0.01) == []  # it learns something
    assert causes(still, np.full(30, 0.4), accuracy=[0.9] * 30) == []


def test_overfitting_is_told_unless_only_the_probabilities_suffer():
    train = np.linspace(0.6, 0.01, 40)
    validation = np.concatenate([np.linspace(0.6, 0.4, 20), np.linspace(0.4, 0.9, 20)])
    falls = [0.8] * 20 + [0.7] * 20
    found = WATCH.findings(trace(train, validation, accuracy=falls))
    assert [one.cause for one in found] == ["overfits"]
    assert found[0].seen.startswith("The validation loss was lowest in epoch 20 (0.4) and is ")
    assert causes(train, validation, accuracy=[0.8] * 40) == []


def test_what_is_not_finite_is_no_reason_to_fail():
    bad = [np.nan] * 6
    assert causes(bad, bad, batches=[np.inf] * 60) == []
    nobody = Watch("cross_entropy", None, 1000)
    assert nobody.findings(trace([0.8] * 6, [0.9] * 6)) == ()


def test_an_onlooker_sees_it_and_the_run_is_the_same():
    seen = []
    settings = {
        "learning_rate": 1e-12, "optimizer": "sgd", "epochs": 12, "record": ds.Record(every=1),
    }  # fmt: skip
    run = ds.train("dense 4 tanh, dense 2", "moons", **settings,
                   on_chunk=lambda progress: seen.extend(progress.findings))  # fmt: skip
    assert {one.cause for one in seen} == {"nothing_changes"}
    assert run.outcome.reason == "epochs"  # it is told, not ended
    alone = ds.train("dense 4 tanh, dense 2", "moons", **settings)
    np.testing.assert_array_equal(alone.trace.batch_loss, run.trace.batch_loss)
    assert alone.findings == run.findings


def test_trainings_side_by_side_have_verdicts():
    own = {"epochs": 12, "optimizer": "sgd", "record": ds.Record(every=1)}
    rates = [0.003, 1e30]
    many = ds.train_side_by_side("dense 4 relu, dense 2", "moons", learning_rates=rates, **own)
    slow, wild = ([one.cause for one in ended.findings] for ended in many.outcomes)
    assert wild == ["non_finite"]
    alone = ds.train("dense 4 relu, dense 2", "moons", learning_rate=0.003, **own)
    assert [one.cause for one in alone.findings] == slow
    assert many.outcomes[0].advice == alone.outcome.advice
