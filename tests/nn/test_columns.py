"""Turned networks answer what networks answer."""

import jax
import numpy as np
import pytest

from downslope.nn.columns import fits_columns, forward_columns, losses_of_columns
from downslope.nn.losses import LOSSES, resolve
from downslope.nn.notation import parse

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(17, 4)).astype(np.float32)


@pytest.mark.parametrize(
    "text", ["dense 3", "dense 6 tanh, dense 5 relu, dense 3", "dropout 0.5, dense 6 gelu, dense 2"]
)
def test_the_answers_are_the_networks(text):
    network = parse(text)
    parameters = network.init((4,), seed=1)
    turned = forward_columns(network.layers, parameters, INPUTS.T)
    np.testing.assert_allclose(turned.T, network.forward(parameters, INPUTS), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("dense 6 tanh, dropout 0.2, dense 3", True),
        ("dense 6 softmax, dense 3", False),
        ("dense 6, layer_norm, dense 3", False),
        ("conv 6, flatten, dense 3", False),
    ],
)
def test_only_what_treats_each_neuron_alike_can_be_turned(text, fits):
    assert fits_columns(parse(text).layers) is fits


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("outputs", [1, 10, 40])
def test_the_losses_are_the_losses(name, outputs):
    loss = resolve(name)
    predictions = RNG.normal(size=(17, outputs)).astype(np.float32) * 30
    targets = RNG.random((17, outputs)).astype(np.float32)
    if name == "cross_entropy":
        targets = RNG.integers(0, outputs, 17).astype(np.int32)
    found = losses_of_columns(loss, predictions.T, targets)
    np.testing.assert_allclose(found, loss.per_sample(predictions, targets), rtol=1e-5, atol=1e-5)


def test_logits_that_would_overflow_do_not():
    logits = np.array([[1e4, -1e4, 0.0]], np.float32)
    found = losses_of_columns(resolve("cross_entropy"), logits.T, np.array([1]))
    np.testing.assert_allclose(found, [2e4])


def test_shares_of_classes_are_no_classes():
    logits, fractions = np.array([[1.0, 2.0]], np.float32), np.array([[0.25, 0.75]], np.float32)
    found = losses_of_columns(resolve("cross_entropy"), logits.T, fractions)
    np.testing.assert_allclose(found, -(fractions * jax.nn.log_softmax(logits)).sum(1), rtol=1e-6)
