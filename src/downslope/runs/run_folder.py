"""The run folder: what is kept of a run, and in which file.

    options.json          what the command line was asked for, before the first state was stored
    checkpoints/          the training between two steps, to go on from: see `checkpoint.py`
    run.json              the data's card, network, settings, outcome, times, versions
    weights.safetensors   parameters ("1.weights", ...), scaling and baseline
    trace.safetensors     what was recorded: columns of the steps and of the measured epochs
    trace/steps.parquet   a row per step, for other programs; never read here
    trace/epochs.parquet  a row per measured epoch, likewise
    manifest.json         the checksums of these five files
    test-evaluations/     a file for each evaluation of the test part
    pictures/             drawn by the command line
    tensorboard/          event files, where they were asked for
    report.html           written by `downslope report`

`manifest.json` is written last: without it a training has not ended, and its last checkpoint is
what there is of it.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np

from downslope.data.dataset import DataInfo, Dataset
from downslope.data.tables.encoding import Encoding
from downslope.engine.compilation import usable_cores
from downslope.engine.settings import Settings
from downslope.errors import DataError, DownslopeError, RunError
from downslope.nn.ops.native_calls import used
from downslope.runs.outcome import Outcome
from downslope.runs.trace import Trace
from downslope.storage.arrays import decode_arrays, encode_arrays
from downslope.storage.columns import encode_columns
from downslope.storage.files import (
    check_names,
    damaged,
    is_there,
    make_folder,
    plain_errors,
    remove_unfinished,
    sync_folder,
    write_file,
)
from downslope.storage.manifest import NAME as MANIFEST
from downslope.storage.manifest import Mark, read_manifest, read_marked, write_manifest

FORMAT = 5
DOCUMENT, WEIGHTS, TRACE = "run.json", "weights.safetensors", "trace.safetensors"
STEPS, EPOCHS = "trace/steps.parquet", "trace/epochs.parquet"
VALUE, MOST_VALUES = 75, 1 << 26  # bytes of a text or number once read, and of all of them
OPTIONS = "options.json"  # the two things that are in the folder before the run
LOG = "tensorboard"


@dataclass(frozen=True)
class DataSummary(DataInfo):
    """What a run remembers of its data set: all but the samples.

    Attributes are those of `DataInfo`, and:
        fingerprint: Of all arrays of the data set.
        samples: How many each part has.
        input_shape: Shape of one input.
        encoding: How a table's columns became inputs; None for anything else.
    """

    fingerprint: str
    samples: dict[str, int]
    input_shape: tuple[int, ...]
    encoding: Encoding | None = None

    @staticmethod
    def of(dataset: Dataset) -> DataSummary:
        """The summary of `dataset`."""
        return DataSummary(
            **dataset.facts,
            fingerprint=dataset.fingerprint,
            samples=dataset.sizes,
            input_shape=dataset.input_shape,
            encoding=dataset.encoding,
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

    def plus(self, other: Seconds) -> Seconds:
        """Of two parts of a training together."""
        return Seconds(
            self.total + other.total,
            self.training + other.training,
            self.compiling + other.compiling,
        )


@dataclass(frozen=True)
class Origin:
    """The run that a training went on from, or was forked from.

    Attributes:
        run: Its folder; empty if it had none.
        fingerprint: Of the data that it was trained on.
        steps: Steps behind the weights that were begun with, those of runs before it included.
    """

    run: str
    fingerprint: str
    steps: int


@dataclass(frozen=True)
class Phase:
    """A part of a training that went on with other settings, or under other versions.

    Attributes:
        until: Steps of the training, from its first, behind which others took over.
        settings: What held before.
        versions: Those before.
    """

    until: int
    settings: Settings
    versions: dict[str, str]


class _Format(msgspec.Struct):
    """What every version of `run.json` says first."""

    format: int


@dataclass(frozen=True)
class Document:
    """The content of `run.json`, and of each checkpoint; attributes are those of `Run`.

    `own` names the parts of the user's own by their kinds: see `own_parts.py`.
    """

    format: int
    versions: dict[str, str]
    data: DataSummary
    network: str
    settings: Settings
    outcome: Outcome
    seconds: Seconds
    origin: Origin | None = None
    phases: tuple[Phase, ...] = ()
    parent: Origin | None = None
    own: dict[str, list[str]] = field(default_factory=dict)


def versions() -> dict[str, str]:
    """What decides whether a training can be repeated bit for bit, as far as can be told."""
    packages = ("downslope", "jax", "jaxlib", "optax", "numpy")
    found = {name: version(name) for name in packages}
    machine = {"native kernel": used().says, "processor cores": str(usable_cores())}
    return {"python": platform.python_version(), **found, **machine}


def changed_versions(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What of `versions` is another than it was: its name, then and now."""
    return [
        (name, then.get(name, "?"), version)
        for name, version in now.items()
        if then.get(name) != version
    ]


def encode(document: Document) -> bytes:
    """A document as JSON.

    Raises:
        DataError: A name in it is no text, as a folder's of bytes that are not UTF-8.
    """
    try:
        content = msgspec.json.encode(document)
    except UnicodeEncodeError as error:
        raise DataError(
            f"The name {error.object} is not UTF-8.",
            "names of classes, columns and files whose letters can be told",
            "Rename it.",
        ) from error
    return msgspec.json.format(content, indent=2) + b"\n"


def decode(content: bytes, path: Path) -> Document:
    """A document from JSON.

    Args:
        content: The JSON.
        path: Where it comes from, for the message.

    Raises:
        RunError: It is damaged, or of another format.
    """
    if (content.count(b",") + content.count(b":")) * VALUE > len(content) + MOST_VALUES:
        raise damaged(path, "it holds too many values")
    try:
        found = msgspec.json.decode(content, type=_Format, strict=True).format
        if found != FORMAT:
            raise RunError(
                f"{path} has format {found}.",
                f"format {FORMAT}",
                "Open it with the version of Downslope that wrote it.",
            )
        document = msgspec.json.decode(content, type=Document, strict=True)
    except RunError:
        raise
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DownslopeError) as error:
        raise damaged(path, str(error)) from error
    check_names(content, path)
    return document


def write(folder: Path, document: Document, arrays: Mapping[str, np.ndarray], trace: Trace) -> None:
    """Write what a training left, its manifest last.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    make_folder(folder / "trace")
    contents = {
        WEIGHTS: encode_arrays(arrays),
        TRACE: encode_arrays(trace.arrays),
        STEPS: encode_columns(trace.steps),
        EPOCHS: encode_columns(trace.epochs),
        DOCUMENT: encode(document),
    }
    for name, content in contents.items():
        write_file(folder / name, content)
    write_manifest(folder, {name: Mark.of(content) for name, content in contents.items()})
    for name in (*contents, MANIFEST):
        path = folder / name
        remove_unfinished(path.parent, re.escape(path.name))


def has_ended(folder: Path) -> bool:
    """Whether the training has ended, and its folder holds what it left.

    Raises:
        RunError: Its manifest is a link, or cannot be looked at.
    """
    return is_there(folder / MANIFEST)


def open_again(folder: Path) -> None:
    """Let a training that has ended go on: from now on its last checkpoint is what it is.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    with plain_errors(folder):
        (folder / MANIFEST).unlink(missing_ok=True)
        sync_folder(folder)


def read(folder: Path) -> tuple[Document, dict[str, np.ndarray], Trace]:
    """Read what `write` wrote.

    Raises:
        RunError: A file is missing or damaged.
    """
    marks = read_manifest(folder)

    def content(name: str) -> tuple[bytes, Path]:
        return read_marked(folder, name, marks), folder / name

    document = decode(*content(DOCUMENT))
    for name in (STEPS, EPOCHS):  # for other programs: whole, or damaged
        content(name)
    trace = Trace.of(decode_arrays(*content(TRACE)))
    return document, decode_arrays(*content(WEIGHTS)), trace
