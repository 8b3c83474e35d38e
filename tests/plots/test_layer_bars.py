"""Layers side by side, the learning rate over the steps, and samples in tiles."""

import numpy as np
import pytest

from downslope.insight.first_step import LayerGradients
from downslope.plots import layer_gradients, layer_movement, learning_rates, sample_tiles

LAYERS = (
    LayerGradients("1 Dense", 1234, 0.1, 2.5, 0.5),
    LayerGradients("3 GroupNorm", 1, 0.0, 0.0, float("inf")),
    LayerGradients("4 Dense", 10, 0.1, 1.25, 0.0),
)


@pytest.mark.parametrize("draw", [layer_gradients, layer_movement])
@pytest.mark.parametrize("layers", [LAYERS, LAYERS[:1], LAYERS * 12, LAYERS[1:2]])
def test_layers(draw, layers, texts, overlaps):
    figure = draw(layers, name="moons")
    assert overlaps(figure) == []
    assert ("1,234 weights" in texts(figure)) == (layers != LAYERS[1:2])


def test_the_last_layer_is_on_top_and_bars_are_as_long_as_is_said(texts):
    figure = layer_gradients(LAYERS)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "4 Dense", "3 GroupNorm", "1 Dense",
    ]  # fmt: skip
    assert [bar.get_width() for bar in axes.patches] == [1.25, 0, 2.5]
    assert axes.yaxis_inverted()
    assert "began at 0" in texts(layer_movement(LAYERS))
    assert [bar.get_width() for bar in layer_movement(LAYERS).axes[0].patches] == [0, 0, 50]


@pytest.mark.parametrize("steps", [1, 3, 5000])
def test_learning_rates(make_trace, steps, texts, overlaps):
    trace = make_trace("classification", [1.0], [1.0], batch_loss=np.ones(steps))
    trace.steps["learning_rate"][-1] = 0.05
    figure = learning_rates(trace, name="moons")
    assert overlaps(figure) == []
    assert any("last step 0.05" in text for text in texts(figure))


@pytest.mark.parametrize("shape", [(6, 8, 8, 1), (1, 32, 20, 3), (5, 100, 160, 3)])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_samples(shape, kind, texts, overlaps):
    images = (np.random.default_rng(0).random(shape) * 255).astype(kind)
    captions = [f"class {index} $\\frac$" for index in range(len(images))]
    figure = sample_tiles(images, captions, title="Some samples")
    assert overlaps(figure) == []
    drawn = [axes for axes in figure.axes if axes.axison]
    assert len(drawn) == len(images)
