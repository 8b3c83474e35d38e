"""`downslope batches`: which samples a training saw together."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option(
    "--epochs",
    type=options.Numbers(),
    default=(1, 2),
    metavar="A,B,...",
    help="The epochs to compare, from 1 (default 1,2).",
)
@click.option(
    "--batch", type=int, default=1, metavar="K", help="Which batch of each, from 1 (default 1)."
)
@options.drawn_output
def batches(run: RunAt, epochs: tuple[float, ...], batch: int, output: Output) -> int:
    """Show which training samples of a RUN were in a batch together.

    In each epoch the samples are reshuffled, so that a batch has other members each time; a
    training with --shuffle no keeps them in the order of the data.
    """
    from downslope.insight.batches import batches as look

    opened = output.open(run)
    return output.show_of(opened, look(opened, [int(one) for one in epochs], batch=batch))
