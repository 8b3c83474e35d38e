"""A run folder as a run again: what a training left, or its last checkpoint."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from downslope.data.scaling import Scaling
from downslope.engine.model import Model
from downslope.errors import RunError, SettingError
from downslope.nn.layer import numbered
from downslope.nn.losses import resolve
from downslope.nn.own_parts import find_parts
from downslope.runs import outcome, run_folder
from downslope.runs.checkpoint import Checkpoint, newest_checkpoint
from downslope.runs.folder_checks import check_step, checked
from downslope.runs.run import Run
from downslope.runs.run_folder import Document
from downslope.runs.test_evaluations import EvaluationCount
from downslope.runs.trace import Trace
from downslope.storage.arrays import flatten, unflatten
from downslope.storage.checkpoints import FOLDER as CHECKPOINTS
from downslope.storage.checkpoints import stored_steps
from downslope.storage.files import damaged
from downslope.storage.lock import is_empty


def open_run(
    folder: str | Path,
    *,
    layers: Any = (),
    activations: Any = (),
    initializers: Any = (),
    losses: Any = (),
    optimizers: Any = (),
    schedules: Any = (),
) -> Run:
    """Open a saved run, or the last checkpoint of a training that has not ended.

    Code is never stored: where the network or the training has parts of your own, give them. Each
    argument takes one part, a list of parts, or a mapping from the names that the run gave them.

    Args:
        folder: The run's folder.
        layers: Your own layers: their classes, or the layers as the network had them.
        activations: Your own activations: functions, or `Activation` values.
        initializers: Your own initializers.
        losses: Your own loss: the function, or a `Loss`.
        optimizers: Your own optimizers: transformations of optax, or `Optimizer` values.
        schedules: Your own schedules.

    Returns:
        The run.

    Raises:
        RunError: The folder is not a run, a file is damaged, or a part of the user's own is
            missing; the message names it.

    Example:
        >>> ds.open_run("runs/moons-1").epochs
        2
        >>> def cube(z):
        ...     return z**3
        >>> network = ds.Network([ds.Dense(8, cube), ds.Dense(2)])
        >>> run = ds.train(network, "moons", epochs=1).save("runs/cubes")
        >>> ds.open_run("runs/cubes", activations=cube).epochs
        1
    """
    given = {
        "layers": layers,
        "activations": activations,
        "initializers": initializers,
        "losses": losses,
        "optimizers": optimizers,
        "schedules": schedules,
    }
    return open_with(folder, given)


def open_with(folder: str | Path, given: Mapping[str, Any]) -> Run:
    """`open_run` with the user's own parts as a mapping from its arguments' names."""
    path = Path(os.path.abspath(Path(folder).expanduser()))
    if run_folder.has_ended(path):
        return run_from(path, *run_folder.read(path), given)
    if (path / run_folder.OPTIONS).is_file() and not stored_steps(path):
        raise RunError(
            f"The training in {path} was ended before its first state was stored.",
            "a training that has begun",
            f"Begin it again with: downslope resume {shlex.quote(str(path))}",
        )
    if path.is_dir() and any(path.iterdir()) and is_empty(path):
        raise RunError(
            f"The training in {path} was ended before anything was stored.",
            "the folder of a run",
            "Begin the training again; the same folder can be named.",
        )
    if not (path / CHECKPOINTS).is_dir():
        missing = run_folder.MANIFEST if (path / run_folder.DOCUMENT).exists() else "run.json"
        found = f"has no {missing}" if path.is_dir() else "does not exist"
        raise RunError(
            f"{path} {found}.",
            "the folder of a run, such as runs/digits-1",
            "Train one with: downslope train digits.",
        )
    checkpoint, _ = newest_checkpoint(path)
    return _at_its_best(run_at(checkpoint, given), checkpoint)


def _at_its_best(run: Run, checkpoint: Checkpoint) -> Run:
    """A training that has not ended, with the best weights that it measured, if it keeps them.

    Raises:
        RunError: They are not those of its network.
    """
    arrays = checkpoint.arrays
    loss = float(arrays.get("state.best_loss", np.inf))
    if not run.settings.stop.keeps_best or not np.isfinite(loss):
        return run
    try:
        best = unflatten(arrays, numbered(run.parameters), "best.")
        step = int(arrays["state.best_step"])
    except (KeyError, ValueError) as error:
        raise checkpoint.damaged(str(error)) from error
    if not 0 <= step <= checkpoint.step or not all(
        np.isfinite(one).all() for one in flatten(best).values()
    ):
        raise checkpoint.damaged("its best weights are none that it can have had")
    samples = run.data.samples["train"]
    epoch = step // -(-samples // run.settings.samples_per_step(samples))
    return replace(
        run,
        model=run.model.at(tuple(best.values())),
        outcome=outcome.unfinished_at_best(run.outcome, outcome.Best(loss, epoch, step)),
    )


def run_at(checkpoint: Checkpoint, given: Mapping[str, Any]) -> Run:
    """A checkpoint as a run.

    Raises:
        RunError: It is damaged, or a part of the user's own is missing.
    """
    path, document, arrays = checkpoint.folder, checkpoint.document, checkpoint.arrays
    check_step(path / CHECKPOINTS, checkpoint.step, document, arrays)
    return run_from(path, document, arrays, checkpoint.trace, given)


def run_from(
    path: Path,
    document: Document,
    arrays: Mapping[str, np.ndarray],
    trace: Trace,
    given: Mapping[str, Any],
) -> Run:
    """A run from what its folder holds.

    Args:
        path: The folder.
        document: Everything that is not an array.
        arrays: Weights, scaling and baseline.
        trace: Its course.
        given: The user's own parts, by kind.

    Raises:
        RunError: The parts do not belong together, or one of the user's own is missing.
    """
    own = find_parts(document.own, given)
    try:
        known = resolve(next(iter(own.get("losses", {}).values()), document.settings.loss))
        settings = document.settings.with_parts(own)
        phases = tuple(
            replace(one, settings=one.settings.with_parts(own)) for one in document.phases
        )
    except (KeyError, SettingError) as error:
        raise damaged(path, str(error)) from error
    network, parameters = checked(path, document, arrays, trace, known, own)
    inputs = Scaling(arrays["scaling.mean"], arrays["scaling.std"])
    targets = None
    if "targets.mean" in arrays:
        targets = Scaling(arrays["targets.mean"], arrays["targets.std"])
    return Run(
        model=Model(
            *(network, known, parameters, document.data.task, inputs, targets),
            mirrors=document.settings.mirrors,
        ),
        settings=settings,
        data=document.data,
        baseline_output=arrays["baseline"],
        baseline_median=arrays.get("baseline.median"),
        trace=trace,
        outcome=document.outcome,
        seconds=document.seconds,
        folder=path,
        origin=document.origin,
        evaluations=EvaluationCount(path),
        versions=document.versions,
        phases=phases,
        parent=document.parent,
    )
