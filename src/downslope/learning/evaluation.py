"""Measuring a network on samples: the loss and the measures, averaged over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from downslope.data.dataset import Samples, Task
from downslope.data.scaling import Scaling
from downslope.learning import measures
from downslope.learning.compiling import compiled
from downslope.network.fusion import fuse
from downslope.network.losses import Loss
from downslope.network.network import Network, NetworkParameters

EVALUATION_BATCH = 64  # samples at a time: enough to be fast,
FEWEST_EVALUATED = 4  # but of photos so few that their signals fit into memory
MOST_NUMBERS = 1 << 19  # of their inputs


class Part(NamedTuple):
    """The arrays of some samples, and the batches in which they are evaluated.

    Attributes:
        inputs: (N, *input_shape), not yet scaled.
        targets: (N, ...).
        weights: (N,), or None.
        batches: (M, B) indices of the samples that are evaluated; -1 for none.
    """

    inputs: Array
    targets: Array
    weights: Array | None
    batches: Int[Array, "m b"]


class Judge(NamedTuple):
    """What turns samples into figures; fixed while a program runs."""

    network: Network
    loss: Loss
    task: Task

    @property
    def joined(self) -> Network:
        """The network in fewer passes: the same answers and gradients, fewer signals to see."""
        return fuse(self.network)


class Scales(NamedTuple):
    """How inputs are scaled and outputs scaled back, where compiled code can reach it.

    Attributes:
        inputs: Mean and deviation of the training inputs, or None where they are scaled already.
        answers: Mean and deviation of the training targets, or None where outputs are answers.
    """

    inputs: tuple[Array, Array] | None
    answers: tuple[Array, Array] | None

    @staticmethod
    def of(inputs: Scaling, answers: Scaling | None) -> Scales:
        """The arrays of two scalings."""

        def arrays(scaling: Scaling) -> tuple[Any, Any]:
            # as the engine has them
            return np.asarray(scaling.mean, np.float32), np.asarray(scaling.deviation, np.float32)

        is_needed = np.any(inputs.mean) or np.any(np.asarray(inputs.deviation) != 1)
        return Scales(
            arrays(inputs) if is_needed else None, None if answers is None else arrays(answers)
        )

    def scale_inputs(self, inputs: Array) -> Array:
        """Raw inputs as the network wants them."""
        inputs = inputs.astype(jnp.float32)
        return inputs if self.inputs is None else (inputs - self.inputs[0]) / self.inputs[1]

    def scale_targets(self, targets: Array) -> Array:
        """Targets as the network's outputs should be."""
        return targets if self.answers is None else (targets - self.answers[0]) / self.answers[1]

    def answers_of(self, outputs: Array) -> Array:
        """The network's outputs in the units of the targets."""
        return outputs if self.answers is None else outputs * self.answers[1] + self.answers[0]


def take(
    part: Part, batch: Int[Array, " b"], masked: bool
) -> tuple[Array, Array, Array | None, Array | None]:
    """Raw inputs, targets, weights and presence (0 or 1) of one batch's samples."""
    places = jnp.maximum(batch, 0) if masked else batch
    present = (batch >= 0).astype(jnp.float32) if masked else None
    weights = None if part.weights is None else part.weights[places]
    if present is not None:
        weights = present if weights is None else weights * present
    return part.inputs[places], part.targets[places], weights, present


def batch_values(
    judge: Judge,
    parameters: NetworkParameters,
    inputs: Float[Array, "b ..."],
    targets: Array,
    scales: Scales,
) -> Float[Array, "b measures"]:
    """The loss and the measures of each sample of a batch.

    Args:
        judge: Network, loss and task.
        parameters: The network's.
        inputs: Raw inputs.
        targets: Their targets.
        scales: How inputs and outputs are scaled.
    """
    outputs = scales.answers_of(judge.joined.forward(parameters, scales.scale_inputs(inputs)))
    return output_values(judge, outputs, targets)


def output_values(
    judge: Judge, outputs: Float[Array, "b ..."], targets: Array
) -> Float[Array, "b measures"]:
    """The same for outputs that are known already."""
    return measures.columns(judge.task, judge.loss, outputs, targets)


def evaluate(
    judge: Judge, parameters: NetworkParameters, part: Part, scales: Scales
) -> Float[Array, " measures"]:
    """The mean loss and mean measures over the samples in the part's batches."""

    def add(sums: Array, batch: Array) -> tuple[Array, None]:
        inputs, targets, weights, present = take(part, batch, masked=True)
        assert weights is not None
        assert present is not None  # both are there with a mask
        values = batch_values(judge, parameters, inputs, targets, scales)
        counts = jnp.stack([weights] + [present] * (values.shape[1] - 1), axis=1)
        return sums + jnp.stack([(values * counts).sum(0), counts.sum(0)]), None

    zero = jnp.zeros((2, len(measures.names(judge.task))))
    (sums, counts), _ = lax.scan(add, zero, part.batches)
    return sums / counts


def evaluation_batches(
    samples: int, batch_size: int, most: int | None = None, *, fill: bool = False
) -> np.ndarray:
    """Batches that hold `most` of the samples (all, if None), int32 (M, B); -1 for none.

    Which samples they are is fixed by their number alone. Batches are no larger than the samples
    need, unless `fill` asks for the full size.
    """
    chosen = np.arange(samples, dtype=np.int32)
    if most is not None and most < samples:
        chosen = np.sort(np.random.default_rng(0).permutation(samples)[:most]).astype(np.int32)
    width = batch_size if fill else min(batch_size, len(chosen))
    rows = -(-len(chosen) // width)
    places = np.full(rows * width, -1, np.int32)
    places[: len(chosen)] = chosen
    return places.reshape(rows, width)


def on_device(samples: Samples, weights: np.ndarray | None, batches: np.ndarray) -> Part:
    """Put samples where the loop can reach them."""
    return Part(
        inputs=jax.device_put(samples.inputs),
        targets=jax.device_put(samples.targets),
        weights=None if weights is None else jax.device_put(weights.astype(np.float32)),
        batches=jax.device_put(batches),
    )


def sample_values(
    judge: Judge, parameters: NetworkParameters, samples: Samples, scales: Scales
) -> Float[np.ndarray, "n measures"]:
    """The loss and the measures of each sample, float64."""

    def values(batch: Samples) -> Array:
        arguments = (parameters, batch.inputs, batch.targets, scales)
        return compiled(batch_values, judge, *arguments)(*arguments)

    return _over_batches(samples, values)


def constant_values(
    judge: Judge, answer: Float[np.ndarray, " outputs"], samples: Samples
) -> Float[np.ndarray, "n measures"]:
    """The same of a network whose outputs are always `answer`, whatever its input.

    Args:
        judge: Whose loss and task are used.
        answer: One sample's outputs; for counting the number of people, shape (1,), which is
            spread evenly over the map.
        samples: The samples to measure it on.
    """
    if judge.task == "counting":
        shape = samples.targets.shape[1:]
        answer = np.full(shape, answer[0] / np.prod(shape), np.float32)
    outputs = np.repeat(answer[None], _width(samples), axis=0)

    def values(batch: Samples) -> Array:
        arguments = (outputs, batch.targets)
        return compiled(output_values, judge, *arguments)(*arguments)

    return _over_batches(samples, values)


def _over_batches(samples: Samples, values: Callable[[Samples], Array]) -> np.ndarray:
    """The values of batches of one size, so that one compilation serves all samples."""
    pieces = []
    for batch in evaluation_batches(len(samples), _width(samples), fill=True):
        filled = samples.take(np.maximum(batch, 0))
        pieces.append(np.asarray(values(filled))[batch >= 0])
    return np.concatenate(pieces).astype(np.float64)


def _width(samples: Samples) -> int:
    size = math.prod(samples.inputs.shape[1:])
    return max(FEWEST_EVALUATED, min(EVALUATION_BATCH, MOST_NUMBERS // size))
