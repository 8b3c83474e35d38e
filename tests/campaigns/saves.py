"""What the store is asked to do in the campaigns, and what a reader then finds in the folder."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any
from unittest.mock import patch

import numpy as np

import downslope as ds
from downslope.engine.settings import Settings
from downslope.errors import RunError
from downslope.nn.losses import resolve
from downslope.runs import run_folder, training
from downslope.runs.checkpoint import Checkpoints, CheckpointWriter, newest_checkpoint
from downslope.runs.open import open_run
from downslope.runs.preparation import Preparation
from downslope.runs.run import Run
from downslope.runs.save import write
from downslope.runs.test_evaluations import EvaluationCount
from downslope.runs.train import new_run
from downslope.runs.training import Training

MOST = 2  # states that are kept beside the first
NOTHING = "nothing"


def scratch(name: str) -> Path:
    """An empty folder, in memory where there is such a disk: thousands of files are synced."""
    memory = Path("/dev/shm")
    return Path(mkdtemp(prefix=f"downslope-{name}-", dir=memory if memory.is_dir() else None))


@dataclass(frozen=True, eq=False)
class Stored:
    """What a training hands to its writer.

    Attributes:
        run: The training as far as it came.
        state: The state that it is in.
        epoch: Epochs finished.
    """

    run: Run
    state: Any
    epoch: int


class _Collector(CheckpointWriter):
    """Keeps states in memory instead of storing them, as often as it can."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Checkpoints())
        self.stored: list[Stored] = []

    def is_due(self, epoch: int) -> bool:
        return True

    def store(self, run: Run, state: Any, epoch: int) -> None:
        self.stored.append(Stored(run, state._replace(step=np.int32(state.step)), epoch))


@cache
def states() -> tuple[tuple[Stored, ...], Run]:
    """The states of a small training, from its beginning, and the run that it ends as."""
    dataset = ds.load("xor")
    settings = Settings(
        loss="cross_entropy",
        optimizer=ds.Optimizer("adam"),
        learning_rate=0.01,
        schedule=ds.Schedule("constant"),
        batch_size=64,
        epochs=3,
        stop=ds.Stop(patience=2),
    )
    outputs = len(dataset.class_names)
    prepared = Preparation(
        ds.parse_network(f"dense 16 tanh, dense {outputs}"),
        dataset,
        resolve("cross_entropy"),
        settings,
    )
    with TemporaryDirectory() as folder:
        collector = _Collector(Path(folder))
        with patch.object(training, "MOST_STEPS", 2):  # in a chunk
            run = Training(prepared, collector).run(None)
        return tuple(collector.stored), run


def keep(folder: Path, stored: Stored) -> None:
    """Store a state, as a training does."""
    CheckpointWriter(folder, Checkpoints(most=MOST)).store(stored.run, stored.state, stored.epoch)


def end(folder: Path, run: Run) -> None:
    """Write what a training leaves, as it does when it has ended."""
    run = replace(run, evaluations=EvaluationCount())  # nobody has looked at its test part anywhere
    with CheckpointWriter(folder, Checkpoints(most=MOST)).going_on():
        write(run, folder)


def begin(folder: Path, stored: Stored) -> None:
    """Claim a folder and store the first state in it."""
    with new_run(folder) as path:
        keep(path, stored)


def found_in(folder: Path) -> str:
    """What a reader finds: a checksum of all of it; `NOTHING` where there is no run.

    Raises:
        RunError: There is one, which cannot be read or of which a part is damaged.
    """
    if not run_folder.has_ended(folder):
        try:
            checkpoint, note = newest_checkpoint(folder)
        except RunError as error:
            if "has no checkpoint" in str(error):
                return NOTHING
            raise
        if note:
            raise RunError(note, "no damage", "")
        open_run(folder)
        return f"state {_checksum(checkpoint.document, checkpoint.arrays)}"
    document, arrays, trace = run_folder.read(folder)
    open_run(folder)
    columns = {f"steps.{name}": column for name, column in trace.steps.items()}
    columns |= {f"epochs.{name}": column for name, column in trace.epochs.items()}
    return f"run {_checksum(document, {**arrays, **columns})}"


def _checksum(document: run_folder.Document, arrays: Mapping[str, np.ndarray]) -> str:
    found = hashlib.sha256(run_folder.encode(document))
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def names_in(folder: Path) -> list[str]:
    """All files and folders below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@dataclass(frozen=True, eq=False)
class Operation:
    """Something that the store does, in a folder that is prepared for it.

    Attributes:
        name: What it is.
        prepare: Fills the folder, which is not there.
        do: Does it.
    """

    name: str
    prepare: Callable[[Path], Any]
    do: Callable[[Path], Any]

    def copy_of(self, prepared: Path, folder: Path) -> Path:
        """A folder that is prepared, as a copy of one that was."""
        if prepared.is_dir():
            shutil.copytree(prepared, folder)
        return folder


def operations() -> tuple[Operation, ...]:
    """One checkpoint, a folder's first, the end of a run, and one that goes on."""
    stored, run = states()
    zero, one, two, three = stored[0], stored[1], stored[2], stored[-1]

    def with_states(folder: Path) -> None:
        begin(folder, zero)
        keep(folder, one)
        keep(folder, two)

    def ended_before(folder: Path) -> None:  # and gone on since
        with_states(folder)
        end(folder, run)
        run_folder.open_again(folder)
        keep(folder, three)

    def ended(folder: Path) -> None:
        ended_before(folder)
        end(folder, run)

    return (
        Operation("a checkpoint", with_states, lambda folder: keep(folder, three)),
        Operation("the first checkpoint", lambda folder: None, lambda folder: begin(folder, zero)),
        Operation("the end of a run", ended_before, lambda folder: end(folder, run)),
        Operation("going on", ended, run_folder.open_again),
    )
