"""Several targets of a table at every door: train, test, predict, export, resume, report."""

import csv
import json
import runpy
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import downslope as ds
from downslope.reporting.material import Material
from downslope.reporting.story_result import facts, how_good
from downslope.runs.evaluate import training_result
from downslope.text import Table

RNG = np.random.default_rng(1)
COUNT = 300
X = RNG.normal(size=(COUNT, 2)).round(4)
NUMBERS = {  # at scales 1000 : 1 and more, linear but for a little noise
    "height": 1.7 + 0.05 * X[:, 0] + 0.002 * RNG.normal(size=COUNT),
    "weight": 70_000 + 9_000 * X[:, 1] - 4_000 * X[:, 0] + 300 * RNG.normal(size=COUNT),
    "price, net": 1e9 + X[:, 0] + X[:, 1],
}
LABELS = {
    "ill": np.where(X[:, 0] > 0, "yes", "no"),
    "tired": (X[:, 1] > 1).astype(int),
    "old": X.sum(axis=1) > 0,
}
EASY = ("--network", "dense {}", "--epochs", "120", "--learning-rate", "0.02", "--batch-size", "32")


def written(path, columns, rows=COUNT):
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["a", "b", *columns])
        out.writerows(zip(*X.T.tolist(), *(one.tolist() for one in columns.values()), strict=True))
    return path


def words(columns):
    return [word for name in columns for word in ("--target", name)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two trained runs beside their tables."""
    from tests.cli.conftest import trained

    index = tmp_path_factory.mktemp("targets")
    for name, columns in (("numbers", NUMBERS), ("labels", LABELS)):
        table = written(index / f"{name}.csv", columns)
        easy = [word.format(len(columns)) for word in EASY]
        trained(index / name, str(table), *words(columns), *easy)
    return index


def test_numbers_of_all_scales_are_learned_and_told_each_in_its_unit(call, folder):
    made = json.loads(call("test", folder / "numbers", "--json").stdout)
    run = ds.open_run(folder / "numbers").with_data()
    assert run.dataset is not None
    assert [one["target"] for one in made["targets"]] == [*NUMBERS]
    train, test = run.dataset.train, run.dataset.test
    ones = [np.column_stack([part.inputs, np.ones(len(part))]) for part in (train, test)]
    fitted = ones[1] @ np.linalg.lstsq(ones[0], train.targets, rcond=None)[0]  # the closed form
    for index, one in enumerate(made["targets"]):
        truth = test.targets[:, index]
        spread = ((truth - truth.mean()) ** 2).sum()
        r2 = 1 - ((fitted[:, index] - truth) ** 2).sum() / spread
        assert one["r2"] == pytest.approx(r2, abs=0.005), one["target"]
        constant = train.targets[:, index]
        misses = np.abs(run.predict(test.inputs)[:, index] - truth)
        assert one["mae"] == pytest.approx(misses.mean())
        assert one["baseline_mae"] == pytest.approx(np.abs(np.median(constant) - truth).mean())
        root = np.sqrt(((constant.mean() - truth) ** 2).mean())
        assert one["baseline_rmse"] == pytest.approx(root, rel=1e-6)
        assert one["mae_interval"][0] < one["mae"] < one["mae_interval"][1]
    assert "each divided by its standard deviation" in made["targets_note"]
    told = call("test", folder / "numbers").stdout
    assert "The loss is the mean over the 3 targets, each divided by" in " ".join(told.split())
    rows = [line for line in told.splitlines() if line.startswith(("height", "weight", "price"))]
    assert len(rows) == 3
    assert "MAE   RMSE" not in told


def test_labels_are_told_each_by_itself(call, folder):
    made = json.loads(call("test", folder / "labels", "--json").stdout)
    run = ds.open_run(folder / "labels").with_data()
    assert run.dataset is not None
    assert (run.data.task, run.data.class_names) == ("multilabel", ("ill", "tired", "old"))
    truth, predicted = run.dataset.test.targets, run.predict(run.dataset.test.inputs)
    right = (truth == predicted).mean(axis=0)
    assert [one["accuracy"] for one in made["targets"]] == pytest.approx(right.tolist())
    assert made["test"]["accuracy"] == pytest.approx(right.mean())
    usual = run.dataset.train.targets.mean(axis=0) > 0.5
    baseline = (truth == usual).mean(axis=0)
    assert [one["baseline_accuracy"] for one in made["targets"]] == pytest.approx(baseline.tolist())
    assert min(right) > 0.9 > min(baseline)
    told = call("test", folder / "labels").stdout
    assert "target  yes  accuracy  baseline  precision" in told


@pytest.mark.parametrize(("name", "columns"), [("numbers", NUMBERS), ("labels", LABELS)])
def test_predictions_have_a_column_for_each_target(call, folder, name, columns):
    new = written(folder / "new.csv", {})
    run = ds.open_run(folder / name)
    text = call("predict", folder / name, new, "--csv").stdout
    rows = list(csv.DictReader(text.splitlines()))
    assert [*rows[0]][:3] == [*columns]
    wanted = run.predict(X)
    made = json.loads(call("predict", folder / name, new, "--json").stdout)["predictions"]
    assert made[5]["value"] == pytest.approx(dict(zip(columns, wanted[5].tolist(), strict=True)))
    if name == "numbers":
        values = np.array([[float(row[one]) for one in columns] for row in rows])
        np.testing.assert_allclose(values, wanted, rtol=1e-6)
    else:
        words = [("no", "yes"), ("0", "1"), ("false", "true")]
        shown = [[pair[one] for pair, one in zip(words, row, strict=True)] for row in wanted]
        assert [[row[one] for one in columns] for row in rows] == shown
        fractions = [float(row["probability tired"]) for row in rows]
        np.testing.assert_allclose(fractions, run.probabilities(X)[:, 1], rtol=1e-6)
    table = call("predict", folder / name, new).stdout.splitlines()[0]
    assert all(one in table for one in columns)


@pytest.mark.parametrize(("name", "columns"), [("numbers", NUMBERS), ("labels", LABELS)])
def test_exported_files_answer_to_raw_rows(call, folder, name, columns):
    new = written(folder / "raw.csv", {})
    file = folder / f"exported_{name}.py"
    made = call("export", folder / name, "--to", "numpy", "--out", file)
    assert made.exit_code == 0, made.output
    done = subprocess.run([sys.executable, file, new], capture_output=True, text=True, check=True)
    found = np.array([[float(one) for one in line.split()] for line in done.stdout.splitlines()])
    run = ds.open_run(folder / name)
    np.testing.assert_allclose(found, run.predict(X), rtol=1e-5)
    code = file.read_text()
    if name == "labels":
        made = runpy.run_path(str(file))
        fractions = made["probabilities"](dict(zip("ab", X.T, strict=True)))
        np.testing.assert_allclose(fractions, run.probabilities(X), rtol=1e-4, atol=1e-6)
    assert f"TARGETS = {json.dumps([*columns])}" in code


def test_other_data_and_resume_know_all_targets(call, folder):
    other = written(folder / "other.csv", NUMBERS | {"extra": NUMBERS["height"]})
    made = json.loads(call("test", folder / "numbers", "--data", other, "--json").stdout)
    assert [one["target"] for one in made["targets"]] == [*NUMBERS]
    lacks = written(folder / "lacks.csv", {"height": NUMBERS["height"]})
    told = call("test", folder / "numbers", "--data", lacks)
    assert told.exit_code == 2
    assert "There is no column 'weight'" in told.stderr
    resumed = call("resume", folder / "numbers", "--epochs", 121, "--no-pictures", "--json")
    assert [one["target"] for one in json.loads(resumed.stdout)["targets"]] == [*NUMBERS]


def test_reports_tell_of_each_target(folder):
    numbers, labels = (
        Material(ds.open_run(folder / name).with_data()) for name in ("numbers", "labels")
    )
    result = training_result(numbers.run)
    assert [name for name, *_ in facts(numbers, result)][:3] == [f"MAE of {one}" for one in NUMBERS]
    title = "Metrics of each target on the test part"
    for material, columns in ((numbers, NUMBERS), (labels, LABELS)):
        pieces = how_good(material, training_result(material.run))
        grids = [one for one in pieces if isinstance(one, Table)]
        found = next(one for one in grids if one.caption == title)
        assert [row[0] for row in found.rows] == [*columns]
    assert list(grids[0].head)[2:] == ["loss", "accuracy", "all labels right"]
    assert numbers.in_words(np.array([[1.7, 70_000, 1]])) == [
        "height 1.7, weight 70,000, price, net 1"
    ]
    assert labels.in_words(np.array([[1, 0, 1], [0, 0, 0]])) == ["ill, old", "none"]


def test_minima_of_several_numbers_are_told_in_standard_deviations(call, folder):
    told = call("minima", folder / "numbers.csv", *words(NUMBERS), "--network", "dense 3",
                "--starts", 3, "--epochs", 2, "--no-pictures")  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "standard deviations of the targets" in " ".join(told.stdout.split())


def test_runs_of_hubers_loss_are_opened_again_and_learn_all_scales(tmp_path):
    columns = {"x": X[:, 0], "z": X[:, 1], **{name: NUMBERS[name] for name in ("height", "weight")}}
    for target in (["height"], ["height", "weight"]):
        data = ds.load(pa.table(columns), target=target)
        run = ds.train(
            ds.Network([ds.Dense(len(target))]), data, loss="huber", optimizer="adam",
            learning_rate=0.02, epochs=120 if len(target) > 1 else 1,
        ).save(tmp_path / target[-1])  # fmt: skip
        inputs = data.test.inputs
        assert (ds.open_run(tmp_path / target[-1]).predict(inputs) == run.predict(inputs)).all()
    assert ds.evaluate(run).targets.r2.min() > 0.98


def test_a_step_on_labels_names_them(call, folder):
    told = call("trace", folder / "labels", "--step", 1)
    assert told.exit_code == 0, told.output
    assert "The target: ill " in told.stdout
    assert "y[1]    tired" in told.stdout
