"""What `downslope surface` does: losses over a plane, or on a line, told and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from downslope.cli import display, output
from downslope.cli.lines import print_json, say
from downslope.cli.tracing import open_with_data
from downslope.insight.line import Line, line
from downslope.insight.surface import Surface, surface
from downslope.runs.open import open_run
from downslope.runs.run import Run


def survey_and_report(
    folder: Path, data: Path | None, *, as_json: bool, pictures: bool, **where: Any
) -> None:
    """Find the loss over a plane around a run's weights, print and draw it.

    Raises:
        DownslopeError: The folder is not a run, its data is gone, or the disk refuses.
    """
    run = open_with_data(folder, data, lively=not as_json)
    what = f"Surveying the loss of {run.data.name}"
    with display.working(what, lively=not as_json) as on_progress:
        found = surface(run, on_progress=on_progress, **where)
    if as_json:
        print_json({"run": str(run.folder), **as_object(found)})
    else:
        say(found.message)
    if pictures:
        from downslope.plots.surface import surface_map, surface_relief

        names: dict[str, Any] = {"name": run.data.name, "loss": run.loss.name}
        figures = {
            "surface": lambda: surface_map(found, **names),
            "surface-relief": lambda: surface_relief(found, **names),
        }
        _draw(run, figures, as_json)


def line_and_report(
    folder: Path, data: Path | None, other: Path, points: int, *, as_json: bool, pictures: bool
) -> None:
    """Find the loss on the line between two runs' weights, print and draw it.

    Raises:
        DownslopeError: A folder is not a run, they do not belong together, or the disk refuses.
    """
    run = open_with_data(folder, data, lively=not as_json)
    with display.waiting("Walking from the one to the other ...", lively=not as_json):
        found = line(run, open_run(other), points=points)
    if as_json:
        print_json({"run": str(run.folder), "other": str(other), **line_object(found)})
    else:
        say(found.message)
    if pictures:
        from downslope.plots.line import line_between

        names = {"name": run.data.name, "loss": run.loss.name}
        _draw(run, {"line": lambda: line_between(found, **names)}, as_json)


def _draw(run: Run, figures: dict[str, Any], as_json: bool) -> None:
    from downslope.plots import save_all

    assert run.folder is not None
    folder = run.folder / "pictures"
    with display.waiting("Drawing ...", lively=not as_json):
        paths = save_all(((name, make()) for name, make in figures.items()), folder)
    if not as_json:
        output.list_pictures(paths)


def as_object(found: Surface) -> dict[str, Any]:
    """A surface as plain values, for JSON."""
    walked = found.walked
    return {
        "plane": found.plane.kind,
        "axes": list(found.plane.names),
        "share": found.plane.share,
        "shares": None if found.plane.shares is None else list(found.plane.shares),
        "message": found.message,
        "samples": {"train": found.samples[0], "validation": found.samples[1]},
        "here": {"train_loss": found.here[0], "validation_loss": found.here[1]},
        "a": found.a.tolist(),
        "b": found.b.tolist(),
        "train_loss": found.train_loss.tolist(),
        "validation_loss": found.validation_loss.tolist(),
        "path": None
        if walked is None
        else {
            "step": walked.path.steps.tolist(),
            "epoch": walked.path.epochs.tolist(),
            "kept": int(walked.path.steps[walked.path.kept]),
            "a": walked.a.tolist(),
            "b": walked.b.tolist(),
            "train_loss": walked.train_loss.tolist(),
            "validation_loss": walked.validation_loss.tolist(),
        },
    }


def line_object(found: Line) -> dict[str, Any]:
    """A line as plain values, for JSON."""
    return {
        "message": found.message,
        "distance": found.distance,
        "barrier": {"train": found.train_barrier, "validation": found.validation_barrier},
        "samples": {"train": found.samples[0], "validation": found.samples[1]},
        "along": found.along.tolist(),
        "train_loss": found.train_loss.tolist(),
        "validation_loss": found.validation_loss.tolist(),
    }
