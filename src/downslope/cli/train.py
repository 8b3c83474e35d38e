"""`downslope train`: from a data set to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from downslope.cli import options


@click.command()
@click.argument("source", metavar="DATA")
@options.table
@click.option("--network", metavar="TEXT", help='Layers, e.g. "dense 32 relu, dense 10".')
@click.option("--loss", metavar="NAME", help="What is made small, e.g. cross_entropy.")
@click.option("--optimizer", metavar="NAME", help="How steps are made, e.g. sgd or adam.")
@click.option("--learning-rate", type=float, metavar="X", help="The (highest) learning rate.")
@click.option("--schedule", metavar="NAME", help="The rate over time, e.g. constant or cosine.")
@click.option("--batch-size", type=options.BatchSize(), help="Samples per step.")
@click.option("--epochs", type=int, metavar="N", help="How often all samples are seen.")
@click.option("--seed", type=int, default=0, metavar="N", help="Decides all chance; 0 if left out.")
@click.option(
    "--patience",
    type=int,
    metavar="N",
    help="End when the validation loss has not fallen for N epochs; keep the best weights.",
)
@click.option(
    "--class-weights",
    type=options.Numbers(),
    default=(),
    metavar="A,B,...",
    help="How much each class counts in the loss.",
)
@click.option(
    "--augment",
    metavar="flip,shift,crop",
    help="Images: change them anew in each epoch, e.g. flip,shift=0.1,crop=0.8; none for not.",
)
@click.option(
    "--log",
    type=click.Choice(("tensorboard",)),
    help="Also write event files that TensorBoard opens, into the run folder, while it trains.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="A new folder for the run; runs/NAME-NUMBER if left out.",
)
@options.as_json
@options.no_pictures
def train(
    source: str,
    target: str | None,
    kinds: dict[str, str],
    task: str | None,
    group: str | None,
    time: str | None,
    network: str | None,
    loss: str | None,
    optimizer: str | None,
    learning_rate: float | None,
    schedule: str | None,
    batch_size: int | Literal["full"] | None,
    epochs: int | None,
    seed: int,
    patience: int | None,
    class_weights: tuple[float, ...],
    augment: str | None,
    log: Literal["tensorboard"] | None,
    out: Path | None,
    as_json: bool,
    pictures: bool,
) -> None:
    """Train a network on DATA and keep it in a run folder.

    DATA is a built-in data set (see: downslope data), a table (.csv, .tsv, .parquet, .arrow),
    arrays (.npz) or a folder: images in a folder per class or named in a table, photos with
    heads.csv, ShanghaiTech, Mall or MNIST files. Of a table say which column is to be learnt, with
    --target. What is left out is chosen to train well on it. Ctrl-C
    ends the training early and keeps what was learnt.
    """
    from downslope.cli.training import Wishes, train_and_report

    wishes = Wishes(
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
        augment=augment,
    )
    reading = {"target": target, "kinds": kinds, "task": task, "group": group, "time": time}
    code = train_and_report(
        source, reading, wishes, out, log=log, as_json=as_json, pictures=pictures
    )
    click.get_current_context().exit(code)
