"""`downslope diff`: what it prints, draws and refuses."""

import json

import downslope as ds
from downslope.runs.resume import fork
from tests.cli.conftest import documented


def test_words_json_and_pictures(call, own_run, tmp_path):
    fork(own_run, 20, tmp_path / "slow", learning_rate=0.01)
    result = call("diff", own_run, tmp_path / "slow")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:5] == [
        f"  A: {own_run}",
        f"  B: {tmp_path / 'slow'}",
        "",
        "B was forked from A at step 20.",
        "From step 21 on: learning rate: 0.1 and 0.01.",
    ]
    table = [line.split() for line in lines]
    assert ["measured", "while", "training", "A", "B"] in table
    one, other = (ds.open_run(folder) for folder in (own_run, tmp_path / "slow"))
    losses = [f"{run.trace.validation_loss[-1]:.4g}" for run in (one, other)]
    assert ["validation:", "loss", *losses] in table
    assert lines[-3:] == [f"Pictures: {'figures'}", "  diff.png", "  diff.svg"]
    assert (tmp_path / "figures" / "diff.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(call("diff", own_run, tmp_path / "slow", "--json", "--out", "x").stdout)
    assert found["pictures"] == ["x/diff.png", "x/diff.svg"]
    assert set(found) == documented("diff")
    summary = found["summary"].split("\n")
    assert summary == lines[3 : 3 + len(summary)]
    assert found["cause"] == "settings"
    assert found["differs_from"] == found["takes_effect_at"] == 22
    assert (found["b"]["parent"]["run"], found["b"]["parent"]["steps"]) == (str(own_run), 20)
    assert found["b"]["changes"] == [
        {"step": 20, "changed": [{"name": "learning rate", "a": "0.1", "b": "0.01"}]}
    ]
    assert found["phases"][1] == {
        "first": 21,
        "settings": [{"name": "learning rate", "a": "0.1", "b": "0.01"}],
        "versions": [],
    }
    assert one.test_evaluations == ds.open_run(own_run).test_evaluations


def test_the_same_run_twice(call, own_run, tmp_path):
    result = call("diff", own_run, own_run)
    said = f"Both are the same run: {own_run}."
    assert result.stdout.splitlines() == [f"  A: {own_run}", f"  B: {own_run}", "", said]
    assert not (tmp_path / "figures").exists()


def test_a_training_that_has_not_ended(call, own_run, xor_run):
    (own_run / "manifest.json").unlink()  # as a process that was killed leaves it
    result = call("diff", own_run, xor_run, "--no-pictures")
    assert result.exit_code == 0, result.output
    assert "batch losses are the same, bit for bit." in result.stdout
    assert "A: The training has not ended; its last checkpoint is of step " in result.stdout
    assert "B: Trained for 3 epochs." in result.stdout


def test_other_data(call, own_run, crowd_run):
    result = call("diff", own_run, crowd_run, "--no-pictures")
    assert result.exit_code == 0, result.output
    assert "Data: xor and street; task: classification and counting; " in result.stdout
    assert "They learn from other data" in result.stdout
    assert "validation: MAE" in result.stdout
    assert "Pictures" not in result.stdout


def test_mistakes_are_told(call, refused, own_run, tmp_path):
    assert refused("diff", own_run, tmp_path / "none") == (
        f"{tmp_path / 'none'} does not exist. Expected the folder of a run, such as "
        "runs/digits-1. Train one with: downslope train digits."
    )
    (own_run / "trace" / "steps.parquet").write_bytes(b"nothing")
    assert "it is not as it was written" in refused("diff", own_run, own_run)
    assert "Missing argument" in call("diff", own_run).stderr
