"""One training while it runs: chunk by chunk, to an end, into its folder if it has one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np

from downslope.engine import loop, metrics
from downslope.engine.batches import BatchPlan
from downslope.engine.chunks import run_finite_chunk
from downslope.engine.compilation import compiled
from downslope.engine.evaluation import constant_values
from downslope.engine.model import Model
from downslope.runs import outcome, run_folder
from downslope.runs.checkpoint import CheckpointWriter
from downslope.runs.failed_step import find_failure
from downslope.runs.failure import Failure
from downslope.runs.outcome import Outcome
from downslope.runs.phases import rates_of
from downslope.runs.preparation import Preparation
from downslope.runs.progress import NextChunk, OnChunk, Progress, stop_requests
from downslope.runs.run import Run
from downslope.runs.run_folder import DataSummary, Seconds
from downslope.runs.save import write
from downslope.runs.trace import Trace, TraceBuilder
from downslope.runs.verdicts import Baseline, Course, advised, verdicts
from downslope.runs.watch import Watch

CHUNK_SECONDS = 0.5  # how long a chunk should take: often enough to look alive, seldom for cost
MOST_INDICES = 1 << 20  # bounds the memory of a chunk's plan, in samples
MOST_STEPS = 1 << 14  # and in steps


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
        most = min(MOST_STEPS, max(1, MOST_INDICES // plan.width))
        # a power of two, so that trainings of other lengths need no other program
        self.capacity = min(1 << (plan.steps - 1).bit_length(), 1 << (most.bit_length() - 1))
        self.seconds = 0.0
        self._count = first

    @contextmanager
    def timed(self, steps_left: int, asked: int | None = None) -> Iterator[int]:
        """Time a chunk; yields how many steps it has: as many as asked for, where they fit."""
        count = self._count if steps_left > 1.5 * self._count else steps_left  # no small rest
        count = count if asked is None else asked
        count = min(count, self.capacity, steps_left)
        started = time.perf_counter()
        yield count
        lasted = time.perf_counter() - started
        self.seconds += lasted
        self._count = max(1, min(8 * count, round(count * CHUNK_SECONDS / max(lasted, 1e-6))))


@dataclass(frozen=True, eq=False)
class Begun:
    """Where a training goes on.

    Attributes:
        state: The state that it is in.
        run: What there is of it so far, with the settings that hold from here on.
        is_stored: Whether its folder has a checkpoint of just that.
    """

    state: loop.State
    run: Run
    is_stored: bool


class Training:
    """One training while it runs; what it leaves is a `Run`.

    Args:
        prepared: What it needs.
        writer: Stores its state in its folder; None where it has none.
        begun: Where it goes on; None where it begins.
    """

    def __init__(
        self,
        prepared: Preparation,
        writer: CheckpointWriter | None = None,
        begun: Begun | None = None,
    ) -> None:
        self.prepared, self.writer, self.begun = prepared, writer, begun
        self.dataset, self.settings = prepared.dataset, prepared.settings
        self.plan, self.program = prepared.plan, prepared.program
        phases = () if begun is None else begun.run.phases
        self.rates = rates_of(phases, prepared)
        self.trace = TraceBuilder(
            self.dataset.task,
            self.rates,
            self.plan.steps_per_epoch,
            lambda steps: loop.is_measured_step(steps, prepared.numbers),
            prepared.units.of_metrics(self.dataset.task, prepared.loss),
        )
        if begun is not None:
            self.trace.go_on_from(begun.run.trace)

    def run(self, on_chunk: OnChunk | None) -> Run:
        """Train until an end is reached; into the folder, if there is one.

        Raises:
            StorageError: The folder refuses; what was stored before is whole.
        """
        began = time.perf_counter()
        state, key = self.prepared.start()
        if self.begun is not None:
            state = self.begun.state
        else:  # before what is slow: from now on it can be resumed
            self._begin(state, Seconds(time.perf_counter() - began, 0.0, 0.0))
        material = self.prepared.material(key)
        pace = Pace(self.plan)
        batches = np.zeros((pace.capacity, self.plan.width), np.int32)
        rates = np.zeros(pace.capacity, np.float32)
        started = time.perf_counter()
        run_chunk = compiled(
            loop.run_chunk, self.program, state, material, batches, rates, np.int32(0)
        )
        compiling = time.perf_counter() - started

        def seconds() -> Seconds:
            now = Seconds(time.perf_counter() - began, pace.seconds, compiling)
            return now if self.begun is None else self.begun.run.seconds.plus(now)

        step, ending, stops = int(state.step), int(state.ending), False
        asked: int | None = None  # steps of the next chunk
        if self.begun is not None:
            self._begin(state, seconds())
        with stop_requests() as stop_requested:
            while step < self.plan.steps and ending == loop.RUNNING and not stops:
                with pace.timed(self.plan.steps - step, asked) as count:
                    batches[:count] = self.plan.batches(step, step + count)
                    rates[:count] = self.rates[step : step + count]
                    state, rows = run_finite_chunk(
                        run_chunk, state, material, batches, rates, count
                    )
                    done, ending = int(state.step) - step, int(state.ending)
                self._record(step, done, ending, rows)
                step += done
                if on_chunk is not None:
                    said = on_chunk(self._progress(step, pace.seconds, state))
                    asked = said.steps if isinstance(said, NextChunk) else None
                stops = stop_requested() or asked == 0
                if self.writer is not None and self.writer.is_due(self._epochs(step)):
                    self._store(state, seconds())
        return self._finish(state, material, seconds())

    def _epochs(self, step: int) -> int:
        return step // self.plan.steps_per_epoch

    def _begin(self, state: loop.State, seconds: Seconds) -> None:
        if self.writer is None:
            return
        # in this order: a process that ends in between leaves the states of what was asked before
        run_folder.open_again(self.writer.folder)
        if self.begun is None or not self.begun.is_stored:
            self._store(state, seconds)

    def _store(self, state: loop.State, seconds: Seconds) -> None:
        """Store a checkpoint."""
        assert self.writer is not None
        step = int(state.step)
        epoch = min(self._epochs(step) + 1, self.settings.epochs)
        run = self._run(state, state.parameters, outcome.unfinished(epoch, step), seconds)
        self.writer.store(run, state, self._epochs(step))

    def _record(self, step: int, done: int, ending: int, rows: loop.Rows) -> None:
        losses = done + (ending == loop.NON_FINITE)  # the step that failed has a loss as well
        self.trace.append(
            step,
            np.asarray(rows.batch_loss)[:losses],
            np.asarray(rows.train)[:done],
            np.asarray(rows.validation)[:done],
        )

    def _progress(self, step: int, seconds: float, state: loop.State) -> Progress:
        return Progress(
            step=step,
            steps=self.plan.steps,
            epoch=self._epochs(step),
            epochs=self.settings.epochs,
            seconds=seconds,
            builder=self.trace,
            first=0 if self.begun is None else int(self.begun.state.step),
            model_now=lambda: self._model(jax.tree.map(np.array, state.parameters)),
            watch=self._watch,
        )

    def _finish(self, state: loop.State, material: loop.Material, seconds: Seconds) -> Run:
        failure = None
        if int(state.ending) == loop.NON_FINITE:
            step = int(state.step)
            batch, rate = self.plan.batches(step, step + 1)[0], float(self.rates[step])
            failure = find_failure(self.program, self.dataset, state, material, batch, rate)
        goes_on = self.writer is not None
        ended = ending_of(state, self.prepared, self.trace.trace(), goes_on, failure)
        run = self._run(state, kept_weights(state, ended), ended, seconds)
        told = with_verdicts(ended, run.trace, self.settings.loss, self._baseline_on_validation)
        run = replace(run, outcome=told)
        if ended.kept_step == ended.step:
            run = replace(run, optimizer_state=jax.tree.map(np.asarray, state.optimizer_state))
        if self.writer is None:
            return run
        self._store(state, seconds)
        with self.writer.going_on():
            return write(run, self.writer.folder)

    def _run(
        self, state: loop.State, parameters: Any, ended: outcome.Outcome, seconds: Seconds
    ) -> Run:
        """What the training is so far, as a run."""
        parameters = jax.tree.map(np.asarray, parameters)
        values = {
            "trace": self.trace.trace(),
            "outcome": ended,
            "seconds": seconds,
            "dataset": self.dataset,
        }
        if self.begun is not None:
            return replace(self.begun.run, model=self._model(parameters), **values)
        return Run(
            model=self._model(parameters),
            settings=self.settings,
            data=DataSummary.of(self.dataset),
            baseline_output=self._baseline,
            baseline_median=metrics.baseline_median(self.dataset, self.program.evaluator.loss),
            origin=self.prepared.origin,
            **values,
        )

    def _model(self, parameters: Any) -> Model:
        """The network with weights of this training."""
        if self.begun is not None:
            mirrors = self.settings.mirrors
            return replace(self.begun.run.model, parameters=parameters, mirrors=mirrors)
        evaluator = self.program.evaluator
        return Model(
            evaluator.network,
            evaluator.loss,
            parameters,
            self.dataset.task,
            self.dataset.scaling,
            self.prepared.target_scaling,
            self.settings.mirrors,
        )

    @cached_property
    def _baseline_on_validation(self) -> Baseline | None:
        return baseline_of(self.prepared)

    @cached_property
    def _watch(self) -> Watch:
        """What looks at it while it runs; the baseline is that of the verdicts at its end."""
        return Watch(self.settings.loss, self._baseline_on_validation, self.plan.steps)

    @cached_property
    def _baseline(self) -> np.ndarray:
        evaluator = self.program.evaluator
        outputs = evaluator.network.shapes(self.dataset.input_shape)[-1][-1]
        return metrics.baseline_output(self.dataset, evaluator.loss, outputs)


def baseline_of(prepared: Preparation) -> Baseline | None:
    """The best constant prediction on the validation part; None where there is none to measure."""
    dataset, evaluator = prepared.dataset, prepared.program.evaluator
    part, most = dataset.validation, prepared.settings.record.samples
    part = part if len(part) <= most else part.take(np.linspace(0, len(part) - 1, most).astype(int))
    outputs = evaluator.network.shapes(dataset.input_shape)[-1][-1]
    constant = metrics.baseline_output(dataset, evaluator.loss, outputs)
    per_loss = constant.size if dataset.task in ("regression", "multilabel") else 1
    if evaluator.loss.built_in == "absolute_error":
        median = metrics.baseline_median(dataset, evaluator.loss)
        constant = constant if median is None else median
    if not len(part) or not constant.size:  # an estimator may have no samples, or one class
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        values = constant_values(evaluator, constant, part, prepared.units)
    if not np.isfinite(values).all():
        return None
    return Baseline.of(values, part.weights, dataset.task == "classification", per_loss)


def with_verdicts(ended: Outcome, trace: Trace, loss: str, baseline: Baseline | None) -> Outcome:
    """How a training ended, with the verdicts on it; none on one that was interrupted."""
    if ended.reason == "interrupted":
        return ended
    return advised(ended, verdicts(Course(trace.epochs, loss, ended, baseline)))


def ending_of(
    state: loop.State,
    prepared: Preparation,
    trace: Trace,
    goes_on: bool = False,
    failure: Failure | None = None,
) -> Outcome:
    """How a training ended, in words.

    Args:
        state: The state that it ended in.
        prepared: What it needed.
        trace: What was recorded.
        goes_on: Whether it can go on from its folder.
        failure: What was not finite first, if that ended it and was looked for.
    """
    settings, plan = prepared.settings, prepared.plan
    step, per_epoch = int(state.step), plan.steps_per_epoch
    ending, stop = int(state.ending), settings.stop
    epoch = min(step // per_epoch + 1, settings.epochs)  # counted from 1, as in the trace
    best = best_measured(state, per_epoch, prepared.units.of_loss(prepared.loss))
    if ending == loop.NON_FINITE:
        return outcome.non_finite(float(trace.batch_loss[-1]), epoch, step, failure, best)
    if ending == loop.TARGET:
        loss = float(trace.validation_loss[-1])
        target = stop.target_loss or 0.0
        return outcome.target_reached(loss, target, step // per_epoch, step, best)
    if ending == loop.NO_IMPROVEMENT:
        return outcome.no_improvement(stop.patience or 0, best, step, stop.tolerance)
    if step < plan.steps:
        return outcome.interrupted(epoch, step, goes_on, best)
    losses = trace.validation_loss
    return outcome.all_epochs(
        settings.epochs,
        step,
        still_falling(losses),
        best,
        is_finite=bool(np.isfinite(losses).any()),
    )


def best_measured(state: loop.State, steps_per_epoch: int, unit: float) -> outcome.Best | None:
    """The lowest finite validation loss so far, where a training keeps its weights.

    Args:
        state: The state that it is in.
        steps_per_epoch: Steps in an epoch.
        unit: How large a loss of 1 in the engine is.
    """
    loss, step = float(state.best_loss) * unit, int(state.best_step)
    if state.best is None or not np.isfinite(loss):
        return None
    return outcome.Best(loss, step // steps_per_epoch, step)


def kept_weights(state: loop.State, ended: Outcome) -> Any:
    """The weights that a training leaves: its last ones, or the best that were measured."""
    return state.parameters if ended.kept_step == ended.step else state.best


def still_falling(losses: np.ndarray) -> bool | None:
    """Whether the last tenth has the lowest loss; None where too few epochs can tell."""
    last = max(1, len(losses) // 10)
    return bool(losses[-last:].min() < losses[:-last].min()) if len(losses) > 2 else None
