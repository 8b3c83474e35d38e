"""`downslope report`: the story of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
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
@options.as_json
def report(
    run_folder: Path,
    data: Path | None,
    out: Path | None,
    figures: bool,
    with_test: bool,
    as_json: bool,
) -> None:
    """Write the story of a RUN as a single HTML file that works offline.

    It shows samples, first predictions, the loss, gradients, steps and epochs in order, then how
    good the network is, how the training ended and what to try next. Opening the test part is
    counted.
    """
    from downslope.cli.reporting import report_and_tell

    report_and_tell(run_folder, data, out, figures=figures, with_test=with_test, as_json=as_json)
