"""The measures against scikit-learn, and the best answer that ignores its input."""

import dataclasses

import numpy as np
import pytest

import downslope as ds
from downslope.engine import metrics
from downslope.engine.scales import Scales
from downslope.nn.losses import LOSSES
from tests.runs import by_hand

RNG = np.random.default_rng(0)


def figures(task, loss, outputs, targets):
    columns = metrics.columns(task, LOSSES[loss], outputs, targets, Scales(None, None))
    return metrics.finish(task, np.asarray(columns, np.float64).mean(axis=0))


@pytest.mark.peers
def test_measures_of_classes_are_those_of_scikit_learn():
    theirs = pytest.importorskip("sklearn.metrics")
    logits = RNG.normal(0, 2, (200, 4)).astype(np.float32)
    labels = RNG.integers(0, 4, 200).astype(np.int32)
    found = figures("classification", "cross_entropy", logits, labels)
    assert found == {
        "loss": pytest.approx(theirs.log_loss(labels, by_hand.softmax(logits)), rel=1e-5),
        "accuracy": pytest.approx(theirs.accuracy_score(labels, logits.argmax(axis=1))),
    }


def test_a_single_logit_is_a_class_by_its_sign():
    logits = np.array([[-0.1], [0.1], [3.0]], np.float32)
    found = figures("classification", "binary_cross_entropy", logits, np.array([0, 0, 1]))
    assert found["accuracy"] == pytest.approx(2 / 3)


@pytest.mark.peers
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_measures_of_numbers_are_those_of_scikit_learn(loss):
    theirs = pytest.importorskip("sklearn.metrics")
    outputs, targets = RNG.normal(0, 9, (2, 200, 3)).astype(np.float32)
    found = figures("regression", loss, outputs, targets)
    assert found["mae"] == pytest.approx(theirs.mean_absolute_error(targets, outputs), rel=1e-5)
    squares = theirs.mean_squared_error(targets, outputs)
    assert found["rmse"] == pytest.approx(np.sqrt(squares), rel=1e-5)


def test_a_rate_is_measured_as_a_rate():
    outputs = np.log(np.array([[2.0], [5.0]], np.float32))
    found = figures("regression", "poisson", outputs, np.array([[1.0], [5.0]], np.float32))
    assert found["mae"] == pytest.approx(0.5, rel=1e-5)


def test_people_are_counted_before_they_are_compared():
    maps = RNG.random((5, 3, 4, 1)).astype(np.float32)
    misplaced = maps[:, ::-1, ::-1]  # every person elsewhere, the number the same
    found = figures("counting", "squared_error", misplaced, maps)
    assert found["loss"] > 0.01
    assert found["mae"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("data", "loss", "outputs"),
    [
        (by_hand.classes_data(), "cross_entropy", 3),
        (by_hand.numbers_data(), "squared_error", 2),
        (by_hand.numbers_data(), "poisson", 2),
    ],
)
def test_no_other_constant_answer_has_a_smaller_loss(data, loss, outputs):
    best = metrics.baseline_output(data, LOSSES[loss], outputs)

    def loss_of(prediction):
        spread = np.broadcast_to(prediction, (len(data.train), outputs)).astype(np.float32)
        return np.asarray(LOSSES[loss].per_sample(spread, data.train.targets), np.float64).mean()

    for _ in range(20):
        other = best + RNG.normal(0, 0.1 * max(1, np.abs(best).max() / 10), outputs)
        assert loss_of(best) < loss_of(other)


def test_the_baseline_of_one_logit_chooses_the_more_frequent_class():
    data = by_hand.classes_data()
    train = ds.Samples(data.train.inputs, np.minimum(data.train.targets, 1))
    parts = {"train": train, "validation": train, "test": train}
    data = dataclasses.replace(data, class_names=("no", "yes"), **parts)
    fractions = np.bincount(train.targets) / len(train)
    prediction = metrics.baseline_output(data, LOSSES["binary_cross_entropy"], 1)
    assert prediction == pytest.approx(np.log(fractions[1] / fractions[0]), rel=1e-6)


def test_intervals_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    values = np.stack([RNG.exponential(2, 300), RNG.random(300) < 0.8], axis=1).astype(float)
    found = metrics.intervals("classification", values)
    for index, name in enumerate(("loss", "accuracy")):
        theirs = stats.bootstrap((values[:, index],), np.mean, method="percentile", rng=1)
        width = theirs.confidence_interval.high - theirs.confidence_interval.low
        np.testing.assert_allclose(found[name], theirs.confidence_interval, atol=0.15 * width)


def test_the_interval_of_a_root_is_the_root_of_an_interval():
    values = np.repeat(RNG.random((200, 1)), 3, axis=1)
    found = metrics.intervals("regression", values)
    np.testing.assert_allclose(np.sqrt(found["mae"]), found["rmse"])


def test_without_a_mistake_there_is_still_doubt():
    values = np.ones((50, 2))
    low, high = metrics.intervals("classification", values)["accuracy"]
    assert (round(low, 3), high) == (0.929, 1.0)  # Wilson's, by hand
    values[:, 1] = 0
    assert metrics.intervals("classification", values)["accuracy"][0] == 0.0


def test_weights_count_in_the_loss_alone():
    values = np.stack([np.arange(40.0), np.arange(40.0) % 2], axis=1)
    weights = (np.arange(40) < 20).astype(np.float32)
    figures = metrics.average("classification", values, weights)
    assert figures == {"loss": 9.5, "accuracy": 0.5}
    low, high = metrics.intervals("classification", values, weights)["loss"]
    assert low < 9.5 < high < 15


def test_infinite_losses_have_an_infinite_end():
    values = np.array([[np.inf, 1.0], [1.0, 0.0]] * 20)
    assert metrics.intervals("classification", values)["loss"][1] == np.inf


@pytest.mark.peers
@pytest.mark.parametrize("samples", [9, 40])
def test_metrics_of_each_target_are_those_of_scikit_learn(samples):
    theirs = pytest.importorskip("sklearn.metrics")
    truth = RNG.normal([0, 5, 1e9], [1e-3, 1, 1e4], (samples, 3))
    predicted = truth + RNG.normal(0, [1e-4, 0.5, 1e4], truth.shape)
    names, constant = ("a", "b", "c"), truth[0]
    found = metrics.target_metrics(names, predicted, truth, constant, truth.mean(axis=0))
    each = {"multioutput": "raw_values"}
    mae = theirs.mean_absolute_error(truth, predicted, **each)
    np.testing.assert_allclose(found.mae, mae, rtol=1e-9)
    squares = theirs.mean_squared_error(truth, predicted, **each)
    np.testing.assert_allclose(found.rmse, np.sqrt(squares), rtol=1e-9)
    np.testing.assert_allclose(found.r2, theirs.r2_score(truth, predicted, **each), rtol=1e-9)
    np.testing.assert_allclose(found.baseline_rmse, truth.std(axis=0), rtol=1e-9)
    usual = theirs.mean_absolute_error(truth, np.tile(constant, (samples, 1)), **each)
    np.testing.assert_allclose(found.baseline_mae, usual, rtol=1e-9)
    told = found.plain()
    assert [one["target"] for one in told] == [*names]
    if samples < metrics.FEWEST_FOR_INTERVAL:
        assert "mae_interval" not in told[0]
        return
    assert found.mae_interval is not None
    assert (found.mae_interval[0] < found.mae).all()
    assert (found.mae < found.mae_interval[1]).all()
    columns = np.abs(predicted - truth)  # one target's interval is that of one target alone
    alone = metrics.intervals("regression", np.stack([columns[:, 1]] * 3, axis=1))["mae"]
    assert found.mae_interval[:, 1].tolist() == pytest.approx(alone)


def test_a_constant_target_has_no_r2():
    truth = np.array([[1.0, 2.0], [1.0, 4.0]])
    found = metrics.target_metrics(("a", "b"), truth, truth, truth[0], truth.mean(axis=0))
    assert np.isnan(found.r2[0])
    assert found.r2[1] == 1
