"""`downslope export`: a run as a file for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from downslope.cli import options


@click.command()
@options.run_folder
@click.option(
    "--to",
    required=True,
    metavar="FORMAT",
    help="onnx, safetensors, numpy, torch or keras.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The new file (default: in RUN/export).",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there already.")
@options.as_json
def export(run_folder: Path, to: str, out: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write the network of a RUN as a file that works without Downslope.

    onnx: takes raw inputs, such as the columns of a table, and gives predictions; encoding and
    scaling are inside. numpy, torch, keras: a short Python file that predicts, with its weights
    beside it. safetensors: the weights alone, by name.
    """
    from downslope.cli.exporting import export_and_report

    export_and_report(run_folder, to, out, overwrite=overwrite, as_json=as_json)
