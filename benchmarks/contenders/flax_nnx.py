"""Flax NNX and Optax: a jitted step in a Python loop, as its guide has it.

With `nnx.cached_partial`, which its performance guide advises for small networks: a step of the
digits network takes less than half the time with it.
"""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
import optax
from flax import nnx

from benchmarks.contenders.task import Task
from benchmarks.rungs import CALLS
from benchmarks.samples import Arrays
from benchmarks.work import Conv, Dense, Flatten, Norm, Pool, Work, fans_in

ACTIVATIONS = {"relu": nnx.relu, "tanh": nnx.tanh}


def build(work: Work) -> nnx.Sequential:
    """The network."""
    rngs = nnx.Rngs(0)
    layers = []
    for layer, fan_in in zip(work.layers, fans_in(work), strict=True):
        match layer:
            case Dense():
                layers.append(nnx.Linear(fan_in, layer.units, rngs=rngs))
            case Conv():
                window = (layer.size, layer.size)
                layers.append(nnx.Conv(fan_in, layer.channels, window, rngs=rngs))
            case Pool():
                layers.append(partial(nnx.max_pool, window_shape=(2, 2), strides=(2, 2)))
            case Norm():
                layers.append(nnx.BatchNorm(fan_in, rngs=rngs))
            case Flatten():
                layers.append(lambda x: x.reshape(x.shape[0], -1))
        activation = getattr(layer, "activation", "identity")
        if activation != "identity":
            layers.append(ACTIVATIONS[activation])
    return nnx.Sequential(*layers)


def _loss(work: Work, outputs: jax.Array, targets: jax.Array) -> jax.Array:
    if work.loss == "squared_error":
        return optax.squared_error(outputs, targets).mean()
    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


def train(work: Work, samples: Arrays) -> Task:
    """The jitted step in a loop; batches are taken from NumPy arrays, which is cheapest."""
    model = build(work)
    optimizer = nnx.Optimizer(model, optax.sgd(work.learning_rate), wrt=nnx.Param)
    random = np.random.default_rng(0)

    @nnx.jit
    def train_step(model, optimizer, inputs, targets):
        def loss_function(model):
            return _loss(work, model(inputs), targets)

        loss, gradients = nnx.value_and_grad(loss_function)(model)
        optimizer.update(model, gradients)
        return loss

    step = nnx.cached_partial(train_step, model, optimizer)

    def block() -> None:
        loss = None
        for _ in range(work.epochs):
            order = random.permutation(len(samples.inputs))
            for start in range(0, len(order), work.batch_size):
                batch = order[start : start + work.batch_size]
                loss = step(samples.inputs[batch], samples.targets[batch])
        jax.block_until_ready((loss, nnx.state(model)))  # steps run on after the call

    @nnx.jit
    def measure(model, inputs, targets):
        return _loss(work, model(inputs), targets)

    def loss() -> float:
        sums = 0.0
        for start in range(0, len(samples.inputs), work.batch_size):
            x, y = (array[start : start + work.batch_size] for array in samples)
            sums += float(measure(model, x, y)) * len(x)
        return sums / len(samples.inputs)

    return Task(block, loss)


def _predicting(work: Work, samples: Arrays, batch: int, calls: int) -> Task:
    model = build(work)

    @nnx.jit
    def choose(model, inputs):
        return model(inputs).argmax(1)

    answer = nnx.cached_partial(choose, model)

    def block() -> None:
        for call in range(calls):
            index = call % (len(samples.inputs) - batch + 1)
            np.asarray(answer(samples.inputs[index : index + batch]))

    return Task(block)


def predict_one(work: Work, samples: Arrays) -> Task:
    """One sample at a time."""
    return _predicting(work, samples, 1, CALLS)


def predict_many(work: Work, samples: Arrays) -> Task:
    """All samples at once."""
    return _predicting(work, samples, work.samples, 1)
