"""The map of a plane: each place has the colour of its answer, mistakes are ringed."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from downslope.plots import ClassPredictions, decision_map, style

NAMES = ("left", "right")


def halves(points):
    """Certain that what lies left of 0 is of class 0."""
    right = (points[:, 0] > 0).astype(float)
    return np.stack([1 - right, right], axis=1)


def map_of(truth, classify=halves, **options):
    points = np.array([[-1.0, 0.0], [-0.5, 1.0], [0.5, 0.0], [1.0, 1.0]])
    fractions = classify(points)
    given = ClassPredictions(np.array(truth), fractions.argmax(1), fractions, NAMES)
    return decision_map(points, given, classify, **options)


def test_each_side_has_the_colour_of_its_class():
    image = map_of([0, 0, 1, 1]).axes[0].images[0].get_array()
    for column, colour in ((0, style.BLUE), (-1, style.VERMILLION)):
        np.testing.assert_allclose(image[0, column, :3], to_rgb(colour), atol=1e-6)
        assert 0 < image[0, column, 3] < 0.5  # so that points are seen on it, and the page below


def test_mistakes_are_ringed_and_counted(texts):
    figure = map_of([0, 1, 1, 1])
    rings = figure.axes[0].collections[-1]
    assert rings.get_offsets().tolist() == [[-0.5, 1.0]]
    assert any(text.startswith("1 mistake among 4 test samples, ringed.") for text in texts(figure))


def test_without_mistakes_it_says_so(texts):
    figure = map_of([0, 0, 1, 1], input_names=("width", "height"), name="halves")
    assert any(text.startswith("No mistake among 4 test samples.") for text in texts(figure))
    assert "mistake" not in texts(figure)
    assert figure.axes[0].get_xlabel() == "width"
    assert figure.axes[0].get_ylabel() == "height"


def test_the_key_names_every_class(texts):
    assert {"left", "right", "true class"} <= set(texts(map_of([0, 0, 1, 1])))


@pytest.mark.parametrize("value", [np.nan, 0.5])
def test_a_network_without_a_border_is_drawn(value):
    map_of([0, 0, 1, 1], lambda points: np.full((len(points), 2), value)).draw_without_rendering()


def test_a_single_sample_is_drawn(overlaps):
    points = np.array([[0.3, 0.3]])
    given = ClassPredictions(np.array([1]), np.array([1]), halves(points), NAMES)
    assert overlaps(decision_map(points, given, halves)) == []


def test_ten_classes_look_different():
    looks = set()
    names = tuple("abcdefghij")
    points = np.random.default_rng(0).normal(size=(50, 2))
    truth = np.arange(50) % 10
    given = ClassPredictions(truth, truth, np.eye(10)[truth], names)
    figure = decision_map(points, given, lambda points: np.full((len(points), 10), 0.1))
    for handle in figure.axes[0].get_legend().legend_handles:
        looks.add((handle.get_color(), handle.get_marker()))
    assert len(looks) == 10
