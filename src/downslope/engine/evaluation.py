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
from downslope.data.memory import aligned
from downslope.engine import metrics
from downslope.engine.batches import rounded_up
from downslope.engine.compilation import compiled
from downslope.engine.scales import Scales, Units
from downslope.nn.fusion import fuse, outputs_of
from downslope.nn.layer import Padded
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.padded import filled, loss_without_padding

EVALUATION_BATCH = 64  # samples at a time: enough to be fast,
FEW = 64  # samples that fill a batch whose width is a power of two
MOST_FILLED = 1 << 22  # bytes of raw images that are copied
FEWEST_EVALUATED = 4  # but of photos so few that their signals fit into memory
MOST_NUMBERS = 1 << 19  # of their inputs,
MOST_SIGNALS = 1 << 26  # and of the largest signal


class Part(NamedTuple):
    """The arrays of some samples, and the batches in which they are evaluated.

    Attributes:
        inputs: (N, *input_shape), as `Units.seen` leaves them.
        targets: (N, ...), scaled.
        weights: (N,), or None.
        batches: (M, B) indices of the samples that are evaluated; -1 for none.
        sizes: Height and width of each photo within its array, (N, 2); None where they fill it.
    """

    inputs: Array
    targets: Array
    weights: Array | None
    batches: Int[Array, "m b"]
    sizes: Float[Array, "n 2"] | None = None

    def sizes_of(self, batch: Int[Array, " b"]) -> Float[Array, "b 2"] | None:
        """Those of a batch's samples."""
        return None if self.sizes is None else self.sizes[jnp.maximum(batch, 0)]


class Evaluator(NamedTuple):
    """What turns samples into figures; fixed while a program runs.

    Attributes:
        network: The network.
        loss: The loss.
        task: What is learnt.
        mirrors: Whether the outputs for each image and for its mirror image are averaged.
    """

    network: Network
    loss: Loss
    task: Task
    mirrors: bool = False

    @property
    def joined(self) -> Network:
        """The network in fewer passes: the same predictions and gradients, fewer signals to see."""
        return fuse(self.network)


def take(
    part: Part, batch: Int[Array, " b"], masked: bool
) -> tuple[Array, Array, Array | None, Array | None]:
    """Inputs, targets, weights and presence (0 or 1) of one batch's samples."""
    indices = jnp.maximum(batch, 0) if masked else batch
    present = (batch >= 0).astype(jnp.float32) if masked else None
    weights = None if part.weights is None else part.weights[indices]
    if present is not None:
        weights = present if weights is None else weights * present
    return part.inputs[indices], part.targets[indices], weights, present


def forward(
    evaluator: Evaluator,
    parameters: NetworkParameters,
    inputs: Array,
    scales: Scales,
    sizes: Float[Array, "b 2"] | None,
) -> Any:
    """The network's outputs for inputs as `Units.seen` leaves them; `Padded` if they are."""
    inputs = scales.scale_inputs(inputs)
    return outputs_of(evaluator.network, parameters, inputs, sizes, evaluator.mirrors)


def evaluate(
    evaluator: Evaluator, parameters: NetworkParameters, part: Part, scales: Scales
) -> Float[Array, " measures"]:
    """The mean loss and mean measures over the samples in the part's batches, in scaled units."""

    def add(sums: Array, batch: Array) -> tuple[Array, None]:
        inputs, targets, weights, present = take(part, batch, masked=True)
        assert weights is not None
        assert present is not None  # both are there with a mask
        outputs = forward(evaluator, parameters, inputs, scales, part.sizes_of(batch))
        predictions = filled(outputs, evaluator.loss)
        values = metrics.columns(evaluator.task, evaluator.loss, predictions, targets, scales)
        if part.sizes is not None:
            losses = loss_without_padding(evaluator.loss).per_sample(outputs, targets)
            values = values.at[:, 0].set(losses)
        counts = jnp.stack([weights] + [present] * (values.shape[1] - 1), axis=1)
        return sums + jnp.stack([(values * counts).sum(0), counts.sum(0)]), None

    zero = jnp.zeros((2, len(metrics.names(evaluator.task))))
    (sums, counts), _ = lax.scan(add, zero, part.batches)
    return sums / counts


def evaluation_batches(
    samples: int, batch_size: int, most: int | None = None, *, fill: bool = False
) -> np.ndarray:
    """Batches that hold `most` of the samples (all, if None), int32 (M, B); -1 for none.

    Which samples they are is fixed by their number alone. Batches are hardly larger than the
    samples need, unless `fill` asks for the full size.
    """
    chosen = np.arange(samples, dtype=np.int32)
    if most is not None and most < samples:
        chosen = np.sort(np.random.default_rng(0).permutation(samples)[:most]).astype(np.int32)
    few = 1 << (len(chosen) - 1).bit_length() if len(chosen) <= FEW else rounded_up(len(chosen))
    width = batch_size if fill else min(batch_size, few)
    rows = -(-len(chosen) // width)
    indices = np.full(rows * width, -1, np.int32)
    indices[: len(chosen)] = chosen
    return indices.reshape(rows, width)


def on_device(
    samples: Samples, weights: np.ndarray | None, batches: np.ndarray, units: Units
) -> Part:
    """Put samples where the loop can reach them, scaled.

    Rows and batches that no step looks at fill them up to few sizes, so that a training on a few
    samples more needs no other program.
    """
    seen, targets = units.seen(samples.inputs), units.scaled_targets(samples.targets)
    if seen is not samples.inputs or seen.nbytes <= MOST_FILLED:  # large images are not copied
        seen, targets = _filled(seen), _filled(targets)
        weights = None if weights is None else _filled(weights)
    sizes = sizes_of(samples)
    if sizes is not None:
        sizes = jax.device_put(sizes if len(seen) == len(sizes) else _filled(sizes))
    return Part(
        sizes=sizes,
        inputs=jax.device_put(aligned(seen)),
        targets=jax.device_put(aligned(targets)),
        weights=None if weights is None else jax.device_put(weights.astype(np.float32)),
        batches=jax.device_put(_filled(batches, -1)),
    )


def _filled(rows: np.ndarray, value: float = 0) -> np.ndarray:
    """Rows (N, ...) with as many more of one value as make their number one of few."""
    more = rounded_up(len(rows)) - len(rows)
    if not more:
        return rows
    return np.concatenate([rows, np.full((more, *rows.shape[1:]), value, rows.dtype)])


def sizes_of(samples: Samples) -> np.ndarray | None:
    """Height and width of photos with density maps within their arrays, (N, 2).

    None where they fill them, or are no such photos.
    """
    is_counting = samples.targets.ndim == samples.inputs.ndim == 4
    return samples.sizes if is_counting else None


def sample_values(
    evaluator: Evaluator, parameters: NetworkParameters, samples: Samples, units: Units
) -> Float[np.ndarray, "n measures"]:
    """The loss and the measures of each sample in the data's own units, float64."""
    scales, sizes = units.scales(samples.inputs), sizes_of(samples)

    def judged(rows: np.ndarray) -> tuple[Array, Array]:
        inputs = units.seen(samples.inputs[rows])
        targets = units.scaled_targets(samples.targets[rows])
        own = None if sizes is None else sizes[rows]
        arguments = (parameters, inputs, targets, scales, own)
        return compiled(_judged, evaluator, *arguments)(*arguments)

    return _over_batches(evaluator, samples, units, judged)


def _judged(
    evaluator: Evaluator,
    parameters: NetworkParameters,
    inputs: Array,
    targets: Array,
    scales: Scales,
    sizes: Array | None,
) -> tuple[Array, Array]:
    """The loss of each sample in scaled units, and the outputs."""
    outputs = forward(evaluator, parameters, inputs, scales, sizes)
    losses = loss_without_padding(evaluator.loss).per_sample(outputs, targets)
    return losses, filled(outputs, evaluator.loss)


def constant_values(
    evaluator: Evaluator, prediction: Float[np.ndarray, " outputs"], samples: Samples, units: Units
) -> Float[np.ndarray, "n measures"]:
    """The same of a network whose outputs are always `prediction`, whatever its input.

    Args:
        evaluator: Whose loss and task are used.
        prediction: One sample's outputs in the targets' units; for counting the number of people,
            shape (1,), which is spread evenly over the map.
        samples: The samples to measure it on.
        units: How outputs are scaled.
    """
    sizes = sizes_of(samples)
    if evaluator.task == "counting":
        shape = samples.targets.shape[1:]
        prediction = np.full(shape, prediction[0] / np.prod(shape))
    outputs = np.repeat(units.outputs_for(prediction)[None], _width(evaluator, samples), axis=0)

    def judged(rows: np.ndarray) -> tuple[Array, np.ndarray]:
        own, cells = outputs, None
        if sizes is not None:  # each photo's people are spread over its own cells
            whole = np.divide(samples.targets.shape[1:3], samples.inputs.shape[1:3])
            cells = (sizes[rows] * whole).astype(np.float32)
            fraction = np.prod(samples.targets.shape[1:3]) / cells.prod(axis=1)
            own = outputs * fraction[:, None, None, None].astype(np.float32)
        arguments = (own, units.scaled_targets(samples.targets[rows]), cells)
        losses, predictions = compiled(_loss_of, evaluator, *arguments)(*arguments)
        return losses, np.asarray(predictions)

    return _over_batches(evaluator, samples, units, judged)


def _loss_of(
    evaluator: Evaluator, outputs: Array, targets: Array, cells: Array | None
) -> tuple[Array, Array]:
    own: Any = outputs if cells is None else Padded(outputs, cells)
    losses = loss_without_padding(evaluator.loss).per_sample(own, targets)
    return losses, filled(own, evaluator.loss)


def _over_batches(
    evaluator: Evaluator,
    samples: Samples,
    units: Units,
    judged: Callable[[np.ndarray], tuple[Any, Any]],
) -> np.ndarray:
    """The values of batches of one size, so that one compilation serves all samples."""
    pieces = []
    for batch in evaluation_batches(len(samples), _width(evaluator, samples), fill=True):
        rows = np.maximum(batch, 0)
        losses, outputs = (np.asarray(one)[batch >= 0] for one in judged(rows))
        losses = losses.astype(np.float64) * units.of_loss(evaluator.loss)
        targets = samples.targets[rows][batch >= 0]
        pieces.append(
            metrics.values_of(evaluator.task, evaluator.loss, losses, outputs, targets, units)
        )
    return np.concatenate(pieces)


def _width(evaluator: Evaluator, samples: Samples) -> int:
    shape = samples.inputs.shape[1:]
    width = max(FEWEST_EVALUATED, min(EVALUATION_BATCH, MOST_NUMBERS // math.prod(shape)))
    return max(1, min(width, MOST_SIGNALS // max(evaluator.network.signal_sizes(shape))))
