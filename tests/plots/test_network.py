"""The picture of a network: its numbers are those of the run, before and after the training."""

import math

import numpy as np
import pytest
from matplotlib.collections import LineCollection

import downslope as ds
from downslope.insight.network import network
from downslope.nn.notation import parse
from downslope.plots import style
from downslope.plots.network import is_small, network_figure
from tests.plain import PLAIN
from tests.runs import by_hand

DATA = by_hand.classes_data()
CONVOLUTIONS = "standardize, conv 12 3 relu, layer_norm, max_pool 2, conv 1 1, flatten, dense 2"


@pytest.fixture(scope="module")
def run():
    return ds.train(parse("dense 8 tanh, dense 3"), DATA, options=PLAIN, epochs=3)


def test_it_has_the_weights_of_both_states_and_the_signals_of_the_sample(run):
    found = network(run, 7)
    first = run.network.init(run.data.input_shape, run.settings.seed)
    inputs = run.scaling.apply(DATA.train.inputs[7:8])
    for state, parameters in zip(found.states, (first, run.parameters), strict=True):
        signals = inputs.astype(np.float64)
        for layer, own in zip(state.layers, parameters, strict=True):
            np.testing.assert_array_equal(layer.weights, own["weights"])
            np.testing.assert_array_equal(layer.biases, own["biases"])
            signals = signals @ np.asarray(own["weights"], np.float64) + own["biases"]
            signals = np.tanh(signals) if "tanh" in layer.notation else signals
            np.testing.assert_allclose(layer.activations, signals[0], rtol=1e-4, atol=1e-5)
    assert sum(one.parameters for one in found.layers) == run.parameter_count
    moved = [
        np.linalg.norm(
            np.concatenate([np.ravel(one[name] - np.asarray(old[name])) for name in one])
        )
        / np.linalg.norm(np.concatenate([np.ravel(old[name]) for name in old]))
        for one, old in zip(run.parameters, first, strict=True)
    ]
    np.testing.assert_allclose(found.moved, moved, rtol=1e-5)
    index = int(run.predict(DATA.train.inputs[7:8])[0])
    assert f'trained: it predicts "{DATA.class_names[index]}" with' in str(found)
    assert "are what it has learnt" in found.summary
    inputs_of = found.to_dict()["states"][1]["layers"][0]["weights"]
    assert len(inputs_of) == len(DATA.train.inputs[0])


def test_a_small_network_is_drawn_whole(run, texts):
    found = network(run, 7)
    assert is_small(found)
    figure = network_figure(found)
    assert len(figure.axes) == 2
    for axes, state in zip(figure.axes, found.states, strict=True):
        drawn = [one for one in axes.collections if isinstance(one, LineCollection)]
        for lines, layer in zip(drawn, state.layers, strict=True):
            weights = np.sort(np.abs(layer.weights), axis=None)
            assert (np.diff(lines.get_linewidths()) >= 0).all()
            blue = np.array(lines.get_colors())[:, 2] > 0.5
            assert blue.sum() == (layer.weights > 0).sum()
            assert len(lines.get_segments()) == weights.size
    said = texts(figure)
    assert style.short(float(found.states[1].layers[0].activations[0]), 2) in said


def images():
    inputs = np.random.default_rng(0).normal(size=(40, 8, 10, 3)).astype(np.float32)
    part = ds.Samples(inputs, (inputs[:, 0, 0, 0] > 0).astype(np.int32))
    return ds.Dataset("tiny", "classification", part, part, part, ds.Scaling.learn(inputs, "all"),
                      class_names=("no", "yes"))  # fmt: skip


def test_a_large_network_is_drawn_by_its_layers(texts, overlaps):
    run = ds.train(parse(CONVOLUTIONS), images(), options=PLAIN, epochs=1, learning_rate=0.01)
    found = network(run)
    assert not is_small(found)
    shapes = [one.shape for one in found.layers]
    assert shapes == list(run.network.shapes((8, 10, 3)))
    assert found.layers[1].weights.shape == (3, 3, 3, 12)
    assert sum(one.parameters for one in found.layers) == run.parameter_count
    figure = network_figure(found)
    assert overlaps(figure) == []
    said = "\n".join(texts(figure))
    for words in ("conv 12 3 relu", "dense 2", "Left out: 3 layers", "no", "yes"):
        assert words in said, words
    assert "layer_norm" not in said
    svg = ds.plots.save(figure, "network.svg").read_text()
    assert svg.count("<image") > 8


def test_a_network_without_a_run_and_a_run_that_began_elsewhere(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    alone = parse("conv 4 3 relu, flatten, dense 2")
    assert "4 x 5 x 4" in alone.summary((4, 5, 1))
    assert list(alone.plot((4, 5, 1), "here")) == ["network"]
    assert (tmp_path / "here" / "network.png").is_file()
    with pytest.raises(ds.NetworkError, match="Expected images"):
        alone.summary((20,))
    later = ds.train(None, DATA, start=run, options=PLAIN, epochs=1)
    found = network(later)
    assert [one.name for one in found.states] == ["trained"] and found.moved == ()
    assert len(network_figure(found).axes) == 1
    with pytest.raises(ds.DataError, match="Sample 50 was asked for"):
        network(run, 50)


def test_numbers_and_people_are_predicted_in_words():
    numbers = ds.train("dense 2", by_hand.numbers_data(), options=PLAIN, epochs=1)
    assert math.isfinite(float(network(numbers).states[1].prediction.split(", ")[0].split()[-1]))
    crowd = by_hand.crowd_data()
    layers = parse("conv 3 3 relu, max_pool 4, conv 1 1")
    run = ds.train(layers, crowd, options=PLAIN, batch_size=6, epochs=1, learning_rate=1e-4)
    found = network(run, 2)
    assert found.truth.endswith(" people") and found.states[1].prediction.endswith(" people")
    network_figure(found)
