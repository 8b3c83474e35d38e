"""Layers over the course of a training: slopes, weights, updates, and what units do.

What is looked at: whether slopes vanish or grow from the last layer to the first (Glorot and
Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010), how far a
step moves the weights beside their length (about a thousandth is usual: Karpathy, CS231n notes,
2015), and how many units are stuck where their activation is flat.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from downslope.data.progress import OnProgress
from downslope.engine import loop
from downslope.engine.compilation import compiled
from downslope.errors import RunError, SettingError
from downslope.insight.step import batch_gradients
from downslope.insight.step_trace import number, percent
from downslope.nn.activations import Activation
from downslope.nn.layer import activation_of, learned_arrays
from downslope.nn.network import NetworkParameters
from downslope.result import FEW_ENOUGH, PROGRAM_ONLY, Part, Result
from downslope.runs.replay import Replay, replay
from downslope.runs.run import Run
from downslope.text import Table

POINTS = 25
MOST_PROBED = 256  # samples whose signals are looked at,
MOST_NUMBERS = 1 << 25  # of so many numbers in a layer
FLAT = 0.05  # of an activation's largest slope, below which it counts as saturated
MEASURES = (
    "gradient_length", "weight_length", "update_fraction", "mean", "std", "dead", "saturated",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LayerCourse:
    """One layer with weights at some steps; each array is (points,).

    Attributes:
        name: Its index and kind, such as "1 Dense".
        activation: Name of its activation; "identity" for layers without one.
        gradient_length: Length of the batch's gradient by all its weights and biases.
        weight_length: Length of all its weights and biases, before the step.
        update_fraction: Length of what the step added, divided by the length before.
        mean: Of its activations, over the probed samples and all units.
        std: Likewise the standard deviation.
        dead: Share of its units (channels of a convolution) that are 0 for every probed sample,
            so that no slope passes; NaN unless the activation is flat below 0, as relu is.
        saturated: Share of its activations where the slope is below a twentieth of the largest
            that it can have; NaN unless the activation saturates on both sides, as sigmoid does.
    """

    name: str
    activation: str
    gradient_length: Float[np.ndarray, " points"]
    weight_length: Float[np.ndarray, " points"]
    update_fraction: Float[np.ndarray, " points"]
    mean: Float[np.ndarray, " points"]
    std: Float[np.ndarray, " points"]
    dead: Float[np.ndarray, " points"]
    saturated: Float[np.ndarray, " points"]


@dataclass(frozen=True, eq=False)
class LayersOverTime(Result):
    """Gradients, weights and activations of all layers with weights, over a training.

    Attributes:
        data: Name of the data set.
        steps: The recorded steps, from 1, (points,): activations and weights are those before the
            step, the gradient is that of its batch, and the update is what the step added.
        steps_per_epoch: Number of steps in an epoch.
        samples: How many training samples the activations are computed for.
        layers: The layers with weights, first layer first.
        run: The run, whose filters and predictions are drawn beside them.
    """

    data: str
    steps: Int[np.ndarray, " points"]
    steps_per_epoch: int
    samples: int
    layers: tuple[LayerCourse, ...]
    run: Run | None = field(default=None, metadata=PROGRAM_ONLY)

    _most_numbers: ClassVar[int | None] = FEW_ENOUGH

    @property
    def summary(self) -> str:
        """Which steps of which training were looked at."""
        first, last = int(self.steps[0]), int(self.steps[-1])
        return (
            f"Layers of the training on {self.data}, from step {first:,} to step {last:,}; "
            f"activations of {self.samples:,} training samples"
        )

    def parts(self) -> Iterator[Part]:
        """The first and the last step of each layer in a table, and what stands out."""
        yield self.summary
        yield ""
        yield Table(
            ("layer", "gradient", "weights", "a step moves them by", "activations", ""),
            [_row(one) for one in self.layers],
        )
        yield ""
        yield (
            "gradient, weights: their lengths; moves by: the length of the change beside that of "
            "the weights; activations: mean ± standard deviation at the end."
        )


def layers_over_time(
    run: Run, points: int = POINTS, on_steps: OnProgress | None = None
) -> LayersOverTime:
    """Record the gradients, weights and activations of each layer over a run's training.

    The training is replayed. The steps are closer together at the beginning, where most happens.

    Args:
        run: The run.
        points: Number of steps to record; fewer if the training has fewer.
        on_steps: Called while the training is replayed, with (steps done, steps in all).

    Returns:
        A course per layer, each over the recorded steps.

    Raises:
        DataError: The data is missing or has changed.
        RunError: The training cannot be repeated exactly here, or has no steps.
        SettingError: There are fewer than two points.

    Example:
        >>> found = ds.insight.layers_over_time(ds.open_run("runs/moons-1"), points=5)
        >>> found.layers[0].gradient_length.shape
        (5,)
    """
    if points < 2:
        raise SettingError(
            f"{points} steps are to be looked at.", "at least 2", "25 is the default."
        )
    past = replay(run)
    if not past.steps:
        raise RunError(
            "The training has no steps: its first one left something that is not finite.",
            "a training of at least one step",
            "Look at that step with: downslope trace RUN --step 1.",
        )
    steps = spread_steps(past.steps, points)
    probe = _probe(past)
    rows, before = [], None
    wanted = sorted({one for step in steps for one in (step - 1, step)})
    for done, state in past.states(map(int, wanted), on_steps):
        if done in steps:
            assert before is not None  # the step before it was asked for as well
            arguments = (before.parameters, state.parameters, past.seen(done), probe)
            measured = compiled(_measured, past.program_of(done), *arguments)
            rows.append(np.asarray(measured(*arguments)))
        before = state
    network = past.program.evaluator.network
    with_weights = [index for index, own in enumerate(past.run.parameters) if jax.tree.leaves(own)]
    table = np.stack(rows)
    return LayersOverTime(
        data=run.data.name,
        steps=steps,
        steps_per_epoch=past.steps_per_epoch,
        samples=len(probe),
        layers=tuple(
            LayerCourse(
                network.layer_name(index),
                activation_of(network.layers[index]).name,
                *table[:, row].T.astype(np.float64),
            )
            for row, index in enumerate(with_weights)
        ),
        run=run,
    )


def spread_steps(last: int, points: int) -> Int[np.ndarray, " points"]:
    """Steps from 1 to `last`, closer at the beginning: their distance grows evenly."""
    fractions = np.linspace(0, 1, points) ** 2
    return np.unique(np.round(1 + (last - 1) * fractions).astype(np.int64))


def _probe(past: Replay) -> Array:
    """Some training samples, evenly spread, as the network takes them."""
    dataset = past.run.dataset
    assert dataset is not None
    shapes = past.program.evaluator.network.shapes(dataset.input_shape)
    size = max(math.prod(shape) for shape in (dataset.input_shape, *shapes))
    count = min(len(dataset.train), MOST_PROBED, max(4, MOST_NUMBERS // size))
    indices = np.linspace(0, len(dataset.train) - 1, count).astype(int)
    return jnp.asarray(past.units.inputs.apply(dataset.train.inputs[indices]))


def _measured(
    program: loop.Program,
    before: NetworkParameters,
    after: NetworkParameters,
    seen: loop.Batch,
    probe: Array,
) -> Float[Array, "layers measures"]:
    """`MEASURES` of each layer with weights, in one step."""
    gradients = batch_gradients(program, before, seen)
    network = program.evaluator.network
    rows = []
    for layer, signal, own, new, slopes in zip(
        network.layers, network.signals(before, probe), before, after, gradients, strict=True
    ):
        if not jax.tree.leaves(own):
            continue
        function = activation_of(layer)
        values = signal.activations
        weights = _length(own)
        change = _length(jax.tree.map(lambda one, other: one - other, new, own))
        nothing = jnp.float32(jnp.nan)
        silent = (values == 0).all(axis=tuple(range(values.ndim - 1))).mean()
        rows.append(
            [
                _length(slopes),
                weights,
                change / jnp.maximum(weights, 1e-30),
                values.mean(),
                values.std(),
                silent if function.is_flat_below else nothing,
                nothing
                if function.steepest is None
                else _saturated(function, signal.pre_activations),
            ]
        )
    return jnp.stack([jnp.stack(row) for row in rows])


def _saturated(function: Activation, pre_activations: Array) -> Array:
    _, slopes = jax.jvp(function.function, (pre_activations,), (jnp.ones_like(pre_activations),))
    return (slopes < FLAT * (function.steepest or 0)).mean()


def _length(tree: object) -> Array:
    return jnp.sqrt(sum(jnp.square(leaf).sum() for leaf in learned_arrays(tree)))


def _row(one: LayerCourse) -> tuple[str, ...]:
    stuck = ""
    for word, values in (("dead units", one.dead), ("saturated", one.saturated)):
        if not np.isnan(values).all():
            stuck = f"{word} {percent(values[0])} → {percent(values[-1])}"
            break
    return (
        one.name,
        _both(one.gradient_length),
        _both(one.weight_length),
        f"{percent(one.update_fraction[0])} → {percent(one.update_fraction[-1])}",
        f"{number(one.mean[-1])} ± {number(one.std[-1])}",
        stuck,
    )


def _both(values: np.ndarray) -> str:
    return f"{number(values[0])} → {number(values[-1])}"
