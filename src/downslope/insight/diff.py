"""Where two runs part, and what differed.

A training is a function of its data, its network and its settings: where none of them differs, all
bits are the same, on one machine under one set of versions. So two recorded courses are compared
bit by bit, and what differed is held beside the place where they part. Nothing is trained or
loaded for it, and the test part stays sealed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Task
from downslope.engine import metrics
from downslope.insight.barriers import weights_apart
from downslope.insight.differing_settings import (
    OF_BATCHES,
    OF_STEPS,
    Change,
    Difference,
    DifferingPhase,
    changes_of,
    data_differences,
    differing_phases,
    is_same_folder,
    network_differences,
)
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.metric_text import COLUMNS, figure
from downslope.runs.outcome import Outcome
from downslope.runs.run import Run
from downslope.runs.run_folder import Origin
from downslope.runs.trace import Trace
from downslope.text import Table

ROUNDING = 1e-5  # as a fraction of a loss: the most that rounding in another order explains at once
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
    trace: Trace = field(metadata=PROGRAM_ONLY)

    _also: ClassVar[tuple[str, ...]] = ("steps", "metrics")

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
    def metrics(self) -> Mapping[str, float]:
        """What was measured last at or before the weights that were kept; empty if nothing was."""
        rows = np.flatnonzero(self.trace.epochs["step"] <= self.outcome.kept_step)
        if not len(rows):
            return {}
        names = [f"{part}_{name}" for name in metrics.names(self.task) for part in _PARTS]
        row = {"epoch": int(self.trace.epochs["epoch"][rows[-1]])}
        return row | {name: float(self.trace.epochs[name][rows[-1]]) for name in names}


_PARTS = {"train": "training", "validation": "validation"}


class RatioAt(NamedTuple):
    """How many times the smaller batch loss the larger one is, and at which step."""

    ratio: float
    step: int


@dataclass(frozen=True, eq=False)
class RunDiff(Result):
    """The first step at which two runs differ, and what differs between them.

    Attributes:
        a: The first run.
        b: The second run.
        same_folder: Whether both are the same run.
        data: The differences of their data.
        network: Their networks, if these differ.
        start: Whether they started from different runs' weights.
        phases: Which settings and versions differ, and from which step on.
        differs_from: The first step, from 1, whose batch losses differ in a bit; None where all
            steps that both have agree.
        takes_effect_at: The first step whose loss the differing settings can change; None where
            nothing that changes a step differs.
        same_batches: Whether each step saw the same samples in both.
        same_weights: Whether the final weights are the same bits; None where the shapes differ.
        weights_apart: The distance of the final weights, as a multiple of their length: 0 for the
            same weights, 1.4 for unrelated ones. None where the shapes differ.
    """

    a: Side
    b: Side
    same_folder: bool
    data: tuple[Difference, ...]
    network: tuple[Difference, ...]
    start: bool
    phases: tuple[DifferingPhase, ...]
    differs_from: int | None
    takes_effect_at: int | None
    same_batches: bool
    same_weights: bool | None
    weights_apart: float | None

    _also: ClassVar[tuple[str, ...]] = (
        "steps", "equal_steps", "cause", "first_losses", "largest_ratio",
    )  # fmt: skip

    @property
    def steps(self) -> int:
        """How many steps both have."""
        return min(self.a.steps, self.b.steps)

    @property
    def equal_steps(self) -> int:
        """Up to which step all batch losses are the same bits."""
        return self.steps if self.differs_from is None else self.differs_from - 1

    @property
    def cause(self) -> Cause:
        """What explains that they part there; "none" where they do not."""
        if self.differs_from is None:
            return "none"
        if self.data:
            return "data"
        if self.a.loss != self.b.loss:
            return "loss"
        if self.network:
            return "network"
        if self.start:
            return "start"
        if self.takes_effect_at is not None and self.differs_from >= self.takes_effect_at:
            return "settings"
        before = [one for one in self.phases if one.first <= self.differs_from]
        return "versions" if any(one.versions for one in before) else "unknown"

    @property
    def first_difference(self) -> float | None:
        """The difference of the losses at the first differing step, as a fraction of the larger."""
        return None if self.differs_from is None else _fraction(*self._losses_at(self.differs_from))

    def _losses_at(self, step: int) -> tuple[float, float]:
        mine, yours = (float(side.trace.batch_loss[step - 1]) for side in (self.a, self.b))
        return mine, yours

    @property
    def first_losses(self) -> tuple[float, float] | None:
        """The two batch losses where they part."""
        return None if self.differs_from is None else self._losses_at(self.differs_from)

    @cached_property
    def ratios(self) -> Float[np.ndarray, " steps"]:
        """The larger batch loss divided by the smaller, at each step that both have.

        NaN where one is not a finite number above 0, and where steps saw other samples.
        """
        mine, yours = (
            np.asarray(side.trace.batch_loss[: self.steps], np.float64) for side in (self.a, self.b)
        )
        usable = np.isfinite(mine) & np.isfinite(yours) & (mine > 0) & (yours > 0)
        ratios = np.full(self.steps, np.nan)
        if self.same_batches:
            fractions = mine[usable] / yours[usable]
            ratios[usable] = np.maximum(fractions, 1 / fractions)
        return ratios

    @property
    def largest_ratio(self) -> RatioAt | None:
        """The largest of these ratios since they parted, and its step; None where there is none."""
        behind = self.ratios[self.equal_steps :]
        if not np.isfinite(behind).any():
            return None
        index = int(np.nanargmax(behind))
        return RatioAt(float(behind[index]), self.equal_steps + index + 1)

    @property
    def summary(self) -> str:
        """Where they come from, what differs, from where on and why, how they ended: lines."""
        if self.same_folder:
            return f"Both are the same run: {self.a.folder}."
        said = [
            *_kinship(self),
            *_changes(self),
            *_differences(self),
            _same(self),
            _course(self),
            _why(self),
            _apart(self),
            _weights(self),
            *_endings(self),
        ]
        return "\n".join(filter(None, said))

    def parts(self) -> Iterator[Part]:
        """Which runs they are, the summary, and their last metrics beside each other."""
        if self.a.folder is not None and self.b.folder is not None:
            yield f"  A: {self.a.folder}"
            yield f"  B: {self.b.folder}"
            yield ""
        yield self.summary
        names = [*dict.fromkeys([*self.a.metrics, *self.b.metrics])]
        if names and not self.same_folder:
            yield ""
            rows = [
                [_head(name), *(_cell(one, name) for one in (self.a, self.b))] for name in names
            ]
            yield Table(("measured while training", "A", "B"), rows, numeric=(1, 2))


def diff(one: Run, other: Run) -> RunDiff:
    """Find the first step at which two runs differ, and the settings that differ.

    It opens neither data nor test part. Runs on other data or of another network are compared as
    far as possible.

    Args:
        one: A run.
        other: Another run.

    Returns:
        The differences.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> slower = ds.fork(run, 18, "runs/lower-rate", learning_rate=0.001)
        >>> found = ds.insight.diff(run, slower)
        >>> found.equal_steps  # batch losses that are the same, bit for bit
        19
    """
    steps = min(len(one.trace.batch_loss), len(other.trace.batch_loss))
    data, network = data_differences(one.data, other.data), network_differences(one, other)
    has_other_start = one.origin != other.origin
    parts = differing_phases(one, other, steps)
    names = {each.name for part in parts for each in part.settings}
    shapes = [[leaf.shape for leaf in jax.tree.leaves(run.parameters)] for run in (one, other)]
    fits = shapes[0] == shapes[1] and not network
    return RunDiff(
        a=Side.of(one),
        b=Side.of(other),
        same_folder=is_same_folder(one.folder, other.folder),
        data=data,
        network=network,
        start=has_other_start,
        phases=parts,
        differs_from=_first_other(one.trace.batch_loss[:steps], other.trace.batch_loss[:steps]),
        takes_effect_at=(
            1 if data or network or has_other_start else _takes_effect(one, other, parts)
        ),
        same_batches=not data and not names & OF_BATCHES,
        same_weights=_same_bits(one, other) if fits else None,
        weights_apart=weights_apart(one.parameters, other.parameters) if fits else None,
    )


def _first_other(mine: np.ndarray, yours: np.ndarray) -> int | None:
    """The first index, from 1, where two columns are not the same bits."""
    unlike = np.flatnonzero(_bits(mine) != _bits(yours))
    return int(unlike[0]) + 1 if len(unlike) else None


def _bits(column: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(column, np.float64).view(np.uint64)


def _takes_effect(one: Run, other: Run, parts: tuple[DifferingPhase, ...]) -> int | None:
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


def _fraction(mine: float, yours: float) -> float | None:
    largest = max(abs(mine), abs(yours))
    return abs(mine - yours) / largest if np.isfinite(mine + yours) and largest else None


def _head(name: str) -> str:
    part, _, metric = name.partition("_")
    return f"{_PARTS[part]}: {COLUMNS[metric]}" if metric else name


def _cell(side: Side, name: str) -> str:
    if name not in side.metrics:
        return ""
    value, metric = side.metrics[name], name.partition("_")[2]
    return figure(metric, value, side.task) if metric else f"{value:,}"


def _kinship(found: RunDiff) -> list[str]:
    """Which was forked from which, or from what else."""
    sides = {"A": found.a, "B": found.b}
    parents = {name: side.parent for name, side in sides.items() if side.parent is not None}
    if len(parents) == 2 and is_same_folder(parents["A"].run, parents["B"].run):
        at = " and ".join(f"{name} at step {one.steps:,}" for name, one in parents.items())
        return [f"Both were forked from the run in {parents['A'].run}: {at}."]
    said = []
    for name, parent in parents.items():
        whose = next(
            (
                own
                for own, side in sides.items()
                if own != name and is_same_folder(side.folder, parent.run)
            ),
            f"the run in {parent.run}" if parent.run else "a run without a folder",
        )
        said.append(f"{name} was forked from {whose} at step {parent.steps:,}.")
    return said


def _changes(found: RunDiff) -> list[str]:
    """Where each went on with other settings, unless what differs says so already."""
    told = {part.first - 1 for part in found.phases if part.settings or part.versions}
    sides = {"A": found.a.changes, "B": found.b.changes}
    if sides["A"] == sides["B"]:
        sides = {"Both": sides["A"]}
    return [
        f"{name} went on from step {change.step:,} with {_changed(change)}."
        for name, changes in sides.items()
        for change in changes
        if change.step not in told and change.changed
    ]


def _changed(change: Change) -> str:
    return ", ".join(f"{one.name} {one.b} instead of {one.a}" for one in change.changed)


def _differences(found: RunDiff) -> list[str]:
    said = [
        f"{_capital('; '.join(map(str, part)))}." for part in (found.data, found.network) if part
    ]
    if found.start:
        said.append("They began with the weights of different runs, or one with new ones.")
    for part in found.phases:
        what = _listed(part)
        if part.first > 1:
            said.append(f"From step {part.first:,} on: {what or 'the same in both'}.")
        elif what:
            said.append(f"{_capital(what)}.")
    return said


def _listed(part: DifferingPhase) -> str:
    versions = ", ".join(f"{one.name} {one.a} and {one.b}" for one in part.versions)
    return "; ".join([*map(str, part.settings), *([f"versions: {versions}"] if versions else [])])


def _same(found: RunDiff) -> str:
    """What is the same, of what could differ."""
    differs = {
        "data": found.data,
        "network": found.network,
        "settings": any(part.settings for part in found.phases),
        "versions": any(part.versions for part in found.phases),
    }
    same = [name for name, unlike in differs.items() if not unlike]
    if not same:
        return ""
    together = " and ".join([*([", ".join(same[:-1])] if same[:-1] else []), same[-1]])
    verb = "is" if same == ["network"] else "are"
    if found.a.steps != found.b.steps and not found.data:
        return f"As far as both go, {together} {verb} the same."
    return f"{_capital(together)} {verb} the same."


def _course(found: RunDiff) -> str:
    """Up to where the losses are the same bits."""
    if found.cause in ("data", "loss"):
        what = "learn from other data" if found.data else "have other losses"
        return f"They {what}, so that their losses cannot be compared step by step."
    if found.differs_from is None:
        if found.a.steps == found.b.steps:
            return f"All {found.steps:,} batch losses are the same, bit for bit."
        longer, side = ("A", found.a) if found.a.steps > found.steps else ("B", found.b)
        return (
            f"All {found.steps:,} batch losses that both have are the same, bit for bit; {longer} "
            f"went on to step {side.steps:,}."
        )
    first, second = found.first_losses or (0.0, 0.0)
    upto = (
        f"The batch losses are the same, bit for bit, up to step {found.equal_steps:,} of "
        f"{found.steps:,}; at"
        if found.equal_steps
        else f"The batch losses differ from the first of {found.steps:,} steps on: at"
    )
    by = "" if found.first_difference is None else f", {_relative(found.first_difference)} apart"
    pair = f"{rounded(first, 9)} and {rounded(second, 9)}"
    return f"{upto} step {found.differs_from:,} they are {pair}{by}."


def _why(found: RunDiff) -> str:
    """Whether what differs explains that they part there."""
    step, effect = found.differs_from or 0, found.takes_effect_at or 0
    if found.cause == "settings":
        if step == effect:
            return "That is the first loss that what differs can change."
        return (
            f"What differs can change the losses from step {effect:,} on: it showed a little later."
        )
    if found.cause in ("versions", "unknown"):
        fraction = found.first_difference
        small = fraction is not None and fraction <= ROUNDING
        size = "It began as small as rounding in another order. " if small else ""
        if found.cause == "versions":
            return (
                "No setting that changes a step differs before that, but the versions do: under "
                f"others the bits may be others. {size}".strip()
            )
        return (
            "Nothing that is recorded explains it: no setting that changes a step differs before "
            f"that, and the versions are the same. {size}Another machine or another number of "
            "cores may be the reason; see docs/determinism.md."
        )
    return ""


def _apart(found: RunDiff) -> str:
    if found.largest_ratio is None:
        return ""
    ratio, step = found.largest_ratio
    much = (
        f"one batch loss is {rounded(ratio, 3)} times the other"
        if ratio >= 1.1
        else f"the batch losses lie {_relative(ratio - 1)} apart"
    )
    return f"The difference is largest at step {step:,}, where {much}."


def _relative(value: float) -> str:
    """A fraction in percent, or of a millionth and less as rounding makes it."""
    return f"{rounded(100 * value, 2)} %" if value >= 0.0001 else f"{value:.1e} of their size"


def _weights(found: RunDiff) -> str:
    if found.same_weights is None:
        return "Their weights have other shapes and cannot be compared."
    kept = [side.outcome.kept_step for side in (found.a, found.b)]
    what = "final weights" + (
        "" if kept[0] == kept[1] else f" (of step {kept[0]:,} in A and {kept[1]:,} in B)"
    )
    if found.same_weights:
        return f"The {what} are the same, bit for bit."
    assert found.weights_apart is not None
    return (
        f"The {what} differ by {rounded(found.weights_apart, 2)} times their length (0: the same; "
        "1.4: nothing in common)."
    )


def _endings(found: RunDiff) -> list[str]:
    one, other = found.a.outcome, found.b.outcome
    if (one.message, one.step) == (other.message, other.step):
        return [f"Both: {one.message}"]
    return [f"A: {one.message}", f"B: {other.message}"]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
