"""`downslope compare`: values of one setting beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from downslope.cli import options

if TYPE_CHECKING:
    from downslope.runs.train_options import TrainOptions


@click.command()
@click.argument("source", metavar="DATA")
@click.option(
    "--vary",
    required=True,
    type=options.Varied(),
    help="One setting and its values, e.g. batch_size=full,1,32 or learning_rate=0.1,0.01. Values "
    'that hold commas are separated by semicolons: "network=dense 10; dense 32 relu, dense 10".',
)
@click.option("--seeds", type=int, default=5, metavar="N", help="Trainings per value (default 5).")
@click.option(
    "--seconds",
    type=float,
    metavar="X",
    help="About how long all trainings may take; epochs are reduced to fit. Default: 25, or "
    "no limit with --epochs.",
)
@click.option(
    "--test", is_flag=True, help="Open the test part, once, when everything has been trained."
)
@options.reading
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
    reading: dict[str, Any],
    train_options: TrainOptions,
    out: Path | None,
    as_json: bool,
    pictures: bool,
) -> None:
    """Train on DATA with several values of one setting, and compare the results.

    Each value is trained with several seeds: over the same number of samples, and for as long as
    the slowest value takes. They are compared on the validation part. A difference is reported only
    where chance (seeds, choice of samples) does not explain it. Ctrl-C ends it early and shows the
    values that were finished.
    """
    from downslope.cli.comparing import compare_and_report

    code = compare_and_report(
        source,
        reading,
        train_options,
        vary,
        seeds=seeds,
        seconds=seconds,
        test=test,
        out=out,
        as_json=as_json,
        pictures=pictures,
    )
    click.get_current_context().exit(code)
