"""What the search for a learning rate is tried on: data, network, optimizer, schedule, batches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import downslope as ds


@dataclass(frozen=True)
class Case:
    """One training of which only the learning rate is left open.

    Attributes:
        name: For the table.
        data: Gives the data set.
        network: In the notation.
        settings: All other arguments of `train`.
    """

    name: str
    data: Callable[[], ds.Dataset]
    network: str
    settings: dict[str, Any] = field(default_factory=dict)


def table(name: str, columns: dict[str, np.ndarray], target: str) -> ds.Dataset:
    """A table of these columns, written to a file and read from it as a user's."""
    rows = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return ds.load(str(path), target=target)


def scikit(name: str) -> ds.Dataset:
    """One of the real tables that come with scikit-learn."""
    datasets = pytest.importorskip("sklearn.datasets")
    found = getattr(datasets, f"load_{name}")()
    names = [one.replace(" ", "_").replace("(", "").replace(")", "") for one in found.feature_names]
    columns = {one: np.round(found.data[:, index], 6) for index, one in enumerate(names)}
    is_class = hasattr(found, "target_names") and name != "diabetes"
    answers = np.array(found.target_names)[found.target] if is_class else found.target
    return table(name, {**columns, "answer": answers}, "answer")


def made_table(rows: int = 4000) -> ds.Dataset:
    """Numbers that depend on ten columns, some of them together, with noise."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 10))
    y = 3 * np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.5 * x[:, 3] + 0.3 * draw.normal(size=rows)
    columns = {f"x{index}": np.round(x[:, index], 5) for index in range(10)}
    return table("made", {**columns, "y": np.round(20 * y + 100, 4)}, "y")


def digit_images() -> ds.Dataset:
    """The digits as images of 8 by 8 pixels with one channel."""
    flat = ds.load("digits")

    def part(samples: ds.Samples) -> ds.Samples:
        return ds.Samples(samples.inputs.reshape(-1, 8, 8, 1), samples.targets)

    return replace(
        flat,
        train=part(flat.train),
        validation=part(flat.validation),
        test=part(flat.test),
        scaling=ds.Scaling.learn(part(flat.train).inputs, "all"),
    )


def _case(name: str, data: Any, network: str, **settings: Any) -> Case:
    read = partial(ds.load, data) if isinstance(data, str) else data
    return Case(name, read, network, settings)


CASES = (
    _case("digits, sgd", "digits", "dense 32 relu, dense 10", batch_size=32, epochs=20),
    _case(
        "digits, adam, one-cycle",
        "digits",
        "dense 128 relu, dropout 0.2, dense 10",
        optimizer="adam",
        schedule="one-cycle",
        batch_size=32,
        epochs=20,
    ),
    _case(
        "digits, momentum, cosine, batch 128",
        "digits",
        "dense 64 tanh, dense 64 tanh, dense 10",
        optimizer="momentum",
        schedule="cosine",
        batch_size=128,
        epochs=30,
    ),
    _case("digits, sgd, batch 1", "digits", "dense 32 relu, dense 10", batch_size=1, epochs=5),
    _case(
        "spam, adam, one-cycle",
        "spam",
        "dense 64 relu, dropout 0.3, dense 2",
        optimizer="adam",
        schedule="one-cycle",
        batch_size=32,
        epochs=15,
    ),
    _case("spam, sgd, batch 8", "spam", "dense 32 relu, dense 2", batch_size=8, epochs=10),
    _case(
        "spirals, adam, one-cycle",
        "spirals",
        "dense 32 tanh, dense 32 tanh, dense 2",
        optimizer="adam",
        schedule="one-cycle",
        batch_size=32,
        epochs=40,
    ),
    _case(
        "blobs, sgd, all at once", "blobs", "dense 32 tanh, dense 4", batch_size="full", epochs=300
    ),
    _case(
        "waves, rmsprop",
        "waves",
        "dense 64 tanh, dense 1",
        optimizer="rmsprop",
        batch_size=16,
        epochs=100,
    ),
    _case(
        "xor, nesterov, steps, batch 64",
        "xor",
        "dense 16 relu, dense 16 relu, dense 2",
        optimizer="nesterov",
        schedule="step",
        batch_size=64,
        epochs=100,
    ),
    _case(
        "circles, adamw, cosine, batch 256",
        "circles",
        "dense 16 gelu, dense 16 gelu, dense 2",
        optimizer=ds.Optimizer("adamw", weight_decay=0.01),
        schedule="cosine",
        batch_size=256,
        epochs=40,
    ),
    _case(
        "diabetes table, momentum",
        partial(scikit, "diabetes"),
        "dense 32 relu, dense 1",
        optimizer="momentum",
        batch_size=32,
        epochs=40,
    ),
    _case(
        "breast cancer table, adam, cosine",
        partial(scikit, "breast_cancer"),
        "dense 32 relu, dense 2",
        optimizer="adam",
        schedule="cosine",
        batch_size=32,
        epochs=30,
    ),
    _case(
        "made table, adam",
        made_table,
        "dense 64 relu, dense 32 relu, dense 1",
        optimizer="adam",
        batch_size=64,
        epochs=20,
    ),
    _case(
        "digits, deep sgd, one-cycle",
        "digits",
        "dense 48 relu, dense 48 relu, dense 48 relu, dense 48 relu, dense 10",
        schedule="one-cycle",
        batch_size=64,
        epochs=15,
    ),
    _case(
        "digits as images, convolutions, adam",
        digit_images,
        "conv 8 3 relu, max_pool 2, conv 16 3 relu, max_pool 2, flatten, dense 10",
        optimizer="adam",
        schedule="one-cycle",
        batch_size=64,
        epochs=6,
    ),
)

# learnt to the last sample: losses near 0, which a few percent of the rate or a seed change tenfold
EXTREMES = (
    _case(
        "spirals, adam, one-cycle, long",
        "spirals",
        "dense 32 tanh, dense 32 tanh, dense 2",
        optimizer="adam",
        schedule="one-cycle",
        batch_size=32,
        epochs=150,
    ),
    _case(
        "moons, sgd, all at once", "moons", "dense 32 tanh, dense 2", batch_size="full", epochs=300
    ),
)
