"""`downslope generalization`: how seen and unseen samples compare."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option("--test", is_flag=True, help="Open the test part as well; this is counted.")
@click.option(
    "--learning-curve",
    "curve",
    is_flag=True,
    help="Also train on growing fractions of the training part, with several seeds.",
)
@click.option(
    "--seeds",
    type=int,
    default=3,
    metavar="N",
    help="Trainings per size for the learning curve (default 3).",
)
@options.as_json
@options.no_pictures
def generalization(
    run_folder: Path,
    data: Path | None,
    test: bool,
    curve: bool,
    seeds: int,
    as_json: bool,
    pictures: bool,
) -> None:
    """Compare the training and the validation loss of a RUN: does it overfit?

    Reports how large the gap is, from which epoch on chance does not explain it, and whether the
    validation loss rose again. The training is replayed for it.
    """
    from downslope.cli.generalizing import generalize_and_report

    code = generalize_and_report(
        run_folder, data, test=test, curve=curve, seeds=seeds, as_json=as_json, pictures=pictures
    )
    click.get_current_context().exit(code)
