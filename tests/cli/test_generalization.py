"""`downslope generalization`: what it prints, draws and counts."""

import json
from importlib import import_module

import downslope as ds
from tests.cli.conftest import documented


def test_words_json_and_pictures(call, own_run):
    found = json.loads(call("generalization", own_run, "--json").stdout)
    assert set(found) == documented("generalization")
    assert list(found)[:3] == ["run", "summary", "data"]
    assert found["epochs"] == [1, 2, 3]
    assert found["learning_curve"] is found["test"] is None
    assert found["samples"] == {"train": 560, "validation": 80}
    assert (own_run / "pictures" / "generalization.png").is_file()
    result = call("generalization", own_run, "--no-pictures")
    assert result.exit_code == 0, result.output
    for sentence in found["summary"].split("\n"):
        assert sentence in result.stdout
    assert "Measured on 560 training and 80 validation samples." in result.stdout
    assert "Replaying the training on xor" in result.stderr


def test_the_test_part_is_opened_and_told(call, own_run):
    before = ds.open_run(own_run).test_evaluations
    call("generalization", own_run, "--no-pictures")
    assert ds.open_run(own_run).test_evaluations == before
    result = call("generalization", own_run, "--test", "--no-pictures")
    assert ds.open_run(own_run).test_evaluations == before + 1
    assert "The loss on the test part (" in result.stdout
    assert "You have seen the test score " in result.stdout


def test_the_learning_curve(call, own_run):
    words = ("generalization", own_run, "--learning-curve", "--seeds", 2)
    found = json.loads(call(*words, "--json").stdout)["learning_curve"]
    assert found["sizes"] == [35, 70, 140, 280, 560]
    assert [len(one) for one in found["validation_loss"]] == [2] * 5
    assert found["is_interrupted"] is False
    assert (own_run / "pictures" / "learning-curve.png").is_file()
    result = call(*words, "--no-pictures")
    assert found["summary"] in result.stdout
    assert "Training on fractions of xor" in result.stderr


def test_mistakes_are_told(refused, own_run, tmp_path):
    assert refused("generalization", own_run, "--learning-curve", "--seeds", 1) == (
        "The number of seeds is 1. Expected a whole number of at least 2. Try 3."
    )
    assert refused("generalization", tmp_path / "none").startswith(
        f"{tmp_path}/none does not exist"
    )


def test_ctrl_c_keeps_the_gap(call, own_run, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    subject = import_module("downslope.insight.learning_curve")  # the function has the same name
    monkeypatch.setattr(subject, "learning_curve", stopped)
    result = call("generalization", own_run, "--learning-curve", "--no-pictures")
    assert result.exit_code == 130
    assert "a gap of " in result.stdout
