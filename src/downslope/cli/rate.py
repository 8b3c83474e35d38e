"""`downslope rate`: which learning rate is good for a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from downslope.cli import options

if TYPE_CHECKING:
    from downslope.runs.train_options import TrainOptions


@click.command()
@click.argument("source", metavar="DATA")
@options.reading
@options.seeded_training
@click.option(
    "--seconds",
    type=float,
    default=20.0,
    metavar="X",
    help="About how long the search may take (default 20); for a training that takes longer, "
    "about as long as that takes.",
)
@options.out_folder
@options.as_json
@options.no_pictures
def rate(
    source: str,
    reading: dict[str, Any],
    train_options: TrainOptions,
    seconds: float,
    out: Path | None,
    as_json: bool,
    pictures: bool,
) -> None:
    """Find a good learning rate for a training on DATA.

    Many short trainings, with rates from far too small to far too large and several seeds, run side
    by side. The output says which rates are good, which one to take, above which it overshoots and
    below which it is too slow, and shows each in a short training. No run is kept.

    To find a rate and train with it at once: downslope train DATA --learning-rate auto.
    """
    from downslope.cli.rating import rate_and_report

    rate_and_report(
        source,
        reading,
        train_options,
        out,
        seconds=seconds,
        as_json=as_json,
        pictures=pictures,
    )
