"""The picture of two runs shows both, and where they part."""

import dataclasses

import numpy as np
import pytest

import downslope as ds
from downslope.insight import diff
from downslope.nn.notation import parse
from downslope.plots.diff import two_courses
from downslope.runs.trace import Trace
from tests.plain import PLAIN
from tests.runs import by_hand


@pytest.fixture(scope="module")
def run():
    return ds.train(
        parse("dense 3"), by_hand.classes_data(), options=PLAIN, epochs=10, batch_size=10
    )


def changed(run: ds.Run, losses: np.ndarray) -> ds.Run:
    steps = {**run.trace.steps, "batch_loss": np.asarray(losses, np.float32)}
    return dataclasses.replace(run, trace=dataclasses.replace(run.trace, steps=steps))


def test_where_they_part_is_marked(run, texts, overlaps):
    losses = run.trace.batch_loss.copy()
    losses[30:] *= np.linspace(1.001, 2, 20, dtype=np.float32)
    found = diff(run, changed(run, losses))
    figure = two_courses(found)
    top, bottom = figure.axes
    assert {"first difference at step 31", "bit-identical"} <= set(texts(figure))
    np.testing.assert_allclose(bottom.lines[0].get_xdata(), np.arange(31, 51))
    np.testing.assert_allclose(bottom.lines[0].get_ydata(), found.ratios[30:] - 1)
    np.testing.assert_allclose(top.lines[3].get_ydata(), losses, rtol=1e-6)
    assert overlaps(figure) == []


def test_what_never_parts_has_one_panel(run, texts, overlaps):
    figure = two_courses(diff(run, changed(run, run.trace.batch_loss)))
    assert len(figure.axes) == 1
    assert not any("first difference" in one for one in texts(figure))
    assert any("Bit-identical at all 50 steps" in one for one in texts(figure))
    assert overlaps(figure) == []


def test_from_the_first_step_on(run, texts, overlaps):
    figure = two_courses(diff(run, changed(run, 2 * run.trace.batch_loss)))
    assert len(figure.axes) == 2
    assert any("Different from the first step on." in one for one in texts(figure))
    assert overlaps(figure) == []


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
def test_losses_that_have_no_ratio(run, value, overlaps):
    losses = run.trace.batch_loss.copy()
    losses[10:] = value
    figure = two_courses(diff(run, changed(run, losses)))
    assert len(figure.axes) == 1
    assert overlaps(figure) == []


def test_runs_without_a_step_or_a_measured_epoch(run, overlaps):
    for count in (0, 1):
        trace = Trace(
            {name: column[:count] for name, column in run.trace.steps.items()},
            {name: column[:0] for name, column in run.trace.epochs.items()},
        )
        short = dataclasses.replace(run, trace=trace)
        assert overlaps(two_courses(diff(short, short))) == []
        assert overlaps(two_courses(diff(run, short))) == []


def test_other_data(run, texts, overlaps):
    data = by_hand.classes_data(seed=1)
    other = ds.train(parse("dense 3"), data, options=PLAIN, epochs=2, batch_size=10)
    figure = two_courses(diff(run, other))
    assert any("the losses cannot be compared" in one for one in texts(figure))
    assert len(figure.axes) == 1
    assert overlaps(figure) == []
