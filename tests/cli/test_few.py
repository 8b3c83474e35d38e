"""Little data: it is said that there is too little to tell, at every door."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import downslope as ds
from downslope.engine.metrics import gain
from downslope.runs.metric_text import doubt


def plain(text: str) -> str:
    return " ".join(text.split())


def test_twenty_rows_are_said_to_be_too_few(call):
    draw = np.random.default_rng(0)
    rows = [f"{x:.3f},{y:.3f}" for x, y in draw.normal(size=(20, 2))]
    Path("few.csv").write_text("\n".join(["x,y", *rows]))
    others = [f"{x:.3f},{y:.3f}" for x, y in draw.normal(size=(50, 2))]
    Path("others.csv").write_text("\n".join(["x,y", *others]))
    words = ("--target", "y", "--epochs", 2, "--out", "r", "--no-pictures")
    ended = plain(call("train", "few.csv", *words).stdout)
    told = "4 samples cannot tell whether the network is better than always predicting the"
    assert told in ended
    assert "So few hardly tell a good network from a bad one." in ended
    assert told in plain(call("test", "r").stdout)
    assert json.loads(call("test", "r", "--json").stdout)["baseline_note"].startswith(told)
    measured = json.loads(call("test", "r", "--data", "others.csv", "--json").stdout)
    assert measured["baseline_note"].startswith(("The 50 samples cannot tell", "That is worse"))
    found = ds.training_result(ds.open_run("r"))
    assert told in plain(str(found))


def test_the_gain_over_the_baseline_is_that_of_the_same_samples():
    draw = np.random.default_rng(0)
    usual = np.abs(draw.normal(size=(400, 3))) + 5
    values = usual - draw.normal(0.1, 0.5, (400, 3))
    low, high = gain("regression", values, usual)
    differences = (usual - values)[:, 1]
    half = 1.96 * differences.std() / 20
    expected = [differences.mean() - half, differences.mean() + half]
    np.testing.assert_allclose([low, high], expected, atol=0.01)
    assert gain("classification", usual, values)[0] == pytest.approx(low, abs=0.01)
    assert gain("regression", values[:9], usual[:9]) is None


@pytest.mark.parametrize(
    ("slope", "says"),
    [
        (1.0, ""),
        (0.001, "The 40 samples cannot tell whether the network is better than always predicting"),
        (-3.0, "That is worse than always predicting the training median, by "),
    ],
)
def test_what_samples_tell_is_said(slope, says):
    y = np.random.default_rng(1).normal(size=(40, 1))
    data = ds.Dataset.from_arrays(y, y[:, 0], scaling="none")
    run = ds.train("dense 1", data, epochs=1, members=1)
    weights = {"weights": np.full((1, 1), slope, np.float32), "biases": np.zeros(1, np.float32)}
    known = dataclasses.replace(run, model=run.model.at((weights,)))
    found = doubt(known, ds.Samples(y, y))
    assert found.startswith(says)
    assert bool(found) == bool(says)
