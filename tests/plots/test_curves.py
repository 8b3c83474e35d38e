"""The course of a training, for every way in which one can end."""

import numpy as np
import pytest

from downslope.plots import loss_curves
from downslope.runs import outcome


def lines(axes):
    """The training and the validation curve: the lines of epochs that are coloured."""
    return [line for line in axes.lines if line.get_color() in ("#0072B2", "#D55E00")]


def test_both_losses_are_drawn_as_they_are(make_trace):
    train, validation = [0.9, 0.7, 0.6], [1.0, 0.8, 0.9]
    trace = make_trace("classification", train, validation)
    top, bottom = loss_curves(trace, "classification", loss="cross_entropy").axes
    drawn = lines(top)
    np.testing.assert_allclose(drawn[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(drawn[0].get_ydata(), train, rtol=1e-6)
    np.testing.assert_allclose(drawn[1].get_ydata(), validation, rtol=1e-6)
    np.testing.assert_allclose(lines(bottom)[0].get_ydata(), np.multiply(train, 100), rtol=1e-6)


@pytest.mark.parametrize(
    ("task", "label"),
    [
        ("classification", "accuracy (%)"),
        ("regression", "MAE (units\nof the target)"),
        ("counting", "MAE (people)"),
    ],
)
def test_axes_are_named_with_their_units(make_trace, task, label):
    top, bottom = loss_curves(make_trace(task, [0.9], [0.8]), task, loss="squared_error").axes
    assert top.get_ylabel() == "squared error"
    assert bottom.get_ylabel() == label
    assert bottom.get_xlabel() == "epoch"


def test_curves_are_named_where_they_end(make_trace, texts):
    figure = loss_curves(make_trace("counting", [3.0, 0.52], [3.0, 0.741]), "counting")
    assert "training 0.52" in texts(figure)
    assert "validation 0.741" in texts(figure)


@pytest.mark.parametrize(("train", "scale"), [([1.0, 0.5], "linear"), ([1.0, 1e-3], "log")])
def test_a_wide_range_is_drawn_on_a_logarithmic_axis(make_trace, train, scale):
    figure = loss_curves(make_trace("regression", train, train), "regression")
    assert figure.axes[0].get_yscale() == scale


def test_negative_losses_as_of_poisson_are_drawn_on_a_linear_axis(make_trace):
    figure = loss_curves(make_trace("counting", [2.0, -5.0], [2.0, -4.0]), "counting")
    low, high = figure.axes[0].get_ylim()
    assert low < -5 < 2 < high


def test_the_lowest_validation_loss_is_marked(make_trace, texts):
    trace = make_trace("regression", [0.9, 0.8, 0.7], [0.9, 0.8, 0.85])
    figure = loss_curves(trace, "regression", outcome.all_epochs(3, 12, False))
    assert "lowest of 3 epochs measured: 0.8, epoch 2" in texts(figure)


def test_the_epoch_that_was_kept_is_marked(make_trace, texts):
    trace = make_trace("regression", [0.9, 0.8, 0.7], [0.8, 0.9, 0.95])
    figure = loss_curves(
        trace, "regression", outcome.no_improvement(2, outcome.Best(0.8, 1, 4), 12)
    )
    assert "kept: epoch 1" in texts(figure)
    assert any("were restored" in text for text in texts(figure))


def test_a_loss_that_is_not_finite_is_marked_at_its_step(make_trace, texts):
    batches = [1.0, 10.0, 1e3, 1e9, 1e20, np.inf]
    trace = make_trace("regression", [1e4], [1e4], batch_loss=batches)
    figure = loss_curves(trace, "regression", outcome.non_finite(np.inf, 2, 5))
    assert "not finite at step 6" in texts(figure)
    assert np.isfinite(figure.axes[0].get_ylim()).all()


def test_epochs_that_are_not_finite_leave_a_gap(make_trace):
    trace = make_trace("regression", [1.0, np.inf], [1.0, np.nan])
    top = loss_curves(trace, "regression").axes[0]
    assert np.isnan(lines(top)[0].get_ydata()[1])


def test_nothing_finite_at_all_can_be_drawn(make_trace):
    loss_curves(make_trace("regression", [np.nan], [np.inf]), "regression").draw_without_rendering()


def test_within_the_first_epoch_the_batches_are_all_there_is(make_trace, texts):
    trace = make_trace("regression", [], [], batch_loss=[0.9, 0.8])
    figure = loss_curves(trace, "regression", outcome.interrupted(1, 2))
    assert len(figure.axes) == 1
    assert figure.axes[0].get_xlabel() == "step"
    assert any("Stopped on request at step 2" in text for text in texts(figure))


@pytest.mark.parametrize(
    ("batches", "text"), [([], "No loss was recorded."), ([np.nan], "No loss was finite.")]
)
def test_an_end_before_the_first_step_is_said(make_trace, texts, batches, text):
    trace = make_trace("regression", [], [], batch_loss=batches)
    ended = outcome.non_finite(np.nan, 1, 0) if batches else None
    figure = loss_curves(trace, "regression", ended)
    assert text in texts(figure)
    assert ("not finite at step 1" in texts(figure)) == bool(batches)


def test_many_batches_are_thinned_out(make_trace):
    trace = make_trace("regression", [0.5], [0.5], 50_000, batch_loss=np.full(50_000, 0.5))
    dots = loss_curves(trace, "regression").axes[0].lines[0]
    assert 1000 < len(dots.get_xdata()) <= 2000


@pytest.mark.parametrize("epochs", [1, 3, 200])
@pytest.mark.parametrize("task", ["classification", "counting"])
def test_no_text_covers_another(make_trace, overlaps, epochs, task):
    losses = np.geomspace(1, 1e-3, epochs)
    ended = outcome.no_improvement(1, outcome.Best(0.1, 1, 4), 4 * epochs)
    trace = make_trace(task, losses, losses * 1.01)
    assert overlaps(loss_curves(trace, task, ended, name="spam", loss="cross_entropy")) == []
