"""Pictures of overfitting say what their words say, and nothing covers anything."""

import numpy as np
import pytest

from downslope.insight.generalization import compared
from downslope.insight.learning_curve import LearningCurve
from downslope.insight.significance import Difference
from downslope.plots.generalization import gap_curves, learning_curves


def gap(train, validation, **told):
    rng = np.random.default_rng(0)
    parts = [np.array(one)[:, None] + 0.2 * rng.normal(size=300) for one in (train, validation)]
    epochs = np.arange(1, len(train) + 1)
    given = {"data": "points", "task": "classification", "loss": "cross_entropy", **told}
    return compared(epochs, *parts, **given)


def test_losses_gap_and_onsets(texts, overlaps):
    found = gap(
        np.geomspace(1, 0.05, 30), np.r_[np.geomspace(1, 0.4, 10), np.linspace(0.42, 0.9, 20)]
    )
    figure = gap_curves(found)
    shown = texts(figure)
    assert f"gap opens in epoch {found.opens_at}" in shown
    assert f"above its minimum (epoch {found.lowest_at}) from epoch {found.rises_at}" in shown
    top, bottom = figure.axes
    assert top.lines[1].get_ydata() == pytest.approx(found.validation_loss)
    assert bottom.lines[0].get_ydata() == pytest.approx(found.gaps)
    assert overlaps(figure) == []


def test_the_test_part_where_it_was_opened(texts, overlaps):
    found = gap(
        [1, 0.5, 0.3], [1, 0.6, 0.5], test={"loss": 0.55},
        test_interval={"loss": (0.4, 0.7)}, test_evaluations=2,
    )  # fmt: skip
    figure = gap_curves(found)
    assert "test 0.55" in texts(figure)
    assert overlaps(figure) == []


def test_one_epoch_without_a_gap(texts, overlaps):
    figure = gap_curves(gap([0.5], [0.5]))
    assert not any("opens" in one for one in texts(figure) if "\n" not in one and len(one) < 40)
    assert overlaps(figure) == []


def test_learning_curve(texts, overlaps):
    sizes = np.array([78, 157, 314, 629, 1258])
    losses = np.geomspace(0.8, 0.04, 5)[:, None] * np.array([0.9, 1.0, 1.1])
    found = LearningCurve(
        "points", "classification", "cross_entropy", sizes, sizes, 1600, losses / 9, losses,
        Difference(-0.03, -0.05, -0.01),
    )  # fmt: skip
    figure = learning_curves(found)
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "78", "157", "314", "629", "1,258",
    ]  # fmt: skip
    assert "validation 0.04" in texts(figure)
    assert axes.lines[-1].get_ydata() == pytest.approx(losses.mean(axis=1))
    assert overlaps(figure) == []
