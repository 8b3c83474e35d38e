"""Training: from a network and a data set to a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import jax
import numpy as np

from downslope.data.dataset import Dataset
from downslope.learning import loop, measures, outcome
from downslope.learning.augment import Augment
from downslope.learning.batches import BatchPlan
from downslope.learning.chunks import run_finite_chunk
from downslope.learning.compiling import compiled
from downslope.learning.failed_step import find_failure
from downslope.learning.fit import DEFAULT_LOSS, check_fit, check_start
from downslope.learning.optimizers import Optimizer, Schedule
from downslope.learning.outcome import Outcome
from downslope.learning.preparation import Preparation
from downslope.learning.progress import OnChunk, Progress, stop_requests
from downslope.learning.run import DataCard, Run, Seconds
from downslope.learning.settings import BatchSize, Record, Settings, Stop
from downslope.learning.trace import Trace, TraceBuilder
from downslope.network.losses import Loss, PerSample, resolve
from downslope.network.network import Network

CHUNK_SECONDS = 0.5  # how long a chunk should take: often enough to look alive, seldom for cost
MOST_INDICES = 1 << 20  # bounds the memory of a chunk's plan, in samples
MOST_STEPS = 1 << 14  # and in steps


def train(
    network: Network,
    dataset: Dataset,
    *,
    loss: str | PerSample | Loss | None = None,
    optimizer: str | Optimizer = "sgd",
    learning_rate: float = 0.1,
    schedule: str | Schedule = "constant",
    batch_size: BatchSize = 32,
    epochs: int = 20,
    seed: int = 0,
    class_weights: tuple[float, ...] = (),
    augment: Augment | None = None,
    record: Record | None = None,
    stop: Stop | None = None,
    on_chunk: OnChunk | None = None,
    start: Run | None = None,
) -> Run:
    """Train a network on a data set; the same arguments give the same bits on one machine.

    Args:
        network: What learns.
        dataset: What it learns from.
        loss: A name, a function `loss(prediction, target) -> (N,)`, or a `Loss`; by default
            cross_entropy for classes and squared_error for numbers.
        optimizer: A name in `OPTIMIZERS` or an `Optimizer`.
        learning_rate: The (highest) learning rate.
        schedule: A name in `SCHEDULES` or a `Schedule`.
        batch_size: Samples per step: an integer, 1 for stochastic descent, "full" for all.
        epochs: How often all training samples are seen.
        seed: Decides the first weights, the order of samples and all other chance.
        class_weights: How much each class counts in the loss, one number per class.
        augment: Changes made to photos while training.
        record: What is kept of the training.
        stop: When to end before the last epoch.
        on_chunk: Called with a `Progress` between two chunks of steps.
        start: A run of the same network and loss to go on from: its weights, its scaling of
            inputs and targets, and what its optimizer remembers, if that is the same and the
            run was not opened from a folder. Give another `seed`, or the order of the samples
            and all other chance are those of that run again.

    Returns:
        The run: trained weights, trace and outcome. Ctrl-C ends early and returns it as well.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is unknown or out of range.
    """
    loss = resolve(DEFAULT_LOSS[dataset.task] if loss is None else loss)
    settings = Settings(
        loss=loss.name,
        optimizer=Optimizer(optimizer) if isinstance(optimizer, str) else optimizer,
        learning_rate=learning_rate,
        schedule=Schedule(schedule) if isinstance(schedule, str) else schedule,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        class_weights=tuple(class_weights),
        augment=augment,
        record=Record() if record is None else record,
        stop=Stop() if stop is None else stop,
    )
    if start is not None:
        check_start(start, network, dataset, loss)
        dataset = replace(dataset, scaling=start.scaling)
    check_fit(network, dataset, loss, augment)
    return _Training(Preparation(network, dataset, loss, settings, start)).run(on_chunk)


class Pace:
    """How many steps the next chunk has: few at first, then what takes `CHUNK_SECONDS`.

    Args:
        plan: The training's batches.
        first: Steps of the first chunk.

    Attributes:
        capacity: The most steps of a chunk.
        seconds: What all chunks took so far.
    """

    def __init__(self, plan: BatchPlan, first: int = 1) -> None:
        self.capacity = min(plan.steps, MOST_STEPS, max(1, MOST_INDICES // plan.batch_size))
        self.seconds = 0.0
        self._count = first

    @contextmanager
    def timed(self, steps_left: int) -> Iterator[int]:
        """Time a chunk; yields how many steps it has."""
        count = self._count if steps_left > 1.5 * self._count else steps_left  # no small rest
        count = min(count, self.capacity, steps_left)
        started = time.perf_counter()
        yield count
        lasted = time.perf_counter() - started
        self.seconds += lasted
        self._count = max(1, min(8 * count, round(count * CHUNK_SECONDS / max(lasted, 1e-6))))


class _Training:
    """One training while it runs; what it leaves is a `Run`."""

    def __init__(self, prepared: Preparation) -> None:
        self.prepared = prepared
        self.dataset, self.settings = prepared.dataset, prepared.settings
        self.plan, self.rates, self.program = prepared.plan, prepared.rates, prepared.program
        self.trace = TraceBuilder(
            self.dataset.task,
            self.rates,
            self.plan.steps_per_epoch,
            lambda steps: loop.is_measured_step(steps, self.program),
        )

    def run(self, on_chunk: OnChunk | None) -> Run:
        """Train until an end is reached."""
        began = time.perf_counter()
        state, key = self.prepared.start()
        material = self.prepared.material(key)
        pace = Pace(self.plan)
        batches = np.zeros((pace.capacity, self.plan.batch_size), np.int32)
        rates = np.zeros(pace.capacity, np.float32)
        started = time.perf_counter()
        run_chunk = compiled(
            loop.run_chunk, self.program, state, material, batches, rates, np.int32(0)
        )
        compiling = time.perf_counter() - started

        step, ending, asked = 0, loop.RUNNING, False
        with stop_requests() as stop_requested:
            while step < self.plan.steps and ending == loop.RUNNING and not asked:
                with pace.timed(self.plan.steps - step) as count:
                    batches[:count] = self.plan.batches(step, step + count)
                    rates[:count] = self.rates[step : step + count]
                    state, rows = run_finite_chunk(
                        run_chunk, state, material, batches, rates, count
                    )
                    done, ending = int(state.step) - step, int(state.ending)
                self._record(step, done, ending, rows)
                step += done
                if on_chunk is not None:
                    on_chunk(self._progress(step, pace.seconds))
                asked = stop_requested()
        total = time.perf_counter() - began
        return self._finish(state, material, Seconds(total, pace.seconds, compiling))

    def _record(self, step: int, done: int, ending: int, rows: loop.Rows) -> None:
        losses = done + (ending == loop.NON_FINITE)  # the step that failed has a loss as well
        self.trace.append(
            step,
            np.asarray(rows.batch_loss)[:losses],
            np.asarray(rows.train)[:done],
            np.asarray(rows.validation)[:done],
        )

    def _progress(self, step: int, seconds: float) -> Progress:
        return Progress(
            step=step,
            steps=self.plan.steps,
            epoch=step // self.plan.steps_per_epoch,
            epochs=self.settings.epochs,
            seconds=seconds,
            builder=self.trace,
        )

    def _finish(self, state: loop.State, material: loop.Material, seconds: Seconds) -> Run:
        trace = self.trace.trace()
        ended = ending_of(state, self.prepared, trace, material)
        judge = self.program.judge
        keep_best = ended.reason == "no_improvement"
        parameters = jax.tree.map(np.asarray, state.best if keep_best else state.parameters)
        outputs = judge.network.shapes(self.dataset.input_shape)[-1][-1]
        return Run(
            network=judge.network,
            loss=judge.loss,
            parameters=parameters,
            moments=None if keep_best else jax.tree.map(np.asarray, state.moments),
            settings=self.settings,
            data=DataCard.of(self.dataset),
            scaling=self.dataset.scaling,
            answer_scaling=self.prepared.answer_scaling,
            baseline_answer=measures.baseline_answer(self.dataset, judge.loss, outputs),
            trace=trace,
            outcome=ended,
            seconds=seconds,
            dataset=self.dataset,
            origin=None if self.prepared.earlier is None else self.prepared.earlier.as_origin,
        )


def ending_of(
    state: loop.State, prepared: Preparation, trace: Trace, material: loop.Material | None = None
) -> Outcome:
    """How a training ended, in words; given its material, with what was not finite first."""
    settings, plan = prepared.settings, prepared.plan
    step, per_epoch = int(state.step), plan.steps_per_epoch
    ending, stop = int(state.ending), settings.stop
    epoch = min(step // per_epoch + 1, settings.epochs)  # counted from 1, as in the trace
    if ending == loop.NON_FINITE:
        failure = None
        if material is not None:
            batch, rate = plan.batches(step, step + 1)[0], float(prepared.rates[step])
            data = prepared.dataset
            failure = find_failure(prepared.program, data, state, material, batch, rate)
        return outcome.non_finite(float(trace.batch_loss[-1]), epoch, step, failure)
    if ending == loop.TARGET:
        loss = float(trace.validation_loss[-1])
        return outcome.target_reached(loss, stop.target_loss or 0.0, step // per_epoch, step)
    if ending == loop.NO_IMPROVEMENT:
        best = int(state.best_step)
        return outcome.no_improvement(
            stop.patience or 0,
            float(state.best_loss),
            best // per_epoch,
            step,
            best,
            stop.tolerance,
        )
    if step < plan.steps:
        return outcome.interrupted(epoch, step)
    return outcome.all_epochs(settings.epochs, step, still_falling(trace.validation_loss))


def still_falling(losses: np.ndarray) -> bool | None:
    """Whether the last tenth has the lowest loss; None where too few epochs can tell."""
    last = max(1, len(losses) // 10)
    return bool(losses[-last:].min() < losses[:-last].min()) if len(losses) > 2 else None
