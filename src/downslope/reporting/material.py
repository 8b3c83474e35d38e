"""What the chapters of a report are written from: a run, and what was found out about it once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from downslope.data.dataset import Dataset, Samples
from downslope.data.progress import OnProgress
from downslope.errors import DataError, RunError
from downslope.insight.first_step import Beginning, beginning
from downslope.insight.generalization import epochs_of
from downslope.insight.layers import POINTS, spread_steps
from downslope.insight.path import steps_of
from downslope.insight.step import StepTrace, trace_step
from downslope.numerals import rounded
from downslope.plots.crowds import choose_over_range
from downslope.runs.replay import replay
from downslope.runs.run import Run

FEW = 6  # training samples that the story follows
LONGEST = 60.0  # seconds that a training took, to be gone through once more
MOST_TRACED = 5_000_000  # multiplications for a prediction: more factors than a table tells
LEFT_OUT = "The gap between training and validation loss, the layers and the surface are left out:"


@dataclass(frozen=True, eq=False)
class Material:
    """A run with its data at hand.

    Attributes:
        run: The run.
        with_test: Whether the sealed test part may be opened, which counts as a look at it.
        on_progress: Called with (done, in all), for each part of the work that takes a while.
    """

    run: Run
    with_test: bool = True
    on_progress: OnProgress | None = None

    @property
    def dataset(self) -> Dataset:
        """The run's data."""
        assert self.run.dataset is not None
        return self.run.dataset

    @cached_property
    def beginning(self) -> Beginning | None:
        """How it began; None where that is not known."""
        return beginning(self.run)

    @cached_property
    def unseen(self) -> str:
        """Why the training cannot be gone through once more, as a sentence; empty where it was.

        In one walk it comes by all the states that the story looks at, which its replay keeps.
        """
        run = self.run
        if run.seconds.training > LONGEST:
            return (
                f"{LEFT_OUT} they require repeating the training, which took "
                f"{run.seconds.training:.0f} s. The commands generalization, layers and surface "
                "show them."
            )
        try:
            per_epoch = replay(run).steps_per_epoch
            steps = spread_steps(run.outcome.step, POINTS) if run.outcome.step else []
            wanted = {0, run.outcome.kept_step, *steps, *(step - 1 for step in steps)}
            wanted |= {epoch * per_epoch for epoch in epochs_of(run)} | {*steps_of(run)}
            for _ in replay(run).states(map(int, wanted), self.on_progress):
                pass
        except (RunError, DataError) as error:
            return f"{LEFT_OUT} {error.received[0].lower()}{error.received[1:]}"
        return ""

    @cached_property
    def furthest(self) -> int | None:
        """Which of the few the untrained network was furthest off for; None if that is unknown."""
        if self.beginning is None:
            return None
        losses = self.losses(self.beginning.untrained)
        return int(np.nanargmax(losses)) if np.isfinite(losses).any() else None

    @cached_property
    def traced(self) -> StepTrace | None:
        """The first step as it was for that sample; None where it cannot be followed."""
        run, begun = self.run, self.beginning
        if begun is None or self.furthest is None or not begun.layers or not run.outcome.step:
            return None
        if run.network.multiplications(run.data.input_shape) > MOST_TRACED:
            return None
        try:
            return trace_step(run, 1, int(self.chosen[self.furthest]))
        except (RunError, DataError):
            return None

    @cached_property
    def chosen(self) -> np.ndarray:
        """Which training samples the story follows: of many classes, or over the whole range."""
        targets = self.dataset.train.targets
        if self.run.data.task == "classification":
            truth = targets if targets.ndim == 1 else targets.argmax(axis=1)
            classes = np.unique(truth)[:FEW]
            each = -(-FEW // len(classes))
            indices = [np.flatnonzero(truth == one)[:each] for one in classes]
            return np.sort(np.concatenate(indices)[:FEW])
        if self.run.data.task == "counting":
            return choose_over_range(self.dataset.train.counts, FEW)
        return choose_over_range(targets.reshape(len(targets), -1)[:, 0], FEW)

    @cached_property
    def few(self) -> Samples:
        """Those samples."""
        return self.dataset.train.take(self.chosen)

    @cached_property
    def truths(self) -> list[str]:
        """The target of each of them, in words."""
        return self.in_words(self._truth)

    @property
    def _truth(self) -> np.ndarray:
        if self.run.data.task == "counting":
            return self.few.counts
        targets = self.few.targets
        are_fractions = self.run.data.task == "classification" and targets.ndim > 1
        return targets.argmax(axis=1) if are_fractions else targets

    def in_words(self, predictions: np.ndarray) -> list[str]:
        """Answers as a person reads them."""
        if self.run.data.task == "classification":
            return [self.run.data.class_names[index] for index in predictions]
        if self.run.data.task == "counting":
            return [f"{value:,.1f}".removesuffix(".0") + " people" for value in predictions]
        names = self.run.data.target_names
        if self.run.data.task == "multilabel":
            held = (
                [name for name, one in zip(names, row, strict=True) if one > 0.5]
                for row in predictions
            )
            return [", ".join(one) or "none" for one in held]
        if len(names) > 1:
            pairs = (zip(names, np.ravel(one), strict=True) for one in predictions)
            return [", ".join(f"{name} {rounded(one)}" for name, one in row) for row in pairs]
        return [", ".join(rounded(one) for one in np.ravel(value)) for value in predictions]

    def losses(self, run: Run) -> np.ndarray:
        """The loss of each of the few samples at a run's weights, (few,)."""
        return run.losses(self.few)
