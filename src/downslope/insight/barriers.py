"""Distances between solutions: of their predictions, of their weights, and walls on lines."""

from __future__ import annotations

import jax
import numpy as np
from jaxtyping import Float, Int

from downslope.nn.layer import learned_arrays
from downslope.nn.network import NetworkParameters


def fraction_apart(chosen: Int[np.ndarray, "members n"]) -> Float[np.ndarray, "members members"]:
    """The fraction of the samples to which each two answer with different classes."""
    return np.array([(chosen != own).mean(axis=1) for own in chosen])


def total_variation(
    probabilities: Float[np.ndarray, "members n classes"],
) -> Float[np.ndarray, "members members"]:
    """Half the sum of the absolute differences of the probabilities, averaged over the samples.

    If both drew their predictions by their probabilities, at least this fraction would differ.
    """
    return np.array([np.abs(probabilities - own).sum(-1).mean(-1) / 2 for own in probabilities])


def root_mean_square(
    predictions: Float[np.ndarray, "members n outputs"],
) -> Float[np.ndarray, "members members"]:
    """The root of the mean square of the differences of each two's predictions."""
    return np.array([np.sqrt(((predictions - own) ** 2).mean(axis=(1, 2))) for own in predictions])


def weights_apart(one: NetworkParameters, other: NetworkParameters) -> float:
    """The distance of two sets of weights, over the root mean square of their lengths.

    0 for the same, about 1.4 for two that have nothing to do with each other.
    """

    def length(parameters: NetworkParameters) -> float:
        return sum(
            float((np.asarray(leaf, np.float64) ** 2).sum()) for leaf in learned_arrays(parameters)
        )

    apart = jax.tree.map(
        lambda a, b: np.asarray(a, np.float64) - np.asarray(b, np.float64), one, other
    )
    scale = (length(one) + length(other)) / 2
    return float(np.sqrt(length(apart) / scale)) if scale else 0.0


def rise(losses: Float[np.ndarray, "lines points"]) -> Float[np.ndarray, " lines"]:
    """How far each line's losses rise above the straight line between their ends; at least 0."""
    fraction = np.linspace(0, 1, losses.shape[1])
    straight = losses[:, :1] * (1 - fraction) + losses[:, -1:] * fraction
    return np.maximum((losses - straight).max(axis=1), 0)


def classical_map(
    distances: Float[np.ndarray, "n n"],
) -> tuple[Float[np.ndarray, "n 2"], float]:
    """Points in a plane whose distances are as near as can be to the given ones.

    Source: Torgerson, Multidimensional Scaling: I. Theory and Method, 1952.

    Returns:
        The points, centred, and the fraction of the squared distances that they show, 0 to 1.
    """
    squared = distances.astype(np.float64) ** 2
    centred = -0.5 * (squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean())
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    kept = np.maximum(values[::-1][:2], 0)
    points = vectors[:, ::-1][:, :2] * np.sqrt(kept)
    if points.shape[1] < 2:
        points = np.pad(points, ((0, 0), (0, 1)))
    signs = np.sign(points[np.abs(points).argmax(axis=0), range(2)])  # the same map each time
    whole = np.abs(values).sum()
    return points * np.where(signs == 0, 1, signs), float(kept.sum() / whole) if whole else 1.0
