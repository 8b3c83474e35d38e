"""The confusion matrix: its numbers, and that it can be read with 2 classes and with many."""

import numpy as np
import pytest

from downslope.plots import confusion_matrix
from downslope.plots.classes import count_pairs


def drawn(figure, classes):
    """The numbers in the cells, as a matrix."""
    counts = np.zeros((classes, classes), int)
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        counts[int(row), int(column)] = int(text.get_text().replace(",", ""))
    return counts


def some(classes, count=400, seed=0):
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, classes, count)
    return truth, np.where(draw.random(count) < 0.8, truth, draw.integers(0, classes, count))


def names(classes):
    return tuple(f"class {number}" for number in range(classes))


def test_pairs_are_counted_as_by_hand():
    counts = count_pairs(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 2, 2]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]


@pytest.mark.parametrize("classes", [2, 10, 24])
def test_the_cells_hold_the_counts(classes):
    truth, predictions = some(classes, 5000)
    expected = np.zeros((classes, classes), int)
    for row, column in zip(truth, predictions, strict=True):
        expected[row, column] += 1
    assert drawn(confusion_matrix(truth, predictions, names(classes)), classes).tolist() == (
        expected.tolist()
    )


def test_axes_are_named_and_shares_are_given(texts):
    figure = confusion_matrix(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), ("ham", "spam"))
    matrix = figure.axes[0]
    assert matrix.get_xlabel() == "predicted class"
    assert matrix.get_ylabel() == "true class"
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["ham", "spam"]
    shown = texts(figure)
    assert "67 % of 3" in shown
    assert "100 % of 1" in shown
    assert any("3 of 4 test samples classified correctly (75.0 %)" in text for text in shown)


def test_one_mistake_among_many_is_not_rounded_away(texts):
    truth = np.zeros(100_000, int)
    predictions = truth.copy()
    predictions[0] = 1
    shown = " ".join(texts(confusion_matrix(truth, predictions, ("a", "b"))))
    assert "(99.9 %)" in shown
    assert "> 99.9 % of 100,000" in shown


def test_a_class_without_test_samples_is_said_to_have_none(texts):
    figure = confusion_matrix(np.array([1]), np.array([1]), ("no", "yes"))
    assert "none in the test" in texts(figure)


def test_rare_classes_are_coloured_by_their_own_share():
    truth = np.array([0] * 1000 + [1] * 2)
    figure = confusion_matrix(truth, truth, ("many", "few"))
    colours = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(colours[0, 0], colours[1, 1])


def test_more_classes_than_fit_are_drawn_without_numbers():
    truth, predictions = some(60, 5000)
    assert not confusion_matrix(truth, predictions, names(60)).axes[0].texts


@pytest.mark.parametrize("classes", [2, 10, 20])
@pytest.mark.parametrize("name", ["{}", "a rather long name {}"])
def test_no_text_covers_another(overlaps, classes, name):
    truth, predictions = some(classes, 3000)
    named = tuple(name.format(number) for number in range(classes))
    assert overlaps(confusion_matrix(truth, predictions, named, name="letters")) == []
