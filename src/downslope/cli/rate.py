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
@click.option("--seed", type=int, default=0, metavar="N", help="Random seed (default 0).")
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
    target: tuple[str, ...],
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
    **training: Any,
) -> None:
    """Find a good learning rate for a training on DATA.

    Many short trainings, with rates from far too small to far too large and several seeds, run side
    by side. The output says which rates are good, which one to take, above which it overshoots and
    below which it is too slow, and shows each in a short training. No run is kept.

    To find a rate and train with it at once: downslope train DATA --learning-rate auto.
    """
    from downslope.cli.rating import rate_and_report
    from downslope.cli.training import asked

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
        asked(seed=seed, **training),
        out,
        seconds=seconds,
        as_json=as_json,
        pictures=pictures,
    )
