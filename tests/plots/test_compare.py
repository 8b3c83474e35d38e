"""The picture of a comparison says what its conclusion says, and nothing covers anything."""

import numpy as np
import pytest

from downslope.insight.comparison import Comparison, Course
from downslope.plots.compare import comparison
from downslope.runs.outcome import all_epochs, non_finite


@pytest.fixture(scope="module")
def make(make_trace):
    """A comparison of courses with the given ends."""

    def course(name, ends, task, epochs=12, diverged=0) -> Course:
        ends = np.asarray(ends, float)
        traces = [
            make_trace(
                task, end + np.geomspace(2, 0.01, epochs), end + np.geomspace(2, 0.01, epochs)
            )
            for end in ends
        ]
        outcomes = [non_finite(np.nan, 1, 0)] * diverged
        outcomes += [all_epochs(epochs, 9, None)] * (len(ends) - diverged)
        values = np.tile(ends[:, None, None], (1, 20, 2))
        return Course(
            name, tuple(range(len(ends))), epochs, 0.3, tuple(traces), tuple(outcomes), values
        )

    def make(ends, task="classification", figure="loss", longer=False, **settings):
        courses = tuple(course(name, one, task, **settings) for name, one in ends.items())
        return Comparison(
            "batch_size", "points", task, figure, 500, courses, courses if longer else (), ()
        )

    return make


ENDS = {"full": [0.8, 0.9], "1": [0.3, 0.5], "32": [0.29, 0.3]}


def test_curves_ends_and_the_conclusion(make, texts, overlaps):
    found = make(ENDS, longer=True)
    figure = comparison(found)
    shown = texts(figure)
    assert "Batch size compared on points" in shown
    assert " ".join(" ".join(shown).split()).find(found.summary.split(":")[0]) >= 0
    assert "At equal samples seen: mean of 2 seeds, band from lowest to highest" in shown
    assert "In equal time: mean of 2 seeds, band from lowest to highest" in shown
    assert [shown.count(name) for name in ENDS] == [2, 2, 2]  # at the ends of the lines
    assert overlaps(figure) == []
    top = figure.axes[0]
    means = [line.get_ydata()[-1] for line in top.lines]
    assert means == pytest.approx([0.86, 0.41, 0.305], abs=1e-4)
    assert top.lines[0].get_xdata()[-1] == 12 * 500  # samples
    assert figure.axes[1].lines[0].get_xdata()[-1] == pytest.approx(0.3)  # seconds


def test_accuracy_is_drawn_in_percent(make, overlaps):
    figure = comparison(make({"a": [0.5, 0.6], "b": [0.9, 0.8]}, figure="accuracy"))
    assert len(figure.axes) == 2
    assert figure.axes[0].get_ylabel() == "validation accuracy (%)"
    assert figure.axes[0].get_ylim()[1] == 100.5
    assert overlaps(figure) == []


def test_errors_have_their_unit(make, overlaps):
    figure = comparison(make(ENDS, task="regression", figure="mae"))
    label = "validation MAE\n(units of the target)"
    assert figure.axes[0].get_ylabel() == label
    assert overlaps(figure) == []


def test_what_diverged_is_told(make, texts, overlaps):
    figure = comparison(make({"0.1": [0.5], "9": [1e30]}, diverged=0))
    assert overlaps(figure) == []
    figure = comparison(make({"0.1": [0.5, 0.4], "9": [np.nan, np.nan]}, diverged=2))
    assert texts(figure).count("2 of 2 diverged") == 2
