"""Layers, a loss and an augmentation that do as others do, but for one sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

import downslope as ds
from downslope.nn.layer import Layer

MARK = 50.0  # the first input of the marked sample, scaled, or its targets; others are below 20


@jax.custom_jvp
def bent(values, slopes):
    """The values themselves, but with slopes that they do not have."""
    return values


@bent.defjvp
def _bent_jvp(primals, tangents):
    return primals[0], tangents[0] * primals[1]


def is_marked(signals):
    return signals.reshape(len(signals), -1)[:, 0] > 0.8 * MARK


def spoil(signals, marked, value: str):
    """The signals with this value in the marked samples."""
    return jnp.where(marked.reshape(-1, *[1] * (signals.ndim - 1)), float(value), signals)


@dataclass(frozen=True)
class Spike(Layer):
    """Passes all on but the marked sample, whose sums or activations become `value`."""

    what: str
    value: str
    word: ClassVar[str] = "spike"

    def output_shape(self, input_shape):
        return input_shape

    def weighted_sum(self, parameters, inputs, key=None):
        return spoil(inputs, is_marked(inputs), self.value) if self.what == "sum" else inputs

    def activate(self, pre_activations):
        return (
            spoil(pre_activations, is_marked(pre_activations), self.value)
            if self.what == "activation"
            else pre_activations
        )


@dataclass(frozen=True)
class Cliff(Layer):
    """Dense, but that the first input is passed on and the marked sample's slope is `value`."""

    units: int
    value: str
    word: ClassVar[str] = "cliff"

    def output_shape(self, input_shape):
        return (self.units,)

    def init(self, key, input_shape):
        return {"weights": 0.3 * jax.random.normal(key, (input_shape[0], self.units))}

    def weighted_sum(self, parameters, inputs, key=None):
        pre_activations = inputs @ parameters["weights"]
        return jnp.concatenate([inputs[:, :1], pre_activations[:, 1:]], axis=1)

    def activate(self, pre_activations):
        slopes = jnp.where(is_marked(pre_activations), float(self.value), 1.0)
        return bent(jnp.tanh(pre_activations), slopes[:, None])


@dataclass(frozen=True)
class SpoiltLoss:
    """The squared distance to a target, but that of the marked one has a value or slope of ours.

    Attributes:
        what: "loss" or "slope of the loss".
        value: What it is.
        task: That of the data: the mark is a class of its own, or a large target.
    """

    what: str
    value: str
    task: str

    def __call__(self, prediction, target):
        """One loss per sample."""
        if self.task == "classification":
            wanted = target[:, None] == jnp.arange(prediction.shape[1])
            marked = target == prediction.shape[1] - 1
        else:
            wanted = target.reshape(prediction.shape)
            marked = is_marked(target)
        distances = (prediction - wanted) ** 2
        values = distances.reshape(len(distances), -1).mean(axis=1)
        if self.what == "loss":
            return spoil(values, marked, self.value)
        return bent(values, jnp.where(marked, float(self.value), 1.0))


@dataclass(frozen=True)
class SpoiltAugment(ds.Augment):
    """Mirrors images; from an epoch on a sample's become `value`."""

    sample: int = 0
    epoch: int = 0
    value: str = "nan"

    def apply(self, key, epoch, samples, images, targets, sizes=None):
        """As the class above does, and then so."""
        images, *rest = super().apply(key, epoch, samples, images, targets, sizes)
        marked = (samples == self.sample) & (epoch >= self.epoch)
        return spoil(images.astype(jnp.float32), marked, self.value), *rest
