"""What `downslope trace` does: the step is rebuilt and told."""

from __future__ import annotations

from pathlib import Path

from downslope.cli import display
from downslope.cli.lines import print_json, say
from downslope.insight.plain import as_plain
from downslope.insight.step import trace_step
from downslope.runs.open import open_run
from downslope.runs.run import Run


def open_with_data(folder: Path, data: Path | None, *, lively: bool) -> Run:
    """A saved run with the data that it was trained on.

    Args:
        folder: The run's folder.
        data: Where the data is now, if it has moved.
        lively: Whether what is shown is redrawn in place.

    Raises:
        DownslopeError: The folder is not a run, or its data is gone or has changed.
    """
    run = open_run(folder)
    with display.reading(str(data or run.data.source), lively=lively) as on_progress:
        return run.with_data(on_progress, data)


def trace_and_report(
    folder: Path,
    data: Path | None,
    step: int,
    sample: int | None,
    layer: int | None,
    unit: int | None,
    weight: str | None,
    *,
    as_json: bool,
) -> None:
    """Rebuild one step of a run's training and print it.

    Raises:
        DownslopeError: There is no such step, sample or weight, or the training does not repeat.
    """
    run = open_with_data(folder, data, lively=not as_json)
    with display.replaying(lively=not as_json) as on_steps:
        traced = trace_step(
            run, step, sample, layer=layer, unit=unit, weight=weight, on_steps=on_steps
        )
    if as_json:
        print_json({"run": str(run.folder), **as_plain(traced)})
    else:
        say(str(traced))
