"""The straight line between two solutions, and the barrier on it.

Two trainings that start differently end at different weights that may be equally good. Whether a
valley joins them is seen on the line between: the barrier is how far the loss rises above the
straight line from the one loss to the other (Frankle et al., Linear mode connectivity and the
lottery ticket hypothesis, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from downslope.errors import SettingError
from downslope.insight.surface import MOST_SAMPLES, losses_of, some_of
from downslope.nn.notation import describe
from downslope.numerals import rounded
from downslope.runs.run import Run

POINTS = 51


@dataclass(frozen=True, eq=False)
class Line:
    """Losses on the way from one solution to another.

    Attributes:
        along: How far along, from 0 to 1, (points,).
        train_loss: The mean training loss at each point, (points,).
        validation_loss: Likewise the validation loss.
        distance: How far the two lie apart in weight space.
        samples: How many samples of the training and of the validation part were used.
    """

    along: Float[np.ndarray, " points"]
    train_loss: Float[np.ndarray, " points"]
    validation_loss: Float[np.ndarray, " points"]
    distance: float
    samples: tuple[int, int]

    @property
    def train_barrier(self) -> float:
        """How far the training loss rises above the line between its ends; 0 for not at all."""
        return _barrier(self.along, self.train_loss)

    @property
    def validation_barrier(self) -> float:
        """Likewise the validation loss."""
        return _barrier(self.along, self.validation_loss)

    @property
    def message(self) -> str:
        """What is to be seen, in a sentence."""
        start, end = (float(self.train_loss[place]) for place in (0, -1))
        return (
            f"On the straight line from a training loss of {rounded(start)} to one of "
            f"{rounded(end)} there is a barrier of {rounded(self.train_barrier)} (validation: "
            f"{rounded(self.validation_barrier)}). The distance between the two is "
            f"{rounded(self.distance, 3)}."
        )


def line(one: Run, other: Run, *, points: int = POINTS, most_samples: int = MOST_SAMPLES) -> Line:
    """Find the loss on the straight line between the weights of two runs.

    Args:
        one: A run.
        other: A run of the same network on the same data.
        points: How many points there are, both ends among them.
        most_samples: Of more samples of a part, so many are used, always the same.

    Raises:
        DataError: The data of the first run is gone or has changed.
        SettingError: The runs are not of one network and one data set, or there are too few
            points.
    """
    if not isinstance(points, int) or points < 2:
        raise SettingError(
            f"The number of points is {points!r}.", "a whole number of at least 2", "Try 51."
        )
    pairs = {
        "network": (describe(one.network), describe(other.network)),
        "data": (one.data.fingerprint, other.data.fingerprint),
        "loss": (one.loss.name, other.loss.name),
    }
    for what, (mine, yours) in pairs.items():
        if mine != yours:
            said = "" if what == "data" else f": {mine!r} and {yours!r}"
            raise SettingError(
                f"The two runs differ in their {what}{said}.",
                "two runs of one network on the same data with the same loss",
                "Train both with the same words but another --seed.",
            )
    one = one.with_data()
    away = jax.tree.map(
        lambda end, start: np.asarray(end) - np.asarray(start), other.parameters, one.parameters
    )
    along = np.linspace(0, 1, points)
    parts = some_of(one, most_samples)
    losses = [
        losses_of(one, part, one.parameters, directions=[away], coefficients=along)
        for part in parts
    ]
    squares = [float((leaf.astype(np.float64) ** 2).sum()) for leaf in jax.tree.leaves(away)]
    return Line(
        along=along,
        train_loss=losses[0],
        validation_loss=losses[1],
        distance=float(np.sqrt(sum(squares))),
        samples=(len(parts[0]), len(parts[1])),
    )


def _barrier(along: np.ndarray, losses: np.ndarray) -> float:
    straight = losses[0] + along * (losses[-1] - losses[0])
    return max(0.0, float((losses - straight).max()))
