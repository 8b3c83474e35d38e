"""`downslope test`: how good a run is on samples that it was not trained on."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@click.option("--data", "other", metavar="DATA", help="Other labelled data; all of it is used.")
@options.as_json
def test(run_folder: Path, other: str | None, as_json: bool) -> None:
    """Measure a RUN on its test part, or on other labelled data."""
    from downslope.cli.testing import test_and_report

    test_and_report(run_folder, other, as_json=as_json)
