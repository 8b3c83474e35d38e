"""`downslope words`: which words of a text made a prediction."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@options.run_folder
@click.argument("text")
@click.option("--column", metavar="NAME", help="Its column, where the run has several of texts.")
@click.option("--output", "output_name", metavar="NAME", help="The class or target to explain.")
@options.output
def words(
    run_folder: Path, text: str, column: str | None, output_name: str | None, output: Output
) -> int:
    """Show which words of a TEXT made a RUN predict what it predicts.

    Each word is left out once. Values of other columns are taken as missing.
    """
    from downslope.insight.words import word_contributions
    from downslope.runs.open import open_run

    found = word_contributions(open_run(run_folder), text, column=column, output=output_name)
    return output.show(found)
