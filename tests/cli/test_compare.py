"""`downslope compare`: what it prints, keeps and refuses."""

import json
from importlib import import_module

import pytest
from click.testing import CliRunner

from downslope.cli.main import cli
from tests.cli.conftest import SMALL, documented

SUBJECT = import_module("downslope.insight.compare")  # the function has the same name
VARY = ("compare", "xor", "--vary", "batch_size=full,32", "--seeds", 2, "--epochs", 2, *SMALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One comparison for all tests: its folder, and what JSON says."""
    folder = tmp_path_factory.mktemp("runs") / "xor"
    words = [str(one) for one in (*VARY, "--json", "--test", "--out", folder)]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    return folder, json.loads(result.stdout)


def test_json_is_what_is_kept(made):
    folder, found = made
    drawn = [str(folder / f"compare.{kind}") for kind in ("png", "svg")]
    kept = {"pictures": drawn, **json.loads((folder / "compare.json").read_text())}
    assert kept == found
    assert set(found) == documented("compare")
    assert (folder / "compare.png").is_file()
    assert list(found) == [
        "folder", "summary", "setting", "data", "task", "metric", "samples", "equal_samples",
        "equal_time", "notes", "is_interrupted", "pictures",
    ]  # fmt: skip
    assert (found["setting"], found["metric"]) == ("batch_size", "loss")
    assert [one["name"] for one in found["equal_samples"]] == ["full", "32"]
    first = found["equal_samples"][0]
    assert (first["seeds"], first["epochs"], first["samples_seen"]) == ([0, 1], 2, 1120)
    assert set(first["validation"]) == set(first["test"]) == {"loss", "accuracy"}
    assert [len(one) for one in first["curves"]["validation_loss"]] == [2, 2]
    told = [one["from_best"] for one in found["equal_samples"]]
    assert sum(one is None for one in told) == 1
    assert found["notes"][-1].startswith("The test part was opened once")


def test_in_words(call, made, monkeypatch):
    monkeypatch.setattr(SUBJECT, "seconds_per_epoch", lambda one, data: 0.01)
    result = call(*VARY, "--no-pictures")
    assert result.exit_code == 0, result.output
    assert (
        "At equal samples seen, on the validation part:\nbatch size  seeds  epochs" in result.stdout
    )
    conclusion = made[1]["summary"].partition(" In equal time")[0]
    assert conclusion in result.stdout  # the same at every door, and each time
    assert (
        "- The test part stays sealed: ask for it when nothing is left to choose." in result.stdout
    )
    assert "Found: " in result.stdout
    assert "runs/xor-compare-1" in result.stdout
    assert "Comparing batch size on xor" in result.stderr


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        (
            "batchsize=1,2",
            "There is no setting called 'batchsize'. Expected one of network, loss, optimizer, "
            "learning_rate, schedule, batch_size, epochs, seed, shuffle, patience, keep, members, "
            "effort, class_weights, label_smoothing, smooth_toward, augment. "
            "Did you mean 'batch_size'?",
        ),
        (
            "epochs=2,many",
            "A value of epochs is 'many'. Expected a whole number. Write e.g. --vary epochs=... "
            "with values separated by commas.",
        ),
        (
            "batch-size=2,all",
            "A value of batch_size is 'all'. Expected a whole number, or \"full\". Write e.g. "
            "--vary batch_size=... with values separated by commas.",
        ),
        (
            "class-weights=1,2;a",
            "A value of class_weights is 'a'. Expected numbers separated by commas. Write e.g. "
            "--vary class_weights=... with values separated by commas.",
        ),
        (
            "optimizer=sgd",
            "The optimizer is varied over sgd. Expected two or more values that differ. Give more "
            "values, such as batch_size=full,1,32.",
        ),
        (
            "network=dense 2; dens 3",
            "The network has a layer 'dens 3'. Expected a layer: dense, conv, max_pool, "
            "average_pool, global_average_pool, global_max_pool, upsample, flatten, dropout, "
            "activation, batch_norm, layer_norm, group_norm, standardize, embed, "
            "embed_bag, piecewise, grouped, members, residual, parallel. Did you mean 'dense'?",
        ),
    ],
)
def test_what_cannot_be_varied_is_told(refused, vary, message, tmp_path):
    assert refused("compare", "xor", "--vary", vary) == message
    assert not (tmp_path / "runs").exists()


def test_a_setting_without_values_is_a_usage_error(call):
    result = call("compare", "xor", "--vary", "epochs")
    assert result.exit_code == 2
    assert "'epochs' does not say NAME=A,B,..., such as batch_size=full,32." in result.stderr


def test_ctrl_c_leaves_nothing_where_nothing_was_finished(call, tmp_path, monkeypatch):
    monkeypatch.setattr(SUBJECT, "seconds_per_epoch", lambda one, data: None)
    result = call(*VARY)
    assert result.exit_code == 130
    assert result.stderr.endswith("\nStopped.\n")
    assert not (tmp_path / "runs").exists()
