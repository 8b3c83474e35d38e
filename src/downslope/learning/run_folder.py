"""The run folder: what is kept of a run, and in which file.

    run.json              the data's card, network, settings, outcome, times, versions
    weights.safetensors   parameters ("0.weights", ...), scaling and baseline
    trace/steps.parquet   a row per step
    trace/epochs.parquet  a row per epoch
    test-openings/        a file for each look at the test part
    pictures/             drawn by the command line
    tensorboard/          event files, where they were asked for
    report.html           written by `downslope report`

`run.json` is written last: a folder without it is not a run.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from downslope.data.dataset import Dataset, Task
from downslope.data.encoding import Encoding
from downslope.data.findings import DataFinding
from downslope.errors import DownslopeError, RunError
from downslope.learning.outcome import Outcome
from downslope.learning.settings import Settings
from downslope.learning.trace import Trace
from downslope.store.arrays import read_arrays, write_arrays
from downslope.store.columns import read_columns, write_columns
from downslope.store.files import plain_errors, write_file

FORMAT = 1
LOG = "tensorboard"  # the one thing that is in the folder before the run


@dataclass(frozen=True)
class DataCard:
    """What a run remembers of its data set: all but the samples.

    Attributes are those of `Dataset`, with the sizes of its parts and its fingerprint.
    """

    name: str
    task: Task
    source: str
    fingerprint: str
    samples: dict[str, int]
    input_shape: tuple[int, ...]
    class_names: tuple[str, ...] = ()
    input_names: tuple[str, ...] = ()
    photo_side: int = 0
    generated: bool = False
    options: dict[str, Any] | None = None
    encoding: Encoding | None = None
    white: float = 255.0
    findings: tuple[DataFinding, ...] | None = None

    @staticmethod
    def of(dataset: Dataset) -> DataCard:
        """The card of `dataset`."""
        return DataCard(
            name=dataset.name,
            task=dataset.task,
            source=dataset.source,
            fingerprint=dataset.fingerprint,
            samples=dataset.sizes,
            input_shape=dataset.input_shape,
            class_names=dataset.class_names,
            input_names=dataset.input_names,
            photo_side=dataset.photo_side,
            generated=dataset.generated,
            options=dict(dataset.options),
            encoding=dataset.encoding,
            white=dataset.white,
            findings=dataset.findings,
        )


@dataclass(frozen=True)
class Seconds:
    """How long a training took.

    Attributes:
        total: From its call to its end.
        training: In the loop of steps and evaluations.
        compiling: Making the loop's machine code.
    """

    total: float
    training: float
    compiling: float


@dataclass(frozen=True)
class Origin:
    """The run that a training went on from.

    Attributes:
        run: Its folder; empty if it had none.
        fingerprint: Of the data that it was trained on.
        steps: Steps behind the weights that were begun with, those of runs before it included.
    """

    run: str
    fingerprint: str
    steps: int


@dataclass(frozen=True)
class Document:
    """The content of `run.json`."""

    format: int
    versions: dict[str, str]
    data: DataCard
    network: str
    settings: Settings
    outcome: Outcome
    seconds: Seconds
    origin: Origin | None = None


def versions() -> dict[str, str]:
    """The versions that decide whether a training can be repeated bit for bit."""
    packages = ("downslope", "jax", "jaxlib", "optax", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def write(folder: Path, document: Document, arrays: Mapping[str, np.ndarray], trace: Trace) -> None:
    """Write a run into an empty folder.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    with plain_errors(folder):
        (folder / "trace").mkdir(exist_ok=True)
    write_arrays(folder / "weights.safetensors", arrays)
    write_columns(folder / "trace" / "steps.parquet", trace.steps)
    write_columns(folder / "trace" / "epochs.parquet", trace.epochs)
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    write_file(folder / "run.json", text + b"\n")


def unreadable(path: Path, error: Exception) -> RunError:
    """What to raise where a file of a run is damaged."""
    return RunError(
        f"{path} cannot be read ({error}).",
        "a file as written by a training",
        "Restore the file, or train again.",
    )


def read(folder: Path) -> tuple[Document, dict[str, np.ndarray], Trace]:
    """Read what `write` wrote.

    Raises:
        RunError: The folder is not a run, or a file of it is missing or damaged.
    """
    path = folder / "run.json"
    if not path.is_file():
        found = "has no run.json" if folder.is_dir() else "does not exist"
        raise RunError(
            f"{folder} {found}.",
            "the folder of a run, such as runs/digits-1",
            "Train one with: downslope train digits.",
        )
    try:
        document = msgspec.json.decode(path.read_bytes(), type=Document, strict=True)
    except (msgspec.MsgspecError, OSError, UnicodeDecodeError, DownslopeError) as error:
        raise unreadable(path, error) from error
    if document.format != FORMAT:
        raise RunError(
            f"{path} has format {document.format}.",
            f"format {FORMAT}",
            "Open it with the version of Downslope that wrote it.",
        )
    trace = Trace(
        steps=read_columns(folder / "trace" / "steps.parquet"),
        epochs=read_columns(folder / "trace" / "epochs.parquet"),
    )
    return document, read_arrays(folder / "weights.safetensors"), trace
