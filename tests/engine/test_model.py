"""A model: what it predicts is what a run predicts; it passes through JAX as one value."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.nn.notation import parse
from tests.plain import PLAIN
from tests.runs import by_hand


@pytest.fixture(scope="module")
def run():
    data = by_hand.numbers_data()
    return ds.train(parse("dense 4 tanh, dense 2"), data, options=PLAIN, epochs=2)


def test_a_run_predicts_as_its_model(run):
    inputs = by_hand.numbers_data().test.inputs
    np.testing.assert_array_equal(run.model.predict(inputs), run.predict(inputs))
    samples = by_hand.numbers_data().test
    assert run.model.losses(samples).mean() == pytest.approx(run.measure(samples)["loss"])


def test_with_other_weights_it_predicts_otherwise(run):
    inputs = by_hand.numbers_data().test.inputs
    doubled = run.model.at(jax.tree.map(lambda leaf: 2 * leaf, run.parameters))
    assert not np.allclose(doubled.predict(inputs), run.predict(inputs))
    back = doubled.at(run.parameters)
    np.testing.assert_array_equal(back.predict(inputs), run.predict(inputs))


def test_it_is_a_pytree_of_weights_and_scaling(run):
    leaves, structure = jax.tree.flatten(run.model)
    assert (
        len(leaves) == 4 + 2 + 2
    )  # two layers; mean and standard deviation of inputs and of targets
    again = jax.tree.unflatten(structure, leaves)
    inputs = by_hand.numbers_data().test.inputs
    np.testing.assert_array_equal(again.predict(inputs), run.predict(inputs))


def test_without_scaling_it_is_the_network_alone():
    network = parse("dense 3 relu, dense 1")
    weights = network.init((2,), seed=3)
    inputs = np.random.default_rng(0).normal(size=(6, 2))
    model = ds.Model(network, "squared_error", weights)
    expected = np.maximum(inputs @ weights[0]["weights"] + weights[0]["biases"], 0)
    expected = expected @ weights[1]["weights"] + weights[1]["biases"]
    np.testing.assert_allclose(model.predict(inputs), expected, rtol=1e-5)


def test_an_unknown_loss_is_told():
    with pytest.raises(ds.SettingError, match="loss"):
        ds.Model(parse("dense 1"), "squarederr", parse("dense 1").init((2,)))
