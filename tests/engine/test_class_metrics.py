"""Metrics of each class: by hand, and those of scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import downslope as ds
from downslope.engine.class_metrics import class_metrics, label_metrics, rarest
from downslope.nn.notation import parse
from downslope.runs.measure import rarest_class
from downslope.runs.metric_text import class_verdict, metrics_table
from tests.plain import PLAIN
from tests.runs import by_hand


def drawn(seed: int, samples: int, fractions: list[float], ties: bool = False):
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(fractions), samples, p=fractions)
    scores = rng.normal(0, 1, (samples, len(fractions))) + 1.2 * np.eye(len(fractions))[truth]
    if ties:
        scores = scores.round(0)
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return probabilities, truth, tuple("abcdefgh"[: len(fractions)])


def test_by_hand():
    # predicted: no no no yes; true: no no yes yes
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    found = class_metrics(("no", "yes"), probabilities, np.array([0, 0, 1, 1]))
    assert found.support.tolist() == [2, 2]
    assert found.predicted.tolist() == [3, 1]
    assert found.precision.tolist() == [pytest.approx(2 / 3), 1]
    assert found.recall.tolist() == [1, 0.5]
    assert found.f1.tolist() == [pytest.approx(0.8), pytest.approx(2 / 3)]
    assert found.auc.tolist() == [1, 1]
    assert (found.balanced_accuracy, found.mean_auc) == (0.75, 1)


def test_a_class_without_samples_has_no_recall_and_no_auc():
    found = class_metrics(("a", "b", "c"), np.eye(3)[[0, 1, 0]], np.array([0, 1, 1]))
    assert math.isnan(found.recall[2])
    assert math.isnan(found.auc[2])
    assert found.balanced_accuracy == 0.75
    assert found.plain()["per_class"][2]["samples"] == 0
    alone = class_metrics(("a", "b"), np.array([[0.9, 0.1]]), np.array([0]))
    assert alone.mean_auc is None
    assert metrics_table(alone).rows[1] == ["b", "0", "0.0 %", "", "0.000", ""]


@pytest.mark.peers
@pytest.mark.parametrize(
    ("samples", "fractions", "ties"),
    [
        (400, [0.95, 0.05], False),
        (400, [0.5, 0.5], True),
        (300, [0.9, 0.07, 0.03], False),
        (300, [0.25] * 4, True),
        (60, [0.9, 0.1], True),
    ],
)
def test_they_are_those_of_scikit_learn(samples, fractions, ties):
    metrics = pytest.importorskip("sklearn.metrics")
    probabilities, truth, names = drawn(3, samples, fractions, ties)
    found = class_metrics(names, probabilities, truth)
    chosen = probabilities.argmax(axis=1)
    rows = metrics.precision_recall_fscore_support(
        truth, chosen, labels=range(len(names)), zero_division=0
    )
    for mine, theirs in zip(
        (found.precision, found.recall, found.f1, found.support), rows, strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, chosen))
    macro = metrics.f1_score(truth, chosen, average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(macro)
    scores = probabilities[:, 1] if len(names) == 2 else probabilities
    auc = metrics.roc_auc_score(truth, scores, multi_class="ovr")
    assert found.mean_auc == pytest.approx(auc, rel=1e-12)
    for index in range(len(names)):
        score = scores if len(names) == 2 else probabilities[:, index]
        one = metrics.roc_auc_score(truth == (1 if len(names) == 2 else index), score)
        assert found.auc[index] == pytest.approx(one, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 60))
def test_none_leaves_its_range_and_the_weighted_recall_is_the_accuracy(seed, classes, samples):
    probabilities, truth, names = drawn(seed, samples, [1 / classes] * classes, ties=seed % 2 == 0)
    found = class_metrics(names, probabilities, truth)
    for values in (found.precision, found.recall, found.f1, found.auc):
        known = values[np.isfinite(values)]
        assert ((known >= 0) & (known <= 1)).all()
    accuracy = (probabilities.argmax(axis=1) == truth).mean()
    recall = np.nan_to_num(found.recall)
    assert (recall * found.support).sum() / samples == pytest.approx(accuracy)


def test_a_class_is_rare_below_half_of_an_even_part():
    assert rarest(np.array([0.8, 0.2])) == 1
    assert rarest(np.array([0.7, 0.3])) is None
    assert rarest(np.array([0.45, 0.45, 0.1])) == 2
    assert rarest(np.full(10, 0.1)) is None


def test_a_run_tells_of_its_rare_class():
    data = by_hand.classes_data(train=300, validation=60)
    run = ds.train(parse("dense 3"), data, options=PLAIN, epochs=3, learning_rate=0.1)
    found = run.class_metrics(data.validation)
    is_right = run.predict(data.validation.inputs) == data.validation.targets
    weighted = np.nan_to_num(found.recall) * found.support
    assert weighted.sum() / found.support.sum() == pytest.approx(is_right.mean())
    assert rarest_class(run) is None
    assert class_verdict(run, found) == ""
    assert run.test_evaluations == 0
    ds.evaluate(run)
    assert run.test_evaluations == 1
    numbers = ds.train(
        parse("dense 2"), by_hand.numbers_data(), options=PLAIN, epochs=1, learning_rate=0.01
    )
    with pytest.raises(ds.DataError, match="has no classes"):
        numbers.class_metrics(by_hand.numbers_data().validation)


@pytest.mark.peers
@pytest.mark.parametrize("labels", [1, 2, 4])
def test_metrics_of_labels_are_those_of_scikit_learn(labels):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(labels)
    holds = rng.random((80, labels)) < 0.3
    probabilities = np.clip(0.4 * holds + 0.8 * rng.random(holds.shape), 0, 1)
    predicted, names = probabilities > 0.5, tuple("abcd"[:labels])
    found = label_metrics(names, probabilities, predicted, holds, np.zeros(labels, bool))
    for index in range(labels):
        one = holds[:, index], predicted[:, index]
        assert found.accuracy is not None
        assert found.baseline_accuracy is not None
        assert found.accuracy[index] == pytest.approx(metrics.accuracy_score(*one))
        assert found.baseline_accuracy[index] == pytest.approx(1 - one[0].mean())
        assert found.precision[index] == pytest.approx(metrics.precision_score(*one))
        assert found.recall[index] == pytest.approx(metrics.recall_score(*one))
        assert found.f1[index] == pytest.approx(metrics.f1_score(*one))
        auc = metrics.roc_auc_score(one[0], probabilities[:, index])
        assert found.auc[index] == pytest.approx(auc, rel=1e-12)
    assert [one["target"] for one in found.plain()] == [*names]
