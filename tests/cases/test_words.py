"""The baseline of each figure is the constant that is best for it; rare classes are told of."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from downslope.cli.main import cli

SHORT = ("--epochs", "1", "--no-pictures", "--network", "dense 1")
TWO = (*SHORT[:-1], "dense 2")


def trained(monkeypatch, folder: Path, *words: object) -> tuple[dict, str]:
    """What `train` prints as JSON, and then what `test` prints for people."""
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli, ["train", *map(str, words), "--out", "run", "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), CliRunner().invoke(cli, ["test", "run"]).stdout


def written(path: Path, head: list[str], rows) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
    return path


def test_the_median_of_skewed_targets_misses_by_less(cases, monkeypatch, tmp_path):
    table = cases / "tables" / "exponential.csv"
    found, text = trained(monkeypatch, tmp_path, table, "--target", "y", *SHORT)
    assert found["baseline"]["mae"] == pytest.approx(5.68, abs=0.005)
    assert "Always predicting the training median: 5.679." in text
    assert "Always predicting the training mean: 16.19." in text


@pytest.mark.parametrize("kind", ["lognormal", "cubes", "mostly nothing", "large"])
def test_each_baseline_is_the_best_constant(kind, monkeypatch, tmp_path):
    rng = np.random.default_rng(len(kind))
    y = {
        "lognormal": rng.lognormal(3, 2, 400),
        "cubes": rng.normal(0, 3, 400) ** 3,
        "mostly nothing": np.where(rng.random(400) < 0.8, 0, rng.exponential(50, 400)),
        "large": 2e9 + rng.exponential(1e6, 400),
    }[kind].round(3)
    table = written(tmp_path / "t.csv", ["x", "y"], zip(rng.random(400), y, strict=True))
    words = ("--target", "y", "--task", "regression", *SHORT)
    found, text = trained(monkeypatch, tmp_path, table, *words)
    test = _parts(table)
    train = test["train"]
    expected = np.abs(test["test"] - np.median(train)).mean()
    assert found["baseline"]["mae"] == pytest.approx(expected, rel=1e-4)
    expected = np.sqrt(((test["test"] - train.mean()) ** 2).mean())
    assert found["baseline"]["rmse"] == pytest.approx(expected, rel=1e-4)
    assert "e+" not in text


def _parts(table: Path) -> dict[str, np.ndarray]:
    """The targets of each part, as they are split."""
    import downslope as ds

    data = ds.load(table, target="y", task="regression")
    return {part: np.ravel(getattr(data, part).targets) for part in ("train", "test")}


def test_a_rare_class_has_its_own_figures(monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    is_bad = rng.random(600) < 0.06
    rows = zip(rng.normal(2.0 * is_bad), np.where(is_bad, "bad", "good"), strict=True)
    table = written(tmp_path / "t.csv", ["x", "y"], rows)
    found, text = trained(monkeypatch, tmp_path, table, "--target", "y", *TWO)
    classes = found["classes"]
    assert [one["class"] for one in classes["per_class"]] == ["bad", "good"]
    assert set(classes["per_class"][0]) == {"class", "samples", "precision", "recall", "f1", "auc"}
    recalls = [one["recall"] for one in classes["per_class"]]
    assert classes["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert 'The class "bad" is rare, so accuracy says little about it: recall ' in text
    assert "class  samples  precision" in text


def test_of_even_classes_no_more_is_said(monkeypatch, tmp_path):
    rows = [(index % 7, "ab"[index % 2]) for index in range(80)]
    table = written(tmp_path / "t.csv", ["x", "y"], rows)
    found, text = trained(monkeypatch, tmp_path, table, "--target", "y", *TWO)
    assert len(found["classes"]["per_class"]) == 2
    assert "is rare" not in text
    assert "precision" not in text
