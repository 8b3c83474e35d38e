"""Any step of a finished run, bit for bit as it was.

A run is a pure function of data, settings and seed, and where a chunk of steps ends changes
nothing: so the same compiled program, started from the same draw, comes by the same states again.
Each loss on the way is compared with the recorded one, and the weights with those that were kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import pairwise
from typing import Any

import jax
import numpy as np

from downslope.data.progress import OnProgress
from downslope.engine import loop
from downslope.engine.chunks import run_finite_chunk
from downslope.engine.compilation import compiled
from downslope.engine.scales import Units
from downslope.engine.settings import Settings
from downslope.errors import RunError
from downslope.nn.network import NetworkParameters
from downslope.runs import run_folder
from downslope.runs.checkpoint import read_checkpoint
from downslope.runs.phases import Part, parts_of, rates_of, taken_over
from downslope.runs.run import Run
from downslope.runs.training import Pace
from downslope.storage.checkpoints import stored_steps

MOST_KEPT = 1 << 28  # bytes of states that are kept for the next question


def replay(run: Run) -> Replay:
    """Compute a run's training again, to look at any of its steps.

    The replay is kept with the run: the next request starts from the states of the last one.

    Args:
        run: The run; its data is loaded if it is not in memory.

    Returns:
        The replay, whose methods give batches, weights and optimizer states of any step.

    Raises:
        DataError: The data is missing or has changed.
        RunError: The run was started from another one, and its own first state was not stored.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> replay = ds.replay(run)
        >>> weights = [replay.parameters(step)[0]["weights"] for step in (0, 18, 36)]
        >>> bool((weights[-1] == run.parameters[0]["weights"]).all())  # bit for bit
        True
    """
    known = vars(run)
    if "_replay" not in known:
        known["_replay"] = Replay(run)
    return known["_replay"]


class Replay:
    """A training computed again, to look at any of its steps.

    Some states that were computed are kept; the next request starts from the nearest of them.

    Args:
        run: The run; its data is loaded if it is not in memory.

    Attributes:
        run: The run with its data.

    Raises:
        DataError: The data is missing or has changed.
        RunError: The run was started from another one, and its own first state was not stored.

    Example:
        >>> replay = ds.Replay(ds.open_run("runs/moons-1"))
        >>> replay.steps, replay.steps_per_epoch
        (36, 18)
        >>> replay.batch_of(1).shape  # the training samples of the first step
        (32,)
    """

    def __init__(self, run: Run) -> None:
        self._stored = () if run.folder is None else stored_steps(run.folder)
        if run.origin is not None and 0 not in self._stored:
            raise RunError(
                "The run went on from another one, whose weights are not part of it.",
                "a run that began with weights drawn from its seed, or was trained into a folder",
                "Replay a run that was trained without start, or give train a folder.",
            )
        self.run = run.with_data()
        assert self.run.dataset is not None
        self._parts = parts_of(self.run, self.run.dataset)
        self._kept: dict[int, loop.State] = {}  # the one that was used last is the last
        self._made: dict[int, tuple[loop.Start, loop.Material]] = {}

    def _part(self, step: int) -> Part:
        """The part of the training that step `step` belongs to, from 1."""
        return [one for one in self._parts if one.first < max(1, step)][-1]

    def _start(self, part: Part) -> loop.Start:
        return self._begun(self._parts.index(part))[0]

    def _material(self, part: Part) -> loop.Material:
        return self._begun(self._parts.index(part))[1]

    def _begun(self, index: int) -> tuple[loop.Start, loop.Material]:
        """Where a part would begin by itself, and what it works on; made once."""
        if index not in self._made:
            prepared = self._parts[index].prepared
            start = prepared.start()
            self._made[index] = start, prepared.material(start.key)
        return self._made[index]

    def program_of(self, step: int) -> loop.Program:
        """The compiled program of step `step`, from 1."""
        return self._part(step).prepared.program

    def settings_of(self, step: int) -> Settings:
        """The settings of step `step`, from 1."""
        return self._part(step).prepared.settings

    @property
    def program(self) -> loop.Program:
        """The compiled program of the last step."""
        return self._parts[-1].prepared.program

    @property
    def material(self) -> loop.Material:
        """The samples, scaling, random key and settings of the last step."""
        return self._material(self._parts[-1])

    def material_of(self, step: int) -> loop.Material:
        """The samples, scaling, random key and settings of step `step`, from 1."""
        return self._material(self._part(step))

    @property
    def units(self) -> Units:
        """The conversion between the units of the data and those of the engine."""
        return self._parts[-1].prepared.units

    @property
    def steps_per_epoch(self) -> int:
        """Number of steps in an epoch."""
        return self._parts[0].prepared.plan.steps_per_epoch

    @property
    def steps(self) -> int:
        """Number of steps of the training."""
        return self.run.outcome.step

    @property
    def has_failed_step(self) -> bool:
        """Whether there is one more step, which gave something that is not finite."""
        return self.run.outcome.reason == "non_finite"

    def batch_of(self, step: int) -> np.ndarray:
        """Indices of the training samples in step `step`, from 1: int32 (B,); -1 for padding."""
        return self._part(step).prepared.plan.batches(step - 1, step)[0]

    def epoch_of(self, step: int) -> int:
        """The epoch that a step belongs to; both are counted from 1."""
        return (step - 1) // self.steps_per_epoch + 1

    def rate_of(self, step: int) -> float:
        """The learning rate of step `step`, from 1."""
        return float(self._rates[step - 1])

    @cached_property
    def _rates(self) -> np.ndarray:
        return rates_of(self.run.phases, self._parts[-1].prepared)

    def seen(self, step: int) -> loop.Batch:
        """The batch of step `step`, from 1, as the network received it."""
        indices = self.batch_of(step)
        part = self._part(step)
        arguments = (np.int32(step - 1), self._material(part), indices)
        return compiled(loop.see_batch, part.prepared.program, *arguments)(*arguments)

    def states(
        self, steps: Iterable[int], on_steps: OnProgress | None = None
    ) -> Iterator[tuple[int, loop.State]]:
        """The states after each of `steps`, in rising order, in one pass; see `state`."""
        asked = sorted({self._checked(step) for step in steps})
        for step in asked:
            yield step, self._walk_to(step, asked[-1], on_steps)

    def state(self, step: int, on_steps: OnProgress | None = None) -> loop.State:
        """The state after `step` steps: parameters and optimizer state.

        Args:
            step: 0 for the state before the first step.
            on_steps: Called between chunks with (steps done, steps in all).

        Raises:
            RunError: There is no such step, or the training cannot be repeated exactly here.
        """
        return self._walk_to(self._checked(step), step, on_steps)

    def parameters(self, step: int) -> NetworkParameters:
        """The weights and biases after `step` steps, bit for bit as they were; see `state`."""
        return self.state(step).parameters

    def _checked(self, step: int) -> int:
        if not 0 <= step <= self.steps:
            raise RunError(
                f"Step {step:,} was asked for, and the run has {self.steps:,} steps.",
                f"a step from 0 to {self.steps:,}",
                "Choose another step.",
            )
        return step

    def _walk_to(self, step: int, last: int, on_steps: OnProgress | None) -> loop.State:
        index, state = self._nearest(step)
        kept = self.run.outcome.kept_step
        stops = {step, *(one.first for one in self._parts), kept}
        for stop in sorted(one for one in stops if index < one <= step):
            state = self._advance(
                index, stop, state, lambda done: on_steps and on_steps(done, last)
            )
            index = stop
            if stop == kept:
                self._check_weights(state)
        self._keep(step, state)
        return state

    def _nearest(self, step: int) -> tuple[int, loop.State]:
        """The last state at or before `step` that is at hand or stored; else the first one."""
        index = max((one for one in self._kept if one <= step), default=0)
        for stored in sorted((one for one in self._stored if index < one <= step), reverse=True):
            with suppress(RunError):  # a damaged one costs time, and nothing else
                return stored, self._read(stored)
        state = self._kept.pop(index, None)
        if state is not None:
            self._keep(index, state)
            return index, state
        if self.run.origin is not None:
            return 0, self._read(0)
        return 0, self._start(self._parts[0]).state

    def _read(self, step: int) -> loop.State:
        assert self.run.folder is not None
        checkpoint = read_checkpoint(self.run.folder, step)
        if checkpoint.document.data.fingerprint != self.run.data.fingerprint:
            raise checkpoint.damaged("it is of a training on other data")
        return checkpoint.state(self._part_behind(step).prepared.shapes)

    def _part_behind(self, step: int) -> Part:
        """The part whose settings a state was stored with: the next one where two meet."""
        return [one for one in self._parts if one.first <= step][-1]

    def _advance(
        self, index: int, stop: int, state: loop.State, tell: Callable[[int], object]
    ) -> loop.State:
        """Walk from the state after `index` steps to the one behind `stop`, chunk by chunk."""
        part = self._part(stop)
        plan, program = part.prepared.plan, part.prepared.program
        for before, after in pairwise(self._parts[: self._parts.index(part) + 1]):
            if after.first == index:
                state, _ = taken_over(state, before.prepared.settings.optimizer, after.prepared)
        pace = Pace(plan)
        batches = np.zeros((pace.capacity, plan.width), np.int32)
        rates = np.zeros(pace.capacity, np.float32)
        material = self._material(part)
        run_chunk = compiled(loop.run_chunk, program, state, material, batches, rates, np.int32(0))
        while index < stop:
            with pace.timed(stop - index) as count:
                batches[:count] = plan.batches(index, index + count)
                rates[:count] = self._rates[index : index + count]
                state, rows = run_finite_chunk(run_chunk, state, material, batches, rates, count)
                unit = part.prepared.units.of_loss(self.run.loss)
                losses = np.asarray(rows.batch_loss)[:count].astype(np.float64) * unit
            self._check_losses(index, losses)
            index += count
            tell(index)
        return state

    def _check_losses(self, index: int, losses: np.ndarray) -> None:
        """Compare losses with those that were recorded, bit for bit."""
        recorded = self.run.trace.batch_loss[index : index + len(losses)]
        wrong = np.flatnonzero(~((losses == recorded) | (np.isnan(losses) & np.isnan(recorded))))
        if len(wrong):
            at = int(wrong[0])
            raise self._other(
                f"At step {index + at + 1:,} the replayed training has the batch loss "
                f"{losses[at]!s}, and recorded was {recorded[at]!s}."
            )

    def _check_weights(self, state: loop.State) -> None:
        same = jax.tree.map(
            lambda mine, kept: np.array_equal(np.asarray(mine), kept, equal_nan=True),
            state.parameters,
            self.run.parameters,
        )
        if not all(jax.tree.leaves(same)):
            raise self._other(
                f"Behind step {self.run.outcome.kept_step:,} the replayed weights are not those "
                "that the run kept."
            )

    def _other(self, received: str) -> RunError:
        """What to raise where the training does not repeat, with what may be the reason."""
        versions = run_folder.changed_versions(self.run.versions, run_folder.versions())
        changed = "; ".join(f"{name} {then} then, {now} now" for name, then, now in versions)
        advice = (
            f"Replay it with the versions that trained it ({changed})."
            if changed
            else "The versions are the same: replay it on the machine that trained it, with as "
            "many cores and the same native kernel (downslope --version tells)."
        )
        return RunError(received, "the same bits as in the training", advice)

    def _keep(self, step: int, state: loop.State) -> None:
        self._kept.pop(step, None)
        self._kept[step] = state
        most = max(2, MOST_KEPT // max(1, _size(state)))
        while len(self._kept) > most:
            del self._kept[next(iter(self._kept))]


def _size(state: Any) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(state))
