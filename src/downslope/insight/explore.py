"""A loss that nobody can look at: its value at a few points, a guess, and the way its slope leads.

Training never sees the graph of its loss. It can compute the loss at the weights that it has, and
the slope there, which says in which direction the loss falls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float

from downslope.engine.settings import LARGEST_SEED
from downslope.errors import SettingError
from downslope.insight.expression import parse_expression
from downslope.insight.slope import number
from downslope.result import Part, Result
from downslope.text import Table, amount

LOW, HIGH = 0.0, 10.0  # the weight lies between them
MOST_POINTS = 100
CURVE_POINTS = 2001  # on which the lowest point and the curvature are found
MOST_STEPS = 60
_NEAR = 0.005  # a step as small as this is the last
_TOLD = 6  # steps that are told one by one, and the last


@dataclass(frozen=True, eq=False)
class Exploration(Result):
    """What was seen of a hidden loss, and the descent from the best guess.

    Attributes:
        seed: Which curve it is.
        points: The weights at which the loss was computed, (points,).
        losses: The loss at each, (points,).
        slopes: The slope at each, (points,).
        guess: The point with the lowest loss.
        learning_rate: What the slope is multiplied by to be a step.
        path: The weights from the guess on, one more than steps, (steps + 1,).
        path_losses: The loss at each, (steps + 1,).
        path_slopes: The slope at each, (steps + 1,).
        lowest: The weight with the lowest loss of the whole curve.
        lowest_loss: The loss there.
        formula: The loss of the weight x, which was hidden.
        x: Points of the curve, (N,).
        y: Its values, (N,).
    """

    seed: int
    points: Float[np.ndarray, " points"]
    losses: Float[np.ndarray, " points"]
    slopes: Float[np.ndarray, " points"]
    guess: float
    learning_rate: float
    path: Float[np.ndarray, " steps"]
    path_losses: Float[np.ndarray, " steps"]
    path_slopes: Float[np.ndarray, " steps"]
    lowest: float
    lowest_loss: float
    formula: str
    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]

    @property
    def is_lowest(self) -> bool:
        """Whether the descent ended at the lowest point of the whole curve."""
        return bool(abs(self.path[-1] - self.lowest) < 0.05)

    @property
    def summary(self) -> str:
        """Where the guess and the slope led, beside the truth."""
        told = (
            f"The guess w = {number(self.guess, 4)} has the loss {number(self.losses.min(), 4)}. "
            f"Following the slope from there, {amount(len(self.path) - 1, 'step')} led to "
            f"w = {number(self.path[-1], 4)} with the loss {number(self.path_losses[-1], 4)}."
        )
        if self.is_lowest:
            return f"{told} That is the lowest point of the curve."
        return (
            f"{told} That is a local minimum: the curve is lowest at w = {number(self.lowest, 4)}, "
            f"with the loss {number(self.lowest_loss, 4)}. The slope leads downhill, not to the "
            "lowest of all valleys."
        )

    def parts(self) -> Iterator[Part]:
        """What was computed, what the slope says, the steps, and the curve's lowest point."""
        yield "The loss at the points:"
        rows = [_row(*one) for one in zip(self.points, self.losses, self.slopes, strict=True)]
        yield Table(("w", "loss", "slope"), rows, numeric=range(3))
        at = int(self.losses.argmin())
        yield ""
        yield (
            f"The lowest is at w = {number(self.guess, 4)}. The slope there is "
            f"{number(self.slopes[at], 4)}: {_says(self.slopes[at])}."
        )
        yield (
            f"Each step subtracts {number(self.learning_rate, 4)} (learning rate) times the slope:"
        )
        steps = list(enumerate(zip(self.path, self.path_losses, self.path_slopes, strict=True)))
        told = steps if len(steps) <= _TOLD + 1 else [*steps[:_TOLD], steps[-1]]
        yield Table(
            ("step", "w", "loss", "slope"),
            [(str(step), *_row(*one)) for step, one in told],
            numeric=range(4),
        )
        yield ""
        yield self.summary
        yield (
            f"{amount(len(self.points), 'look')} at one weight: for the same of 16 weights it "
            f"would take {len(self.points):,} to the power of 16, {len(self.points) ** 16:.2g} "
            "looks. Backpropagation computes the slopes of all 16 at the cost of about three "
            "looks."
        )


def _row(w: float, loss: float, slope: float) -> tuple[str, str, str]:
    return number(w, 4), number(loss, 4), number(slope, 4)


def _says(slope: float) -> str:
    if abs(slope) < 1e-3:
        return "the curve is level"
    return f"the loss falls towards {'smaller' if slope > 0 else 'larger'} w"


def hidden_loss(seed: int = 0) -> str:
    """The loss of one weight x from 0 to 10, drawn from a seed: a bowl with one or more valleys.

    Args:
        seed: A whole number.

    Raises:
        SettingError: It is none.

    Example:
        >>> from downslope.insight.explore import hidden_loss
        >>> hidden_loss(1) == hidden_loss(1)
        True
    """
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        raise SettingError(
            f"The seed is {seed!r}.", f"a whole number from 0 to {LARGEST_SEED}", "Try 0."
        )
    draw = np.random.default_rng((seed, 500))
    middle, width = draw.uniform(2, 8), draw.uniform(0.08, 0.2)
    height, waves, phase = draw.uniform(0.3, 1.0), draw.uniform(0.9, 1.6), draw.uniform(0, 6.28)
    bowl = f"{width:.3f}*(x - {middle:.3f})**2"
    return f"{bowl} + {height:.3f}*sin({waves:.3f}*x + {phase:.3f}) + {height + 0.3:.3f}"


def checked_point(w: float | str) -> float:
    """A weight at which the hidden loss can be computed; a text is refused.

    Raises:
        SettingError: It is not a number from 0 to 10.
    """
    if not (isinstance(w, int | float | np.number) and LOW <= w <= HIGH):
        raise SettingError(
            f"The weight {w if isinstance(w, str) else f'{w:g}'} was asked for.",
            f"a number from {LOW:g} to {HIGH:g}",
            "Choose points between these.",
        )
    return float(w)


def explore(at: Sequence[float], *, seed: int = 0) -> Exploration:
    """Compute a hidden loss at a few weights, and follow its slope from the lowest of them.

        w <- w - learning_rate dL/dw

    The learning rate is 1 / (largest curvature), so that no step goes uphill.

    Args:
        at: The weights at which to compute the loss, each from 0 to 10.
        seed: Which loss; the same seed gives the same.

    Returns:
        The losses and slopes at these weights, the descent, and the curve that was hidden.

    Raises:
        SettingError: There is no point, or one lies outside; or the seed is no whole number.

    Example:
        >>> found = ds.insight.explore((2, 5, 8), seed=3)
        >>> bool(found.path_losses[-1] <= found.losses.min())
        True
    """
    formula = hidden_loss(seed)
    points = [checked_point(one) for one in np.ravel(np.asarray(at, dtype=object))]
    if not 1 <= len(points) <= MOST_POINTS:
        raise SettingError(
            f"There are {len(points)} points.", f"1 to {MOST_POINTS}", "Write e.g. at=(2, 5, 8)."
        )
    losses, slopes = losses_and_slopes(formula, points)
    x = np.linspace(LOW, HIGH, CURVE_POINTS)
    y, _ = losses_and_slopes(formula, x)
    bends = np.abs(np.diff(y, 2)) / (x[1] - x[0]) ** 2
    rate = float(f"{1 / bends.max():.2g}")
    path = _descent(formula, points[int(losses.argmin())], rate)
    lowest = int(y.argmin())
    return Exploration(
        seed=seed,
        points=np.array(points),
        losses=losses,
        slopes=slopes,
        guess=points[int(losses.argmin())],
        learning_rate=rate,
        path=path[:, 0],
        path_losses=path[:, 1],
        path_slopes=path[:, 2],
        lowest=float(x[lowest]),
        lowest_loss=float(y[lowest]),
        formula=formula,
        x=x,
        y=y,
    )


def losses_and_slopes(
    formula: str, weights: Sequence[float] | np.ndarray
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """A hidden loss and its derivative at some weights, in float64."""
    with jax.enable_x64(True):
        function = jax.vmap(jax.value_and_grad(parse_expression(formula)))
        losses, slopes = function(np.asarray(weights, np.float64))
    return np.asarray(losses), np.asarray(slopes)


def _descent(formula: str, start: float, rate: float) -> Float[np.ndarray, "steps 3"]:
    """Weight, loss and slope from a start until a step is tiny; at the ends it stays inside."""
    rows, w = [], start
    for _ in range(MOST_STEPS + 1):
        (loss,), (slope,) = losses_and_slopes(formula, [w])
        rows.append((w, loss, slope))
        following = min(max(w - rate * float(slope), LOW), HIGH)
        if abs(following - w) < _NEAR:
            break
        w = following
    return np.array(rows)
