"""`downslope resume`: going on with a training where it was."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option("--epochs", type=int, metavar="N", help="Train longer: to N epochs in all.")
@click.option(
    "--learning-rate", type=float, metavar="X", help="Another (highest) learning rate from here on."
)
@options.checkpoints
@options.as_json
@options.no_pictures
def resume(
    run_folder: Path,
    data: Path | None,
    epochs: int | None,
    learning_rate: float | None,
    checkpoint_seconds: float | None,
    checkpoint_epochs: int | None,
    as_json: bool,
    pictures: bool,
) -> None:
    """Go on with the training in RUN where it was, whatever ended it.

    It ends with the bits that it would have ended with uninterrupted, on the same machine with
    the same versions. A training that has come to its end goes on with --epochs; its former end
    is kept as one of its steps.
    """
    from downslope.cli.going_on import checkpoints, resume_and_report

    asked = {"epochs": epochs, "learning_rate": learning_rate}
    changes = {name: value for name, value in asked.items() if value is not None}
    kept = checkpoints(checkpoint_seconds, checkpoint_epochs)
    code = resume_and_report(run_folder, data, changes, kept, as_json=as_json, pictures=pictures)
    click.get_current_context().exit(code)
