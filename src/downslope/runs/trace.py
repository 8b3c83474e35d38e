"""What a training left behind, in columns: a row per step, a row per measured epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from downslope.data.dataset import Task
from downslope.engine import metrics
from downslope.storage.arrays import flatten


@dataclass(frozen=True, eq=False)
class Trace:
    """The losses, metrics and learning rates over a training.

    Attributes:
        steps: Columns with a row per step: "step" (from 1), "batch_loss" (before the update) and
            "learning_rate".
        epochs: Columns with a row per epoch after which the losses were evaluated: "epoch" and
            "step" (from 1), then "train_loss", "validation_loss" and each metric of the task
            likewise, all at the weights after that step.

    Example:
        >>> trace = ds.open_run("runs/moons-1").trace
        >>> trace.batch_loss.shape
        (36,)
        >>> sorted(trace.steps)
        ['batch_loss', 'learning_rate', 'step']
        >>> trace.until(18).batch_loss.shape
        (18,)
    """

    steps: Mapping[str, np.ndarray]
    epochs: Mapping[str, np.ndarray]

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """All columns under one name each: "steps.batch_loss", "epochs.train_loss"."""
        return flatten({"steps": self.steps, "epochs": self.epochs})

    @staticmethod
    def of(arrays: Mapping[str, np.ndarray]) -> Trace:
        """The trace with these `arrays`; a column without a prefix is one of steps."""
        epochs = {name for name in arrays if name.startswith("epochs.")}
        return Trace(
            steps={name.removeprefix("steps."): arrays[name] for name in arrays.keys() - epochs},
            epochs={name.removeprefix("epochs."): arrays[name] for name in epochs},
        )

    def until(self, step: int) -> Trace:
        """What was recorded up to step `step`."""
        rows = self.epochs["step"] <= step
        return Trace(
            steps={name: column[:step] for name, column in self.steps.items()},
            epochs={name: column[rows] for name, column in self.epochs.items()},
        )

    @property
    def batch_loss(self) -> np.ndarray:
        """The loss of each step's batch, shape (steps,)."""
        return self.steps["batch_loss"]

    @property
    def train_loss(self) -> np.ndarray:
        """The training loss after each epoch, shape (epochs,)."""
        return self.epochs["train_loss"]

    @property
    def validation_loss(self) -> np.ndarray:
        """The validation loss after each epoch, shape (epochs,)."""
        return self.epochs["validation_loss"]


@dataclass
class TraceBuilder:
    """A trace while it grows, chunk by chunk.

    Attributes:
        task: Decides which measures there are.
        rates: The learning rate of every step that is planned.
        steps_per_epoch: Steps in an epoch.
        is_measured: Which of some steps the losses are measured behind, from (K,) to (K,) bool.
        units: How large the loss and each measure of 1 in the engine are, float64 (measures,).
    """

    task: Task
    rates: np.ndarray
    steps_per_epoch: int
    is_measured: Callable[[np.ndarray], np.ndarray]
    units: np.ndarray
    _batch_loss: list[np.ndarray] = field(default_factory=list)
    _epochs: list[dict[str, np.ndarray]] = field(default_factory=list)

    def go_on_from(self, trace: Trace) -> None:
        """Take what was recorded before: the first steps of the same training."""
        self._batch_loss.append(trace.batch_loss)
        self._epochs.append(dict(trace.epochs))

    def append(
        self, start: int, batch_loss: np.ndarray, train: np.ndarray, validation: np.ndarray
    ) -> None:
        """Add the steps of one chunk, whose losses are those of the engine.

        Args:
            start: Steps done before it.
            batch_loss: One per step, shape (steps,), with one more where the last step failed.
            train: Training measures behind each whole step, shape (steps, measures).
            validation: Validation measures, likewise.
        """
        self._batch_loss.append(batch_loss.astype(np.float64) * self.units[0])
        steps = np.arange(start + 1, start + len(train) + 1)
        ends = self.is_measured(steps)
        self._epochs.append(self._columns(steps[ends], train[ends], validation[ends]))

    def _columns(
        self, steps: np.ndarray, train: np.ndarray, validation: np.ndarray
    ) -> dict[str, np.ndarray]:
        columns: dict[str, np.ndarray] = {"epoch": steps // self.steps_per_epoch, "step": steps}
        for index, name in enumerate(metrics.names(self.task)):
            for part, table in (("train", train), ("validation", validation)):
                column = table[:, index].astype(np.float64) * self.units[index]
                columns[f"{part}_{name}"] = np.sqrt(column) if name == "rmse" else column
        return columns

    def trace(self) -> Trace:
        """What has been recorded so far."""
        batch_loss = np.concatenate([np.empty(0), *self._batch_loss])
        none = np.empty((0, len(metrics.names(self.task))))
        pieces = [self._columns(np.empty(0, np.int64), none, none), *self._epochs]
        return Trace(
            steps={
                "step": np.arange(1, len(batch_loss) + 1),
                "batch_loss": batch_loss,
                "learning_rate": self.rates[: len(batch_loss)],
            },
            epochs={name: np.concatenate([one[name] for one in pieces]) for name in pieces[0]},
        )
