"""Scaling of inputs, learnt from the training part only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Per = Literal["feature", "channel", "all"]
_PIECE = 2**20  # values held as float64 at a time: 8 MiB


@dataclass(frozen=True, eq=False)
class Scaling:
    """Standardising inputs: subtract the mean, divide by the standard deviation.

    Attributes:
        mean: float32, a shape that broadcasts against one input.
        deviation: float32, the same shape; 1 where the training inputs are constant.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @staticmethod
    def learn(inputs: np.ndarray, per: Per = "feature") -> Scaling:
        """Learn the scaling from training inputs of shape (N, *input_shape).

        Two passes in float64: the squares of the distances to the mean, unlike the mean of the
        squares, lose no digits when the mean is large.

        Args:
            inputs: The training inputs, and only those; any real dtype, N at least 1.
            per: "feature" for tables (each column by itself), "channel" for colour images
                (each value of the last axis by itself), "all" for pixels of one kind.
        """
        axes = {
            "feature": (0,),
            "channel": tuple(range(inputs.ndim - 1)),
            "all": tuple(range(inputs.ndim)),
        }[per]
        # over the samples first, along long runs of memory: a sum per channel walks in threes
        pieces = np.array_split(inputs, min(len(inputs), 1 + inputs.size // _PIECE))
        others = tuple(axis - 1 for axis in axes[1:])
        total = sum(piece.sum(axis=0, dtype=np.float64) for piece in pieces)
        mean = np.asarray(np.mean(total, axis=others) / len(inputs))
        centre = np.broadcast_to(mean, inputs.shape[1:]).copy()
        total = np.zeros(inputs.shape[1:])
        for piece in pieces:
            distance = piece - centre
            total += np.einsum("n...,n...->...", distance, distance)
        deviation = np.sqrt(np.mean(total, axis=others) / len(inputs))
        # a constant column has rounding noise for a deviation: dividing by it would invent signal
        noise = np.maximum(1e-7 * np.abs(mean), np.finfo(np.float32).tiny)
        deviation = np.where(deviation <= noise, 1.0, deviation)
        return Scaling(mean.astype(np.float32), deviation.astype(np.float32))

    def without_last(self, count: int) -> Scaling:
        """The same, with the last `count` of a table's columns left as they are."""
        if not count:
            return self
        mean, deviation = self.mean.copy(), self.deviation.copy()
        mean[-count:], deviation[-count:] = 0, 1
        return Scaling(mean, deviation)

    def apply(self, inputs):
        """Scale inputs of shape (..., *input_shape), NumPy or JAX; returns float32."""
        return (inputs.astype(np.float32) - self.mean) / self.deviation
