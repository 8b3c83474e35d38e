import json

import pytest

import downslope as ds
from tests.cli.conftest import SMALL, documented

WORDS = ("xor", *SMALL, "--epochs", 3)


@pytest.fixture
def found(call):
    result = call("rate", *WORDS, "--json", "--no-pictures")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_json_and_the_same_words_and_auto(call, found, tmp_path):
    assert set(found) == documented("rate")
    assert found.pop("pictures") == []
    assert list(found) == [
        "folder", "summary", "learning_rate", "good", "overshoots", "too_slow", "first_look",
        "second_look", "choice", "start_loss", "proof", "curvature", "data", "seconds",
        "diverges_above",
    ]  # fmt: skip
    assert found["folder"] == str(tmp_path / "runs/xor-rate-1")
    assert json.loads((tmp_path / "runs/xor-rate-1/rate.json").read_text()) == found
    assert found["curvature"]["highest_rate"] == 2 / found["curvature"]["eigenvalue"]

    result = call("rate", *WORDS)
    assert result.exit_code == 0, result.output
    assert found["summary"] in result.stdout
    assert f"Found: {tmp_path / 'runs/xor-rate-2'}" in result.stdout
    assert (tmp_path / "runs/xor-rate-2/rate.png").is_file()

    result = call("train", *WORDS, "--learning-rate", "auto")
    assert result.exit_code == 0, result.output
    assert found["summary"] in result.stdout
    run = ds.open_run(tmp_path / "runs/xor-1")
    assert run.settings.learning_rate == found["learning_rate"]
    assert (tmp_path / "runs/xor-1/pictures/rate.png").is_file()
    assert "  rate.png" in result.stdout
    # the search leaves no trace in the training
    words = ("--learning-rate", found["learning_rate"], "--no-pictures", "--json")
    told = json.loads(call("train", *WORDS, *words).stdout)
    assert told["learning_rate"] == found["learning_rate"]
    again = ds.open_run(told["run"])
    assert again.trace.batch_loss.tolist() == run.trace.batch_loss.tolist()


def test_what_cannot_be_used_is_told(call, refused):
    assert refused("rate", *WORDS, "--learning-rate", "0.1") == (
        "The learning rate was given as 0.1, and rate is to find it. Expected no --learning-rate. "
        "Leave it out."
    )
    result = call("train", "xor", "--learning-rate", "fast")
    assert result.exit_code == 2
    assert "'fast' is neither a number nor \"auto\"." in result.stderr
