"""`downslope generalization`: how seen and unseen samples compare."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@options.moved_data
@click.option("--test", is_flag=True, help="Open the sealed test part as well; that is counted.")
@click.option(
    "--learning-curve",
    "curve",
    is_flag=True,
    help="Train on growing shares of the training part as well, with several seeds.",
)
@click.option(
    "--seeds",
    type=int,
    default=3,
    metavar="N",
    help="Trainings of each size for the learning curve; 3 if left out.",
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
    """Compare the losses of a RUN on samples that it learnt from and on others.

    Says how large the gap is, since which epoch it is more than chance explains, and whether the
    validation loss has risen again: overfitting. For that the training is gone through once more.
    """
    from downslope.cli.generalizing import generalize_and_report

    code = generalize_and_report(
        run_folder, data, test=test, curve=curve, seeds=seeds, as_json=as_json, pictures=pictures
    )
    click.get_current_context().exit(code)
