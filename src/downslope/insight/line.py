"""The straight line between two solutions, and the barrier on it.

Two trainings that start differently end at different weights that may be equally good. Whether a
valley joins them is seen on the line between: the barrier is how far the loss rises above the
straight line from the one loss to the other (Frankle et al., Linear mode connectivity and the
lottery ticket hypothesis, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from jaxtyping import Float

from downslope.engine.losses_at import losses_between
from downslope.errors import SettingError
from downslope.insight.surface import MOST_SAMPLES, some_of
from downslope.nn.layer import learned_arrays
from downslope.nn.notation import describe
from downslope.numerals import rounded
from downslope.result import OfParts, Result
from downslope.runs.run import Run

POINTS = 51


@dataclass(frozen=True, eq=False)
class Line(Result):
    """The losses on the straight line between the weights of two runs.

    Attributes:
        data: Name of the data set.
        loss: Name of the loss.
        along: The fraction of the way to the second run, from 0 to 1, (points,).
        train_loss: The mean training loss at each point, (points,).
        validation_loss: Likewise the validation loss.
        distance: The distance of the two in weight space.
        samples: How many samples of the training and of the validation part were used.
    """

    data: str
    loss: str
    along: Float[np.ndarray, " points"]
    train_loss: Float[np.ndarray, " points"]
    validation_loss: Float[np.ndarray, " points"]
    distance: float
    samples: OfParts

    _also: ClassVar[tuple[str, ...]] = ("barrier",)

    @property
    def barrier(self) -> OfParts:
        """How far each loss rises above the straight line between its ends; 0 for not at all."""
        losses = (self.train_loss, self.validation_loss)
        return OfParts(*(_barrier(self.along, one) for one in losses))

    @property
    def summary(self) -> str:
        """What is to be seen, in a sentence."""
        start, end = (float(self.train_loss[index]) for index in (0, -1))
        return (
            f"On the straight line from a training loss of {rounded(start)} to one of "
            f"{rounded(end)} there is a barrier of {rounded(self.barrier.train)} (validation: "
            f"{rounded(self.barrier.validation)}). The distance between the two is "
            f"{rounded(self.distance, 3)}."
        )


def line(one: Run, other: Run, *, points: int = POINTS, most_samples: int = MOST_SAMPLES) -> Line:
    """Find the loss on the straight line between the weights of two runs.

        L((1 - t) a + t b),  0 <= t <= 1

    A barrier between the two says that they are in different minima. With batch normalisation the
    running statistics of each point are computed from the training samples.

    Source: Goodfellow, Vinyals and Saxe, Qualitatively characterizing neural network optimization
    problems, 2015.

    Args:
        one: A run, with weights a.
        other: A run of the same network on the same data, with weights b.
        points: Number of points, both ends included.
        most_samples: Of more samples of a part, so many are used, always the same.

    Returns:
        Training and validation loss at each point.

    Raises:
        DataError: The data of the first run is missing or has changed.
        SettingError: The runs are not of one network and one data set, or there are too few
            points.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> other = ds.train("dense 8 tanh, dense 2", "moons", epochs=2, seed=1)
        >>> ds.insight.line(run, other, points=11).train_loss.shape
        (11,)
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
    losses = losses_between(one.model, other.parameters, along, parts, parts[0])
    squares = [float((leaf.astype(np.float64) ** 2).sum()) for leaf in learned_arrays(away)]
    return Line(
        data=one.data.name,
        loss=one.loss.name,
        along=along,
        train_loss=losses[0],
        validation_loss=losses[1],
        distance=float(np.sqrt(sum(squares))),
        samples=OfParts(*map(len, parts)),
    )


def _barrier(along: np.ndarray, losses: np.ndarray) -> float:
    straight = losses[0] + along * (losses[-1] - losses[0])
    return max(0.0, float((losses - straight).max()))
