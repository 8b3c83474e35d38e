"""`downslope trace`: one step of a training with all its numbers."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option("--step", type=int, required=True, metavar="N", help="The step, from 1.")
@click.option(
    "--sample",
    type=int,
    metavar="I",
    help="A training sample, from 0 (default: the first of the batch).",
)
@click.option("--layer", type=int, metavar="L", help="The weight's layer, from 1.")
@click.option("--unit", type=int, metavar="U", help="The unit it leads to, from 0.")
@click.option(
    "--weight",
    metavar="INDEX",
    help='The input it comes from, such as 3; or "bias"; or in full: "weights[3,5]".',
)
@options.output
def trace(
    run: RunAt,
    step: int,
    sample: int | None,
    layer: int | None,
    unit: int | None,
    weight: str | None,
    output: Output,
) -> int:
    """Show one step of the training of a RUN as the six steps of learning.

    The training is replayed up to that step, bit for bit. Defaults: the first sample of the batch,
    and the weight with the largest gradient.
    """
    from downslope.insight.step import trace_step

    opened = output.open(run)
    with output.replaying() as on_steps:
        found = trace_step(
            opened, step, sample, layer=layer, unit=unit, weight=weight, on_steps=on_steps
        )
    return output.show_of(opened, found)
