"""The data set of a run: at hand, or loaded again, and the one that the run was trained on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from downslope.data.dataset import Dataset
from downslope.data.load import load, load_again
from downslope.data.progress import OnProgress
from downslope.data.scaling import Scaling
from downslope.errors import DataError
from downslope.nn.piecewise import bins_of
from downslope.runs.folder_checks import load_options
from downslope.runs.run_value import AnyRun, RunValue

MOVED = "Put it back, or say where it is now: --data PATH, or in Python run.with_data(PATH)."

MOST_NAMED = 5  # inputs that a message names


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
        dataset = _as_trained(run, load(source, on_progress=on_progress, **load_options(run.data)))
        if dataset.fingerprint != run.data.fingerprint:
            raise DataError(
                f"The data at {source} has changed since the training.",
                f"the data with the fingerprint {run.data.fingerprint[:12]}",
                MOVED,
            )
        return replace(run, dataset=dataset)
    named = str(data) if isinstance(data, str | Path) else "What was given"
    dataset = _as_trained(run, load_again(data, load_options(run.data, of=named), on_progress))
    if dataset.fingerprint != run.data.fingerprint:
        now, then = sum(dataset.sizes.values()), sum(run.data.samples.values())
        what = f"{now:,} samples instead of {then:,}" if now != then else "other values"
        raise DataError(
            f"{named} is not the data that the run was trained on: it has {what}.",
            f"the data with the fingerprint {run.data.fingerprint[:12]}",
            "Name the file or folder that it was trained on; downslope test measures the run "
            "on other data, and train(..., start=run) goes on with it.",
        )
    source = dataset.source or run.data.source
    return replace(run, dataset=dataset, data=replace(run.data, source=source))


def _as_trained(run: RunValue, dataset: Dataset) -> Dataset:
    """The data as the training had it: encoded, and scaled; of other columns, as it is."""
    encoding = run.data.encoding
    if encoding is not None and dataset.encoding is not None:
        try:
            dataset = dataset.encoded_as(encoding, bins_of(run.network))
        except DataError:  # other columns, and so another fingerprint
            return dataset
    return dataset.scaled_as(run.scaling, is_scaled=run.data.is_scaled)


def seen_as_before(earlier: RunValue, dataset: Dataset) -> tuple[Dataset, list[str]]:
    """Other data as an earlier run's weights know theirs: encoded and scaled as that was.

    Weights belong to what they were learnt with: the order of columns, the values of categories,
    what stands for a missing number, quantiles, scaling, and the range of pixels.

    Args:
        earlier: The run whose weights are taken over.
        dataset: The data.

    Returns:
        The data, and sentences for the user.

    Raises:
        DataError: The columns or pixels cannot be seen as those of the earlier run.
    """
    notes: list[str] = []
    then = earlier.data
    if then.encoding is not None and dataset.encoding is not None:
        known = {one.name for one in then.encoding.columns}
        new = [one.name for one in dataset.encoding.columns if one.name not in known]
        if new:
            several = "columns" if len(new) > 1 else "column"
            notes.append(
                f"The {several} {', '.join(map(repr, new))} of {dataset.name} cannot be used: the "
                "run to go on from has no weights for it."
            )
        dataset = dataset.encoded_as(then.encoding, bins_of(earlier.network), notes)
    elif then.input_names and dataset.input_names and then.input_names != dataset.input_names:
        raise DataError(
            f"The inputs of {dataset.name} are {', '.join(dataset.input_names[:MOST_NAMED])}, ...",
            f"those that the weights were learnt with: {', '.join(then.input_names[:MOST_NAMED])}, "
            "...",
            "Bring them into that order, or begin without the earlier run.",
        )
    return dataset.scaled_as(_scaling_for(earlier, dataset), is_scaled=then.is_scaled), notes


def _scaling_for(earlier: RunValue, dataset: Dataset) -> Scaling:
    """The scaling of an earlier run, for pixels of another range than its own had.

    Raises:
        DataError: How the ranges belong together is not known.
    """
    then, scaling = earlier.data, earlier.scaling
    if len(then.input_shape) != 3:
        return scaling
    shared = then.ranges.keys() & dataset.ranges.keys()
    is_known = all(then.ranges[depth] == dataset.ranges[depth] for depth in shared)
    if then.white == dataset.white and is_known:
        return scaling
    if not (is_known and then.white and dataset.white and then.is_scaled):
        raise DataError(
            f"The pixels of {dataset.name} reach from black to white otherwise than those that the "
            "run to go on from was trained on.",
            "images as that run had them, of the same type and range",
            "Save both as images of 8 bits, or begin without the earlier run.",
        )
    factor = dataset.white / then.white
    return Scaling(scaling.mean * factor, scaling.std * factor)
