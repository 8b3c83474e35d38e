"""Walks beside trainings, and beside descent in float64."""

from dataclasses import replace

import numpy as np

import downslope as ds
from downslope.engine.settings import Settings
from downslope.insight.descent import Weights, walk
from downslope.insight.escape import B, mean_curve, tilts
from downslope.nn.losses import LOSSES, Loss
from tests.plain import PLAIN

DRAW = np.random.default_rng(3)
INPUTS = DRAW.normal(size=(12, 3)).astype(np.float32)
TARGETS = DRAW.normal(size=(12, 1)).astype(np.float32)
SQUARED = replace(LOSSES["squared_error"], degree=None)


def test_a_walk_is_the_training_of_the_same_network():
    settings = Settings(loss="squared_error", batch_size=5, epochs=3, learning_rate=0.07, seed=4)
    walks = walk(INPUTS, TARGETS, SQUARED, settings, np.zeros((1, 3)))
    part, one = ds.Samples(INPUTS, TARGETS), np.ones((), np.float32)
    data = ds.Dataset("walk", "regression", part, part, part, ds.Scaling(0 * one, one))
    run = ds.train(
        ds.Network([Weights()]), data, options=PLAIN, loss=SQUARED, batch_size=5,
        epochs=3, learning_rate=0.07, seed=4,
    )  # fmt: skip
    assert walks.weights.shape == (10, 1, 3)
    np.testing.assert_allclose(walks.weights[-1, 0], run.parameters[0]["weights"], rtol=1e-6)
    np.testing.assert_allclose(walks.batch_loss[:, 0], run.trace.batch_loss, rtol=1e-6)


def test_each_walker_has_its_own_start_rate_and_order():
    settings = Settings(loss="squared_error", batch_size="full", epochs=20)
    starts, rates = DRAW.normal(size=(4, 3)), [0.01, 0.05, 0.1, 0.2]
    walks = walk(INPUTS, TARGETS, SQUARED, settings, starts, learning_rates=rates, seeds=range(4))
    x, t = INPUTS.astype(np.float64), TARGETS.astype(np.float64)
    for index, rate in enumerate(rates):
        w = starts[index]
        for _ in range(20):
            w = w - rate * 2 * x.T @ (x @ w - t[:, 0]) / len(x)
        np.testing.assert_allclose(walks.weights[-1, index], w, rtol=1e-4, atol=1e-5)
    loss = Loss("tilted", lambda y, t: (mean_curve(y) + t * y)[:, 0])
    apart = Settings(loss="tilted", batch_size=1, epochs=1, learning_rate=0.01)
    few = tilts()[::32].astype(np.float32)[:, None]
    same = walk(np.ones_like(few), few, loss, apart, np.full((2, 1), B), seeds=[0, 1]).weights
    assert same[0, 0] == same[0, 1] and (same[1:-1, 0] != same[1:-1, 1]).any()
