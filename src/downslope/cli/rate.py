"""`downslope rate`: which learning rate is good for a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from downslope.cli import options


@click.command()
@click.argument("source", metavar="DATA")
@options.table
@options.training
@click.option(
    "--seed", type=int, default=0, metavar="N", help="The training's seed; 0 if left out."
)
@click.option(
    "--seconds",
    type=float,
    default=20.0,
    metavar="X",
    help="About how long the search may take; 20 if left out. A training that takes longer by "
    "itself is searched for about as long as it takes.",
)
@options.out_folder
@options.as_json
@options.no_pictures
def rate(
    source: str,
    target: str | None,
    kinds: dict[str, str],
    task: str | None,
    group: str | None,
    names: str | None,
    time: str | None,
    seed: int,
    seconds: float,
    out: Path | None,
    as_json: bool,
    pictures: bool,
    **wishes: Any,
) -> None:
    """Find a good learning rate for a training on DATA, without training anything for good.

    Many trainings with rates from far too small to far too large run side by side, with several
    seeds. It says which rates are good, which one to take, where it begins to overshoot and where
    it is too slow, and shows each in a short training. To train with what it finds at once:
    downslope train DATA --learning-rate auto.
    """
    from downslope.cli.rating import rate_and_report
    from downslope.cli.training import Wishes

    reading = {
        "target": target,
        "kinds": kinds,
        "task": task,
        "group": group,
        "time": time,
        "names": names,
    }
    rate_and_report(
        source,
        reading,
        Wishes(seed=seed, **wishes),
        out,
        seconds=seconds,
        as_json=as_json,
        pictures=pictures,
    )
