"""Downslope with many networks or many losses, by the engine's own functions for that."""

from __future__ import annotations

import downslope as ds
from benchmarks.contenders.ours import build, dataset
from benchmarks.contenders.rates import learning_rates
from benchmarks.contenders.task import Task
from benchmarks.samples import Arrays
from benchmarks.work import Work
from downslope.learning.side_by_side import train_side_by_side


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
            batch_size=work.batch_size,
            epochs=work.epochs,
            record=ds.Record(samples=1, every=work.epochs),
        )

    return Task(block)
