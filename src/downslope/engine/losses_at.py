"""The loss at many points of weight space at once: for surfaces, lines, and sets of solutions.

A point is a base plus a few directions, each times a number of its own, so that thousands of
points need no thousands of networks. And the weighted sums of the first layer are linear in its
weights: they are computed once for the base and once for each direction, and the sums of a point
are put together from those.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from downslope.data.dataset import Samples
from downslope.engine.compilation import NO_FUSED_PRODUCTS, compiled, usable_cores
from downslope.engine.evaluation import sizes_of
from downslope.engine.model import Model
from downslope.engine.scales import Scales, Units
from downslope.errors import DataError, SettingError
from downslope.nn.columns import fits_columns, forward_columns, losses_of_columns
from downslope.nn.dense import Dense
from downslope.nn.fusion import following_the_last
from downslope.nn.images import Conv2D
from downslope.nn.layer import Padded, map_by_kind
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.padded import loss_without_padding, without_padding

MOST_SAMPLES = 2048  # at a time
MOST_NUMBERS = 1 << 18  # of the widest signal, over samples and points at a time: 1 MiB


def losses_at(
    model: Model,
    samples: Samples,
    *,
    directions: Sequence[NetworkParameters] = (),
    coefficients: Float[np.ndarray, "... directions"] | None = None,
) -> Float[np.ndarray, "..."]:
    """Find the mean loss over all samples at many points of weight space.

        L_k = mean loss at  w + sum_j coefficients[k, j] directions[j]

    with the weights w of the model. Without directions, every array of `model.parameters` has an
    additional first axis, the points. The memory it takes does not grow with the number of points.

    Args:
        model: The network with its loss and scaling, such as `run.model`; its weights are the
            base, in the shape that `network.init` gives, or many points.
        samples: Inputs as they were read, targets, and weights if there are any.
        directions: Changes of the weights, each in the shape of the base.
        coefficients: How far to go along each direction, shape (..., directions); with a single
            direction the last axis may be left out.

    Returns:
        Float64 of the shape of the coefficients without their last axis, or (points,). Where
        activations overflow, the loss is infinite or not a number.

    Raises:
        DataError: There are no samples.
        SettingError: Directions and coefficients do not fit each other or the base.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> start = ds.replay(run).parameters(0)  # the line from the first weights to the last
        >>> towards_start = tuple(
        ...     {name: first[name] - last[name] for name in last}
        ...     for first, last in zip(start, run.parameters)
        ... )
        >>> losses = ds.losses_at(
        ...     run.model,
        ...     run.with_data().dataset.train,
        ...     directions=[towards_start],
        ...     coefficients=np.linspace(0, 1, 11),
        ... )
        >>> losses.shape, bool(losses[0] < losses[-1])
        ((11,), True)
    """
    if not len(samples):
        raise DataError("There are no samples.", "at least one", "Check how they were read.")
    network, units = model.network, model.units
    base, spans, far, shape = _points(model.parameters, tuple(directions), coefficients)
    shapes = network.shapes(samples.inputs.shape[1:])
    widest = max(math.prod(one) for one in (samples.inputs.shape[1:], *shapes))
    block = min(len(samples), MOST_SAMPLES, max(1, MOST_NUMBERS // widest))
    at_once = max(1, MOST_NUMBERS // (block * widest))
    if any(isinstance(layer, Conv2D) for layer in network.layers):
        at_once = 1  # convolutions with many kernels at a time are slow
    cores = usable_cores()
    at_once = min(at_once, -(-len(far) // cores))
    rows = -(-len(far) // (at_once * cores))
    padded = np.zeros((cores * rows * at_once, *far.shape[1:]), far.dtype)
    padded[: len(far)] = far
    arguments = (base, spans, _blocks(samples, block, units), units.scales(samples.inputs))
    pieces = list(padded.reshape(cores, rows, at_once, *far.shape[1:]))
    program = _Program(network, model.loss, bool(directions), model.mirrors)
    run = compiled(_losses, program, *arguments, pieces[0], options=(NO_FUSED_PRODUCTS,))
    with ThreadPoolExecutor(cores) as threads:
        found = threads.map(lambda piece: np.asarray(run(*arguments, piece)), pieces)
        losses = np.concatenate([one.ravel() for one in found])[: len(far)].reshape(shape)
    return losses.astype(np.float64) * units.of_loss(model.loss)


def losses_between(
    model: Model,
    other: NetworkParameters,
    along: Float[np.ndarray, " points"],
    parts: Sequence[Samples],
    seen: Samples,
) -> list[Float[np.ndarray, " points"]]:
    """The mean losses on the straight line from a model's weights to others.

        L_k = mean loss at  w + along[k] (other - w)

    Running statistics do not lie on a line: those of the weights between two solutions are other
    ones than between theirs. They are computed anew at each point, from the samples of `seen`, as
    training would; else the loss rises between the two for that reason alone.

    Source: Jordan et al., REPAIR: renormalizing permuted activations for interpolation repair,
    2023.

    Args:
        model: The network with its loss and scaling; its weights are where the line begins.
        other: The weights where it ends.
        along: The fraction of the way.
        parts: The samples whose losses are asked for.
        seen: Training samples.
    """
    away = jax.tree.map(lambda a, b: np.asarray(b) - np.asarray(a), model.parameters, other)
    if not model.network.mixes_batch:
        return [losses_at(model, one, directions=[away], coefficients=along) for one in parts]

    def moved(t: float) -> NetworkParameters:
        return jax.tree.map(lambda a, b: np.float32(a + t * b), model.parameters, away)

    found = []
    for some in np.array_split(along, -(-len(along) // usable_cores())):
        points = [with_own_statistics(model, moved(t), seen) for t in some]
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *points)
        found.append([losses_at(model.at(stacked), one) for one in parts])
    return [np.concatenate(one) for one in zip(*found, strict=True)]


STATISTICS_OF = 256  # samples, of which each batch's mean and variance are averaged


def with_own_statistics(
    model: Model, parameters: NetworkParameters, samples: Samples
) -> NetworkParameters:
    """The parameters with the running statistics that belong to their weights.

    Args:
        model: The network with its scaling.
        parameters: Its weights; their running statistics are not looked at.
        samples: What the statistics are computed from, in batches.
    """
    network, units = following_the_last(model.network), model.units
    sizes, size = sizes_of(samples), min(STATISTICS_OF, len(samples))
    fresh = map_by_kind(np.asarray, np.zeros_like, parameters)
    scales, found = units.scales(samples.inputs), []
    for start in range(0, len(samples) - size + 1, size):
        span = slice(start, start + size)
        arguments = (
            fresh,
            units.seen(samples.inputs[span]),
            scales,
            None if sizes is None else sizes[span],
        )
        found.append(compiled(_statistics, network, *arguments)(*arguments))
    mean = jax.tree.map(lambda *each: np.mean(each, axis=0, dtype=np.float32), *found)
    return map_by_kind(lambda own, _: np.asarray(own), lambda _, one: -one, parameters, mean)


def _statistics(
    network: Network,
    parameters: NetworkParameters,
    inputs: Array,
    scales: Scales,
    sizes: Array | None,
) -> NetworkParameters:
    """What a step would subtract from running statistics of 0 that follow this batch alone."""
    seen: Any = scales.scale_inputs(inputs)
    if sizes is not None:
        network, seen = without_padding(network), Padded(seen, sizes)

    def total(parameters: NetworkParameters) -> Array:
        outputs = network.forward(parameters, seen, jax.random.key(0))
        sums = [leaf.sum() for leaf in jax.tree.leaves(outputs)]
        return jnp.stack(sums).sum()  # any number will do

    found = jax.grad(total)(parameters)
    return map_by_kind(lambda one: jnp.zeros(()), lambda one: one, found)


def _points(
    parameters: NetworkParameters,
    directions: tuple[NetworkParameters, ...],
    coefficients: np.ndarray | None,
) -> tuple[NetworkParameters, tuple[NetworkParameters, ...], np.ndarray, tuple[int, ...]]:
    """Base, directions, the points as rows, and the shape of the answer.

    Without directions a row is the number of a point.
    """
    leaves, structure = jax.tree.flatten(parameters)
    if not directions:
        count = len(leaves[0]) if leaves else 1
        return parameters, (), np.arange(count, dtype=np.int32), (count,)
    for index, one in enumerate(directions):
        if jax.tree.structure(one) != structure or any(
            np.shape(mine) != np.shape(base)
            for mine, base in zip(jax.tree.leaves(one), leaves, strict=True)
        ):
            raise SettingError(
                f"Direction {index + 1} has another shape than the parameters.",
                "the same layers, names and shapes",
                "Make it from such parameters, for example as a difference of two.",
            )
    far = np.asarray(np.nan if coefficients is None else coefficients, np.float32)
    if len(directions) == 1 and far.shape[-1:] != (1,):
        far = far[..., None]
    if coefficients is None or far.shape[-1:] != (len(directions),):
        got = "none" if coefficients is None else f"of shape {np.shape(coefficients)}"
        raise SettingError(
            f"There are {len(directions)} directions, and the coefficients are {got}.",
            f"an array of shape (..., {len(directions)})",
            "Stack one number per direction along the last axis.",
        )
    return parameters, directions, far.reshape(-1, len(directions)), far.shape[:-1]


@dataclass(frozen=True)
class _Program:
    """What is compiled.

    Attributes:
        network: The network.
        loss: The loss.
        is_spanned: Whether points are a base and directions.
        mirrors: Whether the outputs for each image and for its mirror image are averaged.
    """

    network: Network
    loss: Loss
    is_spanned: bool
    mirrors: bool

    @property
    def first_linear(self) -> int:
        """The first layer with weights, if its sums are linear in them; -1 for none."""
        for index, layer in enumerate(self.network.layers):
            if isinstance(layer, Dense | Conv2D):
                return index
            if layer.word not in ("flatten", "dropout", "standardize"):
                return -1
        return -1

    @property
    def is_turned(self) -> bool:
        """Whether the samples are along the last axis behind that layer."""
        first = self.first_linear
        return self.is_spanned and first >= 0 and fits_columns(self.network.layers[first:])


class _Blocks(NamedTuple):
    """All samples in blocks of one size; those that only fill a block weigh nothing."""

    inputs: Array
    targets: Array
    weights: Float[Array, "m b"]
    sizes: Float[Array, "m b 2"] | None = None  # of photos within their arrays


def _blocks(samples: Samples, block: int, units: Units) -> _Blocks:
    count = len(samples)
    rows = -(-count // block)
    indices = np.minimum(np.arange(rows * block), count - 1)
    weights = np.ones(count, np.float32) if samples.weights is None else samples.weights
    padded = np.zeros(rows * block, np.float32)
    padded[:count] = weights
    inputs, targets = units.seen(samples.inputs), units.scaled_targets(samples.targets)
    sizes = sizes_of(samples)
    if rows * block > count:
        inputs, targets = inputs[indices], targets[indices]
    return _Blocks(
        jnp.asarray(inputs.reshape(rows, block, *inputs.shape[1:])),
        jnp.asarray(targets.reshape(rows, block, *targets.shape[1:])),
        jnp.asarray(padded.reshape(rows, block)),
        None if sizes is None else jnp.asarray(sizes[indices].reshape(rows, block, 2)),
    )


def _losses(
    program: _Program,
    base: NetworkParameters,
    spans: tuple[NetworkParameters, ...],
    blocks: _Blocks,
    scales: Scales,
    far: Array,
) -> Float[Array, "rows at_once"]:
    """The mean losses at points (rows, at_once, directions), or at the points of those numbers."""
    loss, network, first = program.loss, program.network, program.first_linear
    turned = program.is_turned
    if blocks.sizes is not None:
        loss, network, first, turned = (
            loss_without_padding(loss),
            without_padding(network),
            -1,
            False,
        )
    layers = network.layers
    rest = layers[first + 1 :]

    def of_block(sums: Array, block: _Blocks) -> tuple[Array, None]:
        scaled: Any = scales.scale_inputs(block.inputs)
        scaled = scaled if block.sizes is None else Padded(scaled, block.sizes)
        views = [scaled, scaled[:, :, ::-1]] if program.mirrors else [scaled]

        def known_of(seen: Any) -> list[Array]:
            """The first layer's sums, of the base and of each direction."""
            for layer in layers[:first]:
                seen = layer.forward({}, seen)
            known = [layers[first].weighted_sum(one[first], seen) for one in (base, *spans)]
            return [one.T for one in known] if turned else known

        is_known = program.is_spanned and first >= 0
        known_sums = [known_of(one) if is_known else [] for one in views]

        def of_point(far: Array) -> Array:
            outputs = [seen_at(far, *one) for one in zip(views, known_sums, strict=True)]
            mean = (outputs[0] + outputs[1]) / 2 if program.mirrors else outputs[0]
            if turned:
                values = losses_of_columns(loss, mean, block.targets)
            else:
                values = loss.per_sample(mean, block.targets)
            return (values * block.weights).sum()

        def seen_at(far: Array, scaled: Any, known: list[Array]) -> Any:
            """The network's outputs at a point."""

            def moved(start: Array, *along: Array) -> Array:
                return start + sum(fraction * one for fraction, one in zip(far, along, strict=True))

            if not program.is_spanned:
                own = jax.tree.map(lambda leaf: leaf[far], base)
                signals, after = scaled, layers
            else:
                own = jax.tree.map(moved, base[first + 1 :], *(one[first + 1 :] for one in spans))
                signals = layers[first].activate(moved(*known)) if known else scaled
                after = rest
            if turned:
                return forward_columns(after, own, signals)
            for layer, parameters in zip(after, own, strict=True):
                signals = layer.forward(parameters, signals)
            return signals

        return sums + lax.map(jax.vmap(of_point), far), None

    total, _ = lax.scan(of_block, jnp.zeros(far.shape[:2]), blocks)
    return total / blocks.weights.sum()
