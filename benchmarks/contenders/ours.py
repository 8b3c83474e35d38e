"""Downslope through its public door: one call of `train`, whatever that call does."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import numpy as np

import downslope as ds
from benchmarks.contenders.task import Task
from benchmarks.rungs import CALLS, MEMBERS
from benchmarks.samples import Arrays
from benchmarks.work import Conv, Dense, Flatten, Layer, Norm, Pool, Work

train_once = ds.train  # looked up now, so that the time of the import is told as such


def build(work: Work) -> ds.Network:
    """The network."""
    layers: list[ds.Layer] = []
    for layer in work.layers:
        layers.append(_layer(layer))
        if isinstance(layer, Norm) and layer.activation != "identity":
            layers.append(ds.Activate(layer.activation))
    return ds.Network(layers)


def _layer(layer: Layer) -> ds.Layer:
    match layer:
        case Dense():
            return ds.Dense(layer.units, layer.activation)
        case Conv():
            return ds.Conv2D(layer.channels, layer.size, layer.activation)
        case Pool():
            return ds.MaxPool2D()
        case Norm():
            return ds.BatchNorm()
        case Flatten():
            return ds.Flatten()


def dataset(work: Work, samples: Arrays) -> ds.Dataset:
    """The samples as a data set; validation and test look at a tenth of the same ones."""
    tenth = max(1, work.samples // 10)
    held_out = ds.Samples(samples.inputs[:tenth], samples.targets[:tenth])
    one = np.ones((), np.float32)
    tasks = {"plane": "regression", "density": "counting"}
    return ds.Dataset(
        name=work.kind,
        task=tasks.get(work.kind, "classification"),  # pyright: ignore[reportArgumentType] - one of the three
        train=ds.Samples(samples.inputs, samples.targets),
        validation=held_out,
        test=held_out,
        scaling=ds.Scaling(0 * one, one),  # scaled already; the loop does it nevertheless
        class_names=tuple("0123456789") if work.loss == "cross_entropy" else (),
    )


def _training(
    work: Work,
    samples: Arrays,
    record: ds.Record | None,
    kept: str | None = None,
    members: int = 1,
) -> Task:
    network, data = build(work), dataset(work, samples)
    runs: list[ds.Run] = []

    def block() -> dict[str, float]:
        if kept is None:
            return trained(None)
        with TemporaryDirectory(ignore_cleanup_errors=True) as parent:
            figures = trained(f"{parent}/run" if kept == "stored" else None)
            if kept == "saved":
                runs[0].save(f"{parent}/run")
            return figures

    def trained(folder: str | None) -> dict[str, float]:
        run = train_once(
            network,
            data,
            loss=work.loss,
            optimizer="sgd",
            schedule="constant",
            learning_rate=work.learning_rate,
            batch_size=work.batch_size,
            epochs=work.epochs,
            augment="none",
            label_smoothing=0.0,
            stop=ds.Stop(keep="last"),
            members=members,
            record=record,
            folder=folder,
        )
        runs[:] = [run]
        return {"training": run.seconds.training}

    def loss() -> float:
        return runs[0].measure(data.train)["loss"]

    return Task(block, loss)


def train(work: Work, samples: Arrays) -> Task:
    """Training that measures nothing but one sample at the very end, the least there is."""
    return _training(work, samples, ds.Record(samples=1, every=work.epochs))


def train_members(work: Work, samples: Arrays) -> Task:
    """Training of several members in one call."""
    return _training(work, samples, ds.Record(samples=1, every=work.epochs), members=MEMBERS)


def train_each(work: Work, samples: Arrays) -> Task:
    """As many trainings of one network each, one after another."""
    single = train(work, samples)

    def block() -> None:
        for _ in range(MEMBERS):
            single.block()

    return Task(block, single.loss)


def train_recording(work: Work, samples: Arrays) -> Task:
    """Training that records what it records when it is not told."""
    return _training(work, samples, None)


def train_stored(work: Work, samples: Arrays) -> Task:
    """Training into a folder, where its state is stored as it is when nothing is said of it."""
    return _training(work, samples, None, "stored")


def train_saved(work: Work, samples: Arrays) -> Task:
    """Training that is saved when it has ended."""
    return _training(work, samples, None, "saved")


def _predicting(work: Work, samples: Arrays, batch: int, calls: int) -> Task:
    data = dataset(work, samples)
    run = ds.train(build(work), data, epochs=1, batch_size=work.batch_size)

    def block() -> None:
        for call in range(calls):
            index = call % (len(samples.inputs) - batch + 1)
            run.predict(samples.inputs[index : index + batch])

    return Task(block)


def predict_one(work: Work, samples: Arrays) -> Task:
    """One sample at a time."""
    return _predicting(work, samples, 1, CALLS)


def predict_many(work: Work, samples: Arrays) -> Task:
    """All samples in one call."""
    return _predicting(work, samples, work.samples, 1)
