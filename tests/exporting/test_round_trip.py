"""A table is learnt, exported, and answered elsewhere: raw columns in, the same answers out."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from downslope.cli.main import cli

ROWS = 1000
ELSEWHERE = """
import csv, sys
sys.modules["downslope"] = sys.modules["jax"] = None  # neither can be imported
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession("people.onnx", providers=["CPUExecutionProvider"])
with open("ask.csv", newline="") as file:
    rows = list(csv.DictReader(file))
fed = {}
for one in session.get_inputs():
    cells = [row[one.name] for row in rows]
    if one.type == "tensor(string)":
        fed[one.name] = np.array(cells, object)  # of categories, ? is one
    elif one.name == "since":
        fed[one.name] = np.array([np.datetime64(cell, "s").astype(float) for cell in cells])
    else:
        fed[one.name] = np.array([np.nan if cell == "?" else float(cell) for cell in cells])
for name, value in zip(session.get_outputs(), session.run(None, fed)):
    np.save(name.name + ".npy", value.astype(str) if value.dtype == object else value)
"""


def people(path: Path, rows: int, seed: int) -> None:
    """A table with columns of the kinds that the Adult census has, and a date."""
    rng = np.random.default_rng(seed)
    age, hours = rng.integers(17, 91, rows), rng.normal(40, 12, rows).round(1)
    work = rng.choice(["Private", "State gov", "Self (inc.)", "?"], rows, p=[0.5, 0.2, 0.2, 0.1])
    land = [f"land {number}" for number in rng.geometric(0.2, rows)]
    owns, single = rng.choice(["yes", "No"], rows), rng.integers(0, 2, rows)
    gain = np.where(rng.random(rows) < 0.9, 0, rng.integers(1, 99999, rows)).astype(object)
    gain[rng.random(rows) < 0.05] = "?"
    since = np.datetime64("2019-01-01") + rng.integers(0, 1500, rows)
    rich = age + hours + 9 * (work == "Private") - 9 * single + rng.normal(0, 6, rows) > 95
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = ("age", "hours", "work", "land", "owns", "single", "gain", "since", "income")
        writer.writerow(names)
        income = np.where(rich, ">50K", "<=50K")
        writer.writerows(
            zip(age, hours, work, land, owns, single, gain, since, income, strict=True)
        )


def call(*words):
    result = CliRunner().invoke(cli, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.peers
def test_raw_columns_in_onnxruntime_answer_as_predict_does(tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    people(tmp_path / "people.csv", 1500, seed=0)
    people(tmp_path / "ask.csv", ROWS, seed=1)
    call("train", "people.csv", "--target", "income", "--epochs", 3, "--no-pictures", "--out", "r")
    call("predict", "r", "ask.csv", "--out", "answers.csv")
    told = call("export", "r", "--to", "onnx", "--out", "people.onnx")
    lines = [line.split(maxsplit=1) for line in told.splitlines()]
    assert [
        "since",
        "date: seconds since 1970-01-01 as a number; NaN where it is not known",
    ] in lines
    assert ["single", "yes/no: 1 or 0; NaN where it is not known"] in lines
    subprocess.run([sys.executable, "-c", ELSEWHERE], check=True)
    with open("answers.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head[:3] == ["prediction", "probability <=50K", "probability >50K"]
    assert head[3:] == ["standard deviation"]
    assert np.load("prediction.npy").tolist() == [row[0] for row in rows]
    fractions = np.array([row[1:3] for row in rows], float)
    np.testing.assert_allclose(np.load("probabilities.npy"), fractions, atol=1e-5)
    assert len(rows) == ROWS and 0.05 < np.mean([row[0] == ">50K" for row in rows]) < 0.95
