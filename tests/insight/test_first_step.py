"""How a run began: the same weights, batch and slopes as in float64 by hand."""

import numpy as np
import pytest

import downslope as ds
from downslope.insight.first_step import beginning
from tests.plain import PLAIN

NETWORK = ds.Network([ds.Dense(8, "tanh"), ds.Dense(2)])


@pytest.fixture(scope="module")
def run():
    return ds.train(
        NETWORK, ds.load("moons"), options=PLAIN, learning_rate=0.2, batch_size=16, epochs=2, seed=5
    )


def test_the_first_weights_are_those_of_the_seed(run):
    begun = beginning(run)
    drawn = NETWORK.init((2,), seed=5)
    for mine, his in zip(begun.untrained.parameters, drawn, strict=True):
        for name in his:
            np.testing.assert_array_equal(mine[name], np.asarray(his[name]))


def test_the_first_batch_has_the_loss_of_the_trace(run):
    begun = beginning(run)
    assert len(begun.batch) == 16
    found = begun.untrained.measure(begun.batch)["loss"]
    assert found == pytest.approx(run.trace.batch_loss[0], rel=1e-5)
    assert begun.stepped.measure(begun.batch)["loss"] < found


def test_the_slopes_are_those_of_float64(run):
    begun = beginning(run)
    first, last = begun.layers
    weights = [
        np.asarray(layer[name], np.float64)
        for layer in begun.untrained.parameters
        for name in ("weights", "biases")
    ]
    x = np.asarray(run.scaling.apply(begun.batch.inputs), np.float64)
    hidden = np.tanh(x @ weights[0] + weights[1])
    outputs = hidden @ weights[2] + weights[3]
    fractions = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    delta2 = (fractions - np.eye(2)[begun.batch.targets]) / len(x)
    delta1 = (delta2 @ weights[2].T) * (1 - hidden**2)
    for layer, inputs, delta in ((first, x, delta1), (last, hidden, delta2)):
        gradient = np.concatenate([(inputs.T @ delta).ravel(), delta.sum(axis=0)])
        assert layer.gradient == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
        assert layer.delta == pytest.approx(np.sqrt((delta**2).mean()), rel=1e-5)
    assert (first.name, first.weights, last.weights) == ("1 Dense", 24, 18)
    moved = run.parameters[0]["weights"] - begun.untrained.parameters[0]["weights"]
    biases = run.parameters[0]["biases"]
    length = np.hypot(np.linalg.norm(moved), np.linalg.norm(biases))
    assert first.moved == pytest.approx(length / np.linalg.norm(weights[0]), rel=1e-5)


@pytest.mark.slow  # three programs are compiled
def test_dropout_weights_and_other_optimizers_begin_as_they_were(run):
    network = ds.Network([ds.Dense(8, "tanh"), ds.Dropout(0.4), ds.Dense(2)])
    for settings in ({"optimizer": "adam"}, {"class_weights": (1.0, 3.0)}, {"batch_size": "full"}):
        other = ds.train(
            network, run.dataset, options=PLAIN, learning_rate=0.01, epochs=1, **settings
        )
        assert [one.name for one in beginning(other).layers] == ["1 Dense", "3 Dense"]


def test_targets_in_units_of_their_own():
    run = ds.train(
        ds.Network([ds.Dense(4, "tanh"), ds.Dense(1)]), ds.load("waves"), options=PLAIN, epochs=1
    )
    begun = beginning(run)
    found = begun.untrained.measure(begun.batch)["loss"]
    assert found == pytest.approx(run.trace.batch_loss[0], rel=1e-5)


def test_a_run_that_went_on_has_no_beginning_of_its_own(run):
    more = ds.train(
        NETWORK, run.dataset, options=PLAIN, learning_rate=0.2, batch_size=16, start=run, epochs=1
    )
    assert beginning(more) is None


def test_looking_at_the_beginning_opens_no_test_part(run):
    before = run.test_evaluations
    begun = beginning(run)
    begun.untrained.measure(run.dataset.test)
    assert run.test_evaluations == before
