"""Which samples each step sees: a pure function of (seed, epoch).

In each epoch every training sample is seen once; their order and grouping are drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

LONGEST_TRAINING = 10**8  # steps: some numbers of each are held at once


def epoch_order(seed: int, epoch: int, samples: int) -> np.ndarray:
    """The order of the samples in one epoch, int32 of shape (samples,).

    Args:
        seed: The training's seed.
        epoch: Number of the epoch, from 0.
        samples: How many training samples there are.
    """
    return np.random.default_rng((seed, epoch)).permutation(samples).astype(np.int32)


@dataclass(frozen=True)
class BatchPlan:
    """The batches of a whole training.

    Attributes:
        samples: How many training samples there are.
        batch_size: How many of them make one step.
        epochs: How often all are seen.
        seed: The training's seed.
    """

    samples: int
    batch_size: int
    epochs: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch; the last may be short of samples."""
        return -(-self.samples // self.batch_size)

    @property
    def steps(self) -> int:
        """Steps in the whole training."""
        return self.steps_per_epoch * self.epochs

    @property
    def has_short_batch(self) -> bool:
        """Whether an epoch's last batch is smaller than the others."""
        return self.samples % self.batch_size != 0

    def epoch_batches(self, epoch: int) -> np.ndarray:
        """The batches of one epoch, int32 of shape (steps_per_epoch, batch_size).

        Places that a short last batch leaves free hold -1.
        """
        places = np.full(self.steps_per_epoch * self.batch_size, -1, np.int32)
        places[: self.samples] = epoch_order(self.seed, epoch, self.samples)
        return places.reshape(self.steps_per_epoch, self.batch_size)

    def batches(self, start: int, stop: int) -> np.ndarray:
        """The batches of steps `start` to `stop`, int32 of shape (stop - start, batch_size)."""
        per_epoch = self.steps_per_epoch
        first, last = start // per_epoch, (stop - 1) // per_epoch
        rows = [_kept(self, epoch) for epoch in range(first, last + 1)]
        return np.concatenate(rows)[start - first * per_epoch :][: stop - start]


@lru_cache(maxsize=2)
def _kept(plan: BatchPlan, epoch: int) -> np.ndarray:
    """The batches of an epoch, drawn once for all chunks of steps that lie in it."""
    return plan.epoch_batches(epoch)
