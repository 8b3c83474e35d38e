"""`downslope escape`: whether descent leaves a local minimum."""

from __future__ import annotations

from typing import Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output


@click.command()
@click.option("--starts", type=int, default=200, metavar="N", help="How many (default 200).")
@click.option(
    "--batch-size",
    "batch_sizes",
    type=options.BatchSize(),
    multiple=True,
    help="Samples per step; may be given several times (default full, 256 and 1).",
)
@click.option(
    "--epochs",
    type=int,
    default=32,
    metavar="N",
    help="Passes over all 4,096 samples (default 32).",
)
@click.option(
    "--learning-rate", type=float, default=0.3, metavar="X", help="For all (default 0.3)."
)
@click.option("--seed", type=int, default=0, metavar="N", help="Random seed (default 0).")
@options.figures_output
def escape(output: Output, batch_sizes: tuple[Any, ...], **settings: Any) -> int:
    """Count how many starts leave a local minimum, by batch size.

    The mean loss of 4,096 samples has a local minimum B and a lower one, A. All begin beside B.
    All samples at once stay there; minibatches of some hundred are noisy enough to get to A, and
    not noisy enough to leave it again; single samples are thrown out of both.
    """
    from downslope.insight.escape import BATCH_SIZES
    from downslope.insight.escape import escape as descend

    with output.waiting("Descending from all starts ..."):
        found = descend(batch_sizes=batch_sizes or BATCH_SIZES, **settings)
    return output.show(found)
