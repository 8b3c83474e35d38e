"""Maps and reliefs of the loss surface: whole, legible, whatever the losses are."""

from dataclasses import replace

import numpy as np
import pytest

from downslope.insight import line, surface
from downslope.plots import save
from downslope.plots.line import line_between
from downslope.plots.surface import surface_map, surface_relief


@pytest.fixture(scope="module")
def found(moons_run):
    return surface(moons_run, points=15)


def test_a_map_shows_both_parts_the_path_and_its_times(found, texts, overlaps):
    figure = surface_map(found)
    shown = texts(figure)
    assert shown[0] == "The loss surface of moons"
    assert found.summary.split(".")[0] in " ".join(shown[1].split())
    assert {"training loss", "validation loss", "cross entropy", "start", "epoch 3"} <= set(shown)
    assert not overlaps(figure)


@pytest.mark.parametrize("flip", [1, -1])
def test_names_on_the_path_stay_inside_the_map(found, flip):
    count = len(found.walked.a)
    a = flip * np.linspace(0.2, 0.85, count) * found.a[-1]  # ends near an edge
    b = found.b[0] + np.linspace(0.4, 0.6, count) ** 2 * np.ptp(found.b)
    figure = surface_map(replace(found, walked=replace(found.walked, a=a, b=b)))
    figure.draw_without_rendering()
    for axes in figure.axes[:2]:
        for name in axes.texts:
            box = name.get_window_extent()
            assert axes.bbox.x0 - 2 <= box.x0
            assert box.x1 <= axes.bbox.x1 + 2


def test_planes_without_a_path_mark_the_run(moons_run, texts, overlaps):
    for plane, weights in (("random", ()), ("weights", ("1.weights[0,1]", "2.biases[0]"))):
        figure = surface_map(surface(moons_run, plane=plane, weights=weights, points=9))
        assert texts(figure).count("the run's weights") == 2
        assert not overlaps(figure)


def test_a_relief_is_drawn_and_saved(found, moons_run, texts, tmp_path, png_size):
    figure = surface_relief(found)
    assert texts(figure)[0] == "Down the loss surface of moons"
    assert {"start", "epoch 3"} <= set(texts(figure))
    assert png_size(save(figure, tmp_path / "relief.png"))[0] > 1000
    other = surface_relief(surface(moons_run, plane="random", points=9))
    assert "the run's weights" in texts(other)


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e30])
def test_losses_that_overflow_are_as_high_as_it_goes(found, value, tmp_path):
    heights = found.train_loss.copy()
    heights[0, :4] = value
    odd = replace(found, train_loss=heights)
    save(surface_map(odd), tmp_path / "map.png")
    save(surface_relief(odd), tmp_path / "relief.png")


def test_a_surface_that_is_flat_is_drawn(found, tmp_path):
    flat = np.zeros_like(found.train_loss)
    same = replace(found, train_loss=flat, validation_loss=flat, walked=None)
    save(surface_map(same), tmp_path / "map.png")
    save(surface_relief(same), tmp_path / "relief.png")


def test_a_line_names_its_ends(moons_run, texts, overlaps):
    other = line(moons_run, replace(moons_run, folder=None), points=5)
    figure = line_between(other)
    assert texts(figure)[0] == "Between two solutions of moons"
    assert f"training {other.train_loss[-1]:.3g}" in texts(figure)
    assert not overlaps(figure)
