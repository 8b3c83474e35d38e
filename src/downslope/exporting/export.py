"""From a run to a file that other programs read: which formats there are, and where files go."""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from downslope.errors import SettingError
from downslope.exporting.keras_source import keras_source
from downslope.exporting.model import Model, check_forms, model_of
from downslope.exporting.numpy_source import numpy_source
from downslope.exporting.safetensors_file import named_arrays, notes
from downslope.exporting.source import Source
from downslope.exporting.torch_source import torch_source
from downslope.names import look_up
from downslope.runs.open import open_run
from downslope.runs.run import Run
from downslope.storage.arrays import write_arrays
from downslope.storage.files import make_output_folder, new_file, write_file

_ADVICE = "Remove it, name another, or give --overwrite (from Python overwrite=True)."


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        suffix: Of its main file.
        beside: Suffix of a second file with the weights; empty where there is none.
        ending: What is put behind the data's name, so that formats can lie side by side.
        write: Writes a model to the path of the main file.
        form: The form of layers and activations that it needs; empty for none.
    """

    suffix: str
    beside: str
    ending: str
    write: Callable[[Model, Path], None]
    form: str = ""


def export(
    run: Run | str | Path,
    path: str | Path | None = None,
    *,
    to: str,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write a trained network as a file for other programs.

    Args:
        run: The run, or its folder.
        path: The new file; if left out, in the run's folder, such as export/digits.onnx.
        to: "onnx" (preprocessing included: raw inputs in, predictions out), "safetensors" (the
            weights with their names), or "numpy", "torch", "keras": a Python file that predicts
            without Downslope, with its weights beside it.
        overwrite: Whether an existing file may be replaced.

    Returns:
        The files that were written, the main one first.

    Raises:
        SettingError: There is no such format, or what it needs is not installed, or the path
            does not suit it, or the run's loss cannot be exported.
        NetworkError: A layer or an activation of the user's own has no form for this format.
        RunError: The folder is not a run.
        StorageError: The file exists already, or cannot be written.

    Example:
        >>> files = ds.export("runs/moons-1", "moons.py", to="numpy")
        >>> [file.name for file in files]
        ['moons.py', 'moons.npz']
    """
    chosen = look_up(to, FORMATS, "format", SettingError)
    if not isinstance(run, Run):
        run = open_run(run)
    model = model_of(run, is_folded=bool(chosen.form))
    check_forms(model, chosen.form, to)
    main = _main_file(run, model, chosen, path)
    files = (main, main.with_suffix(chosen.beside)) if chosen.beside else (main,)
    if not overwrite:
        for file in files:
            new_file(file, _ADVICE)
    make_output_folder(main.parent)
    chosen.write(model, main)
    return files


def _main_file(run: Run, model: Model, chosen: Format, path: str | Path | None) -> Path:
    if path is None:
        if run.folder is None:
            raise SettingError(
                "The run has no folder to write into.", "a path", "Give the path of a new file."
            )
        return run.folder / "export" / f"{model.identifier}{chosen.ending}{chosen.suffix}"
    main = Path(os.path.abspath(Path(path).expanduser()))
    if main.suffix != chosen.suffix:
        raise SettingError(
            f"The file is to be called {main.name}.",
            f"a name that ends in {chosen.suffix}",
            f"Try {main.stem or model.identifier}{chosen.suffix}.",
        )
    if chosen.suffix == ".py":
        _check_importable(main.stem)
    return main


def _check_importable(stem: str) -> None:
    hides = stem in sys.stdlib_module_names or stem in ("numpy", "torch", "keras", "safetensors")
    if stem.isidentifier() and not hides:
        return
    wrong = f"would hide Python's own {stem}" if hides else "could not be imported"
    raise SettingError(
        f"A file called {stem}.py {wrong}.",
        "a name of letters, digits and underscores that no library has",
        "Try my_network.py.",
    )


def _write_onnx(model: Model, path: Path) -> None:
    if importlib.util.find_spec("onnx") is None:
        raise SettingError(
            "The package onnx is not installed.",
            "it, to write ONNX files",
            "Install it with: pip install onnx onnxruntime",
        )
    from downslope.exporting.onnx_file import onnx_bytes

    write_file(path, onnx_bytes(model))


def _write_safetensors(model: Model, path: Path) -> None:
    write_arrays(path, named_arrays(model), notes(model))


def _write_source(make: Callable[[Model, str], Source]) -> Callable[[Model, Path], None]:
    def write(model: Model, path: Path) -> None:
        source = make(model, path.stem)
        weights = path.with_suffix(source.suffix)
        if source.suffix == ".npz":
            content = io.BytesIO()
            np.savez(content, **source.arrays)  # pyright: ignore[reportArgumentType] - its stub takes names for flags
            write_file(weights, content.getvalue())
        else:
            write_arrays(weights, source.arrays)
        write_file(path, source.code.encode())  # last: it is of no use without its weights

    return write


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "onnx": Format(".onnx", "", "", _write_onnx, "onnx"),
        "safetensors": Format(".safetensors", "", "", _write_safetensors),
        "numpy": Format(".py", ".npz", "_numpy", _write_source(numpy_source), "numpy"),
        "torch": Format(".py", ".safetensors", "_torch", _write_source(torch_source), "torch"),
        "keras": Format(".py", ".safetensors", "_keras", _write_source(keras_source), "keras"),
    }
)
