"""`downslope layers`: the layers of a network over its training."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option(
    "--points",
    type=int,
    default=25,
    show_default=True,
    metavar="N",
    help="How many steps of the training to show.",
)
@options.no_pictures
@options.as_json
def layers(run_folder: Path, data: Path | None, points: int, pictures: bool, as_json: bool) -> None:
    """Show the layers of a RUN over its training: gradients, weights, updates, activations.

    The training is replayed for it. For images it also shows the filters of the first layer, and
    which pixels matter for some predictions.
    """
    from downslope.cli.watching import layers_and_report

    layers_and_report(run_folder, data, points, pictures=pictures, as_json=as_json)
