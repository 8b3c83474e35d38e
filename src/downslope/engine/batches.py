"""Which samples each step sees: a pure function of (seed, epoch).

In each epoch every training sample is seen once; their order and grouping are drawn anew, unless
the training is told to keep them in the order of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

EXACT = 16  # samples: smaller batches are compiled as they are
LONGEST_TRAINING = 10**8  # steps: some numbers of each are held at once


def epoch_order(seed: int, epoch: int, samples: int) -> np.ndarray:
    """The order of the samples in one epoch, int32 of shape (samples,).

    Args:
        seed: The training's seed.
        epoch: Number of the epoch, from 0.
        samples: How many training samples there are.
    """
    return np.random.default_rng((seed, epoch)).permutation(samples).astype(np.int32)


def rounded_up(count: int) -> int:
    """The next number of four binary digits, times a power of two: few sizes serve all."""
    shift = max(0, count.bit_length() - 4)
    return -(-count >> shift) << shift


@dataclass(frozen=True)
class BatchPlan:
    """The batches of a whole training.

    Attributes:
        samples: How many training samples there are.
        batch_size: How many of them make one step.
        epochs: How often all are seen.
        seed: The training's seed.
        shuffle: Whether the order is drawn anew in each epoch; else it is that of the data.
        is_filled: Whether a batch may have places without a sample, so that batches of many sizes
            are of few widths, each of which has to be compiled once.
        is_whole: Whether the last batch of an epoch is filled up with the epoch's first samples,
            so that its statistics are of as many samples as those of any other.
    """

    samples: int
    batch_size: int
    epochs: int
    seed: int
    shuffle: bool = True
    is_filled: bool = False
    is_whole: bool = False

    @property
    def width(self) -> int:
        """How many places a batch has."""
        is_few = self.batch_size <= EXACT or not self.is_filled or self.is_whole
        return self.batch_size if is_few else -(-self.batch_size // 8) * 8

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
        """Whether a batch has places without a sample, as the last one of an epoch may."""
        if self.is_whole:
            return False
        return self.samples % self.batch_size != 0 or self.width > self.batch_size

    def epoch_batches(self, epoch: int) -> np.ndarray:
        """The batches of one epoch, int32 of shape (steps_per_epoch, width).

        Places without a sample hold -1.
        """
        indices = np.full(self.steps_per_epoch * self.batch_size, -1, np.int32)
        order = np.arange(self.samples, dtype=np.int32)
        if self.shuffle:
            order = epoch_order(self.seed, epoch, self.samples)
        indices[: self.samples] = order
        if self.is_whole:
            indices[self.samples :] = order[: len(indices) - self.samples]
        batches = np.full((self.steps_per_epoch, self.width), -1, np.int32)
        batches[:, : self.batch_size] = indices.reshape(self.steps_per_epoch, self.batch_size)
        return batches

    def batches(self, start: int, stop: int) -> np.ndarray:
        """The batches of steps `start` to `stop`, int32 of shape (stop - start, width)."""
        per_epoch = self.steps_per_epoch
        first, last = start // per_epoch, (stop - 1) // per_epoch
        rows = [_kept(self, epoch) for epoch in range(first, last + 1)]
        return np.concatenate(rows)[start - first * per_epoch :][: stop - start]


@lru_cache(maxsize=2)
def _kept(plan: BatchPlan, epoch: int) -> np.ndarray:
    """The batches of an epoch, drawn once for all chunks of steps that lie in it."""
    return plan.epoch_batches(epoch)
