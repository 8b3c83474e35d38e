"""What the chapters of a report are written from: a run, and what was found out about it once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np

from downslope.data.dataset import Dataset, Samples
from downslope.insight.beginning import Beginning, beginning
from downslope.learning.run import Run
from downslope.pictures.crowds import choose_over_range

FEW = 6  # training samples that the story follows


@dataclass(frozen=True, eq=False)
class Material:
    """A run with its data at hand.

    Attributes:
        run: The run.
        with_test: Whether the sealed test part may be opened, which counts as a look at it.
    """

    run: Run
    with_test: bool = True

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
    def chosen(self) -> np.ndarray:
        """Which training samples the story follows: of many classes, or over the whole range."""
        targets = self.dataset.train.targets
        if self.run.data.task == "classification":
            truth = targets if targets.ndim == 1 else targets.argmax(axis=1)
            classes = np.unique(truth)[:FEW]
            each = -(-FEW // len(classes))
            places = [np.flatnonzero(truth == one)[:each] for one in classes]
            return np.sort(np.concatenate(places)[:FEW])
        if self.run.data.task == "counting":
            return choose_over_range(self.dataset.train.counts, FEW)
        return choose_over_range(targets.reshape(len(targets), -1)[:, 0], FEW)

    @cached_property
    def few(self) -> Samples:
        """Those samples."""
        return self.dataset.train.take(self.chosen)

    @cached_property
    def truths(self) -> list[str]:
        """The true answer of each of them, in words."""
        return self.in_words(self._truth)

    @property
    def _truth(self) -> np.ndarray:
        if self.run.data.task == "counting":
            return self.few.counts
        targets = self.few.targets
        is_shares = self.run.data.task == "classification" and targets.ndim > 1
        return targets.argmax(axis=1) if is_shares else targets

    def in_words(self, answers: np.ndarray) -> list[str]:
        """Answers as a person reads them."""
        if self.run.data.task == "classification":
            return [self.run.data.class_names[index] for index in answers]
        if self.run.data.task == "counting":
            return [f"{value:,.1f}".removesuffix(".0") + " people" for value in answers]
        return [", ".join(f"{one:.4g}" for one in np.ravel(value)) for value in answers]

    def losses(self, run: Run) -> np.ndarray:
        """The loss of each of the few samples at a run's weights, (few,)."""
        outputs = jnp.asarray(run.outputs(self.few.inputs))
        return np.asarray(run.loss.per_sample(outputs, jnp.asarray(self.few.targets)))
