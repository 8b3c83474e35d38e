"""A training between two steps: all that is needed to go on from there, bit for bit.

A checkpoint holds what a run holds (settings, weights, scaling, the course so far), with what the
optimizer remembers and the weights that were the best so far.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np

from downslope.engine import loop
from downslope.engine.settings import whole
from downslope.errors import RunError, SettingError, StorageError
from downslope.nn.layer import numbered
from downslope.runs import run_folder
from downslope.runs.run import Run
from downslope.runs.run_folder import Document
from downslope.runs.save import arrays_of, document_of
from downslope.runs.trace import Trace
from downslope.storage.arrays import flatten, unflatten
from downslope.storage.checkpoints import FOLDER, read_state, stored_steps, write_state
from downslope.storage.files import damaged
from downslope.storage.manifest import MOST_FILES

MOST_STATES = MOST_FILES // 2  # beside those from which a training went on with other settings
MOST_SHARE = 0.02  # of the time that may go into storing checkpoints
DOCUMENT, TRACE = "document", "trace."  # the latter before the names of its columns
SCALARS = ("step", "best_loss", "best_step", "stale", "ending")  # of a state


@dataclass(frozen=True)
class Checkpoints:
    """When the state of a training is stored in its run folder.

    The state is also stored before the first step and after the last one. In between it is stored
    between two chunks of steps, of about half a second each, never within a chunk.

    Attributes:
        seconds: Store every so many seconds, or less often where storing takes more than a fiftieth
            of the time; None for no such checkpoints.
        epochs: Store after every so many epochs; None for no such checkpoints.
        most: How many checkpoints are kept, 2 to 500: the last two, and others spread over the
            training, so that any step is near one of them. The first one, and those from which a
            training was resumed with other settings, are kept in addition.

    Raises:
        SettingError: A value is out of range.

    Example:
        >>> every = ds.Checkpoints(epochs=1)
        >>> run = ds.train(
        ...     "dense 8 tanh, dense 2", "moons", epochs=2, folder="runs/kept", checkpoints=every
        ... )
        >>> run.folder.name
        'kept'
    """

    seconds: float | None = 10.0
    epochs: int | None = None
    most: int = 6

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds >= 0:
            raise SettingError(
                f"The time between two checkpoints is {self.seconds!r} seconds.",
                "a number of at least 0, or None",
                "10 is usual.",
            )
        if self.epochs is not None:
            whole("number of epochs between two checkpoints", self.epochs, 1, "Try 1.")
        whole("number of checkpoints", self.most, 2, "6 is the default.")
        if self.most > MOST_STATES:
            raise SettingError(
                f"The number of checkpoints is {self.most:,}.",
                f"at most {MOST_STATES}",
                "6 is the default; any other step is replayed from the nearest of them.",
            )


def to_arrays(run: Run, state: loop.State) -> dict[str, np.ndarray]:
    """A checkpoint as named arrays.

    Args:
        run: The training as far as it came: its document, its weights, its course.
        state: The state that it is in.
    """
    arrays = arrays_of(run) | {
        f"state.{name}": np.asarray(getattr(state, name)) for name in SCALARS
    }
    for index, leaf in enumerate(jax.tree.leaves(state.optimizer_state)):
        arrays[f"optimizer_state.{index}"] = np.asarray(leaf, order="C")
    if state.best is not None:
        arrays |= flatten(numbered(state.best), "best.")
    arrays |= {f"{TRACE}{name}": column for name, column in run.trace.arrays.items()}
    arrays[DOCUMENT] = np.frombuffer(run_folder.encode(document_of(run)), np.uint8)
    return arrays


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        folder: The run's folder.
        step: Steps done.
        document: What is known of the training.
        arrays: Everything else.
    """

    folder: Path
    step: int
    document: Document
    arrays: Mapping[str, np.ndarray]

    @property
    def trace(self) -> Trace:
        """The course of the training up to here."""
        recorded = {
            name.removeprefix(TRACE): one
            for name, one in self.arrays.items()
            if name.startswith(TRACE)
        }
        return Trace.of(recorded)

    def state(self, like: loop.State) -> loop.State:
        """The state, in the shapes of another one of the same training.

        Raises:
            RunError: It is of another network or optimizer.
        """
        leaves, structure = jax.tree.flatten(like.optimizer_state)
        optimizer_state = {str(index): leaf for index, leaf in enumerate(leaves)}
        try:
            found = unflatten(
                self.arrays,
                {
                    "state": {name: getattr(like, name) for name in SCALARS},
                    "optimizer_state": optimizer_state,
                    "best": {} if like.best is None else numbered(like.best),
                },
            )
            parameters = unflatten(self.arrays, numbered(like.parameters))
        except (KeyError, ValueError) as error:
            raise self.damaged(str(error)) from error
        return loop.State(
            parameters=tuple(parameters.values()),
            optimizer_state=jax.tree.unflatten(structure, list(found["optimizer_state"].values())),
            best=None if like.best is None else tuple(found["best"].values()),
            **found["state"],
        )

    def damaged(self, why: str) -> RunError:
        """What to raise where it does not fit."""
        return damaged(self.folder / FOLDER, f"the state of step {self.step:,}: {why}")


def with_optimizer_state(run: Run) -> Run:
    """A run with its optimizer state, from its folder's state of the weights that it kept.

    Where there is none, or it is of other weights, the run is as it was.
    """
    step = run.outcome.kept_step
    if run.optimizer_state is not None or run.folder is None:
        return run
    try:
        if step not in stored_steps(run.folder):
            return run
        arrays = read_state(run.folder, step)
    except RunError:  # damaged: the weights are whole all the same
        return run
    weights = flatten(numbered(run.parameters))
    if not all(np.array_equal(arrays.get(name, ()), one) for name, one in weights.items()):
        return run
    count = sum(name.startswith("optimizer_state.") for name in arrays)
    return replace(
        run, optimizer_state=[arrays[f"optimizer_state.{index}"] for index in range(count)]
    )


def read_checkpoint(folder: Path, step: int) -> Checkpoint:
    """Read the checkpoint of a step that is stored.

    Raises:
        RunError: It is missing or damaged.
    """
    arrays = read_state(folder, step)
    try:
        content = arrays.pop(DOCUMENT).tobytes()
    except KeyError as error:
        raise damaged(folder / FOLDER, f"the state of step {step:,} has no document") from error
    return Checkpoint(folder, step, run_folder.decode(content, folder / FOLDER), arrays)


def newest_checkpoint(folder: Path) -> tuple[Checkpoint, str]:
    """The last checkpoint that is whole.

    Returns:
        It, and what is to be said of later ones that are damaged; empty where there are none.

    Raises:
        RunError: There is none, or each is damaged.
    """
    first: RunError | None = None
    for step in reversed(stored_steps(folder)):
        try:
            found = read_checkpoint(folder, step)
        except RunError as error:
            first = first or error
            continue
        note = f"{first.received} Going on from step {step:,}." if first is not None else ""
        return found, note
    raise first or RunError(
        f"{folder} has no checkpoint.",
        "the folder of a training that stored its states",
        "Train with: downslope train; or in Python with train(..., folder=FOLDER).",
    )


class CheckpointWriter:
    """Stores the state of a training while it runs.

    Args:
        folder: The run's folder, which nobody else writes into.
        checkpoints: When.
    """

    def __init__(self, folder: Path, checkpoints: Checkpoints) -> None:
        self.folder = folder
        self._checkpoints = checkpoints
        self._epoch = 0
        self._stored_at = self._cost = 0.0
        self._last = max(stored_steps(folder), default=None)

    def is_due(self, epoch: int) -> bool:
        """Whether it is time to store the state; `epoch` is how many are finished."""
        seconds, epochs = self._checkpoints.seconds, self._checkpoints.epochs
        waited = time.monotonic() - self._stored_at
        by_time = seconds is not None and waited >= max(seconds, self._cost / MOST_SHARE)
        return by_time or (epochs is not None and epoch - self._epoch >= epochs)

    def store(self, run: Run, state: loop.State, epoch: int) -> None:
        """Store the state.

        Raises:
            StorageError: The disk or the folder refuses; what was stored before is whole.
        """
        started = time.monotonic()
        lasting = {0, *(one.until for one in run.phases)}
        arrays = to_arrays(run, state)
        with self.going_on():
            write_state(self.folder, int(state.step), arrays, lasting, self._checkpoints.most)
        self._epoch, self._stored_at, self._last = epoch, time.monotonic(), int(state.step)
        self._cost = self._stored_at - started

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Say where the training can go on from, if the disk refuses."""
        try:
            yield
        except StorageError as error:
            if self._last is None:
                raise
            whole = f"The training is whole up to step {self._last:,}: go on from there with:"
            command = f"downslope resume {shlex.quote(str(self.folder))}"
            advice = f"{error.advice} {whole} {command}."
            raise StorageError(error.received, error.expected, advice) from error
