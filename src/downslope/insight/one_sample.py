"""One sample's way through a network as a training step took it: forward, and back.

A sample is followed by itself. What the step did to it is kept: images are those that were changed,
dropout is held as it was drawn, and batch normalisation uses the mean and variance of the step's
batch, held as well: how a sample moves these is in the gradient of the batch alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.data.dataset import Samples
from downslope.engine.backpropagation import backpropagate
from downslope.engine.compilation import QUICKLY_COMPILED, compiled
from downslope.engine.evaluation import sizes_of
from downslope.engine.loop import Batch, Program
from downslope.engine.scales import Units
from downslope.errors import DataError, NetworkError
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Dropout
from downslope.nn.layer import (
    Layer,
    Padded,
    Parameters,
    Shape,
    forward_padded,
    in_order,
    layer_kind,
    numbered,
)
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.normalization import BatchNorm
from downslope.result import PROGRAM_ONLY
from downslope.runs.replay import Replay


@dataclass(frozen=True, eq=False)
class HeldDropout(Layer):
    """Dropout as it was drawn for one sample in one step.

    Attributes:
        factors: What each signal is multiplied by: 0, or the reciprocal of the fraction kept.
    """

    factors: np.ndarray
    word: ClassVar[str] = "dropout"
    __hash__ = object.__hash__  # an array has none
    __eq__ = object.__eq__  # pyright: ignore[reportAssignmentType] - it is a slot of C

    def output_shape(self, input_shape: Shape) -> Shape:
        """Unchanged."""
        return input_shape

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Each signal times its factor."""
        own = tuple(slice(side) for side in inputs.shape[1:])  # of a photo without its padding
        factors = self.factors[own] if self.factors.ndim == len(own) else self.factors
        return inputs * factors.astype(inputs.dtype)


@dataclass(frozen=True, eq=False)
class SeenSample:
    """A sample of the training part as a step saw it, or would see it.

    Attributes:
        index: Its index in the training part, from 0.
        source: Where it came from (a file's path), or None.
        raw: Its inputs as they were read, (*input_shape).
        inputs: As the network takes them, (1, ...): changed by augmentation, and scaled.
        targets: What the loss compares with, (1, ...), scaled as the outputs are.
        target: What it is compared with, in its own units: a class, numbers, or a number of people.
        fraction: What its loss and gradient are multiplied by to be its part of the batch's; None
            where the batch is without it.
        network: The network with dropout held as it was drawn.
    """

    index: int
    source: str | None
    raw: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    target: np.ndarray
    fraction: float | None
    network: Network = field(metadata=PROGRAM_ONLY)


def see_sample(replay: Replay, step: int, index: int | None = None) -> SeenSample:
    """A training sample in step `step`, from 1.

    Args:
        replay: The training.
        step: Which step; the sample need not be in its batch.
        index: Its index in the training part, from 0; None for the first of the batch.

    Raises:
        DataError: There is no such sample.
    """
    dataset = replay.run.dataset
    assert dataset is not None
    samples = dataset.train
    batch = replay.batch_of(step)
    index = int(batch[0]) if index is None else index
    if not 0 <= index < len(samples):
        raise DataError(
            f"Sample {index:,} was asked for, and {dataset.name} has {len(samples):,} training "
            "samples.",
            f"a number from 0 to {len(samples) - 1:,}",
            "Choose another sample, or leave it out for the first one of the batch.",
        )
    network, fraction = replay.run.network, None
    if index in batch:
        row = int(np.flatnonzero(batch == index)[0])
        seen = replay.seen(step)
        inputs, targets = (np.asarray(one)[row : row + 1] for one in (seen.inputs, seen.targets))
        weights = np.ones(len(batch)) if seen.weights is None else np.asarray(seen.weights)
        fraction = float(weights[row] / (len(batch) if seen.total is None else seen.total))
        if seen.key is not None:
            frozen = replay.program_of(step).frozen
            network = held(network, seen.key, np.shape(seen.inputs), row, frozen)
        sizes = None if seen.sizes is None else np.asarray(seen.sizes)[row]
    else:
        inputs, targets, sizes = _scaled(samples, index, replay.units)
    inputs, targets = _unpadded(inputs, targets, sizes)
    people = dataset.task == "counting"
    return SeenSample(
        index=index,
        source=None if samples.sources is None else samples.sources[index],
        raw=samples.inputs[index],
        inputs=inputs,
        targets=targets,
        target=samples.counts[index] if people else samples.targets[index],
        fraction=fraction,
        network=network,
    )


def by_itself(samples: Samples, index: int, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of a sample as the network takes them when it predicts, (1, ...) each."""
    return _unpadded(*_scaled(samples, index, units))


def _scaled(
    samples: Samples, index: int, units: Units
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    inputs = units.inputs.apply(samples.inputs[index : index + 1])
    targets = units.scaled_targets(samples.targets[index : index + 1])
    sizes = sizes_of(samples.take(np.array([index])))
    return inputs, targets, None if sizes is None else sizes[0]


def _unpadded(
    inputs: np.ndarray, targets: np.ndarray, sizes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """A photo is looked at without its padding."""
    if sizes is None:
        return inputs, targets
    down, across = (int(side) for side in sizes)
    cell = inputs.shape[1] // targets.shape[1]
    return inputs[:, :down, :across], targets[:, : down // cell, : across // cell]


def held(network: Network, key: Array, shape: Shape, row: int, frozen: int = 0) -> Network:
    """The network with its dropout held as a step drew it for one row of a batch.

    Args:
        network: The network.
        key: The step's random key.
        shape: Of the batch's inputs, (B, ...).
        row: The sample's index in the batch.
        frozen: How many of the first layers are frozen, and drop nothing.
    """
    layers, before = [], shape[1:]
    for index, layer in enumerate(network.layers):
        own = None if index < frozen else network.layer_key(key, index)
        layers.append(_held(layer, own, (shape[0], *before), row))
        before = layer.output_shape(before)
    return Network(layers)


def _held(layer: Layer, key: Array | None, shape: Shape, row: int) -> Layer:
    """One layer, with inputs of `shape`; keys inside of layers are those of `composite.py`."""
    if key is None or not layer.is_random:
        return layer
    if isinstance(layer, Dropout):
        factors = layer.weighted_sum({}, jnp.ones(shape, jnp.float32), key)
        return HeldDropout(np.asarray(factors[row]))
    if isinstance(layer, Residual):
        return Residual(_held_chain(layer.layers, key, shape, row))
    if not isinstance(layer, Parallel):  # the user's own: its chance belongs to the whole batch
        raise NetworkError(
            f"The layer {layer_kind(layer)} draws at random in training.",
            "no chance but dropout, which can be held for a single sample",
            "Look at a run without the layer, or make it draw nothing.",
        )
    branches = enumerate(layer.branches)
    return Parallel(
        *(_held_chain(one, jax.random.fold_in(key, index), shape, row) for index, one in branches)
    )


def _held_chain(layers: Sequence[Layer], key: Array, shape: Shape, row: int) -> list[Layer]:
    chain = []
    for index, layer in enumerate(layers):
        chain.append(_held(layer, jax.random.fold_in(key, index), shape, row))
        shape = (shape[0], *layer.output_shape(shape[1:]))
    return chain


def with_statistics(
    program: Program, parameters: NetworkParameters, seen: Batch
) -> NetworkParameters:
    """Parameters whose running statistics are those of a step's batch.

    With these the network treats a sample, by itself, as the step did.

    Args:
        program: The program of the step.
        parameters: The network's parameters before the step, or after it.
        seen: What the step saw.
    """
    network = program.evaluator.network
    if not network.mixes_batch:
        return parameters
    inputs: Any = seen.inputs if seen.sizes is None else Padded(seen.inputs, seen.sizes)
    found = []
    for index, layer in enumerate(network.layers):
        key = None if index < program.frozen else network.layer_key(seen.key, index)
        own, inputs = _stated(layer, parameters[index], inputs, key)
        found.append(own)
    return tuple(found)


def _stated(
    layer: Layer, own: Parameters, inputs: Any, key: Array | None
) -> tuple[Parameters, Any]:
    """A layer's parameters with the statistics of its inputs, and its outputs in training."""
    outputs = (
        forward_padded(layer, own, inputs, key)
        if isinstance(inputs, Padded)
        else layer.forward(own, inputs, key)
    )
    if key is None or not layer.mixes_batch:
        return own, outputs
    if isinstance(layer, BatchNorm):
        mean, variance, _ = layer.statistics(inputs)
        return {**own, "running_mean": mean, "running_variance": variance}, outputs
    if isinstance(layer, Residual):
        return _stated_chain(layer.layers, own, inputs, key), outputs
    if not isinstance(layer, Parallel):
        raise NetworkError(
            f"In the layer {layer_kind(layer)} samples of a batch influence each other.",
            "no such layer but batch_norm, whose statistics can be held for a single sample",
            "Look at a run without the layer.",
        )
    branches = enumerate(zip(layer.branches, in_order(own), strict=True))
    return numbered(
        _stated_chain(branch, inside, inputs, jax.random.fold_in(key, index))
        for index, (branch, inside) in branches
    ), outputs


def _stated_chain(layers: Sequence[Layer], own: Parameters, inputs: Any, key: Array) -> Parameters:
    found = []
    for index, (layer, inside) in enumerate(zip(layers, in_order(own), strict=True)):
        stated, inputs = _stated(layer, inside, inputs, jax.random.fold_in(key, index))
        found.append(stated)
    return numbered(found)


@dataclass(frozen=True, eq=False)
class LayerWay:
    """What passes one layer on the way forward and on the way back, without a sample axis.

    Attributes:
        inputs: What comes in.
        pre_activations: The pre-activations, z = x W + b.
        activations: What goes out.
        slope: d loss / d activations.
        delta: d loss / d pre-activations.
        gradients: d loss / d parameters, in the shape of the layer's parameters.
    """

    inputs: np.ndarray
    pre_activations: np.ndarray
    activations: np.ndarray
    slope: np.ndarray
    delta: np.ndarray
    gradients: Parameters


@dataclass(frozen=True, eq=False)
class Way:
    """A sample's whole way.

    Attributes:
        loss: The loss.
        outputs: What the last layer gave.
        slope: d loss / d outputs.
        layers: Each layer's part, the first layer first.
    """

    loss: float
    outputs: np.ndarray
    slope: np.ndarray
    layers: tuple[LayerWay, ...]


def walk(
    network: Network,
    parameters: NetworkParameters,
    inputs: Array | np.ndarray,
    targets: Array | np.ndarray,
    loss: Loss,
) -> Way:
    """Follow one sample forward, and its loss back, as `backpropagate` does.

    Args:
        network: The network.
        parameters: Its weights and biases.
        inputs: One sample, (1, *input_shape), as the network takes it.
        targets: What the loss compares with, (1, ...).
        loss: The loss.
    """
    arguments = (parameters, inputs, targets)
    run = compiled(_walk, (network, loss), *arguments, options=(QUICKLY_COMPILED,))
    value, layers = jax.tree.map(np.asarray, run(*arguments))
    own = tuple(_alone(*one) for one in layers)
    return Way(float(value), own[-1].activations, own[-1].slope, own)


def _alone(arrays: tuple[np.ndarray, ...], gradients: Parameters) -> LayerWay:
    """One layer's part without the sample axis."""
    inputs, pre_activations, activations, slope, delta = (one[0] for one in arrays)
    return LayerWay(inputs, pre_activations, activations, slope, delta, gradients)


def _walk(
    program: tuple[Network, Loss], parameters: NetworkParameters, inputs: Array, targets: Array
) -> tuple:
    """Loss, outputs, slope there, and what `LayerWay` holds of each layer."""
    network, loss = program
    _, pre_activations, activations = zip(*network.signals(parameters, inputs), strict=True)
    found = backpropagate(network, parameters, inputs, targets, loss=loss)
    before = (inputs, *activations[:-1])
    arrays = zip(before, pre_activations, activations, found.slopes, found.deltas, strict=True)
    return found.loss, list(zip(arrays, found.gradients, strict=True))
