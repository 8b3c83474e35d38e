"""Where two runs part, and what differed.

A training is a function of its data, its network and its settings: where none of them differs, all
bits are the same, on one machine under one set of versions. So two recorded courses are compared
bit by bit, and what differed is held beside the place where they part. Nothing is trained or
loaded for it, and the test part stays sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Task
from downslope.engine import metrics
from downslope.insight.barriers import weights_apart
from downslope.insight.diff_text import said_of
from downslope.insight.differing_settings import (
    OF_BATCHES,
    OF_STEPS,
    Change,
    Stretch,
    Unlike,
    changes_of,
    data_unlike,
    is_same_folder,
    network_unlike,
    stretches,
)
from downslope.runs.outcome import Outcome
from downslope.runs.run import Run
from downslope.runs.run_folder import Origin
from downslope.runs.trace import Trace

Cause = Literal["none", "data", "loss", "network", "start", "settings", "versions", "unknown"]


@dataclass(frozen=True, eq=False)
class Side:
    """What is told of one of the two runs.

    Attributes:
        folder: Its folder; None if it has none.
        data: Name of its data set.
        task: What was learnt.
        loss: Name of its loss.
        outcome: How it ended.
        changes: Where it went on with other settings.
        parent: What it was forked from, if it was.
        trace: Its course.
    """

    folder: Path | None
    data: str
    task: Task
    loss: str
    outcome: Outcome
    changes: tuple[Change, ...]
    parent: Origin | None
    trace: Trace

    @staticmethod
    def of(run: Run) -> Side:
        """The side of `run`."""
        return Side(
            folder=run.folder,
            data=run.data.name,
            task=run.data.task,
            loss=run.loss.name,
            outcome=run.outcome,
            changes=changes_of(run),
            parent=run.parent,
            trace=run.trace,
        )

    @property
    def steps(self) -> int:
        """How many batch losses were recorded."""
        return len(self.trace.batch_loss)

    @cached_property
    def figures(self) -> Mapping[str, float]:
        """What was measured last at or before the weights that were kept; empty if nothing was."""
        rows = np.flatnonzero(self.trace.epochs["step"] <= self.outcome.kept_step)
        if not len(rows):
            return {}
        names = [f"{part}_{name}" for name in metrics.names(self.task) for part in _PARTS]
        row = {"epoch": int(self.trace.epochs["epoch"][rows[-1]])}
        return row | {name: float(self.trace.epochs[name][rows[-1]]) for name in names}


_PARTS = ("train", "validation")


@dataclass(frozen=True, eq=False)
class Parting:
    """Where two runs part, and what differed.

    Attributes:
        one: The first run, A.
        other: The second run, B.
        same_folder: Whether both are the same run.
        data: In what their data is unlike.
        network: Their networks, if these are unlike.
        start: Whether they went on from different runs' weights.
        stretches: Which settings and versions differ, and from which step on.
        parted_at: The first step, from 1, whose batch losses are not the same bits; None where
            all that both have are.
        takes_effect_at: The first step whose loss what differs can change; None where nothing
            that changes a step differs.
        same_batches: Whether each step saw the same samples in both.
        same_weights: Whether the final weights are the same bits; None where the shapes differ.
        weights_apart: How far the final weights lie from each other, as a multiple of their size:
            0 for the same, 1.4 for nothing in common. None where the shapes differ.
    """

    one: Side
    other: Side
    same_folder: bool
    data: tuple[Unlike, ...]
    network: tuple[Unlike, ...]
    start: bool
    stretches: tuple[Stretch, ...]
    parted_at: int | None
    takes_effect_at: int | None
    same_batches: bool
    same_weights: bool | None
    weights_apart: float | None

    @property
    def steps(self) -> int:
        """How many steps both have."""
        return min(self.one.steps, self.other.steps)

    @property
    def equal_steps(self) -> int:
        """Up to which step all batch losses are the same bits."""
        return self.steps if self.parted_at is None else self.parted_at - 1

    @property
    def cause(self) -> Cause:
        """What explains that they part there; "none" where they do not."""
        if self.parted_at is None:
            return "none"
        if self.data:
            return "data"
        if self.one.loss != self.other.loss:
            return "loss"
        if self.network:
            return "network"
        if self.start:
            return "start"
        if self.takes_effect_at is not None and self.parted_at >= self.takes_effect_at:
            return "settings"
        before = [one for one in self.stretches if one.first <= self.parted_at]
        return "versions" if any(one.versions for one in before) else "unknown"

    @property
    def parted_by(self) -> float | None:
        """How far the losses differ where they part, as a share of the larger; None if unknown."""
        return None if self.parted_at is None else _share(*self._losses_at(self.parted_at))

    def _losses_at(self, step: int) -> tuple[float, float]:
        mine, yours = (float(side.trace.batch_loss[step - 1]) for side in (self.one, self.other))
        return mine, yours

    @property
    def first_losses(self) -> tuple[float, float] | None:
        """The two batch losses where they part."""
        return None if self.parted_at is None else self._losses_at(self.parted_at)

    @cached_property
    def ratios(self) -> Float[np.ndarray, " steps"]:
        """The larger batch loss divided by the smaller, at each step that both have.

        NaN where one is not a finite number above 0, and where steps saw other samples.
        """
        mine, yours = (
            np.asarray(side.trace.batch_loss[: self.steps], np.float64)
            for side in (self.one, self.other)
        )
        usable = np.isfinite(mine) & np.isfinite(yours) & (mine > 0) & (yours > 0)
        ratios = np.full(self.steps, np.nan)
        if self.same_batches:
            shares = mine[usable] / yours[usable]
            ratios[usable] = np.maximum(shares, 1 / shares)
        return ratios

    @property
    def largest_ratio(self) -> tuple[float, int] | None:
        """The largest of these ratios since they parted, and its step; None where there is none."""
        behind = self.ratios[self.equal_steps :]
        if not np.isfinite(behind).any():
            return None
        place = int(np.nanargmax(behind))
        return float(behind[place]), self.equal_steps + place + 1

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is to be said of them: A is the first run, B the second."""
        return said_of(self)


def diff(one: Run, other: Run) -> Parting:
    """Find where two runs part, and what differed.

    Neither data nor test part is opened; runs of other data or another network are compared in
    what can be compared.

    Args:
        one: A run.
        other: Another run.

    Example:
        >>> for sentence in diff(open_run("runs/digits-1"), open_run("runs/slower")).sentences:
        ...     print(sentence)
    """
    steps = min(len(one.trace.batch_loss), len(other.trace.batch_loss))
    data, network = data_unlike(one.data, other.data), network_unlike(one, other)
    has_other_start = one.origin != other.origin
    parts = stretches(one, other, steps)
    names = {each.name for part in parts for each in part.settings}
    shapes = [[leaf.shape for leaf in jax.tree.leaves(run.parameters)] for run in (one, other)]
    fits = shapes[0] == shapes[1] and not network
    return Parting(
        one=Side.of(one),
        other=Side.of(other),
        same_folder=is_same_folder(one.folder, other.folder),
        data=data,
        network=network,
        start=has_other_start,
        stretches=parts,
        parted_at=_first_other(one.trace.batch_loss[:steps], other.trace.batch_loss[:steps]),
        takes_effect_at=(
            1 if data or network or has_other_start else _takes_effect(one, other, parts)
        ),
        same_batches=not data and not names & OF_BATCHES,
        same_weights=_same_bits(one, other) if fits else None,
        weights_apart=weights_apart(one.parameters, other.parameters) if fits else None,
    )


def _first_other(mine: np.ndarray, yours: np.ndarray) -> int | None:
    """The first place, from 1, where two columns are not the same bits."""
    unlike = np.flatnonzero(_bits(mine) != _bits(yours))
    return int(unlike[0]) + 1 if len(unlike) else None


def _bits(column: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(column, np.float64).view(np.uint64)


def _takes_effect(one: Run, other: Run, parts: tuple[Stretch, ...]) -> int | None:
    """The first step whose loss can differ: a loss is taken before its step changes the weights."""
    found = []
    for part in parts:
        names = {each.name for each in part.settings} & OF_STEPS
        if names:
            found.append(part.first if names & OF_BATCHES else part.first + 1)
    rates = [run.trace.steps["learning_rate"] for run in (one, other)]
    steps = min(len(column) for column in rates)
    rate = _first_other(rates[0][:steps], rates[1][:steps])
    return min([*found, *([] if rate is None else [rate + 1])], default=None)


def _same_bits(one: Run, other: Run) -> bool:
    leaves = (jax.tree.leaves(run.parameters) for run in (one, other))
    return all(
        np.asarray(mine).tobytes() == np.asarray(yours).tobytes()
        for mine, yours in zip(*leaves, strict=True)
    )


def _share(mine: float, yours: float) -> float | None:
    largest = max(abs(mine), abs(yours))
    return abs(mine - yours) / largest if np.isfinite(mine + yours) and largest else None
