"""`downslope test`: how good a run is on samples that it was not trained on."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@options.run_folder
@click.option("--data", "other", metavar="DATA", help="Other labelled data; all of it is used.")
@options.output
def test(run_folder: Path, other: str | None, output: Output) -> int:
    """Evaluate a RUN on its test part, or on other labelled data."""
    from downslope.runs.evaluate import evaluation_of
    from downslope.runs.open import open_run
    from downslope.runs.other_data import labelled

    run = open_run(run_folder)
    with output.reading(other or run.data.source) as on_progress:
        chosen = labelled(run, other, on_progress)
    with output.waiting("Measuring ..."):
        found = evaluation_of(chosen)
    return output.show(found, run=str(run.folder))
