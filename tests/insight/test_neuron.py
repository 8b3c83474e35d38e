"""One neuron: its numbers beside NumPy's, and what it responds to."""

import dataclasses

import numpy as np
import pytest

import downslope as ds
from downslope.insight.neuron import neuron
from downslope.nn.notation import parse
from downslope.numerals import rounded
from tests.plain import PLAIN
from tests.runs import by_hand

DATA = by_hand.classes_data()


@pytest.fixture(scope="module")
def run():
    network = parse("dense 5 tanh, dense 4 softmax, dense 3")
    return ds.train(network, DATA, options=PLAIN, learning_rate=0.05, batch_size=10, epochs=2)


@pytest.fixture(scope="module")
def photo_run():
    network = parse(
        "conv 2 3 relu stride=2, conv 3 2 tanh dilation=2, residual (conv 3 1), "
        "conv 2 2 padding=valid, upsample, conv 1 1"
    )
    inputs = np.random.default_rng(0).integers(0, 255, (6, 8, 6, 3), dtype=np.uint8)
    part = ds.Samples(inputs, np.zeros((6, 6, 4, 1), np.float32))
    data = ds.Dataset("tiny", "counting", part, part, part, ds.Scaling.learn(inputs, "channel"))
    # numbers of people are no matter here: the drawn weights are
    run = ds.train(network, shaped(data), options=PLAIN, learning_rate=1e-6, batch_size=6, epochs=1)
    return run


def shaped(data):
    """The data with maps of the size that the network makes."""
    targets = np.zeros((6, 6, 4, 1), np.float32)[:, :6, :4]
    part = dataclasses.replace(data.train, targets=targets)
    return dataclasses.replace(data, train=part, validation=part, test=part)


def test_products_and_bias_are_the_sum_and_tanh_its_activation(run):
    found = neuron(run, 1, 3, 17)
    inputs = DATA.scaling.apply(DATA.train.inputs[17]).astype(np.float64)
    own = by_hand.as_float64(run.parameters)[0]
    np.testing.assert_allclose(found.inputs, inputs, rtol=1e-6)
    np.testing.assert_allclose(found.products, inputs * own["weights"][:, 3], rtol=1e-5)
    total = inputs @ own["weights"][:, 3] + own["biases"][3]
    assert found.sum == pytest.approx(total, rel=1e-5)
    assert found.output == pytest.approx(np.tanh(total), rel=1e-5)
    assert found.bias == pytest.approx(own["biases"][3])
    around, values = found.curve.T
    np.testing.assert_allclose(values, np.tanh(around), rtol=1e-5, atol=1e-6)


def test_what_it_responds_to_is_what_numpy_finds(run):
    own = by_hand.as_float64(run.parameters)[0]
    pre_activations = (DATA.scaling.apply(DATA.train.inputs) @ own["weights"] + own["biases"])[:, 2]
    found = neuron(run, 1, 2)
    np.testing.assert_allclose(found.responses, pre_activations, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.responds_most(3), np.argsort(-pre_activations)[:3])
    np.testing.assert_array_equal(found.responds_least(3), np.argsort(pre_activations)[:3])
    assert found.sample == pre_activations.argmax()


def test_softmax_is_drawn_with_the_other_sums_as_they_are(run):
    found = neuron(run, 2, 1, 4)
    signals = run.signals(DATA.train.inputs[4:5])
    others = np.delete(np.asarray(signals[1].pre_activations, np.float64)[0], 1)
    around, values = found.curve.astype(np.float64).T
    rest = np.exp(others).sum()
    np.testing.assert_allclose(values, np.exp(around) / (np.exp(around) + rest), rtol=1e-4)
    assert found.output == pytest.approx(np.exp(found.sum) / (np.exp(found.sum) + rest), rel=1e-4)
    assert found.slope == pytest.approx(found.output * (1 - found.output), rel=1e-5)


@pytest.mark.parametrize("layer", [1, 2, 4, 6])
def test_a_patch_of_a_convolution_is_what_its_sum_is_made_of(photo_run, layer):
    pre_activations = np.asarray(
        photo_run.signals(photo_run.dataset.train.inputs[2:3])[layer - 1].pre_activations
    )[0]
    rows, columns, units = pre_activations.shape
    for index in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)):
        found = neuron(photo_run, layer, units - 1, 2, position=index)
        assert found.sum == pytest.approx(float(pre_activations[index][units - 1]), abs=1e-5)
        assert found.products.sum() + found.bias == pytest.approx(found.sum, abs=1e-4)
        assert found.grid == (rows, columns)
    free = neuron(photo_run, layer, 0, 2)
    assert free.sum == pytest.approx(float(pre_activations[..., 0].max()), abs=1e-5)
    assert free.responses[2] == pytest.approx(float(pre_activations[..., 0].max()), abs=1e-5)


def test_it_is_told_in_words(run):
    text = str(neuron(run, 1, 3, 17))
    assert text.splitlines()[0] == "Unit 3 of layer 1 Dense, looking at training sample 17"
    assert "x[0]" in text
    assert "activation (tanh)" in text
    found = neuron(run, 1, 3, 17)
    assert found.slope == pytest.approx(1 - found.output**2, rel=1e-5)
    assert found.output < 0
    assert f"da/dz = 1 − a² = 1 − (−{rounded(-found.output)})² = {rounded(found.slope)}" in text
    assert "Over all 50 training samples its pre-activation ranges from" in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"layer": 3, "unit": 0},
            "Layer 3 Residual has no neurons of its own. Expected one of: 1 Conv2D, 2 Conv2D, "
            "4 Conv2D, 6 Conv2D. Choose another layer.",
        ),
        (
            {"layer": 1, "unit": 2},
            "Unit 2 of layer 1 was asked for, and it has 2. Expected a unit from 0 to 1. Choose "
            "another unit.",
        ),
        (
            {"layer": 1, "unit": 0, "sample": 6},
            "Sample 6 was asked for, and tiny has 6 training samples. Expected a number from 0 to "
            "5. Choose another sample, or leave it out for the one with the largest "
            "pre-activation.",
        ),
        (
            {"layer": 1, "unit": 0, "position": (4, 0)},
            "The position (4, 0) was asked for, and its layer gives 4 x 3 positions. Expected a "
            "row and a column from 0. Leave it out for where the neuron responds most.",
        ),
    ],
)
def test_a_neuron_that_is_not_there_is_told(photo_run, asked, message):
    with pytest.raises(ds.DownslopeError) as caught:
        neuron(photo_run, **asked)
    assert str(caught.value) == message
