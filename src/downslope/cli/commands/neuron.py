"""`downslope neuron`: one neuron of a trained network."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option("--layer", type=int, required=True, metavar="L", help="Its layer, from 1.")
@click.option("--unit", type=int, required=True, metavar="U", help="Its unit or channel, from 0.")
@click.option(
    "--sample",
    type=int,
    metavar="I",
    help="A training sample, from 0 (default: the one it responds to most).",
)
@options.drawn_output
def neuron(run: RunAt, layer: int, unit: int, sample: int | None, output: Output) -> int:
    """Show one neuron of a RUN: inputs, weights, activation, and what it responds to."""
    from downslope.insight.neuron import neuron as look

    opened = output.open(run)
    with output.waiting("Looking at all samples ..."):
        found = look(opened, layer, unit, sample)
    return output.show_of(opened, found)
