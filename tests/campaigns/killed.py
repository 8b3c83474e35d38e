"""The trainings that the kill campaign kills: nine cases, and the process that trains one.

Each stores its state after every chunk of a few steps, so that a second of training has as many
optimizer_state in which a kill could do harm as an hour has by default.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import downslope as ds
from downslope.runs import checkpoint, run_folder, training
from downslope.runs.checkpoint import Checkpoints
from downslope.runs.resume import resume
from downslope.runs.run import Run
from downslope.storage.checkpoints import stored_steps
from tests.plain import PLAIN

CHUNKS = 50  # about so many in a training


def write_table(folder: Path) -> None:
    """Two numbers and two categories of 160 rows, with the class that follows from them."""
    draw = np.random.default_rng(1)
    rows = ["width,height,colour,town,kind"]
    for _ in range(160):
        width, height = draw.normal(size=2)
        colour, town = draw.choice(["red", "green", "blue"]), draw.choice(list("ABCDEFG"))
        kind = "large" if width + height + (colour == "red") > 0.3 else "small"
        rows.append(f"{width:.4f},{height:.4f},{colour},{town},{kind}")
    (folder / "things.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_images(folder: Path) -> None:
    """Two classes of 36 grey images each: stripes along, and stripes across."""
    draw = np.random.default_rng(2)
    stripes = np.tile(np.repeat([0.0, 120.0], 4), 2)[:, None] * np.ones(16)
    for name, pattern in (("along", stripes), ("across", stripes.T)):
        (folder / name).mkdir()
        for number in range(36):
            noisy = pattern + 60 + draw.normal(0, 40, pattern.shape)
            pixels = np.clip(np.roll(noisy, number, (0, 1)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def write_crowd(folder: Path) -> None:
    """Twenty small photos with one to nine bright spots each."""
    draw = np.random.default_rng(3)
    rows = ["file,x,y"]
    for number in range(20):
        pixels = draw.integers(0, 90, (32, 48, 3), dtype=np.uint8)
        for _ in range(draw.integers(1, 10)):
            x, y = draw.integers(2, 46), draw.integers(2, 30)
            pixels[y - 1 : y + 2, x - 1 : x + 2] = 230
            rows.append(f"{number}.png,{x},{y}")
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "heads.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


TABLE = "dense 12 tanh, dropout 0.2, dense 2"
IMAGES = "conv 4 3 relu, max_pool 2, flatten, dropout 0.3, dense 2"
CROWD = "standardize, conv 4 5 relu stride=2, layer_norm, conv 6 3 relu, max_pool 4, conv 1 1"
SHIFTED, CROPPED = ds.Augment(flip=True, shift=0.1), ds.Augment(flip=True, crop=0.5)


@dataclass(frozen=True)
class Case:
    """A training.

    Attributes:
        name: The kind of data, and the samples in a step.
        write: Writes the data into an empty folder.
        source: The data's name in that folder; empty for the folder itself.
        network: In its notation.
        settings: Those of the training.
        options: Those of loading.
    """

    name: str
    write: Callable[[Path], None]
    source: str
    network: str
    settings: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)

    def train(self, data: Path, folder: Path | None, on_chunk: Any = None) -> Run:
        """Train it from its beginning."""
        # as strings are: an absolute path, so that the resuming process finds it as well
        dataset = ds.load(str(data / self.source), **self.options)
        network = ds.parse_network(self.network)
        return ds.train(
            network,
            dataset,
            options=PLAIN,
            folder=folder,
            checkpoints=CHECKPOINTS if folder else None,
            on_chunk=on_chunk,
            **self.settings,
        )


def _case(kind: tuple, size: str, **settings: Any) -> Case:
    name, write, source, network, options, common = kind
    return Case(f"{name}, {size}", write, source, network, common | settings, options)


_TABLE = ("table", write_table, "things.csv", TABLE, {"target": "kind"}, {})
_IMAGES = ("images", write_images, "", IMAGES, {"photo_side": 16}, {"augment": SHIFTED})
_CROWD = ("crowd", write_crowd, "", CROWD, {"photo_side": 48}, {"augment": CROPPED})
CASES = (
    _case(_TABLE, "minibatch", optimizer="adam", learning_rate=0.005, batch_size=8, epochs=40,
          stop=ds.Stop(patience=30)),
    _case(_TABLE, "stochastic", optimizer="momentum", learning_rate=0.002, batch_size=1, epochs=8,
          schedule="cosine"),
    _case(_TABLE, "full", optimizer="sgd", learning_rate=0.3, batch_size="full", epochs=300,
          stop=ds.Stop(patience=60)),
    _case(_IMAGES, "minibatch", optimizer="momentum", learning_rate=0.01, batch_size=8, epochs=30,
          schedule="one-cycle"),
    _case(_IMAGES, "stochastic", optimizer="adam", learning_rate=0.001, batch_size=1, epochs=6,
          stop=ds.Stop(patience=5)),
    _case(_IMAGES, "full", optimizer="sgd", learning_rate=0.1, batch_size="full", epochs=100),
    _case(_CROWD, "minibatch", optimizer="adam", learning_rate=0.002, batch_size=4, epochs=50,
          stop=ds.Stop(patience=12)),
    _case(_CROWD, "stochastic", optimizer="sgd", learning_rate=0.001, batch_size=1, epochs=15),
    _case(_CROWD, "full", optimizer="momentum", learning_rate=0.001, batch_size="full",
          epochs=100, stop=ds.Stop(patience=90)),
)  # fmt: skip
CHECKPOINTS = Checkpoints(seconds=0, most=4)

STARTING, FIRST, STEPS, STORING, WRITING, ENDED = (
    "starting", "the first checkpoint", "steps", "a checkpoint", "the final writing", "ended",
)  # fmt: skip
PHASES = (STARTING, FIRST, STEPS, STORING, WRITING, ENDED)
_WIDTH = 32


class Diary:
    """Where a process is, in a file that outlives it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT)

    def write(self, phase: str, step: int) -> None:
        """Note a phase and a step."""
        os.pwrite(self._handle, f"{phase}|{step}".ljust(_WIDTH).encode(), 0)


def read_diary(path: Path) -> tuple[str, int]:
    """The phase and the step that were noted last."""
    try:
        phase, _, step = path.read_text(encoding="utf-8").strip().partition("|")
    except FileNotFoundError:
        return STARTING, 0
    return (phase, int(step)) if step else (STARTING, 0)


@contextmanager
def _noted(diary: Diary, step: int, is_begun: bool) -> Iterator[Callable[[Any], None]]:
    """Store after every chunk, and note when: yields what to call after each."""

    def noted(function: Callable, phase: Callable[[], str], then: str) -> Callable:
        @wraps(function)
        def with_note(*arguments: Any, **named: Any) -> Any:
            diary.write(phase(), step)
            result = function(*arguments, **named)
            diary.write(then, step)
            return result

        return with_note

    def after_chunk(progress: Any) -> None:
        nonlocal step
        step = progress.step
        diary.write(STEPS, step)

    def storing() -> str:
        return FIRST if is_begun and not step else STORING

    store, write = checkpoint.CheckpointWriter.store, run_folder.write
    checkpoint.MOST_SHARE = math.inf
    checkpoint.CheckpointWriter.store = noted(store, storing, STEPS)
    run_folder.write = noted(write, lambda: WRITING, ENDED)
    try:
        yield after_chunk
    finally:
        checkpoint.CheckpointWriter.store, run_folder.write = store, write


def work(number: int, data: Path, folder: Path, diary: Path) -> None:
    """Train a case in a folder, or go on with it there: what the killed process does.

    Args:
        number: The case's place in `CASES`.
        data: The folder of its data.
        folder: The run's folder.
        diary: A file that tells where it is.
    """
    case = CASES[number]
    training.MOST_STEPS = max(1, planned_steps(number) // CHUNKS)
    notes = Diary(diary)
    first = stored_steps(folder)
    step = max(first, default=0)
    notes.write(STARTING, step)
    with _noted(notes, step, not first) as after_chunk:
        if not first:
            case.train(data, folder, after_chunk)
        elif not run_folder.has_ended(folder):
            resume(folder, checkpoints=CHECKPOINTS, on_chunk=after_chunk)


def planned_steps(number: int) -> int:
    """How many steps a case has, when no patience ends it."""
    samples = {"table": 112, "images": 51, "crowd": 14}[CASES[number].name.split(",")[0]]
    size, epochs = CASES[number].settings["batch_size"], CASES[number].settings["epochs"]
    return epochs * (1 if size == "full" else math.ceil(samples / size))
