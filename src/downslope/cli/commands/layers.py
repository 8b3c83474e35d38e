"""`downslope layers`: the layers of a network over its training."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option(
    "--points",
    type=int,
    default=25,
    show_default=True,
    metavar="N",
    help="How many steps of the training to show.",
)
@options.drawn_output
def layers(run: RunAt, points: int, output: Output) -> int:
    """Show the layers of a RUN over its training: gradients, weights, updates, activations.

    The training is replayed for it. For images it also shows the filters of the first layer, and
    which pixels matter for some predictions.
    """
    from downslope.insight.layers import layers_over_time

    opened = output.open(run)
    with output.replaying() as on_steps:
        found = layers_over_time(opened, points, on_steps)
    return output.show_of(opened, found)
