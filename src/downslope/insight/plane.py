"""Planes through weight space: a point, and two directions to go from there.

A loss surface over thousands of weights can be looked at only in a plane. Which plane decides what
is seen: that of the path which a training walked shows where it went; one of random directions
shows the neighbourhood; one of two single weights is the bowl of the textbooks. Only weights and
biases move: running statistics, which no gradient changes, stay those of the origin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import jax
import numpy as np
from jaxtyping import Float

from downslope.errors import SettingError
from downslope.insight.path import Path
from downslope.names import look_up
from downslope.nn.layer import learned_arrays, map_by_kind, numbered
from downslope.nn.network import NetworkParameters
from downslope.result import PROGRAM_ONLY
from downslope.storage.arrays import flatten

Kind = Literal["path", "random", "weights"]


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane of weight space; its point (a, b) is `origin + a first + b second`.

    Attributes:
        kind: "path" (the two main directions of a training's path), "random" (two filter-normalised
            random directions) or "weights" (two single weights).
        origin: The weights at (0, 0).
        first: The direction of a.
        second: The direction of b.
        names: What a and b are, for the axes.
        fraction: Of a path: the fraction of its variance in the plane, from 0 to 1; else None.
        fractions: The fraction of each direction.
    """

    kind: Kind
    origin: NetworkParameters = field(metadata=PROGRAM_ONLY)
    first: NetworkParameters = field(metadata=PROGRAM_ONLY)
    second: NetworkParameters = field(metadata=PROGRAM_ONLY)
    names: tuple[str, str]
    fraction: float | None = None
    fractions: tuple[float, float] | None = None

    def coordinates(self, path: Path) -> Float[np.ndarray, "points 2"]:
        """Where in the plane the points of a path lie, each seen straight from above."""
        away = _rows(path.parameters) - _flat(self.origin)
        directions = np.stack([_flat(self.first), _flat(self.second)])
        return np.linalg.solve(directions @ directions.T, directions @ away.T).T


def plane_of_path(path: Path) -> Plane:
    """The plane through the kept weights that follows the path most closely.

    Its two directions have length 1 and are perpendicular: the first two principal components of
    the points' weights (Li et al., Visualizing the loss landscape of neural nets, 2018). The
    first points from the beginning to the end.

    Raises:
        SettingError: The path has fewer than three points, or does not turn.
    """
    rows = _rows(path.parameters)
    centred = rows - rows.mean(axis=0)
    values, vectors = np.linalg.eigh(centred @ centred.T)  # as small as the points are few
    if len(rows) < 3 or values[-2] <= 1e-12 * values[-1]:
        raise SettingError(
            "The path lies on a straight line, which spans no plane.",
            "a training of some steps that turns",
            "Look at the plane of two random directions instead.",
        )
    fractions = values[[-1, -2]] / values.sum()
    directions = (vectors[:, [-1, -2]].T @ centred) / np.sqrt(values[[-1, -2]])[:, None]
    travelled = directions @ (rows[-1] - rows[0])
    directions *= np.where(travelled < 0, -1, 1)[:, None]  # an eigenvector's sign is arbitrary
    origin = path.at(path.kept)
    first, second = (_shaped(row, origin) for row in directions)
    names = tuple(
        f"direction {index} of the path ({100 * fraction:.0f} %)"
        for index, fraction in enumerate(fractions, start=1)
    )
    parts = float(fractions[0]), float(fractions[1])
    return Plane("path", origin, first, second, names, float(fractions.sum()), parts)  # pyright: ignore[reportArgumentType] - there are two names


def random_plane(parameters: NetworkParameters, seed: int = 0) -> Plane:
    """A plane of two random directions, with each neuron's part as long as the neuron's weights.

    So 1 along a direction changes every neuron, or every channel of a convolution, by as much as
    it is. Biases, and other numbers that are not part of a matrix, stay as they are (Li et al.,
    2018).

    Args:
        parameters: The weights at (0, 0).
        seed: Decides the directions.
    """
    draw = np.random.default_rng(seed)

    def along(leaf: np.ndarray) -> np.ndarray:
        leaf = np.asarray(leaf)
        if leaf.ndim < 2:
            return np.zeros_like(leaf)
        drawn = draw.normal(size=leaf.shape)
        axes = tuple(range(leaf.ndim - 1))  # the last axis is that of the neurons
        lengths = [np.sqrt((one.astype(float) ** 2).sum(axes)) for one in (leaf, drawn)]
        return (drawn * (lengths[0] / lengths[1])).astype(leaf.dtype)

    first, second = (jax.tree.map(along, parameters) for _ in range(2))
    names = "random direction 1", "random direction 2"
    return Plane("random", jax.tree.map(np.asarray, parameters), first, second, names)


def plane_of_weights(parameters: NetworkParameters, names: Sequence[str]) -> Plane:
    """The plane in which two single weights or biases change.

    Args:
        parameters: The weights at (0, 0).
        names: Two weights: the layer, counted from 1 as everywhere, the array, and the indices in
            it from 0: "1.weights[3,5]" is the weight from input 3 to neuron 5 of the first layer.

    Raises:
        SettingError: There are not two different ones, or there is no such weight.
    """
    if len(names) != 2 or names[0] == names[1]:
        raise SettingError(
            f"The weights are {', '.join(names) or 'none'}.",
            "two different ones",
            "Name two, such as 1.weights[3,5] and 1.biases[5].",
        )
    first, second = (_one_weight(parameters, name) for name in names)
    labels = f"change of {names[0]}", f"change of {names[1]}"
    return Plane("weights", jax.tree.map(np.asarray, parameters), first, second, labels)


def _one_weight(parameters: NetworkParameters, name: str) -> NetworkParameters:
    """The direction in which this weight alone grows."""
    direction = jax.tree.map(lambda leaf: np.zeros_like(np.asarray(leaf)), parameters)
    arrays = flatten(numbered(direction))
    found = re.fullmatch(r"([\w.]+)\[([\d, ]*)\]", name)
    if found is None:
        raise SettingError(
            f"{name!r} names no weight.",
            "an array and the index in it",
            "Write it as 1.weights[3,5]: layer 1, input 3, neuron 5.",
        )
    if found[1].startswith("0."):
        raise SettingError(
            f"{name} would be of layer 0.",
            "a layer from 1, as trace and neuron count them",
            f"Write 1.{name[2:]} for the first layer.",
        )
    array = look_up(found[1], arrays, "array of weights", SettingError)
    indices = tuple(int(one) for one in found[2].split(",") if one.strip())
    is_inside = len(indices) == array.ndim and all(
        index < size for index, size in zip(indices, array.shape, strict=True)
    )
    if not is_inside:
        raise SettingError(
            f"There is no weight {name}.",
            f"indices into an array of shape {array.shape}",
            "Count from 0, with one number for each axis.",
        )
    array[indices] = 1  # of zeros made here
    return direction


def _flat(parameters: NetworkParameters) -> np.ndarray:
    """All that is learned in one row, float64; running statistics are no part of a plane."""
    leaves = learned_arrays(parameters)
    return np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in leaves])


def _rows(parameters: NetworkParameters) -> np.ndarray:
    """The same for parameters with one more axis, that of the points."""
    leaves = learned_arrays(parameters)
    return np.concatenate(
        [np.asarray(leaf, np.float64).reshape(len(leaf), -1) for leaf in leaves], axis=1
    )


def _shaped(row: np.ndarray, like: NetworkParameters) -> NetworkParameters:
    """A row of numbers in the shape of parameters, float32; 0 for running statistics."""
    ends = np.cumsum([leaf.size for leaf in learned_arrays(like)])[:-1]
    pieces = iter(np.split(row, ends))
    return map_by_kind(
        lambda leaf: next(pieces).reshape(leaf.shape).astype(np.float32), np.zeros_like, like
    )
