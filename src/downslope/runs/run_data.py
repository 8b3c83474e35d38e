"""The data set of a run: at hand, or loaded again, and the one that the run was trained on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from downslope.data.dataset import Dataset
from downslope.data.load import load, load_again
from downslope.data.progress import OnProgress
from downslope.errors import DataError
from downslope.nn.piecewise import bins_of
from downslope.runs.folder_checks import load_options
from downslope.runs.run_value import AnyRun

MOVED = "Put it back, or say where it is now: --data PATH, or in Python run.with_data(PATH)."


def with_data(run: AnyRun, data: Any = None, on_progress: OnProgress | None = None) -> AnyRun:
    """`Run.with_data`."""
    if data is None:
        if run.dataset is not None:
            return run
        source = run.data.source
        if os.path.isabs(source) and not os.path.exists(source):
            raise DataError(
                f"The data that the run was trained on is not at {source} any more.",
                "the same file or folder",
                MOVED,
            )
        dataset = load(source, on_progress=on_progress, **load_options(run.data))
        if dataset.fingerprint != run.data.fingerprint:
            raise DataError(
                f"The data at {source} has changed since the training.",
                f"the data with the fingerprint {run.data.fingerprint[:12]}",
                MOVED,
            )
        return replace(run, dataset=_as_trained(run, dataset))
    named = str(data) if isinstance(data, str | Path) else "What was given"
    dataset = load_again(data, load_options(run.data, of=named), on_progress)
    if dataset.fingerprint != run.data.fingerprint:
        now, then = sum(dataset.sizes.values()), sum(run.data.samples.values())
        what = f"{now:,} samples instead of {then:,}" if now != then else "other values"
        raise DataError(
            f"{named} is not the data that the run was trained on: it has {what}.",
            f"the data with the fingerprint {run.data.fingerprint[:12]}",
            "Name the file or folder that it was trained on; downslope test measures the run "
            "on other data.",
        )
    source = dataset.source or run.data.source
    dataset = _as_trained(run, dataset)
    return replace(run, dataset=dataset, data=replace(run.data, source=source))


def _as_trained(run: AnyRun, dataset: Dataset) -> Dataset:
    """The data as the training had it: encoded, and scaled."""
    if run.data.encoding is not None and run.data.encoding.ranked:
        dataset = dataset.encoded_as(run.data.encoding, bins_of(run.network))
    return dataset.scaled_as(run.scaling, is_scaled=run.data.is_scaled)
