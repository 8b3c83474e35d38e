"""`downslope diagnose`: what it prints, and what it refuses."""

import json
import shutil

import pytest

from tests.cli.conftest import documented

LOW = ("--learning-rate", "0.0000001", "--epochs", 3, "--network", "dense 4 tanh, dense 2")


def test_words_and_json(call):
    said = call("train", "xor", *LOW, "--no-pictures").stdout
    assert "  find out why:" in said
    assert "diagnose runs/xor-1" in said
    found = json.loads(call("diagnose", "runs/xor-1", "--budget", 0, "--json").stdout)
    assert set(found) == documented("diagnose")
    assert found["findings"][0]["cause"] == "learning_rate_too_low"
    assert found["findings"][0]["proof"] is None
    result = call("diagnose", "runs/xor-1", "--budget", 0)
    assert result.exit_code == 0, result.output
    assert "1. Learning rate too low [fault]" in result.stdout
    assert "A guess: no training was made that proves it." in result.stdout
    assert "No training was made: everything but what was seen is a guess." in result.stdout


def test_bad_input_is_told_in_one_message(call, refused, tmp_path):
    assert refused("diagnose", tmp_path / "none").startswith(f"{tmp_path / 'none'} does not exist.")
    rows = "\n".join(f"{one},{one % 7},{one % 2}" for one in range(80))
    (tmp_path / "rows.csv").write_text(f"a,b,c\n{rows}\n")
    call("train", "rows.csv", "--target", "c", "--epochs", 1, "--no-pictures", "--out", "own")
    assert refused("diagnose", "own", "--budget", "-1").startswith("The budget is -1.0.")
    assert refused("diagnose", "own", "--budget", "nan").startswith("The budget is nan.")
    assert refused("diagnose", "own", "--fix", "--budget", 0).startswith("A new run was to be")
    assert refused("diagnose", "own", "--out", "x").startswith("A folder for a new run was given")
    (tmp_path / "rows.csv").unlink()
    assert "is not at" in refused("diagnose", "own")
    shutil.rmtree("own")


def test_scaling_none_is_kept_with_the_run(call, tmp_path):
    rows = "\n".join(f"{1000 * one},{one % 5},{3 * one % 70}" for one in range(80))
    (tmp_path / "rows.csv").write_text(f"a,b,c\n{rows}\n")
    words = ("train", "rows.csv", "--target", "c", "--epochs", 2, "--no-pictures", "--out", "own")
    made = call(*words, "--scaling", "none", "--network", "dense 4 relu, dense 1")
    assert made.exit_code == 0, made.output
    resumed = call("resume", "own", "--epochs", 4, "--no-pictures")
    assert resumed.exit_code == 0, resumed.output
    found = json.loads(call("diagnose", "own", "--budget", 0, "--json").stdout)
    assert found["findings"][0]["cause"] == "inputs_not_scaled"
    assert found["findings"][0]["change"] == {"scaling": "standard"}


@pytest.mark.slow
def test_fix_trains_a_new_run_with_what_was_proved(call, refused):
    call("train", "moons", *LOW, "--no-pictures")
    again = ("diagnose", "runs/moons-1", "--budget", 120, "--fix")
    found = json.loads(call(*again, "--out", "mended", "--json").stdout)
    assert set(found) == documented("diagnose")
    fix = found["fix"]
    assert fix["after"] > fix["before"]  # accuracies
    assert fix["run"].endswith("mended")
    metrics = json.loads(call("test", "mended", "--json").stdout)
    assert metrics["run"] == fix["run"]
