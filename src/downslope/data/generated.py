"""Small data sets that a program makes up, each a pure function of its count and seed.

They are for learning how learning goes: the rule behind each is known, and two inputs can be
drawn. Inputs are float32 of shape (N, 2), or (N, 1) for `waves`.
"""

from __future__ import annotations

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.unsplit import Unsplit


def circles(count: int = 800, seed: int = 0) -> Unsplit:
    """Return points on an inner circle of radius 0.5 and an outer one of radius 1, with noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    angles = draw.uniform(0, 2 * np.pi, count)
    points = _around(angles, np.where(labels == 0, 0.5, 1.0))
    points += draw.normal(0, 0.08, points.shape)
    return _classes("circles", points, labels, ("inner", "outer"))


def xor(count: int = 800, seed: int = 0) -> Unsplit:
    """Return points of a square whose class says whether the signs of x and y differ.

    No straight line divides them: one neuron cannot learn it, and two layers can.
    """
    draw = np.random.default_rng(seed)
    points = draw.uniform(-1, 1, (count, 2))
    labels = (points[:, 0] > 0) != (points[:, 1] > 0)
    points += draw.normal(0, 0.02, points.shape)
    return _classes("xor", points, labels, ("same signs", "different signs"))


def moons(count: int = 800, seed: int = 0) -> Unsplit:
    """Return points on two half circles that reach into each other, with noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    angles = draw.uniform(0, np.pi, count)
    upper = _around(angles, np.ones(count))
    points = np.where(labels[:, None] == 0, upper, [1.0, 0.5] - upper)
    points += draw.normal(0, 0.12, points.shape)
    return _classes("moons", points, labels, ("upper", "lower"))


def spirals(count: int = 1000, seed: int = 0) -> Unsplit:
    """Return points on two spirals of one and a half turns around each other, with noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    along = np.sqrt(draw.uniform(0.01, 1, count))  # evenly along the arm, not crowded inside
    points = _around(3 * np.pi * along + np.pi * labels, along)
    points += draw.normal(0, 0.02, points.shape)
    return _classes("spirals", points, labels, ("first arm", "second arm"))


def blobs(count: int = 800, seed: int = 0) -> Unsplit:
    """Return points around four centres, as Gaussians that touch a little."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    centres = np.array([[-1.0, -1.0], [1.2, -0.8], [-0.7, 1.1], [1.0, 1.3]])
    points = centres[labels] + draw.normal(0, 0.4, (count, 2))
    return _classes("blobs", points, labels, ("a", "b", "c", "d"))


def waves(count: int = 800, seed: int = 0) -> Unsplit:
    """Return x between -1 and 1, and a sum of three sines of it with noise of deviation 0.1."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(-1, 1, (count, 1))
    y = np.sin(np.pi * x) + 0.5 * np.sin(3 * np.pi * x + 1) + 0.25 * np.sin(5 * np.pi * x)
    y += draw.normal(0, 0.1, y.shape)
    return Unsplit(
        name="waves",
        task="regression",
        samples=Samples(x.astype(np.float32), y.astype(np.float32)),
        input_names=("x",),
        source="waves",
        generated=True,
    )


def _around(angles: np.ndarray, radii: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]


def _classes(
    name: str, points: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]
) -> Unsplit:
    return Unsplit(
        name=name,
        task="classification",
        samples=Samples(points.astype(np.float32), labels.astype(np.int32)),
        class_names=class_names,
        input_names=("x", "y"),
        source=name,
        generated=True,
    )
