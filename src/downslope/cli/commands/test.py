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
def test(run_folder: Path, other: str | None, output: Output) -> None:
    """Evaluate a RUN on its test part, or on other labelled data."""
    from downslope.cli.scores import test_and_report

    test_and_report(run_folder, other, as_json=output.as_json)
