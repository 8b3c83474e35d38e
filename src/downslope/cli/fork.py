"""`downslope fork`: a new run that begins at a step of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
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
    "patience, class_weights or augment. Repeat it for each setting.",
)
@options.new_run
@options.checkpoints
@options.as_json
@options.no_pictures
def fork(
    run_folder: Path,
    data: Path | None,
    at_step: int,
    changes: dict[str, str],
    out: Path | None,
    checkpoints: Any,
    as_json: bool,
    pictures: bool,
) -> None:
    """Start a new run at a step of RUN, with other settings from there on.

    RUN stays as it is. With nothing changed, the new run repeats it bit for bit.
    """
    from downslope.cli.going_on import fork_and_report

    code = fork_and_report(
        run_folder, data, at_step, changes, out, checkpoints, as_json=as_json, pictures=pictures
    )
    click.get_current_context().exit(code)
