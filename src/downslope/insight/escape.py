"""Figure 5 of the article: a local minimum, and whether descent gets out of it.

The loss of one weight w is the mean of many samples' curves. With u = w - 5 the mean is

    c(u) = (u^4 / 4 + u^3 / 2 - 7 u^2 / 2) / 9 + 3.5

from u = -5 to 4, and goes on as a parabola beyond. Its slope is (u + 3.5) u (u - 2) / 9: the
global minimum A lies at w = 1.5, the local minimum B at w = 7, and the hill between them at
w = 5. Each sample tilts this curve by a slope of its own, and the tilts of all samples add up to
nothing. All samples together therefore see the mean curve alone, while the step of some of them
is pushed to and fro by their tilts: by so much less as the root of their number is larger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.engine.settings import BatchSize, Settings
from downslope.errors import SettingError
from downslope.insight.descent import walk
from downslope.nn.losses import Loss
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.text import Table

A, HILL, B = 1.5, 5.0, 7.0
SAMPLES = 4096
STEEPEST_TILT = 60.0  # tilts are spread evenly from its negative to it
STARTS = 200
BATCH_SIZES: tuple[BatchSize, ...] = ("full", 256, 1)
EPOCHS = 32
LEARNING_RATE = 0.3
NEAR = 0.5  # within this of a minimum, a walker counts as having been there
A_BEGINS, B_ENDS = -1.0, 9.0  # A is from there to the hill, B from the hill to there
_LOW, _HIGH = -5.0, 4.0  # beyond, a parabola: a quartic would throw far steps farther


def mean_curve(w: Any) -> Any:
    """The loss of all samples together, at weights of any shape."""
    u = w - HILL
    v = (jnp if isinstance(u, jax.Array) else np).clip(u, _LOW, _HIGH)
    quartic = (v**4 / 4 + v**3 / 2 - 3.5 * v**2) / 9 + 3.5
    slope, bend = (v + 3.5) * v * (v - 2) / 9, (3 * v**2 + 3 * v - 7) / 9
    return quartic + slope * (u - v) + bend * (u - v) ** 2 / 2


def tilts() -> Float[np.ndarray, " samples"]:
    """Each sample's own slope, added to that of the mean; they sum to 0 exactly."""
    half = STEEPEST_TILT * (np.arange(SAMPLES // 2) + 0.5) / (SAMPLES // 2)
    return np.concatenate([-half[::-1], half])


def sample_curve(w: Any, tilt: Any) -> Any:
    """The loss of one sample alone."""
    return mean_curve(w) + tilt * (w - HILL)


def _per_sample(prediction: Float[Array, "n 1"], target: Float[Array, "n 1"]) -> Float[Array, " n"]:
    return sample_curve(prediction, target)[:, 0]


@dataclass(frozen=True, eq=False)
class Walkers:
    """The paths of all starts with one batch size.

    Attributes:
        batch_size: Samples per step, or "full".
        steps: Number of steps of each start.
        path: The weight of each start after every epoch, (epochs + 1, starts); the starts first.
        reached: Whether each was ever near A, (starts,) bool.
        left: Whether it was near B again after that, (starts,) bool.
    """

    batch_size: BatchSize
    steps: int
    path: Float[np.ndarray, "epochs starts"] = field(metadata=PROGRAM_ONLY)
    reached: np.ndarray = field(metadata=PROGRAM_ONLY)
    left: np.ndarray = field(metadata=PROGRAM_ONLY)

    _also: ClassVar[tuple[str, ...]] = (
        "name", "came_to_a", "back_in_b", "ended_in_a", "ended_in_b", "elsewhere", "ends",
    )  # fmt: skip

    @property
    def ends(self) -> Float[np.ndarray, " starts"]:
        """Where each ended."""
        return self.path[-1]

    @property
    def came_to_a(self) -> int:
        """How many were ever near A."""
        return int(self.reached.sum())

    @property
    def back_in_b(self) -> int:
        """How many of these were near B again after that."""
        return int(self.left.sum())

    @property
    def ended_in_a(self) -> int:
        """How many ended in A: from a little beyond it to the hill."""
        return int(((self.ends > A_BEGINS) & (self.ends < HILL)).sum())

    @property
    def ended_in_b(self) -> int:
        """How many ended in B: from the hill to where the farthest ones began."""
        return int(((self.ends >= HILL) & (self.ends < B_ENDS)).sum())

    @property
    def elsewhere(self) -> int:
        """How many ended in neither."""
        return len(self.ends) - self.ended_in_a - self.ended_in_b

    @property
    def name(self) -> str:
        """The batch size in words."""
        if self.batch_size == "full":
            return "full batch"
        return "single samples" if self.batch_size == 1 else f"minibatches of {self.batch_size}"


@dataclass(frozen=True, eq=False)
class Escape(Result):
    """How many of the same starts left the local minimum, for each batch size.

    Attributes:
        starts: The weights before the first step, all in the local minimum B, (starts,).
        samples: Number of samples.
        epochs: How often each start saw all samples.
        learning_rate: The learning rate of all.
        walkers: The paths of all starts, one value per batch size.
    """

    starts: Float[np.ndarray, " starts"]
    samples: int
    epochs: int
    learning_rate: float
    walkers: tuple[Walkers, ...]

    @property
    def setting(self) -> str:
        """What all had in common, in one sentence."""
        return (
            f"{len(self.starts):,} starts in the local minimum B; each batch size sees the "
            f"{self.samples:,} samples {self.epochs:,} times, at the learning rate "
            f"{rounded(self.learning_rate)}."
        )

    @property
    def summary(self) -> str:
        """What the counts show, a sentence for each batch size."""
        count = len(self.starts)
        return " ".join(f"{_counted(one, count)}." for one in self.walkers)

    def parts(self) -> Iterator[Part]:
        """What all walkers had in common, the counts for each batch size, and the summary."""
        yield self.setting
        yield ""
        head = ("", "steps", "came to A", "back in B", "ended in A", "ended in B", "elsewhere")
        names = ("steps", "came_to_a", "back_in_b", "ended_in_a", "ended_in_b", "elsewhere")
        rows = [[one.name, *(f"{getattr(one, name):,}" for name in names)] for one in self.walkers]
        yield Table(head, rows, numeric=range(1, 7))
        yield ""
        yield self.summary


def _counted(one: Walkers, count: int) -> str:
    name = one.name[0].upper() + one.name[1:]
    reached, left = one.came_to_a, one.back_in_b
    if not reached:
        return f"{name}: {_some(count - one.ended_in_a, count)} stayed in B" + (
            f", and {one.ended_in_a:,} ended in A" if one.ended_in_a else ""
        )
    said = f"{name}: {_some(reached, count)} came to A, "
    said += "none was" if not left else f"{_some(left, reached)} of them were"
    if left == 1:
        said = said.replace("were", "was")
    said += f" thrown back to B, and {_some(one.ended_in_a, count)} ended in A"
    return said + (f", {one.elsewhere:,} far from both" if one.elsewhere else "")


def _some(part: int, count: int) -> str:
    return f"all {count:,}" if part == count else f"{part:,}"


def escape(
    *,
    starts: int = STARTS,
    batch_sizes: Sequence[BatchSize] = BATCH_SIZES,
    epochs: int = EPOCHS,
    learning_rate: float = LEARNING_RATE,
    seed: int = 0,
) -> Escape:
    """Count how many starts in a local minimum leave it, for several batch sizes.

    All start from the same weights, take the engine's own steps at the same learning rate, and see
    every sample equally often; each has its own order of samples.

    Args:
        starts: Number of starts.
        batch_sizes: Samples per step: whole numbers, or "full".
        epochs: How often all samples are seen.
        learning_rate: The learning rate of all.
        seed: Seed of the starts and of every order of samples.

    Returns:
        The paths and where they ended, per batch size.

    Raises:
        SettingError: A number is out of range.

    Example:
        >>> found = ds.insight.escape(starts=10, batch_sizes=("full",))
        >>> found.walkers[0].ended_in_a  # the full batch never leaves the local minimum
        0
    """
    if not isinstance(starts, int) or starts < 1 or not batch_sizes:
        raise SettingError(
            f"There are {starts!r} starts and {len(batch_sizes)} batch sizes.",
            "at least one of both",
            "200 starts are the default.",
        )
    positions = np.random.default_rng(seed).uniform(HILL, B_ENDS, starts)
    loss = Loss("two minima", _per_sample)
    inputs = np.ones((SAMPLES, 1), np.float32)
    targets = tilts().astype(np.float32)[:, None]
    found = []
    for size in batch_sizes:
        settings = Settings(
            loss="two minima",
            batch_size=size,
            epochs=epochs,
            learning_rate=learning_rate,
            seed=seed,
        )
        per_epoch = -(-SAMPLES // settings.samples_per_step(SAMPLES))
        seeds = [seed * starts + number for number in range(starts)]
        walks = walk(inputs, targets, loss, settings, positions[:, None], seeds=seeds)
        found.append(_watched(size, walks.weights[..., 0], per_epoch))
    return Escape(positions, SAMPLES, epochs, learning_rate, tuple(found))


def _watched(
    size: BatchSize, weights: Float[np.ndarray, "steps starts"], per_epoch: int
) -> Walkers:
    """What is kept of all steps of all walkers."""
    at_a = np.abs(weights - A) < NEAR
    was_at_a = np.logical_or.accumulate(at_a, axis=0)
    left = (was_at_a & (np.abs(weights - B) < NEAR)).any(axis=0)
    path = weights[::per_epoch].astype(np.float64)
    return Walkers(size, len(weights) - 1, path, was_at_a[-1], np.asarray(left))
