"""A run folder as a run again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from downslope.data.scaling import Scaling
from downslope.errors import NetworkError, RunError
from downslope.learning import run_folder
from downslope.learning.openings import Openings
from downslope.learning.run import Run
from downslope.network import notation
from downslope.network.losses import Loss, PerSample, resolve
from downslope.network.network import Network, NetworkParameters
from downslope.store.arrays import unflatten


def open_run(folder: str | Path, *, loss: PerSample | None = None) -> Run:
    """Open a saved run.

    Args:
        folder: The run's folder.
        loss: The user's own loss, if it was trained with one: code is never stored.

    Raises:
        RunError: The folder is not a run, a file is damaged, or the loss is not known.
    """
    path = Path(os.path.abspath(Path(folder).expanduser()))
    document, arrays, trace = run_folder.read(path)
    try:
        network = notation.parse(document.network)
        network.shapes(document.data.input_shape)
    except NetworkError as error:
        raise run_folder.unreadable(path / "run.json", error) from error
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
        raise _damaged(folder, f"{name} is missing")
    return arrays[name]


def _parameters(
    network: Network, input_shape: tuple[int, ...], arrays: Mapping[str, np.ndarray], folder: Path
) -> NetworkParameters:
    like = {str(place): layer for place, layer in enumerate(network.init(input_shape))}
    try:
        nested = unflatten(arrays, like)
    except (KeyError, ValueError) as error:
        raise _damaged(folder, str(error)) from error
    return tuple(nested[str(place)] for place in range(len(network.layers)))


def _damaged(folder: Path, what: str) -> RunError:
    return RunError(
        f"{folder / 'weights.safetensors'} does not fit the network ({what}).",
        "the weights that the training wrote",
        "Restore the file, or train again.",
    )
