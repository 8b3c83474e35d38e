"""What `downslope report` does: the page and its figures are written, and it is said where."""

from __future__ import annotations

from pathlib import Path

from downslope.cli import display
from downslope.cli.lines import print_json, say
from downslope.cli.runner import Output, RunAt, list_pictures
from downslope.reporting.report import place_of, tell
from downslope.runs.metric_text import openings_note


def report_and_tell(
    folder: Path,
    data: Path | None,
    out: Path | None,
    *,
    figures: bool,
    with_test: bool,
    as_json: bool,
) -> None:
    """Write a run's report, and print where it is.

    Raises:
        DownslopeError: The folder is not a run, its data is gone, or the disk refuses.
    """
    run = Output(as_json).open(RunAt(folder, data))
    with display.working("Telling the story", lively=not as_json) as on_progress:
        told = tell(run, with_test=with_test, on_progress=on_progress)
    with display.waiting("Drawing ...", lively=not as_json):
        path = told.save(place_of(run, out))
        paths = told.save_figures(folder / "pictures") if figures else []
    if as_json:
        drawn = [str(one) for one in paths]
        print_json({"report": str(path), "figures": drawn, "test_openings": run.test_openings})
        return
    say(f"Report: {path}", exact=True)
    list_pictures(paths)
    if with_test:
        say(openings_note(run))
