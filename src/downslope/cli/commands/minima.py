"""`downslope minima`: where many starts end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output

if TYPE_CHECKING:
    from downslope.runs.train_options import TrainOptions


@click.command()
@click.argument("source", metavar="DATA")
@click.option("--starts", type=int, default=32, metavar="N", help="How many (default 32).")
@options.reading
@options.training
@options.out_folder
@options.drawn_output
def minima(
    source: str,
    starts: int,
    reading: dict[str, Any],
    train_options: TrainOptions,
    out: Path | None,
    output: Output,
) -> int:
    """Train on DATA from many random starts at once, and compare where they end.

    Reports how low each ends on training and validation samples, how much the solutions differ, and
    how high the loss is between them. There may be lower minima than the lowest found. The test
    part stays closed. Ctrl-C ends the trainings and shows where they were.
    """
    from downslope.cli.training import claimed
    from downslope.insight.minima import minima as find

    train_options.check_rate()
    with claimed(out) as claim:
        dataset = train_options.suited(output.read(source, reading))
        train_options.plan(dataset)  # says what is wrong before the folder is made
        folder = claim(f"{dataset.name}-minima").path
        with output.working(f"Training {starts} starts on {dataset.name}") as on_progress:
            found = find(
                None, dataset, options=train_options, starts=starts, on_progress=on_progress
            )
        return output.keep(found, folder / "minima.json")
