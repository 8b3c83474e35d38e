"""Predicted over true numbers, and the curve of a network of one input."""

import numpy as np
import pytest

from downslope.plots import fitted_curve, predictions
from downslope.plots.style import value_range

X = np.linspace(-1, 1, 9, dtype=np.float32)[:, None]


def test_each_prediction_is_drawn_over_its_truth(texts):
    figure = predictions(np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]), baseline=0.5)
    axes = figure.axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[1, 1.5], [2, 2]]
    assert axes.get_xlabel() == "true value"
    assert axes.get_ylabel() == "predicted value"
    sentence = "always predicting the training median: 0.5"
    assert sentence in " ".join(texts(figure)).replace("\n", " ")


@pytest.mark.parametrize(("outputs", "panels"), [(1, 1), (4, 4), (9, 6)])
def test_each_output_has_a_panel(outputs, panels, overlaps):
    truth = np.random.default_rng(0).normal(size=(20, outputs))
    figure = predictions(truth, truth)
    assert sum(bool(axes.collections) for axes in figure.axes) == panels
    assert overlaps(figure) == []


def test_the_curve_is_the_networks(texts):
    figure = fitted_curve(X, X**2, lambda x: 2 * x, input_name="hours")
    axes = figure.axes[0]
    curve = axes.lines[0]
    np.testing.assert_allclose(curve.get_ydata(), 2 * np.asarray(curve.get_xdata()), atol=1e-6)
    assert axes.get_xlabel() == "hours"
    assert {"network", "test samples"} <= set(texts(figure))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_absurd_predictions_do_not_spoil_the_picture(texts, value):
    for figure in (
        predictions(X, np.full_like(X, value)),
        fitted_curve(X, X, lambda x: np.full_like(x, value)),
    ):
        assert np.abs(figure.axes[0].get_ylim()).max() < 10
        assert "9 predictions lie outside of the picture." in " ".join(texts(figure)).replace(
            "\n", " "
        )


@pytest.mark.parametrize("count", [1, 2])
def test_few_samples_and_constant_targets_are_drawn(overlaps, count):
    inputs, truth = np.ones((count, 1), np.float32), np.full((count, 1), 3.0)
    assert overlaps(predictions(truth, truth)) == []
    assert overlaps(fitted_curve(inputs, truth, lambda x: x + 2)) == []


def test_a_range_holds_all_of_the_truth_and_the_answers_near_it():
    truth = np.array([0.0, 10.0])
    assert value_range(truth, np.array([-3.0, 12.0])) == (-3.0, 12.0, "")
    low, high, sentence = value_range(truth, np.array([-300.0, 5.0]))
    assert (low, high) == (0.0, 10.0)
    assert sentence == " 1 prediction lies outside of the picture."
