"""The picture of a neuron, for rows of a table, flat images and convolutions."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight.neuron import neuron
from downslope.plots import neuron_figure
from tests.plain import PLAIN


def test_a_neuron_of_a_table(moons_run, overlaps, texts):
    found = neuron(moons_run, 1, 3)
    figure = neuron_figure(found)
    assert overlaps(figure) == []
    assert "Unit 3 of layer 1 Dense, trained on moons" in texts(figure)
    assert "Activation function: tanh" in texts(figure)
    products, activation, responses = figure.axes
    ends = products.patches[2].get_x() + products.patches[2].get_width()
    assert ends == pytest.approx(found.sum, rel=1e-4)  # two products and the bias
    assert products.patches[3].get_width() == pytest.approx(found.sum)
    x, y = activation.lines[-1].get_data()
    assert (x[0], y[0]) == pytest.approx((found.sum, found.output))
    heights = [bar.get_height() for bar in responses.patches]
    assert sum(heights) == len(moons_run.dataset.train)


def test_a_neuron_that_goes_on_as_it_is(moons_run, overlaps, texts):
    figure = neuron_figure(neuron(moons_run, 2, 0, 5))
    assert overlaps(figure) == []
    assert any("with no activation function." in text for text in texts(figure))


def test_a_neuron_that_sees_an_image(digits, overlaps):
    network = ds.Network([ds.Dense(4, "relu"), ds.Dense(10)])
    run = ds.train(network, digits, options=PLAIN, batch_size="full", epochs=1)
    first = neuron_figure(neuron(run, 1, 2))
    assert overlaps(first) == []
    assert sum(bool(axes.images) for axes in first.axes) == 4 + 12
    second = neuron_figure(neuron(run, 2, 2))
    assert sum(bool(axes.images) for axes in second.axes) == 12


def test_a_channel_of_a_convolution(overlaps):
    inputs = np.random.default_rng(0).integers(0, 255, (8, 12, 16, 3), dtype=np.uint8)
    part = ds.Samples(inputs, np.zeros((8, 6, 8, 1), np.float32))
    data = ds.Dataset("tiny", "counting", part, part, part, ds.Scaling.learn(inputs, "channel"))
    network = ds.Network([ds.Conv2D(4, 3, "relu", stride=2), ds.Conv2D(1, 1)])
    run = ds.train(network, data, options=PLAIN, batch_size=8, epochs=1, learning_rate=1e-6)
    figure = neuron_figure(neuron(run, 1, 2, 3, position=(2, 7)))
    assert overlaps(figure) == []
    sample = next(axes for axes in figure.axes if axes.get_title(loc="left") == "sample 3")
    column, row = (values[0] for values in sample.lines[0].get_data())
    assert (column, row) == (14.5, 4.5)  # the middle of the seventh of eight columns
    alone = neuron_figure(neuron(run, 2, 0, 3))  # patches of one pixel are no image
    assert overlaps(alone) == []
