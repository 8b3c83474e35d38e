"""`downslope slope`, `bowl` and `escape`: what they print, write and refuse."""

import json

from tests.cli.conftest import documented


def test_figure_3(call, tmp_path):
    result = call("slope")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "squared error for the target 500",
        "",
        "L = (y − 500)²",
        "dL/dy = 2 (y − 500)",
        "",
        "  y       L  slope  finite difference",
        "350  22,500   −300               −300",
        "600  10,000    200                200",
        "",
        "At y = 350, L is 22,500 and falls 300 times as fast as y grows: a larger y lowers it.",
        "  dL/dy = 2 (350 − 500) = −300",
        "  one more person: about −300 (from 350 to 351 exactly −299)",
        "At y = 600, L is 10,000 and rises 200 times as fast as y grows: a smaller y lowers it.",
        "  dL/dy = 2 (600 − 500) = 200",
        "  one more person: about 200 (from 600 to 601 exactly 201)",
        "",
        "Pictures: figures",
        "  slope.png",
        "  slope.svg",
    ]
    assert (tmp_path / "figures" / "slope.png").is_file()


def test_slope_as_json(call, tmp_path):
    words = ("slope", "x**2 - 3*x", "--at=-1,2", "--no-pictures", "--json")
    found = json.loads(call(*words).stdout)
    assert set(found) == documented("slope")
    assert [(one["at"], one["value"], one["slope"]) for one in found["tangents"]] == [
        (-1, 4, -5),
        (2, -2, 1),
    ]
    assert (found["pictures"], list(tmp_path.iterdir())) == ([], [])


def test_figure_4(call, tmp_path):
    found = json.loads(call("bowl", "--json", "--out", "here").stdout)
    assert set(found) == documented("bowl")
    assert found["lowest"] == [4, 3]
    assert [one["rate"] for one in found["descents"]] == [0.05, 0.6, 1.02]
    assert found["pictures"] == ["here/bowl.png", "here/bowl.svg"]
    lines = call("bowl", "--rates", "0.1", "--steps", "2", "--no-pictures").stdout.splitlines()
    assert lines[0].split() == ["rate", "w1", "w2", "loss", "how", "it", "went"]
    assert lines[1].split()[:3] == ["0.1", "1.7600", "-0.6450"]


def test_figure_5(call):
    words = ("escape", "--starts", "10", "--epochs", "16", "--batch-size", "full")
    assert call(*words, "--no-pictures").stdout.splitlines() == [
        "10 starts in the local minimum B; each batch size sees the 4,096 samples 16 times, at the"
        " learning rate 0.3.",
        "",
        "            steps  came to A  back in B  ended in A  ended in B  elsewhere",
        "full batch     16          0          0           0          10          0",
        "",
        "Full batch: all 10 stayed in B.",
    ]
    found = json.loads(call(*words, "--batch-size", "256", "--json", "--no-pictures").stdout)
    assert set(found) == documented("escape")
    assert [one["batch_size"] for one in found["walkers"]] == ["full", 256]
    assert len(found["walkers"][1]["ends"]) == 10
    assert found["samples"] == 4096


def test_mistakes_are_told_in_one_message(refused, tmp_path):
    assert refused("slope", "tanh(x").startswith("'tanh(x' is not a function of x.")
    assert refused("slope", "huber").startswith("The loss huber was given the target None.")
    assert refused("bowl", "--start", "1").startswith("There are 3 learning rates")
    assert refused("escape", "--starts", "0").startswith("There are 0 starts")
    (tmp_path / "file").write_text("")
    assert "cannot be written" in refused("slope", "--out", "file")
