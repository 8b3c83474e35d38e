"""`downslope minima`: what it prints and keeps."""

import json
from importlib import import_module

import downslope as ds
from tests.cli.conftest import SMALL, documented

STARTS = ("minima", "xor", "--starts", 3, "--epochs", 2, *SMALL)


def test_json_and_words_are_the_same_findings(call, tmp_path):
    found = json.loads(call(*STARTS, "--json", "--no-pictures").stdout)
    assert set(found) == documented("minima")
    folder = tmp_path / "runs" / "xor-minima-1"
    assert found["folder"] == str(folder)
    assert found.pop("pictures") == []
    assert json.loads((folder / "minima.json").read_text()) == found
    assert sorted(found["seeds"]) == [0, 1, 2]
    assert found["train_loss"] == sorted(found["train_loss"])
    assert len(found["barriers"]) == 2
    assert found["matched_barriers"] is None  # one layer has no hidden units
    assert (found["epochs"], found["diverged"], found["is_interrupted"]) == (2, 0, False)
    result = call(*STARTS)
    assert result.exit_code == 0, result.output
    for sentence in found["summary"].split("\n"):
        assert sentence in result.stdout
    assert "the lowest" in result.stdout
    assert (tmp_path / "runs" / "xor-minima-2" / "minima.png").is_file()
    assert "Training 3 starts on xor" in result.stderr


def test_too_few_starts_are_told(refused, tmp_path):
    assert refused("minima", "xor", "--starts", 1) == (
        "The number of starts is 1. Expected a whole number of at least 2. Try 32."
    )
    assert not (tmp_path / "runs").exists()


def test_what_was_stopped_is_shown_and_ends_with_130(call, monkeypatch):
    subject = import_module("downslope.insight.minima")  # the function has the same name
    trained = subject.train_side_by_side

    def stopped(*arguments, **settings):
        found = trained(*arguments, **settings)
        ended = ds.Outcome("interrupted", "", "", found.outcomes[0].step, found.outcomes[0].step)
        object.__setattr__(found, "outcomes", (ended,) * len(found))
        return found

    monkeypatch.setattr(subject, "train_side_by_side", stopped)
    result = call(*STARTS, "--no-pictures")
    assert result.exit_code == 130
    assert "Stopped on request in epoch 3: all are shown as they were." in result.stdout


def test_a_rate_that_is_still_to_be_found_is_refused(refused):
    assert refused("minima", "xor", "--learning-rate", "auto") == (
        'The learning rate is "auto", which only downslope train takes. Expected a number above 0. '
        "Find one with: downslope rate DATA; in Python with downslope.insight.find_rate, which "
        "takes the same arguments."
    )
