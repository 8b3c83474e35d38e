"""A run as the files of its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from downslope.nn import notation
from downslope.nn.layer import numbered
from downslope.nn.own_parts import part_name
from downslope.runs import run_folder
from downslope.runs.run_folder import Document
from downslope.runs.run_value import AnyRun, RunValue
from downslope.storage.arrays import flatten
from downslope.storage.lock import claim_folder


def save(run: AnyRun, folder: str | Path) -> AnyRun:
    """`Run.save`."""
    with claim_folder(Path(folder), beside=(run_folder.LOG,)) as claim:
        return write(run, claim.path)


def write(run: AnyRun, folder: Path) -> AnyRun:
    """Write the run into a folder that no other process writes into.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    run.evaluations.save(folder)
    run_folder.write(folder, document_of(run), arrays_of(run), run.trace)
    return replace(run, folder=folder)


def document_of(run: RunValue) -> Document:
    """All values of the run that are not arrays."""
    return Document(
        format=run_folder.FORMAT,
        versions=dict(run.versions),
        data=run.data,
        network=notation.describe(run.network),
        settings=run.settings.stored,
        outcome=run.outcome,
        seconds=run.seconds,
        origin=run.origin,
        phases=tuple(replace(one, settings=one.settings.stored) for one in run.phases),
        parent=run.parent,
        own={kind: list(parts) for kind, parts in own_parts(run).items()},
    )


def own_parts(run: RunValue) -> dict[str, dict[str, Any]]:
    """The parts of the user's own, by type and name, as `open_run` takes them."""
    found = notation.own_parts(run.network)
    found["losses"] = {} if run.loss.built_in else {part_name(run.loss): run.loss}
    every = [*(phase.settings for phase in run.phases), run.settings]
    optimizers = [one.optimizer for one in every if one.optimizer.is_own]
    schedules = [one.schedule for one in every if one.schedule.is_own]
    found["optimizers"] = {one.name: one for one in optimizers}
    found["schedules"] = {one.kind: one for one in schedules}
    return {kind: parts for kind, parts in found.items() if parts}


def arrays_of(run: RunValue) -> dict[str, np.ndarray]:
    """Its weights, its scaling and its baseline under their names in the file."""
    scalings = {"scaling": run.scaling, "targets": run.target_scaling}
    baselines = {"baseline": run.baseline_output, "baseline.median": run.baseline_median}
    return {
        **{
            f"{name}.{what}": np.asarray(getattr(scaling, what))
            for name, scaling in scalings.items()
            if scaling is not None
            for what in ("mean", "std")
        },
        **{name: output for name, output in baselines.items() if output is not None},
        **flatten(numbered(run.parameters)),
    }
