"""Scaling of inputs and targets, learnt from the training part only.

All of it is done in float64, and only what is of size 1 becomes float32: of a column such as
1,700,000,000 +- 20, float32 itself holds nothing but steps of 128.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Per = Literal["feature", "channel", "all"]
_PIECE = 2**20  # values held as float64 at a time: 8 MiB
# a spread of so many rounding steps, by the bytes of a float, is that of a constant
_NOISE = {2: 0.8, 4: 0.8, 8: 4.0}
_FEW_LEVELS = 8  # rounding steps within one standard deviation: fewer lose what a column tells


@dataclass(frozen=True, eq=False)
class Scaling:
    """Standardisation: (x - mean) / std.

    Attributes:
        mean: float64, a shape that broadcasts against one sample.
        std: The standard deviation, float64, the same shape or (); 1 where the training
            values are constant.

    Example:
        >>> scaling = ds.Scaling.learn(np.array([[1.0], [3.0]]))
        >>> scaling.mean, scaling.std
        (array([2.]), array([1.]))
        >>> scaling.apply(np.array([[5.0]]))
        array([[3.]], dtype=float32)
    """

    mean: np.ndarray
    std: np.ndarray

    @staticmethod
    def learn(inputs: np.ndarray, per: Per = "feature") -> Scaling:
        """Learn the scaling from training inputs of shape (N, *input_shape).

        Two passes in float64: the squares of the distances to the mean, unlike the mean of the
        squares, lose no digits when the mean is large.

        Args:
            inputs: The training inputs, and only those; any real dtype, N at least 1.
            per: "feature" for tables (each column by itself), "channel" for colour images
                (each value of the last axis by itself), "all" for pixels of one kind.

        Warns:
            UserWarning: The type of the inputs is too coarse for the spread of a column.
        """
        axes = {
            "feature": (0,),
            "channel": tuple(range(inputs.ndim - 1)),
            "all": tuple(range(inputs.ndim)),
        }[per]
        # over the samples first, along long runs of memory: a sum per channel walks in threes
        pieces = np.array_split(inputs, min(len(inputs), 1 + inputs.size // _PIECE))
        others = tuple(axis - 1 for axis in axes[1:])
        # sums of distances to one of the samples: their rounding is that of the spread
        near = inputs[0].astype(np.float64)
        total = sum((piece - near).sum(axis=0, dtype=np.float64) for piece in pieces)
        mean = np.asarray(np.mean(near + total / len(inputs), axis=others))
        centre = np.broadcast_to(mean, inputs.shape[1:]).copy()
        total = np.zeros(inputs.shape[1:])
        for piece in pieces:
            distance = piece - centre
            total += np.einsum("n...,n...->...", distance, distance)
        std = np.sqrt(np.mean(total, axis=others) / len(inputs))
        return Scaling(mean, known_spread("input", mean, std, inputs.dtype))

    def without(self, columns: Any) -> Scaling:
        """The same scaling, which leaves these columns of a table unchanged.

        Args:
            columns: What NumPy takes as an index: a slice, indices, or a mask.
        """
        mean, std = self.mean.copy(), self.std.copy()
        mean[columns], std[columns] = 0, 1
        return Scaling(mean, std)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Scale values of shape (N, *shape) or (*shape,); returns float32."""
        scaled = np.empty(values.shape, np.float32)
        pieces: list[Any] = [...]
        if values.ndim > self.mean.ndim and values.size:
            step = max(1, _PIECE * len(values) // values.size)
            pieces = [slice(start, start + step) for start in range(0, len(values), step)]
        with np.errstate(over="ignore", invalid="ignore"):  # the step that fails by it is told
            for piece in pieces:
                own = values[piece].astype(np.float64)
                scaled[piece] = (own - self.mean) / self.std
        return scaled

    def undo(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `apply`, float64."""
        return np.asarray(values, np.float64) * self.std + self.mean


def known_spread(what: str, mean: np.ndarray, std: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The deviations, with 1 where values of that type and mean spread by no more than rounding.

    A constant column has rounding noise for a deviation: dividing by it would invent a signal.

    Args:
        what: "input" or "target".
        mean: Of each column.
        std: Of each column, or one for all.
        dtype: The type of the values as they were given.

    Warns:
        UserWarning: Values lie so close together that their type lost what they tell.
    """
    kind = dtype if dtype.kind == "f" else np.dtype(np.float64)  # whole numbers become these
    size = np.abs(mean)
    step = np.spacing(size.astype(kind)).astype(np.float64)
    noise = np.finfo(kind).eps * _NOISE.get(kind.itemsize, 4.0) * size
    is_constant = std <= np.maximum(noise, np.finfo(np.float64).tiny)
    is_lost = (std < _FEW_LEVELS * step) & (std > 0) & (size > std)
    if kind.itemsize == 8:
        is_lost &= ~is_constant | (dtype.kind != "f")  # what arithmetic left of a constant
    if dtype.kind in "fiu" and is_lost.any():
        at = tuple(int(one) for one in np.argwhere(is_lost)[0])
        values = [float(np.broadcast_to(one, is_lost.shape)[at]) for one in (mean, std, step)]
        _warn(what, at, kind, values[0], values[1], values[2])
    return np.where(is_constant, 1.0, std)


def _warn(
    what: str, at: tuple[int, ...], kind: np.dtype, mean: float, std: float, step: float
) -> None:
    """Say that values are spread by less than their type can hold."""
    where = f" {at[0]}" if len(at) == 1 else f" {at}" if at else ""
    first = "Give them as float64, or subtract" if kind.itemsize < 8 else "Subtract"
    warnings.warn(
        f"The values of {what}{where} are about {mean:.10g} with a standard deviation of "
        f"{std:.3g}, and {kind} has steps of {step:.3g} there: what they tell is lost in "
        f"rounding. Expected a spread of at least {_FEW_LEVELS} steps. {first} a number of their "
        "size from them before they are rounded.",
        stacklevel=4,
    )
