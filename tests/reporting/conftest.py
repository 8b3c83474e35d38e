"""Runs of each task, trained for a moment, whose reports are looked at."""

from pathlib import Path

import numpy as np
import pytest

import downslope as ds
from downslope.reporting.report import Report, tell
from tests.plain import PLAIN

HOSTILE = '<img src=x onerror="alert(1)">'


def hostile_table(folder: Path) -> Path:
    """A table whose column, classes and name are full of HTML."""
    draw = np.random.default_rng(0)
    lines = [f'"{HOSTILE.replace(chr(34), chr(34) * 2)}",size,"kind & more"']
    for _ in range(150):
        size = draw.normal()
        kind = "<script>alert(1)</script>" if size > 0 else "</svg><b>&amp;</b>"
        lines.append(f'{draw.normal():.3f},{size:.3f},"{kind}"')
    path = folder / "a<b>.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def tiny_crowd() -> ds.Dataset:
    """Grey photos of 16 by 24 pixels, each white square a person."""
    draw = np.random.default_rng(0)
    heads = draw.random((8, 4, 6)) < 0.3
    inputs = np.where(heads.repeat(4, 1).repeat(4, 2), 255, 90).astype(np.uint8)
    inputs = np.repeat(inputs[..., None], 3, axis=3)
    part = ds.Samples(inputs, heads[..., None].astype(np.float32))
    other = [part.take(np.arange(8)) for _ in range(2)]
    return ds.Dataset("tiny", "counting", part, *other, ds.Scaling.learn(inputs), generated=True)


@pytest.fixture(scope="session")
def digits_run() -> ds.Run:
    network = ds.Network([ds.Dense(16, "relu"), ds.Dense(10)])
    return ds.train(network, ds.load("digits"), options=PLAIN, learning_rate=0.1, epochs=2)


@pytest.fixture(scope="session")
def waves_run() -> ds.Run:
    network = ds.Network([ds.Dense(8, "tanh"), ds.Dense(1)])
    return ds.train(
        network,
        ds.load("waves"),
        options=PLAIN,
        optimizer="adam",
        learning_rate=0.02,
        epochs=3,
        schedule="cosine",
    )


@pytest.fixture(scope="session")
def crowd_run() -> ds.Run:
    network = ds.Network([ds.AveragePool2D(4), ds.Conv2D(1, 1)])
    return ds.train(
        network, tiny_crowd(), options=PLAIN, learning_rate=0.01, batch_size=2, epochs=2
    )


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory) -> ds.Run:
    folder = tmp_path_factory.mktemp("hostile")
    data = ds.load(hostile_table(folder), target="kind & more")
    network = ds.Network([ds.Dense(4, "tanh"), ds.Dense(2)])
    return ds.train(network, data, options=PLAIN, epochs=2).save(folder / "a<b>")


@pytest.fixture(scope="session")
def reports(digits_run, waves_run, crowd_run, hostile_run) -> dict[str, Report]:
    """The report of each run, told once."""
    runs = {"digits": digits_run, "waves": waves_run, "crowd": crowd_run, "table": hostile_run}
    return {name: tell(run) for name, run in runs.items()}
