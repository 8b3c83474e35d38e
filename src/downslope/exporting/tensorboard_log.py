"""A training as event files for TensorBoard, written while it trains.

    RUN/tensorboard/train/        loss and measures of the training part, batch loss, learning rate
    RUN/tensorboard/validation/   loss and measures of the validation part

Two folders, since TensorBoard draws two curves into one picture where they have the same name in
different folders.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from downslope.engine.metrics import names
from downslope.errors import SettingError
from downslope.runs.progress import OnChunk, Progress
from downslope.runs.run_folder import LOG
from downslope.storage.checkpoints import stored_steps
from downslope.storage.files import make_folder, plain_errors
from downslope.storage.lock import claim_folder, locked

MOST_STEPS = 10_000  # of a training, evenly; TensorBoard itself shows 1,000 of a curve
_PARTS = ("train", "validation")


def check_tensorboard() -> None:
    """Check that what writes event files is installed.

    Raises:
        SettingError: It is not.
    """
    if importlib.util.find_spec("tensorboardX") is None:
        raise SettingError(
            "The package tensorboardX is not installed.",
            "it, to write event files for TensorBoard",
            "Install it with: pip install tensorboardX tensorboard",
        )


@contextmanager
def tensorboard_log(folder: str | Path) -> Iterator[OnChunk]:
    """Write the curves of a training for TensorBoard while it runs.

    Args:
        folder: Where the run will be saved; the event files are written into its folder
            `tensorboard`. If a training in this folder is resumed, its curves continue; points of
            later steps are removed from them.

    Yields:
        The `on_chunk` argument of `train`. Of a training of more than `MOST_STEPS` steps every
        second step is written, or every third, and so on; the run's trace has all of them.

    Raises:
        SettingError: The extra [tensorboard] is not installed.
        StorageError: There are event files already, or they cannot be written.

    Example:
        >>> with ds.tensorboard_log("runs/logged") as on_chunk:
        ...     run = ds.train("dense 8 tanh, dense 2", "moons", epochs=2, on_chunk=on_chunk)
        >>> run = run.save("runs/logged")
    """
    check_tensorboard()
    path = Path(os.path.abspath(Path(folder).expanduser())) / LOG
    if path.is_dir() and stored_steps(path.parent):
        make_folder(path)  # which it is, unless it is a link
        with locked(path):
            yield from _written(path)
        return
    claim = claim_folder(path)
    try:
        yield from _written(claim.path)
    finally:
        claim.give_back()  # it is not empty, as it should be


def _written(folder: Path) -> Iterator[OnChunk]:
    log = _Log(folder)
    try:
        yield log
    finally:
        log.close()


class _Log:
    """The event files of one training; called with each `Progress`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writers: dict[str, Any] = {}
        self.steps = self.measured = 0  # rows of the trace that are written, now or before
        self.last = time.time()

    def __call__(self, progress: Progress) -> None:
        """Write what is new."""
        now = time.time()
        with plain_errors(self.folder):
            if not self.writers:
                self._open(progress)
            self._write_steps(progress, now)
            self._write_measures(progress, now)
            for writer in self.writers.values():
                writer.flush()
        self.last = now

    def close(self) -> None:
        """Close the files."""
        with plain_errors(self.folder):
            for writer in self.writers.values():
                writer.close()

    def _open(self, progress: Progress) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto import event_pb2

        events: Any = event_pb2
        self.steps = progress.first
        self.measured = int((progress.trace.epochs["step"] <= progress.first).sum())
        for part in _PARTS:
            make_folder(self.folder / part)
            self.writers[part] = EventsWriter(str(self.folder / part / "events"))
            if progress.first:  # readers drop what they know of later steps
                again = events.SessionLog(status=events.SessionLog.START)
                self.writers[part].write_event(
                    events.Event(wall_time=self.last, step=progress.first + 1, session_log=again)
                )

    def _write_steps(self, progress: Progress, now: float) -> None:
        steps, every = progress.trace.steps, -(-progress.steps // MOST_STEPS)
        new = np.arange(self.steps, len(steps["step"]))
        self.steps += len(new)
        moments = np.linspace(self.last, now, len(new) + 1)[1:]
        chosen = (steps["step"][new] % every == 0) | (steps["step"][new] == progress.steps)
        for row, moment in zip(new[chosen], moments[chosen], strict=True):
            values = {
                "batch loss": steps["batch_loss"][row],
                "learning rate": steps["learning_rate"][row],
            }
            self._write("train", int(steps["step"][row]), float(moment), values)

    def _write_measures(self, progress: Progress, now: float) -> None:
        epochs = progress.trace.epochs
        for row in range(self.measured, len(epochs["step"])):
            for part in _PARTS:
                values = {
                    name: epochs[f"{part}_{name}"][row] for name in names(progress.builder.task)
                }
                self._write(part, int(epochs["step"][row]), now, values)
        self.measured = len(epochs["step"])

    def _write(self, part: str, step: int, moment: float, values: dict[str, Any]) -> None:
        from tensorboardX.proto import event_pb2, summary_pb2

        events: Any = event_pb2  # whose classes are made when it is imported
        summaries: Any = summary_pb2
        pairs = [
            summaries.Summary.Value(tag=name, simple_value=float(value))
            for name, value in values.items()
        ]
        summary = summaries.Summary(value=pairs)
        self.writers[part].write_event(events.Event(wall_time=moment, step=step, summary=summary))
