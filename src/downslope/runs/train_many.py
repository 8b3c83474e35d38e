"""Many trainings of one network at once: other learning rates, other seeds, all else the same.

The members of a group share each step of the compiled loop, so that small matrix products become
larger ones; the groups share the processor's cores. A member learns what it would learn alone,
to the rounding of float32.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from downslope.data.checks.check_data import checked
from downslope.data.dataset import Dataset
from downslope.data.progress import OnProgress
from downslope.engine import loop
from downslope.engine.chunks import run_finite_chunk
from downslope.engine.compilation import compiled, usable_cores
from downslope.engine.evaluation import evaluate
from downslope.engine.model import Model
from downslope.engine.settings import Settings
from downslope.errors import SettingError
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.runs.outcome import Outcome
from downslope.runs.preparation import Preparation
from downslope.runs.progress import stop_requests
from downslope.runs.run_folder import Seconds
from downslope.runs.trace import Trace, TraceBuilder
from downslope.runs.train_options import TrainOptions, options_from
from downslope.runs.training import Pace, baseline_of, ending_of, kept_weights, with_verdicts

MEMBERS_AT_ONCE = 8  # more, and their weights and signals leave the fast caches
SMALL = 50_000  # weights; with more, one network alone keeps a core busy
FIRST_STEPS = 64  # of small networks, which take about 10 milliseconds


@dataclass(frozen=True, eq=False)
class SideBySide:
    """The results of many trainings of one network that ran side by side.

    Attributes:
        network: The network.
        loss: The loss that it was trained with.
        settings: How each one was trained; only learning rate and seed differ.
        parameters: The trained weights and biases of all trainings, each array (trainings, ...).
        train_loss: The training loss of each at these weights, (trainings,), on as many samples as
            are recorded.
        validation_loss: Likewise the validation loss.
        traces: The losses, metrics and learning rates over each training.
        outcomes: Why each ended. A training that diverged keeps its last finite weights.
        seconds: How long all took together, in seconds.

    Example:
        >>> many = ds.train_side_by_side(
        ...     "dense 8 tanh, dense 2", "moons", learning_rates=[0.001, 0.01, 0.1], epochs=1
        ... )
        >>> many.seeds
        array([0, 0, 0])
        >>> many.validation_loss.shape
        (3,)
    """

    network: Network
    loss: Loss
    settings: tuple[Settings, ...]
    parameters: NetworkParameters
    train_loss: Float[np.ndarray, " members"]
    validation_loss: Float[np.ndarray, " members"]
    traces: tuple[Trace, ...]
    outcomes: tuple[Outcome, ...]
    seconds: Seconds

    def __len__(self) -> int:
        """Return the number of members."""
        return len(self.settings)

    @property
    def learning_rates(self) -> Float[np.ndarray, " members"]:
        """The (highest) learning rate of each training, float64."""
        return np.array([one.learning_rate for one in self.settings])

    @property
    def seeds(self) -> np.ndarray:
        """The seed of each training, int64 (trainings,)."""
        return np.array([one.seed for one in self.settings], np.int64)

    def model(self, member: int, dataset: Dataset) -> Model:
        """Training number `member`, from 0, as a model, scaled as in training on the data set."""
        mirrors, own = self.settings[member].mirrors, self.parameters_of(member)
        return Model.on(dataset, self.network, self.loss, own, mirrors)

    def parameters_of(self, member: int) -> NetworkParameters:
        """The weights and biases of one training, as `Network.forward` takes them."""
        return jax.tree.map(lambda leaf: leaf[member], self.parameters)


def train_side_by_side(
    network: Network | str | None,
    data: Any,
    *,
    learning_rates: float | Sequence[float] | np.ndarray | None = None,
    seeds: int | Sequence[int] | np.ndarray = 0,
    options: TrainOptions | None = None,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> SideBySide:
    """Train one network many times at once, each time with another learning rate or seed.

    Each training gives what `train` gives with the same rate and seed, up to float32 rounding. A
    training that diverges, or ends early by `stop`, stays as it is while the others continue.

    Args:
        network: A `Network` or its notation; None for the recipe's.
        data: A `Dataset`, or whatever `load` takes.
        learning_rates: One (highest) rate per training, or one for all; None for that of `train`.
        seeds: One seed per training, or one for all: then all start from the same weights and see
            the samples in the same order, which is faster.
        options: All options as one value, as for `train`; its seed has no effect.
        on_progress: Called between two chunks of steps with (steps done, steps in all).
        settings: Changes of the options, by the arguments of `train`.

    Returns:
        All trainings. Ctrl-C ends them early and returns them as they are.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is unknown or out of range, or there are not as many rates as
            seeds.

    Example:
        >>> many = ds.train_side_by_side(
        ...     "dense 8 tanh, dense 2", "moons", learning_rates=[0.001, 0.01, 0.1], epochs=1
        ... )
        >>> best = many.learning_rates[np.nanargmin(many.validation_loss)]
        >>> bool(best > 0.001)
        True
    """
    began = time.perf_counter()
    wanted, data = options_from(options, settings, network), checked(data)
    if learning_rates is None:
        learning_rates = wanted.plan(data).settings.learning_rate
    pairs = _pairs(learning_rates, seeds)
    first = wanted.replace(learning_rate=pairs[0][0], seed=pairs[0][1]).plan(data)
    members = [
        replace(first, settings=replace(first.settings, learning_rate=rate, seed=seed))
        for rate, seed in pairs
    ]
    return _Trainings(members).run(began, on_progress)


def _pairs(rates: Any, seeds: Any) -> list[tuple[float, int]]:
    """One (rate, seed) per member; one value of either serves all."""
    rows = [list(np.atleast_1d(np.asarray(values)).ravel()) for values in (rates, seeds)]
    count = max(map(len, rows))
    if not min(map(len, rows)) or {len(row) for row in rows} - {1, count}:
        raise SettingError(
            f"There are {len(rows[0])} learning rates and {len(rows[1])} seeds.",
            "as many of both, or one of either for all",
            "Repeat the rates for each seed to train every pair.",
        )
    rates, seeds = (row * count if len(row) == 1 else row for row in rows)
    return list(zip(rates, seeds, strict=True))


class _Group:
    """Members that fraction each step of the loop."""

    def __init__(self, members: list[Preparation], shared: loop.Material, has_seeds: bool) -> None:
        self.members = members
        starts = {}
        for one in members:
            if one.settings.seed not in starts:
                starts[one.settings.seed] = jax.tree.map(np.asarray, one.start())
        of_each = [starts[one.settings.seed] for one in members]
        self.state = jax.tree.map(lambda *leaves: np.stack(leaves), *(one.state for one in of_each))
        key = np.stack([one.key for one in of_each]) if has_seeds else of_each[0].key
        self.material = shared._replace(key=key)
        self.rates = np.stack([one.rates for one in members], axis=1)
        self.rows: list[loop.Rows] = []

    @property
    def is_running(self) -> bool:
        """Whether any member still is."""
        return bool((np.asarray(self.state.ending) == loop.RUNNING).any())


class _Trainings:
    """All trainings while they run."""

    def __init__(self, members: list[Preparation]) -> None:
        self.members, first = members, members[0]
        has_seeds = len({one.settings.seed for one in members}) > 1
        self.plan = first.plan
        self.plans = [one.plan for one in members] if has_seeds else None
        self.program = replace(first.program, members=loop.Members(has_seeds, has_seeds))
        start = first.start()
        material = first.material(start.key)
        weights = sum(leaf.size for leaf in jax.tree.leaves(start.state.parameters))
        self.is_small = weights <= SMALL
        size = members_at_once(len(members)) if self.is_small else 1
        filled = members + members[-1:] * (-len(members) % size)  # one shape, one compilation
        self.groups = [
            _Group(filled[index : index + size], material, has_seeds)
            for index in range(0, len(filled), size)
        ]

    def run(self, began: float, on_progress: OnProgress | None = None) -> SideBySide:
        """Train until every member has ended."""
        group, plan = self.groups[0], self.plan
        pace = Pace(plan, FIRST_STEPS if self.is_small else 1)
        width = (len(group.members), plan.width) if self.plans else (plan.width,)
        shapes = (
            np.zeros((pace.capacity, *width), np.int32),
            np.zeros((pace.capacity, len(group.members)), np.float32),
            np.int32(0),
        )
        started = time.perf_counter()
        self.run_chunk = compiled(
            loop.run_chunk, self.program, group.state, group.material, *shapes
        )
        compiling = time.perf_counter() - started
        started = time.perf_counter()
        with stop_requests() as stop_requested, ThreadPoolExecutor(usable_cores()) as threads:
            step, asked = 0, False
            while step < plan.steps and not asked:
                running = [one for one in self.groups if one.is_running]
                if not running:
                    break
                with pace.timed(plan.steps - step) as count:
                    shared = None if self.plans else self._batches(group, step, count, shapes[0])
                    list(
                        threads.map(
                            lambda one, step=step, count=count, shared=shared: self._chunk(
                                one, step, count, shared, shapes
                            ),
                            running,
                        )
                    )
                step += count
                if on_progress is not None:
                    on_progress(step, plan.steps)
                asked = stop_requested()
        training = time.perf_counter() - started
        return self._finish(Seconds(time.perf_counter() - began, training, compiling))

    def _batches(self, group: _Group, step: int, count: int, like: np.ndarray) -> np.ndarray:
        """The samples of the next steps, at the head of an array of the compiled shape."""
        batches = np.zeros_like(like)
        if self.plans is None:
            batches[:count] = self.plan.batches(step, step + count)
        else:
            for index, one in enumerate(group.members):
                batches[:count, index] = one.plan.batches(step, step + count)
        return batches

    def _chunk(
        self, group: _Group, step: int, count: int, shared: np.ndarray | None, shapes: tuple
    ) -> None:
        """Run the next steps of one group, and wait for them."""
        batches = self._batches(group, step, count, shapes[0]) if shared is None else shared
        rates = np.zeros_like(shapes[1])
        rates[:count] = group.rates[step : step + count]
        state, rows = run_finite_chunk(
            self.run_chunk, group.state, group.material, batches, rates, count
        )
        group.rows.append(jax.tree.map(lambda leaf: np.asarray(leaf)[:count], rows))
        group.state = state

    def _finish(self, seconds: Seconds) -> SideBySide:
        first = self.members[0]
        count = len(self.members)
        traces, outcomes, kept, figures = [], [], [], []
        baseline = baseline_of(first)
        for group in self.groups:
            state = jax.tree.map(np.asarray, group.state)
            rows = jax.tree.map(lambda *pieces: np.concatenate(pieces), *group.rows)
            for index, one in enumerate(group.members):
                own = jax.tree.map(lambda leaf, index=index: leaf[index], state)
                trace = self._trace(one, own, [piece[:, index] for piece in rows])
                ended = ending_of(own, one, trace)
                ended = with_verdicts(ended, trace, one.settings.loss, baseline)
                traces.append(trace)
                outcomes.append(ended)
                kept.append(kept_weights(own, ended))
            figures.append(self._losses(group, kept[-len(group.members) :], rows, outcomes))
        losses = np.concatenate(figures, axis=1)[:, :count].astype(np.float64)
        train_loss, validation_loss = losses * first.units.of_loss(first.loss)
        return SideBySide(
            network=first.network,
            loss=first.loss,
            settings=tuple(one.settings for one in self.members),
            parameters=jax.tree.map(lambda *leaves: np.stack(leaves), *kept[:count]),
            train_loss=train_loss,
            validation_loss=validation_loss,
            traces=tuple(traces[:count]),
            outcomes=tuple(outcomes[:count]),
            seconds=seconds,
        )

    def _trace(self, member: Preparation, state: loop.State, rows: list[np.ndarray]) -> Trace:
        builder = TraceBuilder(
            member.dataset.task,
            member.rates,
            self.plan.steps_per_epoch,
            lambda steps: loop.is_measured_step(steps, member.numbers),
            member.units.of_metrics(member.dataset.task, member.loss),
        )
        done = int(state.step)
        losses = done + (state.ending == loop.NON_FINITE)  # the step that failed has one as well
        batch_loss, train, validation = rows
        builder.append(0, batch_loss[:losses], train[:done], validation[:done])
        return builder.trace()

    def _losses(
        self, group: _Group, kept: list, rows: loop.Rows, outcomes: list[Outcome]
    ) -> np.ndarray:
        """Training and validation loss of a group's members at the kept weights, (2, members).

        They are those of the engine.
        """
        ended = outcomes[-len(group.members) :]
        if all(one.reason == "epochs" and one.kept_step == one.step for one in ended):
            return np.stack([rows.train[-1, :, 0], rows.validation[-1, :, 0]])
        parameters = jax.tree.map(lambda *leaves: np.stack(leaves), *kept)
        found = compiled(_evaluate_both, self.program, parameters, group.material)
        return np.asarray(found(parameters, group.material))


def _evaluate_both(program: loop.Program, parameters: NetworkParameters, material: loop.Material):
    def losses(own: NetworkParameters):
        parts = (material.train, material.validation)
        return jnp.stack(
            [evaluate(program.evaluator, own, one, material.scales)[0] for one in parts]
        )

    return jax.vmap(losses, out_axes=1)(parameters)


def members_at_once(members: int) -> int:
    """How many of so many small members share a step."""
    groups = -(-members // MEMBERS_AT_ONCE)
    groups = -(-groups // usable_cores()) * usable_cores() if groups > 1 else groups
    return -(-members // groups)
