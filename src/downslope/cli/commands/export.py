"""`downslope export`: a run as a file for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from downslope.cli import options
from downslope.cli.runner import Output

if TYPE_CHECKING:
    from downslope.exporting.model import Model


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
@options.output
def export(run_folder: Path, to: str, out: Path | None, overwrite: bool, output: Output) -> None:
    """Write the network of a RUN as a file that works without Downslope.

    onnx: takes raw inputs, such as the columns of a table, and gives predictions; encoding and
    scaling are inside. numpy, torch, keras: a short Python file that predicts, with its weights
    beside it. safetensors: the weights alone, by name.
    """
    from downslope.cli.lines import print_json, say
    from downslope.exporting.export import export as write
    from downslope.exporting.model import model_of
    from downslope.runs.open import open_run

    run = open_run(run_folder)
    files = write(run, out, to=to, overwrite=overwrite)
    if output.as_json:
        print_json({"format": to, "files": [str(file) for file in files]})
        return
    for file in files:
        say(f"{file} ({_size(file)})", exact=True)
    say()
    if to == "onnx":
        _tell_onnx(model_of(run), files[0])
    elif to == "safetensors":
        say("Its head says what each array is:")
        say("  from safetensors import safe_open")
        say(f'  file = safe_open("{files[0].name}", "numpy")')
        say("  print(file.metadata(), list(file.keys()))")
    else:
        _tell_source(model_of(run), files[0])


def _size(file: Path) -> str:
    count = file.stat().st_size
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"


def _tell_onnx(model: Model, file: Path) -> None:
    from downslope.cli.lines import print_table, say
    from downslope.exporting.onnx_file import input_notes, output_names

    print_table(("input", "what goes in"), list(input_notes(model).items()))
    holds = {
        "classification": ("the class's name", "one per class"),
        "multilabel": (f"the probabilities of {', '.join(model.class_names)}",),
        "regression": (", ".join(model.target_names) or "numbers in their own units",),
        "counting": ("people in each photo", "where they are"),
    }[model.task]
    called = output_names(model).values()
    gives = ", ".join(f"{name} ({what})" for name, what in zip(called, holds, strict=True))
    texts = [] if model.encoding is None else [
        one for one in model.encoding.columns if one.kind == "text"
    ]  # fmt: skip
    shape = "; each input is an array of shape (samples,)" if model.encoding is not None else ""
    shape += " where nothing else is said" * bool(texts)
    say(f"\nOut come {gives}{shape}.")
    say("\nTo use it (pip install onnxruntime):")
    say("  import onnxruntime")
    say(f'  session = onnxruntime.InferenceSession("{file.name}")')
    say("  answers = session.run(None, {name: array, ...})")


def _tell_source(model: Model, file: Path) -> None:
    from downslope.cli.lines import say

    if model.encoding is not None:
        wants, asked = "table", "table.csv"
    elif len(model.input_shape) == 1:
        wants, asked = "inputs", "rows.csv"
    else:
        wants, asked = "inputs", "inputs.npy"
    say("It needs no Downslope. In its folder:")
    say(f"  from {file.stem} import predict")
    say(f"  predict({wants})")
    say(f"or in a shell: python {file.name} {asked}")
