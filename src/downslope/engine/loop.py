"""The one loop: steps of gradient descent, compiled, with everything that it decides inside.

A chunk runs any number of steps. Where it starts and ends changes nothing in what is computed:
evaluations, the best weights, and every reason to end early are decided inside, at their step.

The same loop trains several networks side by side, its members: everything that differs between
them then has one more axis, the first, and a member that has ended stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int, UInt32

from downslope.engine import metrics
from downslope.engine.augment import Augment
from downslope.engine.backpropagation import backpropagate, stepped
from downslope.engine.evaluation import Evaluator, Part, evaluate, take
from downslope.engine.optimizers import Optimizer, OptimizerNumbers
from downslope.engine.scales import Scales
from downslope.nn.fusion import freeze
from downslope.nn.layer import Padded
from downslope.nn.losses import Loss, smoothed_targets, spread_targets
from downslope.nn.members import loss_while_learning, members_of, while_learning
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.padded import loss_without_padding, without_padding

# OVERFLOWN: set at the end of a chunk only; some step in it has left weights that are not finite
RUNNING, NON_FINITE, TARGET, NO_IMPROVEMENT, OVERFLOWN = range(5)


@dataclass(frozen=True)
class Members:
    """What differs between networks that are trained side by side.

    Attributes:
        own_batches: Whether each sees the samples in an order of its own.
        own_keys: Whether each has its own key of chance.
    """

    own_batches: bool
    own_keys: bool


@dataclass(frozen=True)
class Program:
    """What is compiled: all that is fixed while a training runs.

    Attributes:
        evaluator: Network, loss and task.
        optimizer: The optimizer, without its numbers.
        augment: Changes made to photos, or None.
        has_short_batch: Whether a batch may hold indices without a sample.
        has_target: Whether it ends at a validation loss.
        has_patience: Whether it ends where the validation loss falls no more.
        keeps_best: Whether the weights with the lowest validation loss are kept.
        smoothed: Over how many classes a target may be spread; 0 where it is not.
        frozen: How many of the first layers keep their weights.
        members: None for a single network; for several side by side, what differs between them
            besides their weights and learning rates.
    """

    evaluator: Evaluator
    optimizer: Optimizer
    augment: Augment | None
    has_short_batch: bool
    has_target: bool
    has_patience: bool
    keeps_best: bool
    smoothed: int = 0
    frozen: int = 0
    members: Members | None = None

    @property
    def trained(self) -> Network:
        """The network as the steps compute it: in few passes, with what is frozen left alone."""
        return freeze(self.evaluator.joined, self.frozen)

    def stepped(
        self, parameters: NetworkParameters, direction: Any, rate: Array, drift: Any
    ) -> NetworkParameters:
        """The parameters after a step; frozen ones stay, also where the optimizer moves all."""
        after = stepped(parameters, direction, rate, drift)
        return (*parameters[: self.frozen], *after[self.frozen :])


class Numbers(NamedTuple):
    """What may be another in each training, and needs no other program: each ().

    Attributes:
        optimizer: The numbers of the optimizer.
        steps_per_epoch: Steps in an epoch.
        measured_every: Epochs between two measurements.
        steps: Steps in the whole training.
        target_loss: The validation loss at which to end, of scaled targets like the next one.
        tolerance: How much lower the validation loss has to be to count.
        patience: Epochs without a lower validation loss after which to end.
        smoothing: Which fraction of class targets is spread over all classes.
        toward: How it is shared among them, (classes,) or, of one logit, (); None for all alike.
    """

    optimizer: OptimizerNumbers
    steps_per_epoch: Any
    measured_every: Any
    steps: Any
    target_loss: Any
    tolerance: Any
    patience: Any
    smoothing: Any
    toward: Any = None


class Material(NamedTuple):
    """What a training works on: both parts, the scaling, the key of all chance, the numbers.

    The key is in its plain form, as `jax.random.key_data` gives it.
    """

    train: Part
    validation: Part
    scales: Scales
    key: Array
    numbers: Numbers


class State(NamedTuple):
    """Everything that changes from step to step; of several members, one after the other.

    Attributes:
        step: Steps done, ().
        parameters: The network's.
        optimizer_state: What the optimizer remembers.
        best: The parameters at the lowest validation loss; None where they are not kept.
        best_loss: That loss, ().
        best_step: The steps done there, ().
        stale: Epochs since then, ().
        ending: RUNNING or why it ended, ().
    """

    step: Array
    parameters: NetworkParameters
    optimizer_state: Any
    best: NetworkParameters | None
    best_loss: Array
    best_step: Array
    stale: Array
    ending: Array


class Rows(NamedTuple):
    """What a chunk records, one row per step; evaluations are NaN where none was made.

    Attributes:
        batch_loss: (K,), or (K, members).
        train: (K, measures), or (K, members, measures).
        validation: Likewise.
    """

    batch_loss: Float[Array, "k ..."]
    train: Float[Array, "k ... measures"]
    validation: Float[Array, "k ... measures"]


class Chunk(NamedTuple):
    """A chunk while it runs.

    Attributes:
        done: Steps of it that are done, ().
        state: The state after them.
        rows: What is recorded of them; NaN in the steps to come.
    """

    done: Array
    state: State
    rows: Rows


_AXES: Any = (None, 0, 1)
MEMBERS = Chunk(*_AXES)  # the axis of the members in each of its arrays


def new_chunk(program: Program, state: State, steps: int) -> Chunk:
    """A chunk of so many steps, of which none is done."""
    shape = (steps, *state.step.shape)
    measures = jnp.full((*shape, len(metrics.names(program.evaluator.task))), jnp.nan)
    return Chunk(jnp.int32(0), state, Rows(jnp.full(shape, jnp.nan), measures, measures))


class Start(NamedTuple):
    """Where a training starts: drawn weights, and the key of all chance in its steps."""

    state: State
    key: Array


@dataclass(frozen=True)
class Origin:
    """What `begin` depends on, beside the seed."""

    network: Network
    input_shape: tuple[int, ...]
    optimizer: Optimizer
    keeps_best: bool


def begin(origin: Origin, seed: UInt32[Array, ""]) -> Start:
    """The state before the first step, drawn from a seed."""
    parameters = origin.network.init(origin.input_shape, seed)
    state = State(
        step=jnp.int32(0),
        parameters=parameters,
        optimizer_state=origin.optimizer.direction().init(parameters),
        best=parameters if origin.keeps_best else None,
        best_loss=jnp.float32(jnp.inf),
        best_step=jnp.int32(0),
        stale=jnp.int32(0),
        ending=jnp.int32(RUNNING),
    )
    return Start(state, jax.random.key_data(jax.random.fold_in(jax.random.key(seed), 1)))


class Batch(NamedTuple):
    """What one step sees.

    Attributes:
        inputs: Changed if need be, and scaled, (B, ...).
        targets: Likewise.
        weights: How much each sample counts, (B,), on average over the training part 1; None for
            all the same.
        total: How many samples there are, (): what the weighted losses are divided by. Were it
            the sum of this batch's weights, they would do nothing to a batch of one sample.
        key: The random key of the network's own chance in this step, or None.
        sizes: Height and width of each photo within its array, (B, 2); None where they fill it.
    """

    inputs: Array
    targets: Array
    weights: Array | None
    total: Array | None
    key: Array | None
    sizes: Array | None = None

    def arguments(self, network: Network, loss: Loss) -> dict[str, Any]:
        """The arguments of `backpropagate` but the parameters.

        Photos of several sizes are `Padded`, and each is by itself.
        """
        inputs: Any = self.inputs
        loss, network = loss_while_learning(network, loss), while_learning(network)
        if self.sizes is not None:
            network, loss = without_padding(network), loss_without_padding(loss)
            inputs = Padded(inputs, self.sizes)
        samples = {"targets": self.targets, "weights": self.weights, "total": self.total}
        return {"network": network, "loss": loss, "inputs": inputs, "key": self.key, **samples}


def see_batch(program: Program, step: Array, material: Material, batch: Int[Array, " b"]) -> Batch:
    """The samples of a batch as the network takes them in the step behind `step` steps."""
    inputs, targets, weights, present = take(material.train, batch, program.has_short_batch)
    total = None
    if weights is not None:
        total = jnp.float32(len(batch)) if present is None else present.sum()
    sizes = material.train.sizes_of(batch)
    key = None
    if program.augment is not None or program.evaluator.network.needs_key:
        chance = jax.random.wrap_key_data(material.key)
        key = jax.random.split(jax.random.fold_in(chance, step))[0]
        if program.augment is not None:
            epoch = step // material.numbers.steps_per_epoch
            inputs, targets, sizes = program.augment.apply(
                chance, epoch, batch, inputs, targets, sizes
            )
            if program.augment.mixup:
                targets = spread_targets(targets, program.smoothed, program.evaluator.loss)
                inputs, targets = program.augment.mix(chance, epoch, batch, inputs, targets)
    if program.smoothed:
        targets = smoothed_targets(
            targets,
            program.smoothed,
            material.numbers.smoothing,
            program.evaluator.loss,
            material.numbers.toward,
        )
    return Batch(material.scales.scale_inputs(inputs), targets, weights, total, key, sizes)


def train_step(
    program: Program,
    material: Material,
    batches: Int[Array, "k b"],
    rates: Float[Array, " k"],
    chunk: Chunk,
) -> Chunk:
    """One step: loss and gradients of a batch, direction, change of the weights.

        w <- w - rate * direction(gradient)

    Where the loss is not finite, nothing changes but `ending`; where the training has ended,
    nothing changes. Weights that stop being finite are found at the chunk's end.
    """
    done, state, rows = chunk
    rate, seen = rates[done], see_batch(program, state.step, material, batches[done])
    own = seen.arguments(program.trained, program.evaluator.loss)
    found = backpropagate(parameters=state.parameters, **own)
    direction, optimizer_state = program.optimizer.direction(material.numbers.optimizer).update(
        found.gradients, state.optimizer_state, state.parameters
    )
    after = program.stepped(state.parameters, direction, rate, found.drift)
    loss = found.loss / members_of(program.trained)
    finite = jnp.isfinite(loss)
    steps_on = finite
    if program.members is not None:  # a single network would not be here
        steps_on = finite & (state.ending == RUNNING)
        loss = jnp.where(state.ending == RUNNING, loss, jnp.nan)
    parameters, optimizer_state = jax.tree.map(
        lambda new, old: jnp.where(steps_on, new, old),
        (after, optimizer_state),
        (state.parameters, state.optimizer_state),
    )
    state = state._replace(
        step=state.step + steps_on.astype(jnp.int32),
        parameters=parameters,
        optimizer_state=optimizer_state,
        ending=jnp.where(finite | (state.ending != RUNNING), state.ending, jnp.int32(NON_FINITE)),
    )
    return Chunk(done + 1, state, rows._replace(batch_loss=rows.batch_loss.at[done].set(loss)))


def measure(program: Program, material: Material, chunk: Chunk) -> Chunk:
    """Evaluate both parts after the chunk's last step, and decide whether to go on.

    Where the training has ended before, nothing changes.
    """
    done, state, rows = chunk
    evaluator, scales, is_running = program.evaluator, material.scales, state.ending == RUNNING
    train = evaluate(evaluator, state.parameters, material.train, scales)
    validation = evaluate(evaluator, state.parameters, material.validation, scales)
    after = _decide(program, material.numbers, state, validation[0])
    if program.members is not None:  # a single network would not be here
        train, validation = (jnp.where(is_running, one, jnp.nan) for one in (train, validation))
        after = jax.tree.map(lambda new, old: jnp.where(is_running, new, old), after, state)
    rows = rows._replace(
        train=rows.train.at[done - 1].set(train),
        validation=rows.validation.at[done - 1].set(validation),
    )
    return Chunk(done, after, rows)


def _decide(program: Program, numbers: Numbers, state: State, loss: Array) -> State:
    """Whether to go on after this validation loss, and which weights are the best so far."""
    ending = state.ending
    loss = jnp.where(jnp.isfinite(loss), loss, jnp.inf)  # what is no number is never the best
    if program.keeps_best:
        better = loss < state.best_loss
        state = state._replace(
            best=jax.tree.map(
                lambda new, old: jnp.where(better, new, old), state.parameters, state.best
            ),
            best_loss=jnp.where(better, loss, state.best_loss),
            best_step=jnp.where(better, state.step, state.best_step),
            stale=jnp.where(
                loss < state.best_loss - numbers.tolerance, 0, state.stale + numbers.measured_every
            ),
        )
        if program.has_patience:
            ending = jnp.where(state.stale >= numbers.patience, NO_IMPROVEMENT, ending)
    if program.has_target:
        ending = jnp.where(loss <= numbers.target_loss, TARGET, ending)
    return state._replace(ending=jnp.asarray(ending, jnp.int32))


def _mark_overflown(state: State) -> State:
    """Say so where weights or the optimizer state are not finite, which they never become again.

    A weight whose mean of squared gradients is infinite would never move again, without a word.

    To look at all of them once per chunk costs nothing; at each step it would be one more pass
    over the memory.
    """
    leaves = jax.tree.leaves((state.parameters, state.optimizer_state))
    finite = [jnp.isfinite(leaf).all() for leaf in leaves]
    ending = jnp.where(jnp.stack(finite).all(), state.ending, jnp.int32(OVERFLOWN))
    return state._replace(ending=ending)


def _of_all(
    program: Program, function: Callable[..., Chunk], row: int, material: Material, *steps: Array
) -> Callable[[Chunk], Chunk]:
    """`train_step` or `measure` as a function of the chunk, for the network or for all members.

    Each member is given a chunk of one step: rows of which each member has its own column would be
    read and written more slowly.

    Args:
        program: What is compiled.
        function: What changes the chunk of one network.
        row: Which row it writes, counted from the steps that are done.
        material: Samples and scaling.
        steps: The batches and the rates, if the function takes them.
    """
    of_one, members = partial(function, program), program.members
    if members is None:
        return partial(of_one, material, *steps)
    axes: Any = (None, None, None, 0 if members.own_keys else None, None)
    of_steps = (1 if members.own_batches else None, 1)[: len(steps)]
    of_each = jax.vmap(of_one, (Material(*axes), *of_steps, MEMBERS), MEMBERS)

    def of_all(chunk: Chunk) -> Chunk:
        now = chunk.done + row
        given, rows = jax.tree.map(lambda one: one[now][None], (steps, chunk.rows))
        own = of_each(material, *given, Chunk(jnp.int32(-row), chunk.state, rows))
        rows = jax.tree.map(lambda one, new: one.at[now].set(new[0]), chunk.rows, own.rows)
        return Chunk(now + own.done, own.state, rows)

    return of_all


def is_measured_step(step: Any, numbers: Numbers) -> Any:
    """Whether the losses are measured behind `step` steps; an array of steps gives an array."""
    between = numbers.measured_every * numbers.steps_per_epoch
    return (step % between == 0) | (step == numbers.steps)


def run_chunk(
    program: Program,
    state: State,
    material: Material,
    batches: Int[Array, "k ... b"],
    rates: Float[Array, "k ..."],
    count: Array,
) -> tuple[State, Rows]:
    """Run `count` steps, or fewer if the training (of all members) ends before.

    The state's `ending` is OVERFLOWN where a step has left weights that are not finite; what to
    do then is decided in `chunks.py`.

    Args:
        program: What is compiled.
        state: The state before the first of these steps.
        material: Samples and scaling.
        batches: The samples of each step, (K, B), or (K, members, B) where each member has its
            own; rows from `count` on are not read.
        rates: The learning rate of each step, (K,) or (K, members).
        count: How many steps to run, ().
    """
    start = jnp.max(state.step)  # that of all members but those that have ended
    step = _of_all(program, train_step, 0, material, batches, rates)
    measured = _of_all(program, measure, -1, material)

    def goes_on(chunk: Chunk) -> Array:
        return (chunk.done < count) & jnp.any(chunk.state.ending == RUNNING)

    def epoch(chunk: Chunk) -> Chunk:
        """The steps up to the end of an epoch or of the chunk; then, if it is time, measure."""
        per_epoch = material.numbers.steps_per_epoch
        last = ((start + chunk.done) // per_epoch + 1) * per_epoch - start
        chunk = lax.while_loop(lambda now: goes_on(now) & (now.done < last), step, chunk)
        is_measured = is_measured_step(start + chunk.done, material.numbers)
        is_measured &= jnp.any(chunk.state.ending == RUNNING)
        return lax.cond(is_measured, measured, lambda chunk: chunk, chunk)

    chunk = new_chunk(program, state, len(batches))
    _, state, rows = lax.while_loop(goes_on, epoch, chunk)
    of_all = _mark_overflown if program.members is None else jax.vmap(_mark_overflown)
    return of_all(state), rows
