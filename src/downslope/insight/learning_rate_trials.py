"""Trainings at many learning rates at once, for as long as is worth it.

A round trains one network with several rates and seeds side by side, for the whole training or
for a fraction of it. A fraction has its whole schedule in fewer steps: fewer epochs, or less than
one epoch by fewer samples. How large the rounds are is decided by counting arithmetic and never by
a clock, so that the same question always gets the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Dataset
from downslope.data.progress import OnProgress
from downslope.engine.settings import LARGEST_SEED, Record, Settings, Stop
from downslope.nn.losses import Loss
from downslope.nn.network import Network
from downslope.runs.trace import Trace
from downslope.runs.train_many import SideBySide, train_side_by_side
from downslope.runs.train_options import TrainOptions

WIDE = np.geomspace(1e-5, 1e2, 24)  # the first look, each rate twice the one before
WIDE_SHARE = 1 / 8  # of the second look's length
RATIO = 1.35  # of neighbours in the second look
BELOW, ABOVE = 8, 3  # rates beside the first look's best: short trainings prefer large ones
MOST_SEEDS, FEWEST_SEEDS = 8, 2  # of the second look: as many as there is time for
FEWEST_STEPS = 32  # of a round
MOST_SAMPLES = 2048  # that losses are measured on
# what a step of one network among many takes on two cores: for itself, and for each multiplication
SECONDS_PER_STEP, SECONDS_PER_PRODUCT = 1e-5, 3e-10


@dataclass(frozen=True, eq=False)
class Round:
    """What some rates led to.

    Attributes:
        rates: The rates, rising, (R,).
        seeds: The seeds, (S,).
        fraction: How long each training was beside the whole one, by samples seen.
        steps: How many steps each had.
        start_loss: The training loss at the first weights, averaged over the seeds.
        validation_loss: At the end, (R, S); infinite where it diverged.
        train_loss: Likewise the training loss.
        rose: Whether the loss of a few batches together rose to twice the loss at the first
            weights, or left the finite numbers, (R, S).
    """

    rates: Float[np.ndarray, " rates"]
    seeds: np.ndarray
    fraction: float
    steps: int
    start_loss: float
    validation_loss: Float[np.ndarray, "rates seeds"]
    train_loss: Float[np.ndarray, "rates seeds"]
    rose: np.ndarray


@dataclass(frozen=True)
class Question:
    """Whose learning rate is looked for.

    Attributes:
        network: What learns.
        dataset: What it learns from.
        loss: The loss.
        settings: All other settings; their learning rate means nothing.
    """

    network: Network
    dataset: Dataset
    loss: Loss
    settings: Settings

    def seeds(self, count: int) -> np.ndarray:
        """The training's own seed and those that follow it."""
        return (self.settings.seed + np.arange(count)) % (LARGEST_SEED + 1)

    @property
    def batch_size(self) -> int:
        """Samples in a step."""
        return self.settings.samples_per_step(len(self.dataset.train))

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.settings.epochs * -(-len(self.dataset.train) // self.batch_size)

    @property
    def seconds(self) -> float:
        """About how long the whole training takes as one of many, by its arithmetic."""
        each = self.network.multiplications(self.dataset.input_shape) * self.batch_size
        return self.steps * (SECONDS_PER_STEP + SECONDS_PER_PRODUCT * each)


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    Attributes:
        fraction: The length of the second look's trainings beside the whole training, up to 1.
        seeds: How many seeds it has.
    """

    fraction: float
    seeds: int

    @property
    def trainings(self) -> float:
        """How many whole trainings all rounds are worth, if no second look is repeated."""
        near = (BELOW + 1 + ABOVE) * self.seeds
        return self.fraction * (near + WIDE_SHARE * (len(WIDE) + 3))


def effort_for(question: Question, seconds: float) -> Effort:
    """The most that fits into about `seconds`, or into one training, if that takes longer.

    Args:
        question: Whose learning rate is looked for.
        seconds: On two cores, apart from compiling.
    """
    effort = Effort(1.0, MOST_SEEDS)
    while effort.trainings * question.seconds > max(seconds, question.seconds):
        if effort.seeds > FEWEST_SEEDS:
            effort = replace(effort, seeds=effort.seeds // 2)
        elif question.steps * effort.fraction / 2 < FEWEST_STEPS:
            break
        else:
            effort = replace(effort, fraction=effort.fraction / 2)
    return effort


def try_rates(
    question: Question,
    rates: np.ndarray,
    seeds: np.ndarray,
    fraction: float,
    start_losses: np.ndarray,
    on_progress: OnProgress | None = None,
) -> Round:
    """Train with every pair of a rate and a seed.

    Args:
        question: Whose learning rate is looked for.
        rates: The rates, rising.
        seeds: The seeds.
        fraction: How long, beside the whole training.
        start_losses: The training loss at the first weights of each seed, (S,).
        on_progress: Called with (steps done, steps in all) of each training.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    found = train_some(question, np.repeat(rates, len(seeds)), np.tile(seeds, len(rates)), fraction,
                       on_progress)  # fmt: skip
    shape = len(rates), len(seeds)
    diverged = np.array([one.reason == "non_finite" for one in found.outcomes])
    losses = [
        np.where(diverged | ~np.isfinite(one), np.inf, one.astype(np.float64)).reshape(shape)
        for one in (found.validation_loss, found.train_loss)
    ]
    highest = np.array([_highest(one, question.batch_size) for one in found.traces])
    rose = diverged | (highest > 2 * np.tile(start_losses[: len(seeds)], len(rates)))
    shortened, epochs = _shortened(question, fraction)
    samples, size = len(shortened.train), question.batch_size
    own_fraction = epochs * samples / (question.settings.epochs * len(question.dataset.train))
    return Round(
        rates=rates,
        seeds=seeds,
        fraction=own_fraction,
        steps=epochs * -(-samples // size),
        start_loss=float(start_losses[: len(seeds)].mean()),
        validation_loss=losses[0],
        train_loss=losses[1],
        rose=rose.reshape(shape),
    )


def train_some(
    question: Question,
    rates: np.ndarray,
    seeds: np.ndarray,
    fraction: float,
    on_progress: OnProgress | None = None,
) -> SideBySide:
    """Train with these rates and seeds, one of each per member, for a fraction of the training.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    settings = question.settings
    dataset, epochs = _shortened(question, fraction)
    stop = settings.stop if fraction == 1 else Stop()
    watches = stop.keeps_best
    found = train_side_by_side(
        None,
        dataset,
        learning_rates=rates,
        seeds=seeds,
        options=TrainOptions.of(question.network, question.loss, settings),
        epochs=epochs,
        record=Record(MOST_SAMPLES, every=None if watches else epochs),
        stop=replace(stop, target_loss=None),
        on_progress=on_progress,
    )
    if any(one.reason == "interrupted" for one in found.outcomes):
        raise KeyboardInterrupt
    return found


def _shortened(question: Question, fraction: float) -> tuple[Dataset, int]:
    """The data and the number of epochs for a fraction of the training, of some steps at least.

    For less than one epoch it is some of the training samples, always the same.
    """
    dataset, settings = question.dataset, question.settings
    epochs = settings.epochs * max(fraction, min(1.0, FEWEST_STEPS / question.steps))
    if round(epochs) >= 1:
        return dataset, round(epochs)
    total = len(dataset.train)
    count = min(total, max(question.batch_size, round(epochs * total)))
    chosen = np.sort(np.random.default_rng(0).permutation(total)[:count])
    return replace(dataset, train=dataset.train.take(chosen)), 1


def _highest(trace: Trace, batch_size: int) -> float:
    """The highest loss of any 64 samples that were seen one after another."""
    losses = trace.batch_loss.astype(np.float64)
    if not np.isfinite(losses).all():
        return np.inf
    width = min(len(losses), -(-64 // batch_size))
    sums = np.cumsum(np.concatenate([[0.0], losses]))
    return float((sums[width:] - sums[:-width]).max() / width)
