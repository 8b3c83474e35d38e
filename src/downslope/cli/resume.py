"""`downslope resume`: going on with a training where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option("--epochs", type=int, metavar="N", help="Train longer: to N epochs in all.")
@click.option(
    "--learning-rate", type=float, metavar="X", help="A new (highest) learning rate from here on."
)
@options.checkpoints
@options.as_json
@options.no_pictures
def resume(
    run_folder: Path,
    data: Path | None,
    epochs: int | None,
    learning_rate: float | None,
    checkpoints: Any,
    as_json: bool,
    pictures: bool,
) -> None:
    """Continue the training in RUN, however it ended.

    The result is the same, bit for bit, as without the interruption, on the same machine with the
    same versions. A finished training is continued with --epochs.
    """
    from downslope.cli.going_on import resume_and_report

    asked = {"epochs": epochs, "learning_rate": learning_rate}
    changes = {name: value for name, value in asked.items() if value is not None}
    code = resume_and_report(
        run_folder, data, changes, checkpoints, as_json=as_json, pictures=pictures
    )
    click.get_current_context().exit(code)
