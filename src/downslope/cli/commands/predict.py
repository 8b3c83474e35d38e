"""`downslope predict`: a run's predictions for inputs from files."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output
from downslope.errors import SettingError
from downslope.text import amount


@click.command()
@options.run_folder
@click.argument(
    "paths", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: a row per prediction, in order.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write this CSV to a new file.",
)
@options.output
def predict(
    run_folder: Path, paths: tuple[Path, ...], as_csv: bool, out: Path | None, output: Output
) -> None:
    """Print the predictions of a RUN for each INPUT.

    A run trained on a table takes tables with the same columns (.csv, .tsv, .parquet, .arrow; - for
    CSV from standard input). Other runs take rows of numbers (.csv, with or without column names;
    .npy; .npz with one array), one per sample, or images (.jpg, .png). Images are resized to the
    size the network was trained on; a folder stands for all images in it. For digits, draw light
    strokes on a dark ground.
    """
    import numpy as np

    from downslope.cli.inputs import read_inputs, with_folders_opened
    from downslope.cli.lines import print_data, say
    from downslope.runs.named_predictions import counts_people, predictions
    from downslope.runs.open import open_run
    from downslope.storage.files import new_file, write_file

    if output.as_json and (as_csv or out is not None):
        raise SettingError(
            f"Both --json and {'--csv' if as_csv else '--out'} were asked for.",
            "one form of output: --json prints JSON, --csv prints CSV, --out writes CSV to a file",
            "Leave one of them out.",
        )
    run = open_run(run_folder)
    if out is not None:
        new_file(out)
    files = with_folders_opened(paths, run.data)
    read = [(path, one) for path in files for one in read_inputs(path, run.data)]
    inputs = [one.values for _, one in read]
    found = predictions(
        run,
        inputs if counts_people(run) else np.stack(inputs),
        names=[(str(path), one.row) for path, one in read],
    )
    if out is not None:
        write_file(out, found.to_csv().encode())
        say(f"{amount(len(found), 'prediction')}: {out}", err=True, exact=True)
    elif as_csv:
        print_data(found.to_csv())
    else:
        output.show(found)
