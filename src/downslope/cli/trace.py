"""`downslope trace`: one step of a training with all its numbers."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
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
    metavar="PLACE",
    help='The input it comes from, such as 3; or "bias"; or in full: "weights[3,5]".',
)
@options.as_json
def trace(
    run_folder: Path,
    data: Path | None,
    step: int,
    sample: int | None,
    layer: int | None,
    unit: int | None,
    weight: str | None,
    as_json: bool,
) -> None:
    """Show one step of the training of a RUN as the six steps of learning.

    The training is replayed up to that step, bit for bit. Defaults: the first sample of the batch,
    and the weight with the largest gradient.
    """
    from downslope.cli.tracing import trace_and_report

    trace_and_report(run_folder, data, step, sample, layer, unit, weight, as_json=as_json)
