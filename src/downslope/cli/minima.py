"""`downslope minima`: where many starts end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from downslope.cli import options


@click.command()
@click.argument("source", metavar="DATA")
@click.option("--starts", type=int, default=32, metavar="N", help="How many (default 32).")
@options.table
@options.training
@options.out_folder
@options.as_json
@options.no_pictures
def minima(
    source: str,
    starts: int,
    target: tuple[str, ...],
    kinds: dict[str, str],
    task: str | None,
    group: str | None,
    names: str | None,
    time: str | None,
    out: Path | None,
    as_json: bool,
    pictures: bool,
    **training: Any,
) -> None:
    """Train on DATA from many random starts at once, and compare where they end.

    Reports how low each ends on training and validation samples, how much the solutions differ, and
    how high the loss is between them. There may be lower minima than the lowest found. The test
    part stays closed. Ctrl-C ends the trainings and shows where they were.
    """
    from downslope.cli.starting import minima_and_report
    from downslope.cli.training import asked

    reading = {
        "target": target,
        "kinds": kinds,
        "task": task,
        "group": group,
        "time": time,
        "names": names,
    }
    code = minima_and_report(
        source,
        reading,
        asked(**training),
        starts=starts,
        out=out,
        as_json=as_json,
        pictures=pictures,
    )
    click.get_current_context().exit(code)
