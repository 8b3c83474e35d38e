"""How a run began: the untrained network, its first batch, the slopes there, and the first step.

The run's replay draws all of it again. Unlike there the first step is made by a program of its own,
and its loss is compared with the recorded one but for rounding: so a run that another machine
trained, which does not repeat bit for bit, still has its beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Array

from downslope.data.dataset import Samples
from downslope.engine import loop
from downslope.engine.backpropagation import Backpropagation, backpropagate
from downslope.engine.compilation import QUICKLY_COMPILED, compiled
from downslope.engine.evaluation import sizes_of
from downslope.nn.layer import Padded, learned_arrays
from downslope.nn.network import NetworkParameters
from downslope.runs.replay import Replay, replay
from downslope.runs.run import Run
from downslope.runs.test_evaluations import EvaluationCount

_SAME = 1e-3  # fraction by which the first batch's loss may differ, as on another machine


@dataclass(frozen=True, eq=False)
class LayerGradients:
    """The gradient at one layer in the first step, and how far training moved its weights.

    Attributes:
        name: Number and type of the layer, such as "1 Dense".
        weights: Number of weights and biases.
        delta: Root mean square of the gradient with respect to its pre-activations.
        gradient: Length of the gradient with respect to its weights and biases.
        moved: The distance that training moved them, as a fraction of their length at first;
            infinite where they were all 0.
    """

    name: str
    weights: int
    delta: float
    gradient: float
    moved: float


@dataclass(frozen=True, eq=False)
class Beginning:
    """The first step of a run.

    Attributes:
        untrained: The run with the weights before its first step.
        stepped: The run with the weights after its first step.
        batch: The samples of that step.
        layers: Every layer with weights, first layer first.
    """

    untrained: Run
    stepped: Run
    batch: Samples
    layers: tuple[LayerGradients, ...]


def beginning(run: Run) -> Beginning | None:
    """Draw a run's first weights again, and make its first step.

    Args:
        run: A run whose data is at hand.

    Returns:
        How it began; None where it went on from an earlier run, or does not begin like this here.

    Raises:
        DataError: The data is gone or has changed.
    """
    run = run.with_data()
    assert run.dataset is not None
    if run.origin is not None or not len(run.trace.batch_loss):
        return None
    past = replay(run)
    state, indices = past.state(0), past.batch_of(1)
    program, rates = past.program_of(1), np.full(1, past.rate_of(1), np.float32)
    arguments = (past.material_of(1), indices[None], rates, loop.new_chunk(program, state, 1))
    step = compiled(loop.train_step, program, *arguments, options=(QUICKLY_COMPILED,))
    _, after, rows = step(*arguments)
    loss = float(rows.batch_loss[0]) * past.units.of_loss(run.loss)
    if not np.isclose(loss, run.trace.batch_loss[0], rtol=_SAME, equal_nan=True):
        return None
    batch = run.dataset.train.take(indices[indices >= 0])

    def at(parameters: NetworkParameters) -> Run:
        own = jax.tree.map(np.asarray, parameters)
        return replace(
            run,
            model=run.model.at(own),
            optimizer_state=None,
            evaluations=EvaluationCount(),
            folder=None,
        )

    first = jax.tree.map(np.asarray, state.parameters)
    return Beginning(at(first), at(after.parameters), batch, _layers(past, first, batch))


def _layers(past: Replay, first: NetworkParameters, batch: Samples) -> tuple[LayerGradients, ...]:
    run, units = past.run, past.units
    inputs, targets = units.inputs.apply(batch.inputs), units.scaled_targets(batch.targets)
    key = past.seen(1).key if run.network.mixes_batch else None
    arguments = (first, inputs, targets, sizes_of(batch), key)
    slopes = compiled(_slopes, past.program, *arguments, options=(QUICKLY_COMPILED,))
    found = slopes(*arguments)
    layers = []
    for index, (before, now) in enumerate(zip(first, run.parameters, strict=True)):
        if not jax.tree.leaves(before):
            continue
        change = jax.tree.map(lambda new, old: np.asarray(new) - old, now, before)
        length = _length(before)
        layers.append(
            LayerGradients(
                name=run.network.layer_name(index),
                weights=sum(np.size(leaf) for leaf in learned_arrays(before)),
                delta=float(np.sqrt(np.mean(np.square(found.deltas[index], dtype=np.float64)))),
                gradient=_length(found.gradients[index]),
                moved=_length(change) / length if length else float("inf"),
            )
        )
    return tuple(layers)


def _slopes(
    program: loop.Program,
    parameters: NetworkParameters,
    inputs: Array,
    targets: Array,
    sizes: Array | None,
    key: Array | None,
) -> Backpropagation:
    """What one walk back finds in each layer, none of them fused with another."""
    seen = loop.Batch(inputs, targets, None, None, key, sizes)
    own = seen.arguments(program.evaluator.network, program.evaluator.loss)
    found = backpropagate(parameters=parameters, **own)
    deltas: Any = found.deltas
    return found._replace(
        deltas=tuple(one.cut if isinstance(one, Padded) else one for one in deltas)
    )


def _length(tree: object) -> float:
    squares = [np.square(np.asarray(leaf, np.float64)).sum() for leaf in learned_arrays(tree)]
    return float(np.sqrt(np.sum(squares)))
