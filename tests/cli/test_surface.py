import json

import downslope as ds
from tests.cli.conftest import SMALL, documented, trained


def test_json_and_the_same_words(call, own_run):
    result = call("surface", own_run, "--points", 5, "--json", "--no-pictures")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == documented("surface")
    assert list(found) == [
        "run", "summary", "data", "loss", "plane", "a", "b", "train_loss", "validation_loss",
        "here", "walked", "samples", "pictures",
    ]  # fmt: skip
    assert (len(found["train_loss"]), len(found["train_loss"][0])) == (5, 5)
    assert found["walked"]["path"]["steps"][-1] == ds.open_run(own_run).outcome.step
    assert not (own_run / "pictures").exists()
    result = call("surface", own_run, "--points", 5)
    assert found["summary"] in result.stdout
    for name in ("surface.png", "surface-relief.png"):
        assert (own_run / "pictures" / name).is_file()
        assert f"  {name}" in result.stdout


def test_other_planes(call, own_run):
    words = ("--points", 3, "--json", "--no-pictures")
    random = json.loads(call("surface", own_run, "--plane", "random", "--reach", 2, *words).stdout)
    assert (random["plane"]["kind"], random["walked"]) == ("random", None)
    assert random["a"] == [-2.0, 0.0, 2.0]
    weights = ("--weights", "1.weights[0,1]", "1.biases[1]")
    result = call("surface", own_run, *weights, *words)
    assert json.loads(result.stdout)["plane"]["names"] == [
        "change of 1.weights[0,1]",
        "change of 1.biases[1]",
    ]


def test_a_line_to_another_run(call, own_run, tmp_path):
    other = trained(tmp_path / "other", "xor", "--epochs", "3", "--seed", "1", *SMALL)
    result = call("surface", own_run, "--line-to", other, "--points", 5, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == documented("surface --line-to")
    assert found["along"] == [0, 0.25, 0.5, 0.75, 1]
    assert set(found["barrier"]) == {"train", "validation"}
    assert (own_run / "pictures" / "line.png").is_file()
    assert found["summary"] in call("surface", own_run, "--line-to", other, "--points", 5).stdout


def test_what_cannot_be_used_is_told(refused, own_run):
    assert "nowhere does not exist. Expected the folder of a run" in refused("surface", "nowhere")
    assert refused("surface", own_run, "--points", 1) == (
        "The number of points is 1. Expected a whole number from 2 to 501. 51 is usual."
    )
