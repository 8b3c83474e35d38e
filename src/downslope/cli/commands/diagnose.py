"""`downslope diagnose`: why a training did not learn."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option(
    "--budget",
    type=float,
    metavar="SECONDS",
    help="Seconds for trainings that prove the causes (default 30, or as long as the training "
    "took); 0 for none.",
)
@options.drawn_output
def diagnose(run: RunAt, budget: float | None, output: Output) -> int:
    """Find out why the training of a RUN did not learn, and what to change.

    Looks for symptoms in the losses, the data and the layers, then trains with each change beside
    the training as it was, with several seeds: what helps is proved, all else is called a guess.
    """
    from downslope.diagnosis.diagnose import diagnose as find_causes

    opened = output.open(run)
    with output.working(f"Looking for causes on {opened.data.name}") as on_progress:
        found = find_causes(opened, budget, on_progress=on_progress)
    return output.show_of(opened, found)
