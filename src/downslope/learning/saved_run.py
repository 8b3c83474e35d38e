"""A run folder as a run again: what a training left, or its last checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np

from downslope.data.scaling import Scaling
from downslope.errors import NetworkError, RunError
from downslope.learning import run_folder
from downslope.learning.checkpoint import Checkpoint, newest_checkpoint
from downslope.learning.openings import Openings
from downslope.learning.run import Run
from downslope.learning.run_folder import Document
from downslope.learning.trace import Trace
from downslope.network import notation
from downslope.network.losses import Loss, PerSample, resolve
from downslope.network.network import Network, NetworkParameters
from downslope.store.arrays import unflatten
from downslope.store.checkpoints import FOLDER as CHECKPOINTS
from downslope.store.files import damaged


def open_run(folder: str | Path, *, loss: PerSample | None = None) -> Run:
    """Open a saved run, or the last checkpoint of a training that has not ended.

    Args:
        folder: The run's folder.
        loss: The user's own loss, if it was trained with one: code is never stored.

    Raises:
        RunError: The folder is not a run, a file is damaged, or the loss is not known.
    """
    path = Path(os.path.abspath(Path(folder).expanduser()))
    if run_folder.has_ended(path):
        return run_from(path, *run_folder.read(path), loss=loss)
    if not (path / CHECKPOINTS).is_dir():
        missing = run_folder.MANIFEST if (path / run_folder.DOCUMENT).exists() else "run.json"
        found = f"has no {missing}" if path.is_dir() else "does not exist"
        raise RunError(
            f"{path} {found}.",
            "the folder of a run, such as runs/digits-1",
            "Train one with: downslope train digits.",
        )
    return run_at(newest_checkpoint(path)[0], loss=loss)


def run_at(checkpoint: Checkpoint, *, loss: PerSample | None = None) -> Run:
    """A checkpoint as a run.

    Raises:
        RunError: It is damaged, or the loss is not known.
    """
    return run_from(
        checkpoint.folder, checkpoint.document, checkpoint.arrays, checkpoint.trace, loss=loss
    )


def run_from(
    path: Path,
    document: Document,
    arrays: Mapping[str, np.ndarray],
    trace: Trace,
    *,
    loss: PerSample | None = None,
) -> Run:
    """A run from what its folder holds.

    Raises:
        RunError: The parts do not belong together, or the loss is not known.
    """
    try:
        network = notation.parse(document.network)
        network.shapes(document.data.input_shape)
    except NetworkError as error:
        raise damaged(path / run_folder.DOCUMENT, str(error)) from error
    return Run(
        network=network,
        loss=_known_loss(document.settings.loss, loss),
        parameters=_parameters(network, document.data.input_shape, arrays, path),
        settings=document.settings,
        data=document.data,
        scaling=Scaling(
            _named(arrays, "scaling.mean", path), _named(arrays, "scaling.deviation", path)
        ),
        answer_scaling=(
            Scaling(arrays["answers.mean"], _named(arrays, "answers.deviation", path))
            if "answers.mean" in arrays
            else None
        ),
        baseline_answer=_named(arrays, "baseline", path),
        trace=trace,
        outcome=document.outcome,
        seconds=document.seconds,
        folder=path,
        origin=document.origin,
        openings=Openings(path),
        versions=document.versions,
        phases=document.phases,
        parent=document.parent,
    )


def _known_loss(name: str, own: PerSample | None) -> Loss:
    if own is not None:
        return resolve(own)
    try:
        return resolve(name)
    except Exception as error:
        raise RunError(
            f"The run was trained with the loss {name!r}, which is not one of ours.",
            "that function",
            f"Open it with open_run(folder, loss={name}).",
        ) from error


def _named(arrays: Mapping[str, np.ndarray], name: str, folder: Path) -> np.ndarray:
    if name not in arrays:
        raise _misfit(folder, f"{name} is missing")
    return arrays[name]


def _parameters(
    network: Network, input_shape: tuple[int, ...], arrays: Mapping[str, np.ndarray], folder: Path
) -> NetworkParameters:
    shapes = jax.eval_shape(lambda: network.init(input_shape))  # it may be said to be huge
    like = {str(place): layer for place, layer in enumerate(shapes)}
    try:
        nested = unflatten(arrays, like)
    except (KeyError, ValueError) as error:
        raise _misfit(folder, str(error)) from error
    return tuple(nested[str(place)] for place in range(len(network.layers)))


def _misfit(folder: Path, what: str) -> RunError:
    return RunError(
        f"{folder / 'weights.safetensors'} does not fit the network ({what}).",
        "the weights that the training wrote",
        "Restore the file, or train again.",
    )
