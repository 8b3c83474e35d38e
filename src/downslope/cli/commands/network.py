"""`downslope network`: the whole network of a run."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option(
    "--sample", type=int, default=0, metavar="I", help="A training sample, from 0 (default 0)."
)
@options.drawn_output
def network(run: RunAt, sample: int, output: Output) -> int:
    """Show the network of a RUN: its layers, weights and biases, and the signals of a sample.

    Untrained and trained side by side. A small network is drawn whole, neuron by neuron; a large
    one by its layers.
    """
    from downslope.insight.network import network as look

    opened = output.open(run)
    with output.waiting("Looking at the network ..."):
        found = look(opened, sample)
    return output.show_of(opened, found)
