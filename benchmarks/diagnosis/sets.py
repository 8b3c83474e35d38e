"""Small data sets for planted faults and healthy runs: made ones, and real ones.

The sets are in two halves. Thresholds were chosen while looking at runs on the first half; the
figures of the second are those that count.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

import downslope as ds

MOST = 700  # rows of a real table


class Set(NamedTuple):
    """A data set.

    Attributes:
        name: Its name.
        make: From a seed to the data.
        task: "classes" or "numbers".
        half: "fit" or "held out".
        is_linear: Whether a linear network learns nearly all that there is to learn.
    """

    name: str
    make: Callable[[int], ds.Dataset]
    task: Literal["classes", "numbers"]
    half: Literal["fit", "held out"]
    is_linear: bool = False


def blobs(seed: int, samples: int = 600, features: int = 8, classes: int = 3) -> ds.Dataset:
    """Classes around two centres each, which no plane separates."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(0, 2.0, (2 * classes, features))
    which = draw.integers(0, 2 * classes, samples)
    inputs = centres[which] + draw.normal(0, 1.0, (samples, features))
    names = [f"class {one}" for one in range(classes)]
    return ds.Dataset.from_arrays(inputs, which % classes, class_names=names)


def bumps(seed: int, samples: int = 600, features: int = 4, noise: float = 0.1) -> ds.Dataset:
    """Numbers that are a bent function of the inputs."""
    draw = np.random.default_rng(seed)
    inputs = draw.uniform(-2, 2, (samples, features))
    targets = (
        np.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + noise * draw.normal(size=samples)
    )
    return ds.Dataset.from_arrays(inputs, targets)


def friedman(seed: int, samples: int = 600) -> ds.Dataset:
    """Friedman's first function of five inputs, with five others that matter for nothing."""
    draw = np.random.default_rng(seed)
    x = draw.uniform(0, 1, (samples, 10))
    targets = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
    targets += 10 * x[:, 3] + 5 * x[:, 4] + draw.normal(size=samples)
    return ds.Dataset.from_arrays(x, targets)


def ring(seed: int, samples: int = 600) -> ds.Dataset:
    """Two classes, inside and outside of a ring."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(0, 1.5, (samples, 2))
    return ds.Dataset.from_arrays(inputs, (np.hypot(*inputs.T) > 1.7).astype(int))


def spheres(seed: int, samples: int = 700) -> ds.Dataset:
    """Four classes by the distance from the origin in five dimensions."""
    inputs = np.random.default_rng(seed).normal(size=(samples, 5))
    length = np.linalg.norm(inputs, axis=1)
    return ds.Dataset.from_arrays(inputs, np.digitize(length, [1.6, 2.1, 2.6]))


def line(seed: int, samples: int = 400, noise: float = 0.3) -> ds.Dataset:
    """Numbers that are a linear function of the inputs."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(samples, 5))
    return ds.Dataset.from_arrays(
        inputs, inputs @ draw.normal(size=5) + noise * draw.normal(size=samples)
    )


def _sklearn(name: str) -> Callable[[int], ds.Dataset]:
    def make(seed: int) -> ds.Dataset:
        from sklearn import datasets

        inputs, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
        return ds.Dataset.from_arrays(inputs, targets, split_seed=seed)

    return make


def _table(file: Path, target: str, is_classes: bool) -> Callable[[int], ds.Dataset]:
    """The columns of a table that are numbers, without rows that lack some."""

    @cache
    def read() -> tuple[np.ndarray, np.ndarray]:
        import pandas

        frame = pandas.read_csv(file)
        chosen = np.random.default_rng(0).permutation(len(frame))
        inputs = frame.drop(columns=[target]).select_dtypes("number")
        kept = inputs.notna().all(axis=1).to_numpy()
        kept = kept & ~inputs.duplicated().to_numpy()  # a set with copies has a fault
        rows = [one for one in chosen if kept[one]][:MOST]
        targets = frame[target].astype("category").cat.codes if is_classes else frame[target]
        return inputs.to_numpy(float)[rows], targets.to_numpy()[rows]

    def make(seed: int) -> ds.Dataset:
        inputs, targets = read()
        task = "classification" if is_classes else "regression"
        targets = targets.astype(int if is_classes else float)
        return ds.Dataset.from_arrays(inputs, targets, task=task, split_seed=seed)

    return make


def _built_in(name: str) -> Callable[[int], ds.Dataset]:
    return lambda seed: ds.load(name, split_seed=seed)


def sets(tables: Path | None = None) -> tuple[Set, ...]:
    """All sets that are at hand.

    Args:
        tables: A folder with tables that `python -m benchmarks.accuracy collect` wrote.
    """
    made = (
        Set("blobs", blobs, "classes", "fit", is_linear=True),
        Set("digits", _built_in("digits"), "classes", "fit", is_linear=True),
        Set("wine", _sklearn("wine"), "classes", "fit", is_linear=True),
        Set("bumps", bumps, "numbers", "fit"),
        Set("friedman", friedman, "numbers", "fit", is_linear=True),
        Set("ring", ring, "classes", "held out"),
        Set("spheres", spheres, "classes", "held out"),
        Set("breast_cancer", _sklearn("breast_cancer"), "classes", "held out", is_linear=True),
        Set("waves", _built_in("waves"), "numbers", "held out"),
        Set("diabetes", _sklearn("diabetes"), "numbers", "held out", is_linear=True),
    )
    if tables is None:
        return made
    from benchmarks.accuracy.tables import TABLES

    real: list[Set] = []
    for name, is_classes in (
        ("concrete", False), ("vehicle", True), ("magic", True), ("segment", True),
        ("boston", False), ("phoneme", True), ("satellite", True), ("ames", False),
    ):  # fmt: skip
        file = tables / f"{name}.csv"
        if file.is_file():
            make = _table(file, TABLES[name].target, is_classes)
            half = "fit" if name in ("concrete", "vehicle", "magic", "segment") else "held out"
            real.append(Set(name, make, "classes" if is_classes else "numbers", half,
                            is_linear=name in ("ames", "segment", "satellite")))  # fmt: skip
    return made + tuple(real)
