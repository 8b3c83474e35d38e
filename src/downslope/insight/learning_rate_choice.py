"""Which of the rates that were tried is the best, and where good, slow and overshooting ones end.

Final losses differ from seed to seed by more than from rate to rate, and the lowest of many is low
by luck. So seeds are averaged, both as they are and as logarithms (the one sees a seed that fails,
the other is not ruled by it), and each rate is averaged with its neighbours. A rate at which the
loss first rises far above where it began is not recommended, even where it ends well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from downslope.errors import DataError
from downslope.insight.learning_rate_trials import Round

WITHIN = math.log(1.1)  # of the lowest loss: good
REACHED = 0.9  # of what can be gained: neither too slow nor overshooting
WORST = 2.0  # beyond e^2 times the lowest loss it does not matter how bad a rate is
_NARROW = np.array([1, 2, 1]) / 4  # weights of neighbours
_BROAD = np.array([1, 4, 6, 4, 1]) / 16  # and in a second look of few seeds
_FEW_SEEDS = 4
MOST_RISEN = 0.25  # of the seeds of a rate that may be recommended
LARGEST_DRIFT = 0.35  # the power of the length with which the best rate may fall


@dataclass(frozen=True, eq=False)
class Choice:
    """What the averaged losses say.

    Attributes:
        rates: The rates, rising, (R,).
        losses: Their averaged validation losses, (R,).
        index: The index of the lowest.
        rate: The best rate, between its neighbours where a parabola through them is lowest.
        good: The lowest and the highest rate within a tenth of the lowest loss.
    """

    rates: Float[np.ndarray, " rates"]
    losses: Float[np.ndarray, " rates"]
    index: int
    rate: float
    good: tuple[float, float]

    def overshoots(self, near: Round, wide: Round) -> float | None:
        """The lowest rate above the best at which steps jump too far; None for none."""
        for one in (near, wide):
            is_above = np.arange(len(one.rates)) > _lowest(one)
            bad = one.rose.any(axis=1) | (~_reached(one) & is_above)
            found = one.rates[bad & (one.rates > self.rate)]
            if len(found):
                return float(found[0])
        return None

    def too_slow(self, near: Round, wide: Round) -> float | None:
        """The rate below which too little is gained; None where none was so small.

        A training of less length is too slow at rates that are larger by as much.
        """
        for one, factor in ((near, 1.0), (wide, wide.fraction / near.fraction)):
            rates = one.rates * factor
            is_below = np.arange(len(rates)) < _lowest(one)
            slow = ~_reached(one) & is_below & (rates < self.good[0])
            if slow.any():
                return float(rates[slow][-1])
        return None


def choose(tried: Round) -> Choice:
    """The best of some rates, whose ratio is the same throughout.

    Raises:
        DataError: The loss is finite at none of them.
    """
    heights = _smoothed(tried, _BROAD if len(tried.seeds) <= _FEW_SEEDS else _NARROW)
    index = int(heights.argmin())
    logs = np.log(tried.rates)
    best = _lowest_between(logs, heights, index)
    low, high = _crossing(logs, heights, index, -1), _crossing(logs, heights, index, 1)
    return Choice(
        rates=tried.rates,
        losses=np.exp(heights),
        index=index,
        rate=float(np.exp(best)),
        good=(float(np.exp(min(low, best))), float(np.exp(max(high, best)))),
    )


def best_of(wide: Round) -> float:
    """The best rate of a first look.

    Raises:
        DataError: The loss is finite at none of its rates.
    """
    return float(wide.rates[_smoothed(wide, _NARROW).argmin()])


def drift(short: float, long: float, fraction: float, left: float) -> float:
    """By what the best rate of a training still changes when it becomes as long as it will be.

    Longer trainings end best with lower rates, and by how much depends on the case: what two
    lengths show is carried on to the third, as a power of the length.

    Args:
        short: The best rate of trainings of a `fraction` of the length of others.
        long: The best rate of those.
        fraction: That fraction.
        left: The length of the others beside the whole training.
    """
    power = math.log(short / long) / math.log(1 / fraction)
    return left ** min(max(power, 0.0), LARGEST_DRIFT)


def merged(one: Round, other: Round) -> Round:
    """Two rounds of the same seeds and length as one."""
    rates = np.concatenate([one.rates, other.rates])
    order = np.argsort(rates)

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(one, name), getattr(other, name)])[order]

    return replace(
        one,
        rates=rates[order],
        **{name: joined(name) for name in ("validation_loss", "train_loss", "rose")},
    )


def _smoothed(tried: Round, bell: np.ndarray) -> np.ndarray:
    """The logarithms of the losses, averaged over seeds and neighbours."""
    losses = tried.validation_loss
    known = losses[np.isfinite(losses)]
    if not len(known):
        raise DataError(
            "The loss is finite at none of the learning rates that were tried.",
            "a loss that training can make smaller",
            "Look for missing or huge values in the data.",
        )
    shift = min(0.0, float(known.min()))  # a loss of the user's own may be negative
    losses = np.where(np.isfinite(losses), losses, 1e6 * float(np.abs(known).max()))
    usable = np.maximum(losses - 2 * shift, 1e-12)
    heights = (np.log(usable.mean(axis=1)) + np.log(usable).mean(axis=1)) / 2
    jumps = tried.rose.mean(axis=1) > MOST_RISEN  # not to be recommended, however it may end
    heights = np.where(jumps & ~jumps.all(), np.inf, heights)
    heights = np.minimum(heights, heights.min() + WORST)
    room = len(bell) // 2
    return np.convolve(np.pad(heights, room, mode="edge"), bell, mode="valid")


def _lowest_between(logs: np.ndarray, heights: np.ndarray, index: int) -> float:
    """Where the parabola through a lowest value and its neighbours is lowest."""
    if not 0 < index < len(logs) - 1:
        return float(logs[index])
    before, here, after = heights[index - 1 : index + 2]
    bend = before - 2 * here + after
    step = 0.5 * (before - after) / bend if bend > 0 else 0.0
    return float(logs[index] + np.clip(step, -0.5, 0.5) * (logs[index + 1] - logs[index]))


def _crossing(logs: np.ndarray, heights: np.ndarray, index: int, way: int) -> float:
    """How far to one side of the lowest the losses stay within a tenth of it."""
    limit, at = heights[index] + WITHIN, index
    while 0 <= at + way < len(logs) and heights[at + way] <= limit:
        at += way
    if not 0 <= at + way < len(logs):
        return float(logs[at])
    part = (limit - heights[at]) / (heights[at + way] - heights[at])
    return float(logs[at] + part * (logs[at + way] - logs[at]))


def _lowest(one: Round) -> int:
    """The index of the lowest training loss."""
    return int(one.train_loss.mean(axis=1).argmin())


def _reached(one: Round) -> np.ndarray:
    """Whether each rate gains nine tenths of what the best gains of the training loss."""
    losses = one.train_loss.mean(axis=1)
    lowest = losses[np.isfinite(losses)].min(initial=one.start_loss)
    return one.start_loss - losses >= REACHED * (one.start_loss - lowest)
