"""Pictures of layers over a training, of first filters, and of pixels that matter."""

from dataclasses import replace

import numpy as np
import pytest

import downslope as ds
from downslope.insight.layers import LayerCourse, LayersOverTime
from downslope.insight.pixels import Importance
from downslope.plots import filters_figure, importance_figure, layers_figure
from downslope.plots.layers import _in_cells
from tests.plain import PLAIN


def course(count=3, activation="relu", dead=0.1):
    draw = np.random.default_rng(0)
    nothing = np.full(6, np.nan)
    steps = np.array([1, 3, 9, 20, 40, 80])
    layers = tuple(
        LayerCourse(
            f"{index + 1} Dense", activation, *draw.uniform(1e-5, 1, (5, 6)),
            np.full(6, dead) if activation == "relu" else nothing, nothing,
        )
        for index in range(count)
    )  # fmt: skip
    return LayersOverTime("digits", steps, 8, 256, layers)


@pytest.mark.parametrize("count", [1, 3, 10, 20])
def test_layers_of_any_number_are_drawn_without_overlaps(count, overlaps, texts):
    figure = layers_figure(course(count))
    assert overlaps(figure) == []
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [f"{index + 1} Dense" for index in range(count)]
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == count  # each can be told from the others
    assert "Layers over the training: digits" in texts(figure)


def test_the_lines_are_the_measures():
    values = course()
    figure = layers_figure(values)
    drawn = [line.get_ydata() for line in figure.axes[1].lines]
    np.testing.assert_array_equal(drawn, [one.weight_length for one in values.layers])
    np.testing.assert_allclose(figure.axes[5].lines[0].get_ydata(), 10)


def test_the_usual_update_is_drawn_above_the_curves_and_named():
    axes = layers_figure(course()).axes[2]
    *curves, usual = axes.lines
    assert axes.get_title(loc="left") == "Update (dashed: usual, 0.001)"
    assert list(usual.get_ydata()) == [0.001, 0.001]
    assert usual.get_zorder() > max(one.get_zorder() for one in curves)
    assert axes.get_ylim()[0] < 0.001 < axes.get_ylim()[1]


def test_layers_that_cannot_be_stuck_are_told_in_words(texts, overlaps):
    figure = layers_figure(course(activation="gelu"))
    assert "No layer has relu,\nsigmoid or tanh." in texts(figure)
    assert overlaps(figure) == []


@pytest.mark.parametrize("shape", [(5, 8, 8, 1), (40, 3, 3, 3), (9, 3, 3, 16)])
def test_filters_are_drawn_the_longest_first(shape, texts, overlaps):
    filters = np.random.default_rng(1).normal(size=shape)
    filters[2] *= 10
    figure = filters_figure(filters, name="digits")
    assert overlaps(figure) == []
    assert figure.axes[0].get_xlabel() == "unit 2"
    assert sum(bool(axes.images) for axes in figure.axes) == min(32, shape[0])


def importance(shape, count):
    draw = np.random.default_rng(2)
    inputs = draw.integers(0, 255, (count, *shape)).astype(np.uint8)
    zeros = np.zeros(count)
    return Importance("integrated_gradients", inputs, draw.normal(size=inputs.shape), zeros,
                      zeros, zeros)  # fmt: skip


def test_pixels_that_matter_are_drawn_below_their_samples(moons_run, digits, overlaps):
    figure = importance_figure(importance((64,), 6), digits, ["answer 3"] * 6)
    assert overlaps(figure) == []
    assert sum(bool(axes.images) for axes in figure.axes) == 12
    assert importance_figure(importance((2,), 3), moons_run.dataset, ["a"] * 3) is None


def test_pixels_of_large_photos_are_added_up_in_squares(digits, overlaps):
    found = importance((96, 130, 3), 3)
    figure = importance_figure(found, replace(digits, task="counting"), ["3.0 people"] * 3)
    assert overlaps(figure) == []
    shown = figure.axes[3].images[0].get_array()
    assert shown.shape == (32, 44)  # squares of 3 pixels
    np.testing.assert_allclose(shown.sum(), found.scores[0].sum())
    np.testing.assert_array_equal(
        _in_cells(np.arange(6.0).reshape(1, 2, 3), 2), [[[0 + 1 + 3 + 4, 2 + 5]]]
    )


def test_what_is_drawn_of_a_run(moons_run, digits, tmp_path):
    from downslope.insight.layers import layers_over_time

    assert list(layers_over_time(moons_run, 3).figures()) == ["layers"]
    network = ds.Network([ds.Dense(4, "relu"), ds.Dense(10)])
    run = ds.train(network, digits, options=PLAIN, batch_size="full", epochs=2)
    drawn = layers_over_time(run, 2).plot(tmp_path)
    assert list(drawn) == ["layers", "filters", "pixels"]
    paths = [tmp_path / f"{name}.{kind}" for name in drawn for kind in ("png", "svg")]
    assert all(path.stat().st_size > 10_000 for path in paths)
