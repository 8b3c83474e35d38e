"""`downslope train`: from a data set to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from downslope.cli import options


@click.command()
@click.argument("source", metavar="DATA")
@options.table
@options.training
@click.option("--seed", type=int, default=0, metavar="N", help="Random seed (default 0).")
@click.option(
    "--log",
    type=click.Choice(("tensorboard",)),
    help="Also write TensorBoard event files into the run folder during training.",
)
@options.new_run
@options.checkpoints
@options.as_json
@options.no_pictures
def train(
    source: str,
    target: tuple[str, ...],
    kinds: dict[str, str],
    task: str | None,
    group: str | None,
    names: str | None,
    time: str | None,
    network: str | None,
    loss: str | None,
    optimizer: str | None,
    learning_rate: float | Literal["auto"] | None,
    schedule: str | None,
    batch_size: int | Literal["full"] | None,
    epochs: int | None,
    seed: int,
    patience: int | None,
    class_weights: tuple[float, ...],
    label_smoothing: float,
    augment: str | None,
    log: Literal["tensorboard"] | None,
    out: Path | None,
    checkpoint_seconds: float | None,
    checkpoint_epochs: int | None,
    as_json: bool,
    pictures: bool,
) -> None:
    """Train a network on DATA and keep it in a run folder.

    DATA is a built-in data set (see: downslope data), a table (.csv, .tsv, .parquet, .arrow),
    arrays (.npz) or a folder: images in a folder per class or named in a table, photos with
    heads.csv, ShanghaiTech, Mall or MNIST files.

    For a table, name the column to predict with --target. Omitted settings get good defaults.

    Ctrl-C ends the training early and keeps what was learned. To continue: downslope resume RUN.
    """
    from downslope.cli.going_on import checkpoints
    from downslope.cli.training import asked, train_and_report

    train_options = asked(
        network=network,
        loss=loss,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        batch_size=batch_size,
        epochs=epochs,
        seed=seed,
        patience=patience,
        class_weights=class_weights,
        label_smoothing=label_smoothing,
        augment=augment,
    )
    reading = {
        "target": target,
        "kinds": kinds,
        "task": task,
        "group": group,
        "time": time,
        "names": names,
    }
    code = train_and_report(
        source,
        reading,
        train_options,
        out,
        log=log,
        checkpoints=checkpoints(checkpoint_seconds, checkpoint_epochs),
        as_json=as_json,
        pictures=pictures,
    )
    click.get_current_context().exit(code)
