"""`downslope predict`: a run's answers to inputs from files."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@click.argument(
    "paths", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@options.as_json
def predict(run_folder: Path, paths: tuple[Path, ...], as_json: bool) -> None:
    """Print the answers of a RUN to each INPUT.

    An INPUT is a table of numbers (.csv, with or without a line of names; .npy; .npz with one
    array), one row per sample, or an image (.jpg, .png). Images are brought to the size that the
    network was trained on; for digits draw light strokes on a dark ground.
    """
    from downslope.cli.inputs import read_inputs
    from downslope.cli.output import report_predictions
    from downslope.learning.run import open_run

    run = open_run(run_folder)
    inputs = [(path, one) for path in paths for one in read_inputs(path, run.data)]
    report_predictions(run, inputs, as_json=as_json)
