"""What `downslope resume` and `downslope fork` do: a training goes on, and is reported as any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from downslope.cli import display
from downslope.cli.lines import say
from downslope.cli.training import (
    EXIT_CODES,
    claimed,
    hint_to_resume,
    prepare_pictures,
    report,
)
from downslope.cli.values import SYNONYMS, read_value
from downslope.errors import SettingError
from downslope.learning.augment import augment_from
from downslope.learning.checkpoint import Checkpoints
from downslope.learning.going_on import CHANGEABLE, GoingOn, forking, resuming
from downslope.learning.saved_run import open_run
from downslope.learning.settings import Settings
from downslope.names import look_up


def checkpoints(seconds: float | None, epochs: int | None) -> Checkpoints:
    """When a state is stored, as the command line was told.

    Raises:
        SettingError: A value is out of range.
    """
    usual = Checkpoints()
    return Checkpoints(usual.seconds if seconds is None else seconds, epochs)


def resume_and_report(
    folder: Path,
    changes: Mapping[str, Any],
    kept: Checkpoints,
    *,
    as_json: bool,
    pictures: bool,
) -> int:
    """Go on with a training, and print how good it is; returns the exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    run = open_run(folder)
    lively = not as_json
    with display.reading(run.data.source, lively=lively) as on_progress:
        dataset = run.with_data(on_progress).dataset
    with resuming(folder, changes, dataset=dataset, checkpoints=kept) as going_on:
        return _train(going_on, as_json=as_json, pictures=pictures)


def fork_and_report(
    folder: Path,
    at_step: int,
    texts: Mapping[str, str],
    out: Path | None,
    kept: Checkpoints,
    *,
    as_json: bool,
    pictures: bool,
) -> int:
    """Start a run at a step of another one, and print how good it is; returns the exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    run = open_run(folder)
    changes = _changes(run.settings, texts)
    lively = not as_json
    with claimed(out) as claim:
        with display.reading(run.data.source, lively=lively) as on_progress:
            run = run.with_data(on_progress)
        new = claim(run.data.name)
        with display.replaying(lively=lively) as on_steps:
            run.replay.state(at_step, on_steps)  # kept for what follows
        with forking(run, at_step, new, changes, checkpoints=kept) as going_on:
            return _train(going_on, as_json=as_json, pictures=pictures)


def _train(going_on: GoingOn, *, as_json: bool, pictures: bool) -> int:
    run = going_on.run
    assert run.dataset is not None
    assert run.folder is not None
    for note in going_on.notes:
        say(f"{note}\n", err=as_json, heading="Look at this:")
    if not as_json:
        say(f"Going on from step {going_on.step:,} in {run.folder}")
    prepare_pictures(pictures)
    with (
        display.training(run.dataset, run.settings.epochs, lively=not as_json) as shown,
        hint_to_resume(run.folder),
    ):
        run = going_on.train(shown)
    report(run, as_json=as_json, pictures=pictures)
    return EXIT_CODES.get(run.outcome.reason, 0)


def _changes(settings: Settings, texts: Mapping[str, str]) -> dict[str, Any]:
    """Settings from what stands behind --set.

    Raises:
        SettingError: There is no such setting, or a value cannot be read.
    """
    able = [*(name for name in CHANGEABLE if name != "stop"), "patience"]
    changes: dict[str, Any] = {}
    for name, text in texts.items():
        look_up(name, dict.fromkeys(able), "setting that can be changed", SettingError, SYNONYMS)
        changes[name] = read_value(name, text, f"Write e.g. --set {name}=VALUE.")
    special: dict[str, Callable[[Any], tuple[str, Any]]] = {
        "augment": lambda text: ("augment", augment_from(text)),
        "patience": lambda epochs: ("stop", replace(settings.stop, patience=epochs)),
        "optimizer": lambda name: ("optimizer", replace(settings.optimizer, name=name)),
        "schedule": lambda kind: ("schedule", replace(settings.schedule, kind=kind)),
    }
    return dict(
        special[name](value) if name in special else (name, value)
        for name, value in changes.items()
    )
