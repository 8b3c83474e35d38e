"""Going on with a training where it was: as it would have gone, longer, or in another direction."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from downslope.data.progress import OnProgress
from downslope.engine import loop
from downslope.engine.settings import Settings
from downslope.errors import RunError, SettingError
from downslope.names import look_up
from downslope.nn.own_parts import NOTHING
from downslope.runs import run_folder
from downslope.runs.checkpoint import Checkpoints, CheckpointWriter, newest_checkpoint
from downslope.runs.open import open_run, open_with, run_at
from downslope.runs.phases import taken_over
from downslope.runs.preparation import Preparation
from downslope.runs.progress import OnChunk
from downslope.runs.replay import replay
from downslope.runs.run import Run
from downslope.runs.run_folder import Origin, Phase, Seconds
from downslope.runs.run_folder import versions as versions_now
from downslope.runs.train import new_run
from downslope.runs.training import Begun, Training
from downslope.storage.lock import Claim, locked

# what a fork can change; the network, the loss and the samples in a step make another training
CHANGEABLE = tuple(
    one.name for one in fields(Settings) if one.name not in ("loss", "batch_size", "record")
)


@dataclass(frozen=True, eq=False)
class GoingOn:
    """A training that is about to go on.

    Attributes:
        run: What there is of it, with its data and the settings that hold from here on.
        step: Steps done.
        notes: What there is to know before, as sentences.
    """

    run: Run
    step: int
    notes: tuple[str, ...]
    _training: Training

    def train(self, on_chunk: OnChunk | None = None) -> Run:
        """Train to the end, into its folder.

        Raises:
            StorageError: The folder refuses; what was stored before is whole.
        """
        return self._training.run(on_chunk)


def resume(
    folder: str | Path,
    *,
    epochs: int | None = None,
    learning_rate: float | None = None,
    data: Any = None,
    checkpoints: Checkpoints | None = None,
    on_chunk: OnChunk | None = None,
    **own: Any,
) -> Run:
    """Continue the training in a run folder, whatever ended it.

    Without changes, it ends with the same bits as if it had never been interrupted, on the same
    machine with the same versions. Changes are recorded in `Run.phases`.

    Args:
        folder: The run's folder, which `train` was given or the command line made.
        epochs: Number of epochs in all, to train longer.
        learning_rate: Another learning rate from here on.
        data: Its data, where that cannot be loaded from its source; see `Run.with_data`.
        checkpoints: When the state is stored.
        on_chunk: Called with a `Progress` between two chunks of steps.
        own: Parts of your own that it is trained with, as for `open_run`: losses, optimizers, ...

    Returns:
        The run.

    Raises:
        DataError: The data is missing or has changed.
        RunError: The folder has no checkpoint, or the training has nothing left to do, or a part
            of the user's own is missing.
        SettingError: A setting is out of range.
        StorageError: Another process trains in the folder, or it cannot be written.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", epochs=2, folder="runs/longer")
        >>> run = ds.resume("runs/longer", epochs=3)
        >>> run.epochs
        3
    """
    asked = {"epochs": epochs, "learning_rate": learning_rate}
    changes = {name: value for name, value in asked.items() if value is not None}
    with resuming(folder, changes, own, data=data, checkpoints=checkpoints) as going_on:
        return _warned(going_on).train(on_chunk)


@contextmanager
def resuming(
    folder: str | Path,
    changes: Mapping[str, Any],
    own: Mapping[str, Any] = NOTHING,
    *,
    data: Any = None,
    checkpoints: Checkpoints | None = None,
    on_progress: OnProgress | None = None,
) -> Iterator[GoingOn]:
    """What `resume` does before its first step, while nobody else writes into the folder.

    Settings that change are given by their names; `on_progress` is called with (photos so far,
    photos in all) where reading takes a while; all else is as for `resume`.
    """
    path = Path(os.path.abspath(Path(folder).expanduser()))
    if not path.is_dir():
        open_run(path)  # says what is wrong
    with locked(path):
        checkpoint, damage = newest_checkpoint(path)
        run = run_at(checkpoint, own)
        run = run.with_data(data, on_progress=on_progress)
        state = checkpoint.state(_prepared(run, run.settings).shapes)
        if _changed(run.settings, changes) == run.settings and run_folder.has_ended(path):
            _check_rest(open_with(path, own))
        writer = CheckpointWriter(path, checkpoints or Checkpoints())
        notes = [damage] if damage else []
        yield _going_on(run, state, changes, writer, notes, is_stored=True)


def fork(
    run: Run | str | Path,
    at_step: int,
    folder: str | Path | Claim,
    *,
    checkpoints: Checkpoints | None = None,
    on_chunk: OnChunk | None = None,
    **changes: Any,
) -> Run:
    """Start a new run at any step of another one, with other settings from there on.

    Without changes, the new run repeats the other one bit for bit.

    Args:
        run: The other run, or its folder, which stays as it is.
        at_step: Number of steps after which the new run begins; 0 for the first weights.
        folder: A new or empty folder for the new run.
        checkpoints: When its state is stored.
        on_chunk: Called with a `Progress` between two chunks of steps.
        changes: Settings from there on: any of `learning_rate`, `schedule`, `optimizer`,
            `epochs`, `seed` (the order of samples and all other chance), `class_weights`,
            `augment` and `stop`. Another optimizer comes with its usual learning rate.

    Returns:
        The new run.

    Raises:
        DataError: The data is missing or has changed.
        RunError: There is no such step, or the training cannot be repeated exactly here.
        SettingError: A setting is unknown, out of range or cannot be changed.
        StorageError: The folder is not empty, or cannot be written.

    Example:
        >>> run = ds.fork("runs/moons-1", 18, "runs/slower", learning_rate=0.001)
        >>> run.parent.steps
        18
    """
    run = run if isinstance(run, Run) else open_run(run)
    with forking(run, at_step, folder, changes, checkpoints=checkpoints) as going_on:
        return _warned(going_on).train(on_chunk)


@contextmanager
def forking(
    run: Run,
    at_step: int,
    folder: str | Path | Claim,
    changes: Mapping[str, Any],
    *,
    checkpoints: Checkpoints | None = None,
    on_steps: OnProgress | None = None,
) -> Iterator[GoingOn]:
    """What `fork` does before its first step, while nobody else writes into the new folder.

    Settings that change are given by their names; `on_steps` is called with (steps replayed,
    steps in all); all else is as for `fork`.
    """
    run = run.with_data()
    _changed(run.settings, changes)  # says what is wrong before anything takes time
    state = replay(run).state(at_step, on_steps)
    before = [one for one in run.phases if one.until <= at_step]
    behind = [one for one in run.phases if one.until > at_step]
    so_far = replace(
        run,
        model=run.model.at(state.parameters),
        settings=behind[0].settings if behind else run.settings,
        phases=tuple(before),
        trace=run.trace.until(at_step),
        seconds=Seconds(0.0, 0.0, 0.0),
        parent=Origin(str(run.folder or ""), run.data.fingerprint, at_step),
    )
    with new_run(folder) as path:
        writer = CheckpointWriter(path, checkpoints or Checkpoints())
        so_far = replace(so_far, folder=path)
        yield _going_on(so_far, state, changes, writer, [], is_stored=False)


def _warned(going_on: GoingOn) -> GoingOn:
    """Say its notes as Python does."""
    for note in going_on.notes:
        warnings.warn(note, stacklevel=3)
    return going_on


def _going_on(
    run: Run,
    state: loop.State,
    changes: Mapping[str, Any],
    writer: CheckpointWriter,
    notes: list[str],
    *,
    is_stored: bool,
) -> GoingOn:
    """A training that goes on in a state with changed settings, which becomes a phase."""
    step, settings, versions = int(state.step), _changed(run.settings, changes), versions_now()
    prepared = _prepared(run, settings)
    is_same = settings == run.settings
    if not is_same:
        _check_epochs(prepared, step)
        state, note = taken_over(state, run.settings.optimizer, prepared)
        notes = [*notes, note] if note else notes
        rate = settings.learning_rate
        if rate != run.settings.learning_rate and "learning_rate" not in changes:
            notes.append(
                f"The learning rate is {rate:g} from here on, {settings.optimizer.name}'s usual; "
                f"it was {run.settings.learning_rate:g}. Give a learning rate for another."
            )
    if versions != run.versions:
        notes = [*notes, _other_versions(run.versions, versions)]
        is_stored = False
    # a step that failed was recorded as well, and is done anew only with other settings
    trace = run.trace if is_same else run.trace.until(step)
    if is_same and versions == run.versions:
        so_far = replace(run, trace=trace)
    else:
        phase = Phase(step, run.settings, dict(run.versions))
        so_far = replace(
            run,
            settings=settings,
            versions=versions,
            phases=(*run.phases, phase),
            trace=trace,
        )
    begun = Begun(state, so_far, is_stored and is_same)
    return GoingOn(so_far, step, tuple(notes), Training(prepared, writer, begun))


def _prepared(run: Run, settings: Settings) -> Preparation:
    assert run.dataset is not None
    dataset = run.dataset.scaled_as(run.scaling, is_scaled=run.data.is_scaled)
    return Preparation(run.network, dataset, run.loss, settings, scaled_as=run)


def _changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some of them changed.

    An optimizer that is usually given another learning rate than the one so far takes its own,
    unless a rate is given with it.

    Raises:
        SettingError: There is no such setting, or it is out of range.
    """
    for name in changes:
        look_up(name, dict.fromkeys(CHANGEABLE), "setting that can be changed", SettingError)
    changed = replace(settings, **changes)
    usual = changed.optimizer.learning_rate
    if "learning_rate" in changes or usual == settings.optimizer.learning_rate:
        return changed
    return replace(changed, learning_rate=usual)


def _check_rest(run: Run) -> None:
    """Check that a training that has ended had not come to its end."""
    if run.outcome.reason != "interrupted":
        raise RunError(
            f"The training in {run.folder} has already finished. {run.outcome.message}",
            "a training that was interrupted, or more epochs",
            f"To train longer: --epochs {2 * run.settings.epochs}. To branch off at one of its "
            "steps: downslope fork.",
        )


def _check_epochs(prepared: Preparation, step: int) -> None:
    plan = prepared.plan
    if plan.steps <= step:
        raise SettingError(
            f"{plan.epochs} epochs are {plan.steps:,} steps, and {step:,} are done.",
            f"more than {step // plan.steps_per_epoch} epochs",
            "Give a larger number; what is done is counted with them.",
        )


def _other_versions(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    changed = ", ".join(
        f"{name} {then} then and {version} now"
        for name, then, version in run_folder.changed_versions(before, now)
    )
    return (
        f"It goes on under other versions or with other means ({changed}): it may end with other "
        "bits than it would have uninterrupted."
    )
