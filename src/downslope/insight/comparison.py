"""What a comparison leaves: the courses of all trainings, and the sentence that they support."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Task
from downslope.engine import metrics
from downslope.insight.conclusion import conclude
from downslope.insight.significance import Difference, difference
from downslope.runs.outcome import Outcome
from downslope.runs.trace import Trace


@dataclass(frozen=True, eq=False)
class Course:
    """All trainings of one value.

    Attributes:
        name: The value as a person reads it.
        seeds: The seed of each training.
        epochs: How often all samples were seen.
        seconds: How long one training takes alone, by the pace that was measured.
        traces: The course of each training.
        outcomes: How each ended.
        values: The loss and the measures of each validation sample at each training's last
            weights, (trainings, N, measures).
        weights: How much each validation sample counts in the loss, or None.
        test: Each training's figures on the test part; empty while that is sealed.
    """

    name: str
    seeds: tuple[int, ...]
    epochs: int
    seconds: float
    traces: tuple[Trace, ...]
    outcomes: tuple[Outcome, ...]
    values: Float[np.ndarray, "trainings n measures"]
    weights: np.ndarray | None = None
    test: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def diverged(self) -> int:
        """How many of the trainings ended in numbers that are not finite."""
        return sum(one.reason == "non_finite" for one in self.outcomes)

    def of(self, place: int) -> Float[np.ndarray, " trainings"]:
        """One figure of each training on validation: 0 the loss, then the task's measures."""
        weights = self.weights if place == 0 else None
        return np.array([np.average(one[:, place], weights=weights) for one in self.values])


@dataclass(frozen=True, eq=False)
class Comparison:
    """Values of one setting beside each other.

    Attributes:
        setting: What was varied.
        data: Name of the data set.
        task: What was learnt.
        figure: What they are judged by: "loss", or the task's first measure where losses cannot
            be compared.
        samples: How many training samples there are.
        equal_samples: A course per value, all over the same epochs unless these were varied.
        equal_time: The same trained for as long as the slowest takes; empty where it makes no
            difference.
        notes: What a reader has to know, a sentence each.
        is_interrupted: Whether values are missing because it was stopped.
    """

    setting: str
    data: str
    task: Task
    figure: str
    samples: int
    equal_samples: tuple[Course, ...]
    equal_time: tuple[Course, ...]
    notes: tuple[str, ...]
    is_interrupted: bool = False

    @property
    def place(self) -> int:
        """The place of the figure among those of a course."""
        return metrics.names(self.task).index(self.figure)

    @property
    def conclusion(self) -> str:
        """What the figures support, in a few sentences."""
        return conclude(self)

    def differences(self, courses: Sequence[Course]) -> dict[str, Difference]:
        """How far each course lies from the best of them; only those that did not diverge.

        The difference is positive where the other's figure is larger.
        """
        whole = [one for one in courses if not one.diverged]
        if not whole:
            return {}
        best = self.best(whole)
        pairs = len(whole) * (len(whole) - 1) // 2
        weights = best.weights if self.place == 0 else None
        first = best.values[:, :, self.place]
        return {
            one.name: difference(first, one.values[:, :, self.place], weights, pairs=pairs)
            for one in whole
            if one is not best
        }

    def best(self, courses: Sequence[Course]) -> Course:
        """The course with the best mean figure."""
        sign = -1 if self.figure == "accuracy" else 1
        return min(courses, key=lambda one: sign * float(one.of(self.place).mean()))
