"""Differences between two runs: data, network, settings and versions, in a user's words."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from downslope.engine.optimizers import SETTINGS
from downslope.engine.settings import Settings
from downslope.nn.notation import describe
from downslope.runs.run import Run
from downslope.runs.run_folder import DataSummary

# which samples a step sees, and how; what else acts on a step changes only the weights behind it
OF_BATCHES = frozenset(
    {"loss", "batch size", "seed", "shuffle", "class weights", "changes to images"}
)
OF_STEPS = OF_BATCHES | {"optimizer", "weight decay", "clip norm", *SETTINGS}
_NONE = "none"


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same.

    Attributes:
        name: What it is, such as "learning rate".
        a: What it is in the first run.
        b: And in the second.
    """

    name: str
    a: str
    b: str

    def __str__(self) -> str:
        return f"{self.name}: {self.a} and {self.b}"


@dataclass(frozen=True)
class DifferingPhase:
    """Steps over which the same things are unlike.

    Attributes:
        first: The first of these steps, from 1.
        settings: The settings that differ.
        versions: The versions that differ.
    """

    first: int
    settings: tuple[Difference, ...]
    versions: tuple[Difference, ...]


def data_differences(one: DataSummary, other: DataSummary) -> tuple[Difference, ...]:
    """Differences between two data sets; empty if they hold the same numbers."""
    if one.fingerprint == other.fingerprint:
        return ()
    found = _differences(_card(one), _card(other))
    prints = Difference("fingerprint of the data", one.fingerprint[:12], other.fingerprint[:12])
    return (*found, prints)


def _card(data: DataSummary) -> dict[str, str]:
    parts = {"train": "training", "validation": "validation", "test": "test"}
    return {
        "data": data.name,
        "task": data.task,
        "inputs": " x ".join(map(str, data.input_shape)),
        **{f"{word} samples": f"{data.samples[part]:,}" for part, word in parts.items()},
    }


def network_differences(one: Run, other: Run) -> tuple[Difference, ...]:
    """The two networks, if they are not the same."""
    return _differences(*({"network": f'"{describe(run.network)}"'} for run in (one, other)))


def setting_differences(one: Settings, other: Settings) -> tuple[Difference, ...]:
    """The settings that differ, in the words of the command line.

    Of two kinds of optimizer, settings with their usual values are left out.
    """
    found = _differences(in_words(one), in_words(other))
    before, now = one.optimizer, other.optimizer
    if before.name == now.name:
        return found
    usual = {name for name in SETTINGS if before.is_usual(name) and now.is_usual(name)}
    return tuple(each for each in found if each.name not in usual)


def in_words(settings: Settings) -> dict[str, str]:
    """Each setting under its name; what the others make meaningless is left out."""
    optimizer, stop, record = settings.optimizer, settings.stop, settings.record
    found: dict[str, Any] = {
        "loss": settings.loss,
        "optimizer": optimizer.name,
        **{name: getattr(optimizer, name) for name in SETTINGS},
        "weight decay": optimizer.weight_decay,
        "clip norm": optimizer.clip_norm,
        "learning rate": settings.learning_rate,
        "schedule": settings.schedule.kind,
        "warm-up": settings.schedule.warm_up,
        "batch size": settings.batch_size,
        "epochs": settings.epochs,
        "seed": settings.seed,
        "shuffle": "yes" if settings.shuffle else "no",
        "class weights": ",".join(f"{one:g}" for one in settings.class_weights) or None,
        "label smoothing": settings.label_smoothing or None,
        "smoothed toward": settings.smooth_toward,
        "changes to images": settings.augment and settings.augment.notation,
        "frozen layers": settings.freeze or None,
        "target loss": stop.target_loss,
        "patience": stop.patience,
        "tolerance": stop.tolerance,
        "weights kept": stop.keep,
        "measured samples": record.samples,
        "epochs between measurements": record.every or "as seldom as needed",
    }
    return {name: _NONE if value is None else str(value) for name, value in found.items()}


def version_differences(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[Difference, ...]:
    """The versions that differ, and how the layers were computed."""
    names = dict.fromkeys([*one, *other])
    words = [{name: each.get(name, "unknown") for name in names} for each in (one, other)]
    return _differences(*words)


def _differences(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[Difference, ...]:
    return tuple(Difference(name, a, other[name]) for name, a in one.items() if a != other[name])


def differing_phases(one: Run, other: Run, steps: int) -> tuple[DifferingPhase, ...]:
    """The differences over the first `steps` steps: a phase for each change, at least one."""
    indices = {phase.until for run in (one, other) for phase in run.phases}
    found: list[DifferingPhase] = []
    for index in sorted({0, *(index for index in indices if index < steps)}):
        mine, yours = in_force(one, index + 1), in_force(other, index + 1)
        settings = setting_differences(mine[0], yours[0])
        versions = version_differences(mine[1], yours[1])
        if not found or (found[-1].settings, found[-1].versions) != (settings, versions):
            found.append(DifferingPhase(index + 1, settings, versions))
    return tuple(found)


def in_force(run: Run, step: int) -> tuple[Settings, Mapping[str, str]]:
    """The settings and the versions that step `step`, from 1, was made with."""
    for phase in run.phases:
        if step <= phase.until:
            return phase.settings, phase.versions
    return run.settings, run.versions


@dataclass(frozen=True)
class Change:
    """Where a training went on with other settings, or under other versions.

    Attributes:
        step: Steps done before.
        changed: What was changed: before and after.
    """

    step: int
    changed: tuple[Difference, ...]


def changes_of(run: Run) -> tuple[Change, ...]:
    """All changes within one training, in their order."""
    after = (run.settings, run.versions)
    parts = [*((phase.settings, phase.versions) for phase in run.phases), after]
    return tuple(
        Change(
            phase.until,
            setting_differences(before[0], behind[0]) + version_differences(before[1], behind[1]),
        )
        for phase, (before, behind) in zip(run.phases, pairwise(parts), strict=True)
    )


def is_same_folder(one: Path | str | None, other: Path | str | None) -> bool:
    """Whether both lead to the same folder; it need not be there."""
    if not one or not other:
        return False
    return os.path.realpath(one) == os.path.realpath(other)
