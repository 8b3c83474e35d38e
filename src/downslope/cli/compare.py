"""`downslope compare`: values of one setting beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from downslope.cli import options


@click.command()
@click.argument("source", metavar="DATA")
@click.option(
    "--vary",
    required=True,
    type=options.Varied(),
    help="One setting and its values, e.g. batch_size=full,1,32 or learning_rate=0.1,0.01. Values "
    'that hold commas are parted by semicolons: "network=dense 10; dense 32 relu, dense 10".',
)
@click.option(
    "--seeds", type=int, default=5, metavar="N", help="Trainings of each value; 5 if left out."
)
@click.option(
    "--seconds",
    type=float,
    metavar="X",
    help="About how long all trainings may take: epochs are reduced to fit. 25 if left out, "
    "and without end where --epochs is given.",
)
@click.option(
    "--test", is_flag=True, help="Open the test part, once, when everything has been trained."
)
@options.table
@options.training
@options.out_folder
@options.as_json
@options.no_pictures
def compare(
    source: str,
    vary: tuple[str, tuple[str, ...]],
    seeds: int,
    seconds: float | None,
    test: bool,
    target: str | None,
    kinds: dict[str, str],
    task: str | None,
    group: str | None,
    names: str | None,
    time: str | None,
    out: Path | None,
    as_json: bool,
    pictures: bool,
    **wishes: Any,
) -> None:
    """Train on DATA with several values of one setting, and say what differs.

    Each value is trained with several seeds: over the same number of samples seen, and for as long
    as the slowest value takes. What is judged is the validation part. No difference is claimed
    that seeds and samples could make by chance. Ctrl-C ends it early and shows the values that
    were finished.
    """
    from downslope.cli.comparing import compare_and_report
    from downslope.cli.training import Wishes

    reading = {
        "target": target,
        "kinds": kinds,
        "task": task,
        "group": group,
        "time": time,
        "names": names,
    }
    code = compare_and_report(
        source,
        reading,
        Wishes(**wishes),
        vary,
        seeds=seeds,
        seconds=seconds,
        test=test,
        out=out,
        as_json=as_json,
        pictures=pictures,
    )
    click.get_current_context().exit(code)
