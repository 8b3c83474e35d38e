"""The one loop: steps of gradient descent, compiled, with everything that it decides inside.

A chunk runs any number of steps. Where it starts and ends changes nothing in what is computed:
evaluations, the best weights, and every reason to end early are decided inside, at their step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from downslope.learning import measures
from downslope.learning.augment import Augment
from downslope.learning.backprop import backpropagate
from downslope.learning.evaluation import Judge, Part, Scales, evaluate, take
from downslope.learning.optimizers import Optimizer
from downslope.network.network import NetworkParameters

RUNNING, NON_FINITE, TARGET, NO_IMPROVEMENT = range(4)


@dataclass(frozen=True)
class Program:
    """What is compiled: all that is fixed while a training runs."""

    judge: Judge
    optimizer: Optimizer
    augment: Augment | None
    steps_per_epoch: int
    measured_every: int  # epochs
    steps: int
    has_short_batch: bool
    target_loss: float | None
    patience: int | None


class Material(NamedTuple):
    """What a training works on: both parts, the scaling, the key of all chance in the steps."""

    train: Part
    validation: Part
    scales: Scales
    key: Array


class State(NamedTuple):
    """Everything that changes from step to step.

    Attributes:
        step: Steps done, ().
        parameters: The network's.
        moments: What the optimizer remembers.
        best: The parameters at the lowest validation loss; None without patience.
        best_loss: That loss, ().
        best_step: The steps done there, ().
        stale: Epochs since then, ().
        ending: RUNNING or why it ended, ().
    """

    step: Array
    parameters: NetworkParameters
    moments: Any
    best: NetworkParameters | None
    best_loss: Array
    best_step: Array
    stale: Array
    ending: Array


class Rows(NamedTuple):
    """What a chunk records, one row per step; evaluations are NaN where none was made."""

    batch_loss: Float[Array, " k"]
    train: Float[Array, "k measures"]
    validation: Float[Array, "k measures"]


def first_state(program: Program, parameters: NetworkParameters) -> State:
    """The state before the first step."""
    return State(
        step=jnp.int32(0),
        parameters=parameters,
        moments=program.optimizer.direction().init(parameters),
        best=None if program.patience is None else parameters,
        best_loss=jnp.float32(jnp.inf),
        best_step=jnp.int32(0),
        stale=jnp.int32(0),
        ending=jnp.int32(RUNNING),
    )


def _all_finite(loss: Array, *trees: NetworkParameters) -> Array:
    """Whether the loss and all in the trees is a number; a sum is finite only if each term is."""
    return jnp.isfinite(sum((leaf.sum() for leaf in jax.tree.leaves(trees)), loss))


def train_step(
    program: Program, state: State, material: Material, batch: Int[Array, " b"], rate: Array
) -> tuple[State, Float[Array, ""]]:
    """One step: loss and gradients of a batch, direction, change of the weights.

    Where the loss, a gradient or a changed weight is not finite, nothing changes but `ending`.
    """
    scales = material.scales
    inputs, targets, weights, _ = take(material.train, batch, program.has_short_batch)
    key = None
    if program.augment is not None or program.judge.network.is_random:
        key, own = jax.random.split(jax.random.fold_in(material.key, state.step))
        if program.augment is not None:
            inputs, targets = program.augment.apply(own, inputs, targets)
    loss, gradients, _ = backpropagate(
        program.judge.network,
        state.parameters,
        scales.scale_inputs(inputs),
        scales.scale_targets(targets),
        loss=program.judge.loss,
        weights=weights,
        key=key,
    )
    direction, moments = program.optimizer.direction().update(
        gradients, state.moments, state.parameters
    )
    stepped = jax.tree.map(lambda old, uphill: old - rate * uphill, state.parameters, direction)
    finite = _all_finite(loss, gradients, stepped)
    if scales.answers is not None:
        loss = loss * scales.answers[1] ** (program.judge.loss.degree or 0)  # in its own units
    parameters, moments = jax.tree.map(
        lambda new, old: jnp.where(finite, new, old),
        (stepped, moments),
        (state.parameters, state.moments),
    )
    return state._replace(
        step=state.step + finite.astype(jnp.int32),
        parameters=parameters,
        moments=moments,
        ending=jnp.where(finite, state.ending, jnp.int32(NON_FINITE)),
    ), loss


def _measure(
    program: Program, state: State, rows: Rows, start: Array, material: Material
) -> tuple[State, Rows]:
    """Evaluate both parts at these weights and decide whether to go on."""
    train = evaluate(program.judge, state.parameters, material.train, material.scales)
    validation = evaluate(program.judge, state.parameters, material.validation, material.scales)
    place = state.step - 1 - start
    rows = rows._replace(
        train=rows.train.at[place].set(train), validation=rows.validation.at[place].set(validation)
    )
    loss, ending = validation[0], state.ending
    if program.patience is not None:
        better = loss < state.best_loss
        state = state._replace(
            best=jax.tree.map(
                lambda new, old: jnp.where(better, new, old), state.parameters, state.best
            ),
            best_loss=jnp.where(better, loss, state.best_loss),
            best_step=jnp.where(better, state.step, state.best_step),
            stale=jnp.where(better, 0, state.stale + program.measured_every),
        )
        ending = jnp.where(state.stale >= program.patience, NO_IMPROVEMENT, ending)
    if program.target_loss is not None:
        ending = jnp.where(loss <= program.target_loss, TARGET, ending)
    return state._replace(ending=jnp.asarray(ending, jnp.int32)), rows


def is_measured_step(step: Any, program: Program) -> Any:
    """Whether the losses are measured behind `step` steps; an array of steps gives an array."""
    between = program.measured_every * program.steps_per_epoch
    return (step % between == 0) | (step == program.steps)


def run_chunk(
    program: Program,
    state: State,
    material: Material,
    batches: Int[Array, "k b"],
    rates: Float[Array, " k"],
    count: Array,
) -> tuple[State, Rows]:
    """Run `count` steps, or fewer if the training ends before.

    Args:
        program: What is compiled.
        state: The state before the first of these steps.
        material: Samples and scaling.
        batches: The samples of each step; rows from `count` on are not read.
        rates: The learning rate of each step.
        count: How many steps to run, ().
    """
    start, end = state.step, state.step + count

    def goes_on(carry: tuple[State, Rows]) -> Array:
        return (carry[0].step < end) & (carry[0].ending == RUNNING)

    def step(carry: tuple[State, Rows]) -> tuple[State, Rows]:
        state, rows = carry
        place = state.step - start
        state, loss = train_step(program, state, material, batches[place], rates[place])
        return state, rows._replace(batch_loss=rows.batch_loss.at[place].set(loss))

    def epoch(carry: tuple[State, Rows]) -> tuple[State, Rows]:
        per_epoch = program.steps_per_epoch
        last = jnp.minimum(end, (carry[0].step // per_epoch + 1) * per_epoch)
        state, rows = lax.while_loop(lambda c: goes_on(c) & (c[0].step < last), step, carry)
        is_measured = is_measured_step(state.step, program) & (state.ending == RUNNING)
        return lax.cond(
            is_measured,
            lambda s, r: _measure(program, s, r, start, material),
            lambda s, r: (s, r),
            state,
            rows,
        )

    empty = jnp.full((len(batches), len(measures.names(program.judge.task))), jnp.nan)
    rows = Rows(jnp.full(len(batches), jnp.nan), empty, empty)
    return lax.while_loop(goes_on, epoch, (state, rows))
