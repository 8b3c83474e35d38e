"""`downslope report`: the story of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt, list_pictures


@click.command()
@options.run
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The HTML file (default RUN/report.html).",
)
@click.option(
    "--figures", is_flag=True, help="Also write each figure to RUN/pictures, as PNG and SVG."
)
@click.option("--no-test", "with_test", is_flag=True, default=True, flag_value=False,
              help="Keep the test part closed.")  # fmt: skip
@options.output
def report(run: RunAt, out: Path | None, figures: bool, with_test: bool, output: Output) -> None:
    """Write the story of a RUN as a single HTML file that works offline.

    It shows samples, first predictions, the loss, gradients, steps and epochs in order, then how
    good the network is, how the training ended and what to try next. Opening the test part is
    counted.
    """
    from downslope.cli.lines import print_json, say
    from downslope.reporting.report import path_of, tell
    from downslope.runs.metric_text import evaluations_note

    opened = output.open(run)
    with output.working("Writing the report") as on_progress:
        told = tell(opened, with_test=with_test, on_progress=on_progress)
    with output.waiting("Drawing ..."):
        path = told.save(path_of(opened, out))
        paths = told.save_figures(run.folder / "pictures") if figures else []
    if output.as_json:
        drawn = [str(one) for one in paths]
        counted = opened.test_evaluations
        print_json({"report": str(path), "figures": drawn, "test_evaluations": counted})
        return
    say(f"Report: {path}", exact=True)
    list_pictures(paths)
    if with_test:
        say(evaluations_note(opened))
