"""What a training left behind, in columns: a row per step, a row per measured epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from downslope.data.dataset import Task
from downslope.learning import measures


@dataclass(frozen=True, eq=False)
class Trace:
    """The course of a training.

    Attributes:
        steps: Columns with a row per step: "step" (from 1), "batch_loss" (before the step's
            change) and "learning_rate".
        epochs: Columns with a row per epoch behind which the losses were measured: "epoch" and
            "step" (from 1), then "train_loss", "validation_loss" and each measure of the task
            likewise, all at the weights behind that step.
    """

    steps: Mapping[str, np.ndarray]
    epochs: Mapping[str, np.ndarray]

    @property
    def batch_loss(self) -> np.ndarray:
        """The loss of each step's batch, shape (steps,)."""
        return self.steps["batch_loss"]

    @property
    def train_loss(self) -> np.ndarray:
        """The training loss behind each epoch, shape (epochs,)."""
        return self.epochs["train_loss"]

    @property
    def validation_loss(self) -> np.ndarray:
        """The validation loss behind each epoch, shape (epochs,)."""
        return self.epochs["validation_loss"]


@dataclass
class TraceBuilder:
    """A trace while it grows, chunk by chunk.

    Attributes:
        task: Decides which measures there are.
        rates: The learning rate of every step that is planned.
        steps_per_epoch: Steps in an epoch.
        is_measured: Which of some steps the losses are measured behind, from (K,) to (K,) bool.
    """

    task: Task
    rates: np.ndarray
    steps_per_epoch: int
    is_measured: Callable[[np.ndarray], np.ndarray]
    _batch_loss: list[np.ndarray] = field(default_factory=list)
    _evaluations: list[np.ndarray] = field(default_factory=list)  # rows: step, train, validation

    def append(
        self, start: int, batch_loss: np.ndarray, train: np.ndarray, validation: np.ndarray
    ) -> None:
        """Add the steps of one chunk.

        Args:
            start: Steps done before it.
            batch_loss: One per step, shape (steps,), with one more where the last step failed.
            train: Training measures behind each whole step, shape (steps, measures).
            validation: Validation measures, likewise.
        """
        self._batch_loss.append(batch_loss)
        steps = np.arange(start + 1, start + len(train) + 1)
        ends = self.is_measured(steps)
        self._evaluations.append(
            np.concatenate([steps[ends, None], train[ends], validation[ends]], axis=1)
        )

    def trace(self) -> Trace:
        """What has been recorded so far."""
        names = measures.names(self.task)
        batch_loss = np.concatenate([np.empty(0, np.float32), *self._batch_loss])
        table = np.concatenate([np.empty((0, 1 + 2 * len(names))), *self._evaluations])
        steps = table[:, 0].astype(np.int64)
        epochs: dict[str, np.ndarray] = {"epoch": steps // self.steps_per_epoch, "step": steps}
        for index, name in enumerate(names):
            for place, part in enumerate(("train", "validation")):
                column = table[:, 1 + place * len(names) + index].astype(np.float32)
                epochs[f"{part}_{name}"] = np.sqrt(column) if name == "rmse" else column
        return Trace(
            steps={
                "step": np.arange(1, len(batch_loss) + 1),
                "batch_loss": batch_loss,
                "learning_rate": self.rates[: len(batch_loss)],
            },
            epochs=epochs,
        )
