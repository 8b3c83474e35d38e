"""`downslope fork`: a new run that begins at a step of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@click.option(
    "--at-step", type=int, required=True, metavar="N", help="The step at which the new run begins."
)
@click.option(
    "--set",
    "changes",
    type=options.Setting(),
    multiple=True,
    callback=lambda context, option, pairs: dict(pairs),
    help="Change a setting from there on: learning_rate, schedule, optimizer, epochs, seed, "
    "shuffle, patience, class_weights or augment. Repeat it for each setting.",
)
@options.new_run
@options.checkpoints
@options.trained_output
def fork(
    run: RunAt,
    at_step: int,
    changes: dict[str, str],
    out: Path | None,
    checkpoints: Any,
    output: Output,
) -> int:
    """Start a new run at a step of RUN, with other settings from there on.

    RUN stays as it is. With nothing changed, the new run repeats it bit for bit.
    """
    from downslope.cli.training import fork_and_report

    return fork_and_report(run, at_step, changes, out, checkpoints, output)
