"""`downslope escape`: whether descent leaves a local minimum."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


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
@options.figures
@options.no_pictures
@options.as_json
def escape(out: Path, pictures: bool, as_json: bool, **settings: object) -> None:
    """Count how many starts leave a local minimum, by batch size.

    The mean loss of 4,096 samples has a local minimum B and a lower one, A. All begin beside B.
    All samples at once stay there; minibatches of some hundred are noisy enough to get to A, and
    not noisy enough to leave it again; single samples are thrown out of both.
    """
    from downslope.cli.article import show_escape

    show_escape(settings, out if pictures else None, as_json=as_json)
