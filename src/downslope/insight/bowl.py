"""Figure 4 of the article: the loss of two weights is a bowl, and descent goes to its lowest point.

The network is one neuron with two inputs and no bias; four samples make its mean square error

    L(w1, w2) = (w1 - 4)^2 + (w2 - 3)^2 / 2

exactly. Along w1 the bowl is twice as steep as along w2, so that a step can be too large for the
one and still be small for the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from downslope.engine.settings import Settings
from downslope.errors import SettingError
from downslope.insight.descent import walk
from downslope.nn.losses import LOSSES
from downslope.numerals import rounded
from downslope.result import Part, Result
from downslope.text import Table

LOWEST = (4.0, 3.0)
CURVATURES = (2.0, 1.0)  # the second derivatives along w1 and w2: the Hessian's eigenvalues
LARGEST_RATE = 2 / max(CURVATURES)  # above, plain gradient descent must diverge
_MINUS = "\N{MINUS SIGN}"
NAMES = ("w1", "w2")
_FLOAT32 = 1e-6  # as near to the lowest point as 32-bit weights come
RATES = (0.05, 0.6, 1.02)
START = (0.5, -1.5)
STEPS = 15

# each truth is what the weights 4 and 3 answer
INPUTS = np.array([[1, 1], [1, -1], [1, 0], [1, 0]], np.float32)
TARGETS = np.array([[7], [1], [4], [4]], np.float32)


def loss_at(w1: float | np.ndarray, w2: float | np.ndarray) -> np.ndarray:
    """The mean square error over the four samples, in float64."""
    return (np.asarray(w1, np.float64) - 4) ** 2 + (np.asarray(w2, np.float64) - 3) ** 2 / 2


def gradient_at(w1: float, w2: float) -> tuple[float, float]:
    """The direction in which the loss grows fastest, and how fast."""
    return 2.0 * (w1 - 4), float(w2 - 3)


@dataclass(frozen=True, eq=False)
class Descent(Result):
    """One descent on the bowl.

    Attributes:
        rate: The learning rate.
        weights: The weights before the first step and after each, (steps + 1, 2), float64.
        losses: The loss at each of them, (steps + 1,), float64.
    """

    rate: float
    weights: Float[np.ndarray, "steps 2"]
    losses: Float[np.ndarray, " steps"]

    _also: ClassVar[tuple[str, ...]] = ("distance",)

    @property
    def distance(self) -> float:
        """The distance of the last weights from the minimum."""
        return float(np.hypot(*(self.weights[-1] - LOWEST)))

    @property
    def overshoots(self) -> tuple[str, ...]:
        """The weights, "w1" or "w2", that jump across the minimum at each step."""
        side = self.weights - LOWEST
        crosses = np.asarray((side[1:] * side[:-1] < 0).all(axis=0))
        return tuple(name for name, one in zip(NAMES, crosses, strict=True) if one)

    @property
    def diverges(self) -> tuple[str, ...]:
        """The weights that are farther from the minimum after each step."""
        far = np.abs(self.weights - LOWEST)
        grows = np.asarray((far[1:] > far[:-1]).all(axis=0))
        return tuple(name for name, one in zip(NAMES, grows, strict=True) if one)

    @property
    def summary(self) -> str:
        """How it went, in a few words."""
        first = float(np.hypot(*(self.weights[0] - LOWEST)))
        if first == self.distance == 0:
            return "stays: it begins at the lowest point"
        if self.diverges:
            weights = " and ".join(self.diverges)
            return f"overshoots: {weights} jumps across, farther away after each step"
        if not self.losses[-1] <= self.losses[0]:
            stops = (self.weights[-1] == self.weights[-2]).all()
            stopped = ", until the next step would be too large for 32-bit numbers"
            return f"overshoots, farther away than it began{stopped if stops else ''}"
        if self.distance < max(_FLOAT32, 0.01 * min(1.0, first)):
            return "arrives"
        crossing = " and ".join(self.overshoots)
        jumps = f", {crossing} jumping across at each step" if crossing else ""
        return f"still {rounded(self.distance, 2)} away{jumps}"


@dataclass(frozen=True, eq=False)
class Bowl(Result):
    """Descents on the bowl from one start.

    Attributes:
        start: The two weights before the first step.
        gradient: The slope of the loss along each of them there: the arrow uphill.
        descents: One per learning rate.
    """

    start: tuple[float, float]
    gradient: tuple[float, float]
    descents: tuple[Descent, ...]

    _also: ClassVar[tuple[str, ...]] = ("lowest",)

    @property
    def summary(self) -> str:
        """What the numbers show."""
        loss = rounded(float(loss_at(*self.start)))
        lowest = f"The loss is lowest at {_point(LOWEST)}."
        if not any(self.gradient):
            return (
                f"{lowest} This is where the descents begin: the gradient there is (0, 0), no "
                "direction leads down, and no step moves."
            )
        return (
            f"{lowest} From {_point(self.start)}, where it is {loss}, "
            f"the gradient {_point(self.gradient)} points uphill, and each step goes the other "
            f"way. A step at the rate r multiplies the distance of w1 from 4 by 1 {_MINUS} 2r and "
            f"that of w2 from 3 by 1 {_MINUS} r: at a rate above {rounded(LARGEST_RATE)}, w1 jumps "
            "across and ends farther away."
        )

    @property
    def lowest(self) -> tuple[float, float]:
        """The two weights at which the loss is lowest."""
        return float(LOWEST[0]), float(LOWEST[1])

    def parts(self) -> Iterator[Part]:
        """Where each descent ended and how it went, and the summary."""
        rows = [
            [
                rounded(one.rate, 6),
                *map(_weight, one.weights[-1]),
                rounded(one.losses[-1]),
                one.summary,
            ]
            for one in self.descents
        ]
        yield Table(("rate", "w1", "w2", "loss", "how it went"), rows, numeric=range(4))
        yield ""
        yield self.summary


def _weight(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 1e6 else rounded(value)


def _point(pair: Sequence[float]) -> str:
    return f"({rounded(pair[0], 6)}, {rounded(pair[1], 6)})".replace("-", "\N{MINUS SIGN}")


def bowl(
    *,
    rates: Sequence[float] = RATES,
    start: Sequence[float] = START,
    steps: int = STEPS,
) -> Bowl:
    """Descend with gradient descent on a loss of two weights, the bowl with its minimum at (4, 3).

        L(w1, w2) = (w1 - 4)^2 + (w2 - 3)^2 / 2

    Each step is one of the engine's own: w <- w - rate * gradient. Above a rate of 1, w1
    overshoots.

    Args:
        rates: Learning rates; by default a small one, a good one, and one that is too large.
        start: The two weights before the first step.
        steps: Number of steps of each descent.

    Returns:
        The descents, in the order of the rates, with the gradient at the start.

    Raises:
        SettingError: A rate, the start or the number of steps is out of range.

    Example:
        >>> found = ds.insight.bowl(rates=(0.05, 0.6))
        >>> [descent.summary for descent in found.descents]
        ['still 2.2 away', 'arrives']
    """
    rates, start = tuple(map(float, rates)), tuple(start)
    if not rates or len(start) != 2 or not all(map(math.isfinite, start)):
        raise SettingError(
            f"There are {len(rates)} learning rates, and the start is {start!r}.",
            "at least one rate, and two finite numbers to start from",
            "Leave them out for those of the article's figure.",
        )
    settings = Settings(
        loss="squared_error", batch_size="full", epochs=steps, learning_rate=rates[0]
    )
    loss = replace(LOSSES["squared_error"], degree=None)  # weights in the bowl's own units
    walks = walk(
        INPUTS, TARGETS, loss, settings, np.array([start] * len(rates)), learning_rates=list(rates)
    )
    descents = []
    for index, rate in enumerate(rates):
        weights = walks.weights[:, index].astype(np.float64)
        descents.append(Descent(float(rate), weights, loss_at(*weights.T)))
    gradient = gradient_at(*start)
    return Bowl((float(start[0]), float(start[1])), gradient, tuple(descents))
