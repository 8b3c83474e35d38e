"""What `downslope resume` and `downslope fork` do: a training goes on, and is reported as any."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import msgspec

from downslope.cli import display
from downslope.cli.lines import say
from downslope.cli.runner import Output, RunAt
from downslope.cli.training import (
    EXIT_CODES,
    TrainCommand,
    both,
    claimed,
    hint_to_resume,
    prepare_pictures,
    report,
    train_and_report,
)
from downslope.cli.values import SYNONYMS, read_value
from downslope.data import BUILT_IN, load
from downslope.engine.augment import augment_from
from downslope.engine.settings import Settings
from downslope.errors import DownslopeError, SettingError
from downslope.exporting.tensorboard_log import check_tensorboard, tensorboard_log
from downslope.names import look_up
from downslope.runs.checkpoint import Checkpoints
from downslope.runs.open import open_run
from downslope.runs.replay import replay
from downslope.runs.resume import CHANGEABLE, GoingOn, forking, resuming
from downslope.runs.run_folder import LOG, OPTIONS, has_ended
from downslope.storage.checkpoints import stored_steps
from downslope.storage.files import check_names, damaged, is_there, read_file
from downslope.storage.manifest import MOST_BYTES


def resume_and_report(
    folder: Path,
    data: Path | None,
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
    options = options_of(folder)
    if options is not None:
        return _begin(folder, data, options, changes, as_json=as_json, pictures=pictures)
    dataset = Output(as_json).open(RunAt(folder, data)).dataset
    with resuming(folder, changes, data=dataset, checkpoints=kept) as going_on:
        return _train(going_on, as_json=as_json, pictures=pictures, goes_on=True)


@dataclass(frozen=True)
class ForkOptions:
    """What `downslope fork` was asked for; arguments of `fork_and_report`."""

    run: str
    data: str | None
    at_step: int
    texts: dict[str, str]
    checkpoints: Checkpoints
    command: Literal["fork"] = "fork"


@dataclass(frozen=True)
class _Command:
    """What all kinds of options have."""

    command: Literal["train", "fork"]


def options_of(folder: Path) -> TrainCommand | ForkOptions | None:
    """What a training was asked for whose process ended before its first state was stored.

    Returns:
        None where there is a state, or where nothing was asked for.

    Raises:
        RunError: It cannot be read.
    """
    if not folder.is_dir() or has_ended(folder) or stored_steps(folder):
        return None
    path = folder / OPTIONS
    if not is_there(path):
        return None
    content = read_file(folder, OPTIONS, MOST_BYTES)
    check_names(content, path)
    errors = (
        msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DownslopeError, TypeError,
        ValueError,
    )  # fmt: skip
    try:
        if msgspec.json.decode(content, type=_Command).command == "fork":
            return msgspec.json.decode(content, type=ForkOptions, strict=True)
        found = msgspec.json.decode(content, type=TrainCommand, strict=True)
        found.train_options  # noqa: B018 - checked with the rest of the file
    except errors as error:
        raise damaged(path, str(error)) from error
    unknown = [name for name in found.reading if name not in signature(load).parameters]
    if unknown or not (found.source in BUILT_IN or os.path.isabs(found.source)):
        what = f"load takes no {unknown[0]}" if unknown else f"the data is {found.source!r}"
        raise damaged(path, what)
    return found


def _begin(
    folder: Path,
    data: Path | None,
    options: TrainCommand | ForkOptions,
    changes: Mapping[str, Any],
    *,
    as_json: bool,
    pictures: bool,
) -> int:
    """Begin a training whose process ended before its first state was stored."""
    if not as_json:
        say(f"The training in {folder} was ended before its first step: it begins now.")
    if isinstance(options, ForkOptions):
        texts = options.texts | {name: str(value) for name, value in changes.items()}
        return fork_and_report(
            Path(options.run),
            data or (Path(options.data) if options.data else None),
            options.at_step,
            texts,
            folder,
            options.checkpoints,
            as_json=as_json,
            pictures=pictures,
        )
    return train_and_report(
        str(data or options.source),
        options.reading,
        options.train_options.replace(**changes),
        folder,
        log=options.log,
        checkpoints=options.checkpoints,
        as_json=as_json,
        pictures=pictures,
    )


def fork_and_report(
    folder: Path,
    data: Path | None,
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
    moved = None if data is None else os.path.abspath(data)
    options = ForkOptions(os.path.abspath(folder), moved, at_step, dict(texts), kept)
    with claimed(out, options) as claim:
        with display.reading(str(data or run.data.source), lively=lively) as on_progress:
            run = run.with_data(data, on_progress=on_progress)
        new = claim(run.data.name)
        with display.replaying(lively=lively) as on_steps:
            replay(run).state(at_step, on_steps)  # kept for what follows
        with forking(run, at_step, new, changes, checkpoints=kept) as going_on:
            return _train(going_on, as_json=as_json, pictures=pictures, goes_on=False)


def _train(going_on: GoingOn, *, as_json: bool, pictures: bool, goes_on: bool) -> int:
    run = going_on.run
    assert run.dataset is not None
    assert run.folder is not None
    for note in going_on.notes:
        say(f"{note}\n", err=as_json, heading="Look at this:")
    if not as_json:
        say(f"Going on from step {going_on.step:,} in {run.folder}", exact=True)
    prepare_pictures(pictures)
    is_logged = (run.folder / LOG).is_dir()
    if is_logged:
        check_tensorboard()
    with (
        tensorboard_log(run.folder) if is_logged else nullcontext() as written,
        display.training(run.dataset, run.settings.epochs, lively=not as_json) as shown,
        hint_to_resume(run.folder),
    ):
        run = going_on.train(both(shown, written))
    if goes_on:
        run = replace(run, openings=run.openings.without_another())
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
        "optimizer": lambda name: ("optimizer", settings.optimizer.named(name)),
        "schedule": lambda kind: ("schedule", replace(settings.schedule, kind=kind)),
    }
    return dict(
        special[name](value) if name in special else (name, value)
        for name, value in changes.items()
    )
