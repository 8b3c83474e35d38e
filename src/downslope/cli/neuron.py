"""`downslope neuron`: one neuron of a trained network."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option("--layer", type=int, required=True, metavar="L", help="Its layer, from 1.")
@click.option("--unit", type=int, required=True, metavar="U", help="Its unit or channel, from 0.")
@click.option(
    "--sample",
    type=int,
    metavar="I",
    help="A training sample, from 0 (default: the one it responds to most).",
)
@options.no_pictures
@options.as_json
def neuron(
    run_folder: Path,
    data: Path | None,
    layer: int,
    unit: int,
    sample: int | None,
    pictures: bool,
    as_json: bool,
) -> None:
    """Show one neuron of a RUN: inputs, weights, activation, and what it responds to."""
    from downslope.cli.watching import neuron_and_report

    neuron_and_report(run_folder, data, layer, unit, sample, pictures=pictures, as_json=as_json)
