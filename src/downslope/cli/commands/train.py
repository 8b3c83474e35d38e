"""`downslope train`: from a data set to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output

if TYPE_CHECKING:
    from downslope.runs.train_options import TrainOptions


@click.command()
@click.argument("source", metavar="DATA")
@options.reading
@options.seeded_training
@click.option(
    "--log",
    type=click.Choice(("tensorboard",)),
    help="Also write TensorBoard event files into the run folder during training.",
)
@click.option(
    "--start",
    metavar="RUN",
    help="Begin with the weights of an earlier run: all of them, or where it learned other "
    "classes, all but those of the last layer.",
)
@click.option(
    "--freeze",
    is_flag=True,
    help="Keep the weights of all layers but the last one that has any; with --start.",
)
@click.option(
    "--lab",
    is_flag=True,
    help="Open the lab's page on the run while it trains; a checkpoint is saved every second.",
)
@options.new_run
@options.checkpoints
@options.trained_output
def train(
    source: str,
    reading: dict[str, Any],
    train_options: TrainOptions,
    log: Literal["tensorboard"] | None,
    start: str | None,
    freeze: bool,
    lab: bool,
    out: Path | None,
    checkpoints: Any,
    output: Output,
) -> int:
    """Train a network on DATA and keep it in a run folder.

    DATA is a built-in data set (see: downslope data), a table (.csv, .tsv, .parquet, .arrow),
    arrays (.npz) or a folder: images in a folder per class or named in a table, photos with
    heads.csv, ShanghaiTech, Mall or MNIST files.

    For a table, name the column to predict with --target. Omitted settings get good defaults.

    Ctrl-C ends the training early and keeps what was learned. To continue: downslope resume RUN.
    """
    from downslope.cli.training import LabBeside, train_and_report
    from downslope.runs.checkpoint import Checkpoints

    if lab and checkpoints == Checkpoints():
        checkpoints = Checkpoints(seconds=1.0)  # the page shows what is stored
    with LabBeside(output) as beside:
        code = train_and_report(
            *(source, reading, train_options.replace(freeze=freeze), out),
            start=start,
            log=log,
            checkpoints=checkpoints,
            output=output,
            on_folder=beside.open if lab else None,
        )
        if code == 0 or code == 1:  # not where Ctrl-C ended it
            beside.stay()
    return code
