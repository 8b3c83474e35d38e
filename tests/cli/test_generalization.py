"""`downslope generalization`: what it prints, draws and counts."""

import json

import downslope as ds


def test_words_json_and_pictures(call, own_run):
    found = json.loads(call("generalization", own_run, "--json").stdout)
    assert list(found)[:3] == ["run", "data", "words"]
    assert found["epochs"]["epoch"] == [1, 2, 3]
    assert found["learning_curve"] is found["test"] is None
    assert found["samples"] == {"train": 560, "validation": 80}
    assert (own_run / "pictures" / "generalization.png").is_file()
    result = call("generalization", own_run, "--no-pictures")
    assert result.exit_code == 0, result.output
    for sentence in found["words"]:
        assert sentence in result.stdout
    assert "Measured on 560 training and 80 validation samples." in result.stdout
    assert "Going through xor again" in result.stderr


def test_the_test_part_is_opened_and_told(call, own_run):
    before = ds.open_run(own_run).test_openings
    call("generalization", own_run, "--no-pictures")
    assert ds.open_run(own_run).test_openings == before
    result = call("generalization", own_run, "--test", "--no-pictures")
    assert ds.open_run(own_run).test_openings == before + 1
    assert "The loss on the test part (" in result.stdout
    assert "You have seen the test score " in result.stdout.splitlines()[3]


def test_the_learning_curve(call, own_run):
    words = ("generalization", own_run, "--learning-curve", "--seeds", 2)
    found = json.loads(call(*words, "--json").stdout)["learning_curve"]
    assert found["sizes"] == [35, 70, 140, 280, 560]
    assert [len(one) for one in found["validation_loss"]] == [2] * 5
    assert found["interrupted"] is False
    assert (own_run / "pictures" / "learning-curve.png").is_file()
    result = call(*words, "--no-pictures")
    assert found["words"] in result.stdout
    assert "Training on shares of xor" in result.stderr


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

    monkeypatch.setattr("downslope.cli.generalizing.learning_curve", stopped)
    result = call("generalization", own_run, "--learning-curve", "--no-pictures")
    assert result.exit_code == 130
    assert "a gap of " in result.stdout
