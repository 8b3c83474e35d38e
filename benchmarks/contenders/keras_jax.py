"""Keras on JAX: `compile` and `fit`, as its guide has them."""

from __future__ import annotations

import keras
import numpy as np

from benchmarks.contenders.task import Task
from benchmarks.rungs import CALLS
from benchmarks.samples import Arrays
from benchmarks.work import Conv, Dense, Flatten, Layer, Norm, Pool, Work

assert keras.backend.backend() == "jax"  # the environment says so before the import


def build(work: Work) -> keras.Sequential:
    """The network, ready to fit."""
    model = keras.Sequential([keras.Input(work.input_shape), *map(_layer, work.layers)])
    if work.loss == "squared_error":
        loss = keras.losses.MeanSquaredError()
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(work.learning_rate), loss=loss)
    return model


def _layer(layer: Layer) -> keras.Layer:
    match layer:
        case Dense():
            return keras.layers.Dense(layer.units, _activation(layer))
        case Conv():
            return keras.layers.Conv2D(
                layer.channels, layer.size, padding="same", activation=_activation(layer)
            )
        case Pool():
            return keras.layers.MaxPooling2D(2)
        case Norm():
            normal = keras.layers.BatchNormalization()
            return keras.Sequential([normal, keras.layers.Activation(_activation(layer))])
        case Flatten():
            return keras.layers.Flatten()


def _activation(layer: Dense | Conv | Norm) -> str:
    return {"identity": "linear"}.get(layer.activation, layer.activation)


def train(work: Work, samples: Arrays) -> Task:
    """One call of `fit`, which shuffles in each epoch."""
    model = build(work)

    def block() -> None:
        model.fit(
            samples.inputs,
            samples.targets,
            batch_size=work.batch_size,
            epochs=work.epochs,
            shuffle=True,
            verbose=0,
        )

    def loss() -> float:
        return float(model.evaluate(samples.inputs, samples.targets, verbose=0))

    return Task(block, loss)


def predict_one(work: Work, samples: Arrays) -> Task:
    """One sample at a time by calling the model, which its guide advises for few samples."""
    model = build(work)

    def block() -> None:
        for call in range(CALLS):
            index = call % len(samples.inputs)
            answer = model(samples.inputs[index : index + 1], training=False)
            np.asarray(answer).argmax(1)

    return Task(block)


def predict_many(work: Work, samples: Arrays) -> Task:
    """All samples by `predict`."""
    model = build(work)

    def block() -> None:
        model.predict(samples.inputs, batch_size=256, verbose=0).argmax(1)

    return Task(block)
