"""Downslope with many networks or many losses, by the engine's own functions for that."""

from __future__ import annotations

import jax
import numpy as np

import downslope as ds
from benchmarks.contenders.ours import build, dataset
from benchmarks.contenders.rates import learning_rates
from benchmarks.contenders.task import Task
from benchmarks.rungs import GRID
from benchmarks.samples import Arrays
from benchmarks.work import Work
from downslope.engine.losses_at import losses_at
from downslope.runs.train_many import train_side_by_side


def sweep(work: Work, samples: Arrays) -> Task:
    """All trainings side by side."""
    network, data = build(work), dataset(work, samples)

    def block() -> None:
        train_side_by_side(
            network,
            data,
            learning_rates=learning_rates(),
            loss=work.loss,
            optimizer="sgd",
            schedule="constant",
            batch_size=work.batch_size,
            epochs=work.epochs,
            record=ds.Record(samples=1, every=work.epochs),
        )

    return Task(block)


def surface(work: Work, samples: Arrays) -> Task:
    """All losses in one call, along two random directions."""
    network, data = build(work), dataset(work, samples)
    centre = network.init(work.input_shape)
    random = np.random.default_rng(0)

    def direction(leaf: jax.Array) -> np.ndarray:
        return random.standard_normal(leaf.shape).astype(np.float32)

    directions = tuple(jax.tree.map(direction, centre) for _ in range(2))
    side = np.linspace(-1, 1, GRID, dtype=np.float32)
    indices = np.stack(np.meshgrid(side, side), axis=-1)

    def block() -> None:
        losses_at(
            ds.Model(network, work.loss, centre, scaling=data.scaling),
            data.train,
            directions=directions,
            coefficients=indices,
        )

    return Task(block)
