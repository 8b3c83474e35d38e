"""Trainings of networks drawn at random, with every state that they came by."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from random import Random
from unittest.mock import patch

import jax
import numpy as np

import downslope as ds
from downslope.engine.chunks import run_finite_chunk
from downslope.insight.weight import arrays_of
from downslope.nn import losses
from downslope.runs import training
from tests.plain import PLAIN
from tests.reference import drawing

LOSSES = ("squared_error", "huber", "poisson", "binary_cross_entropy", drawing.cubic_error)
OPTIMIZERS = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")
SAMPLES, EPOCHS = 14, 3
SHAPES = (*drawing.FLAT_SHAPES, *drawing.IMAGE_SHAPES)


@dataclass(frozen=True)
class Drawn:
    """A run, and the state that its training was in behind each step."""

    run: ds.Run
    states: list


@contextmanager
def every_state():
    """Train a step at a time and yield what was left behind each."""
    states = []

    def recording(*arguments):
        state, rows = run_finite_chunk(*arguments)
        states.append(jax.tree.map(np.array, state))
        return state, rows

    @contextmanager
    def one_step(pace, steps_left, asked=None):
        yield 1

    with (
        patch.object(training, "run_finite_chunk", recording),
        patch.object(training.Pace, "timed", one_step),
    ):
        yield states


def has_weights(network, shape) -> bool:
    return bool(jax.tree.leaves(jax.eval_shape(lambda: network.init(shape))))


def drawn_training(seed: int) -> Drawn:
    """A short training: network, data, loss, optimizer and batches drawn from a seed."""
    random, rng = Random(seed), np.random.default_rng(seed)
    shape = random.choice(SHAPES)
    network = drawing.drawn_network(1 + seed % (4 if len(shape) == 1 else 3), seed, [shape])[0]
    if not has_weights(network, shape):
        network = ds.Network([*network.layers, ds.Flatten(), ds.Dense(2)])
    if len(network.shapes(shape)[-1]) > 1:
        network = ds.Network([*network.layers, ds.Flatten()])
    (outputs,) = network.shapes(shape)[-1]
    last = getattr(network.layers[-1], "activation", "identity")
    is_class = outputs > 1 and last not in ("softmax", "sigmoid") and random.random() < 0.4
    loss = "cross_entropy" if is_class else random.choice(LOSSES)
    if loss == "binary_cross_entropy" and last in ("softmax", "sigmoid"):
        loss = "squared_error"

    def part(count):
        inputs = rng.normal(0.5, 1.5, (count, *shape)).astype(np.float32)
        if is_class:
            return ds.Samples(inputs, rng.integers(0, outputs, count).astype(np.int32), weights)
        targets = rng.normal(1, 2, (count, outputs))
        if loss == "binary_cross_entropy":
            targets = targets > 1
        if loss == "poisson":
            targets = rng.poisson(2, (count, outputs))
        return ds.Samples(inputs, targets.astype(np.float32), weights)

    weights = rng.uniform(0.2, 2, SAMPLES).astype(np.float32) if random.random() < 0.3 else None
    parts = [part(SAMPLES) for _ in range(3)]
    names = tuple(map(str, range(outputs))) if is_class else ()
    task = "classification" if is_class else "regression"
    if loss == "binary_cross_entropy":  # several labels each; its targets are no classes here
        loss = replace(losses.LOSSES[loss], takes_classes=False)
    data = ds.Dataset("drawn", task, *parts, ds.Scaling.learn(parts[0].inputs), class_names=names)
    with every_state() as states:
        run = ds.train(
            network,
            data,
            options=PLAIN,
            loss=loss,
            optimizer=random.choice(OPTIMIZERS),
            learning_rate=0.01,
            batch_size=random.choice([1, 4, 5, "full"]),
            epochs=EPOCHS,
            seed=seed,
        )
    return Drawn(run, states)


def drawn_question(random: Random, run: ds.Run) -> dict:
    """A step, a sample and a weight."""
    layers = [number for number, own in enumerate(run.parameters, 1) if jax.tree.leaves(own)]
    layer = random.choice(layers)
    arrays = {  # running statistics have no gradient
        name: array
        for name, array in arrays_of(run.parameters, layer).items()
        if "running_" not in name
    }
    name, array = random.choice(sorted(arrays.items()))
    index = ",".join(str(random.randrange(side)) for side in array.shape)
    return {
        "step": random.randint(1, run.outcome.step),
        "sample": random.choice([None, random.randrange(SAMPLES)]),
        "layer": layer,
        "weight": f"{name}[{index}]",
    }
