"""What the page is shown of a sample, a unit, a weight, the layers and learning rates."""

import numpy as np
import pytest

import downslope as ds
from downslope.errors import DataError, NetworkError
from downslope.lab.looking import layers_of, look, rates_of, tell_steps
from downslope.lab.messages import Look
from downslope.lab.view import View

DIGITS = 1e-5  # of numbers that are told with six


@pytest.fixture(scope="module")
def moons():
    return ds.train("dense 4 tanh, dense 3 relu, dense 2", "moons", epochs=2)


@pytest.fixture(scope="module")
def shapes():
    """A small network with convolutions, on small images."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    part = ds.Samples(images, rng.integers(0, 10, 40).astype(np.int32))
    names = tuple(map(str, range(10)))
    scaling = ds.Scaling.learn(images, "channel")
    data = ds.Dataset("tiny", "classification", part, part, part, scaling, class_names=names)
    network = "conv 3 3 relu, max_pool 2, conv 4 3 tanh, flatten, dense 10"
    return ds.train(network, data, epochs=1)


def gradients_of(run, sample):
    """The gradient of one sample's loss by all weights, by the public function."""
    train = run.dataset.train.take(np.array([sample]))
    inputs = run.scaling.apply(train.inputs)
    return ds.backpropagate(run.network, run.parameters, inputs, train.targets, loss=run.loss)


def parts_of(told):
    """The sums of a chain, each with what its terms multiply and add up to."""
    for one in told.chain:
        products = [np.prod([float(factor.value) for factor in term.factors]) for term in one.terms]
        yield one, products


def test_a_unit_is_its_inputs_times_weights_and_a_bias(moons):
    run, sample = moons, 17
    found, _ = look(run.model, run.dataset, Look(layer=2, unit=1), sample, 5)
    inputs = run.scaling.apply(run.dataset.train.inputs[[sample]]).astype(np.float64)[0]
    first, second = run.parameters[:2]
    before = np.tanh(inputs @ first["weights"].astype(np.float64) + first["biases"])
    products = before * second["weights"][:, 1]
    z = products.sum() + second["biases"][1]
    said = np.array([[float(cell) for cell in row[2:]] for row in found.rows])
    expected = np.stack([before, second["weights"][:, 1], products], axis=1)
    assert np.allclose(said, expected, rtol=1e-4, atol=1e-6)
    numbers = dict(found.numbers)
    assert float(numbers["z, the pre-activation"]) == pytest.approx(z, rel=1e-4, abs=1e-5)
    assert float(numbers["a = relu(z), the activation"]) == pytest.approx(max(z, 0), abs=1e-5)
    back = gradients_of(run, sample)
    error = next(value for name, value in found.numbers if name.startswith("δ"))
    assert float(error) == pytest.approx(float(back.deltas[1][0, 1]), rel=1e-4, abs=1e-7)
    assert (found.sample, found.at, found.title) == (sample, 5, "2 Dense, unit 1")
    assert float(found.loss) == pytest.approx(float(back.loss), rel=1e-4)


def approximately(said, terms):
    """What is said of a sum, to the digits of its terms."""
    return pytest.approx(float(said), abs=3 * DIGITS * np.abs(terms).sum() + 1e-12)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_the_factors_of_a_connection_multiply_to_its_gradient(moons, layer):
    sample = 17
    found, _ = look(moons.model, moons.dataset, Look(layer=layer, unit=1, weight="0"), sample, 1)
    truth = float(gradients_of(moons, sample).gradients[layer - 1]["weights"][0, 1])
    weight = moons.parameters[layer - 1]["weights"][0, 1]
    assert found.weight == "weights[0,1]"
    assert float(found.gradient) == pytest.approx(truth, rel=DIGITS, abs=1e-9)
    assert float(found.value) == pytest.approx(weight, rel=DIGITS)
    for one, products in parts_of(found):
        assert sum(products) + float(one.rest) == approximately(one.value, products)
        assert all(factor.words for term in one.terms for factor in term.factors)
    assert float(found.chain[0].value) == pytest.approx(truth, rel=1e-4)


def test_a_convolution_s_unit_sees_a_part_of_the_image(shapes):
    run, sample = shapes, 3
    asked = Look(layer=3, unit=2, weight="weights[1,1,0,2]")
    found, arrays = look(run.model, run.dataset, asked, sample, 1)
    assert arrays["image"].shape == (8, 8, 1)
    assert arrays["signals.0"].shape == (3, *run.network.shapes((8, 8, 1))[0][:2])
    assert arrays["signals.4"].shape == (10,)
    signals = run.signals(run.dataset.train.inputs[[sample]])
    assert np.allclose(
        arrays["signals.2"], np.moveaxis(signals[2].activations[0], -1, 0), atol=1e-5
    )
    assert np.allclose(arrays["products"], arrays["seen"] * arrays["filter"])
    numbers = {name[0]: float(value) for name, value in found.numbers}
    whole = arrays["products"].sum(dtype=np.float64) + float(run.parameters[2]["biases"][2])
    assert numbers["z"] == pytest.approx(whole, abs=1e-4)
    told = sum(float(row[4]) for row in found.rows) + float(found.others[1])
    assert told == pytest.approx(arrays["products"].sum(), abs=1e-4)
    assert found.others[0] == 27 - 24
    truth = float(gradients_of(run, sample).gradients[2]["weights"][1, 1, 0, 2])
    assert float(found.gradient) == pytest.approx(truth, rel=1e-4, abs=1e-8)
    for one, products in parts_of(found):
        assert sum(products) + float(one.rest) == approximately(one.value, products)


def test_what_is_not_there_is_said(moons, shapes):
    with pytest.raises(DataError, match="Sample 9,999"):
        look(moons.model, moons.dataset, Look(), 9999, 1)
    with pytest.raises(NetworkError, match="Unit 9 of layer 1"):
        look(moons.model, moons.dataset, Look(layer=1, unit=9), 0, 1)
    with pytest.raises(NetworkError, match="no neurons"):
        look(shapes.model, shapes.dataset, Look(layer=2), 0, 1)


def test_the_gradient_on_the_connections_is_that_of_the_training_loss(moons):
    view = View(moons.dataset, moons.network)
    found = view.gradients(moons.model)
    train = moons.dataset.train
    assert len(view.probed) == len(train)  # few enough for all of them
    truth = ds.backpropagate(
        moons.network, moons.parameters, moons.scaling.apply(train.inputs), train.targets,
        loss=moons.loss,
    )  # fmt: skip
    for index in range(3):
        own = truth.gradients[index]["weights"]
        assert np.allclose(found[f"gradients.{index}"], own, atol=1e-6)


def test_the_six_steps_bring_what_is_drawn_of_them(moons):
    traced = ds.insight.trace_step(moons, 20)
    told, arrays = tell_steps(traced)
    assert len(told.short) == len(told.parts) == 6
    assert all(told.short)
    assert told.sample == traced.sample.index
    past = ds.replay(moons)
    for index in range(3):
        before, after = (np.asarray(past.parameters(at)[index]["weights"]) for at in (19, 20))
        assert np.array_equal(arrays[f"weights.{index}"], before)
        assert np.array_equal(arrays[f"changes.{index}"], after - before)
        assert np.array_equal(arrays[f"deltas.{index}"], traced.way.layers[index].delta)
        assert np.array_equal(arrays[f"signals.{index}"], traced.way.layers[index].activations)


def test_layers_and_rates_are_those_of_their_commands(moons):
    course = ds.insight.layers_over_time(moons, 4)
    told, arrays = layers_of(course)
    assert told.names == ("1 Dense", "2 Dense", "3 Dense")
    assert np.array_equal(arrays["update_fraction"][1], course.layers[1].update_fraction)
    assert np.isnan(arrays["dead"][0]).all()  # tanh
    assert np.array_equal(arrays["dead"][1], course.layers[1].dead)  # relu
    found = ds.insight.find_rate("dense 2", "moons", epochs=1, seconds=0.1)
    told, arrays = rates_of(found)
    assert told.low <= told.learning_rate == found.learning_rate <= told.high
    assert arrays["near"].shape == (len(found.second_look.rates), 2)
    assert len([name for name in arrays if name.startswith("proof.")]) == len(told.proof)
