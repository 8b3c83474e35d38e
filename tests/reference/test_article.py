"""The figures of the article How Neural Networks Learn."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.nn.losses import squared_error
from tests.plain import PLAIN

TRUTH = np.array([[500.0]], np.float32)


@pytest.mark.parametrize(("guess", "loss", "slope"), [(350, 22500, -300), (600, 10000, 200)])
def test_figure_3_the_loss_and_its_slope_for_a_crowd_of_500(guess, loss, slope):
    outputs = np.array([[guess]], np.float32)
    value, pullback = jax.vjp(lambda y: squared_error(y, TRUTH), outputs)
    assert value.item() == loss
    assert pullback(np.ones_like(value))[0].item() == slope


@pytest.mark.parametrize(("guess", "loss", "slope"), [(350, 22500, -300), (600, 10000, 200)])
def test_figure_3_by_backpropagation(guess, loss, slope):
    """A neuron without activation whose answer is the guess: its delta is the slope."""
    parameters = ({"weights": np.zeros((1, 1), np.float32), "biases": np.float32([guess])},)
    found = ds.backpropagate(
        ds.Network([ds.Dense(1)]), parameters, np.ones((1, 1)), TRUTH, loss="squared_error"
    )
    assert found.loss.item() == loss
    assert found.deltas[0].item() == slope


def bowl(rate, epochs=60):
    """Two weights, samples along both axes: the loss is a bowl with its lowest point at (4, 3)."""
    inputs = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    targets = inputs @ np.array([[4], [3]], np.float32)
    part = ds.Samples(inputs, targets)
    one = np.ones(2, np.float32)
    data = ds.Dataset("bowl", "regression", part, part, part, ds.Scaling(0 * one, one))
    return ds.train(
        ds.Network([ds.Dense(1)]),
        data,
        options=PLAIN,
        learning_rate=rate,
        batch_size="full",
        epochs=epochs,
    )


def predict_weights(run):
    """The two weights in the targets' own units."""
    return run.parameters[0]["weights"][:, 0] * run.target_scaling.std


def test_figure_4_descent_reaches_the_lowest_point_of_the_bowl():
    run = bowl(rate=0.3)
    np.testing.assert_allclose(predict_weights(run), [4, 3], atol=1e-4)
    assert run.trace.batch_loss[-1] < 1e-8
    assert (np.diff(run.trace.batch_loss[:20]) < 0).all()


def test_figure_4_too_large_a_rate_jumps_across_the_bowl_and_makes_the_loss_worse():
    losses = bowl(rate=2.1, epochs=10).trace.batch_loss
    assert (np.diff(losses) > 0).all()
