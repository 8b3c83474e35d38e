"""`downslope resume`: going on with a training where it was."""

from __future__ import annotations

from typing import Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option("--epochs", type=int, metavar="N", help="Train longer: to N epochs in all.")
@click.option(
    "--learning-rate", type=float, metavar="X", help="A new (highest) learning rate from here on."
)
@options.checkpoints
@options.trained_output
def resume(
    run: RunAt,
    epochs: int | None,
    learning_rate: float | None,
    checkpoints: Any,
    output: Output,
) -> int:
    """Continue the training in RUN, however it ended.

    The result is the same, bit for bit, as without the interruption, on the same machine with the
    same versions. A finished training is continued with --epochs.
    """
    from downslope.cli.training import resume_and_report

    asked = {"epochs": epochs, "learning_rate": learning_rate}
    changes = {name: value for name, value in asked.items() if value is not None}
    return resume_and_report(run, changes, checkpoints, output)
