import json
import os
import signal
import time

import downslope as ds
from tests.cli.conftest import SMALL, documented, running

FIGURES = {"loss", "accuracy"}


def test_json_is_one_object_of_the_stated_form(call, tmp_path):
    result = call("train", "xor", "--epochs", 2, "--json", "--no-pictures")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert {*made} == {
        "run", "data", "parameters", "outcome", "epochs", "steps", "learning_rate", "seconds",
        "train", "validation", "test", "baseline", "linear", "test_interval", "test_interval_note",
        "baseline_note",
        "classes", "targets", "targets_note", "test_evaluations", "opened_now", "findings", "part",
        "is_generated", "notes", "rows", "summary", "pictures",
    }  # fmt: skip
    assert set(made) <= documented("train")
    assert made["run"] == str(tmp_path / "runs" / "xor-1")
    assert made["data"] == {"name": "xor", "samples": {"train": 560, "validation": 80, "test": 160}}
    assert made["parameters"] == 1218
    findings = made["outcome"].pop("findings")
    assert made["outcome"] == {"reason": "epochs", "message": "Trained for 2 epochs."}
    assert [one["cause"] for one in findings] == ["no_better_than_baseline"]
    assert {*findings[0]} == {
        "cause", "level", "where", "seen", "means", "change", "proof", "source",
    }  # fmt: skip
    assert (made["epochs"], made["steps"]) == (2, 36)
    assert set(made["seconds"]) == {"total", "training", "compiling"}
    for part in ("train", "validation", "test", "baseline", "linear"):
        assert set(made[part]) == FIGURES
        assert all(isinstance(value, float) for value in made[part].values())
    low, high = made["test_interval"]["accuracy"]
    assert low < made["test"]["accuracy"] < high
    assert (made["test_evaluations"], made["findings"]) == (1, [])
    run = ds.open_run(made["run"])
    assert run.test() == made["test"]
    assert run.baseline() == made["baseline"]


def test_figures_in_words(call):
    result = call("train", "waves", "--epochs", 2, "--no-pictures", "--network", "dense 1")
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert "training          560" in text
    assert "\nMAE: " in text
    assert ". Always predicting the training median: " in text
    assert ". Always predicting the training mean: " in text
    assert "You have seen the test score once." in text
    assert "The samples of waves were made by a program" in text
    assert "Trained for 2 epochs." in text
    assert text.endswith(
        "\nNext:\n"
        "  see how it learned:      downslope report runs/waves-1\n"
        "  predict for new inputs:  downslope predict runs/waves-1 NEW.npy\n"
    )
    assert "training on waves: 560 samples, 2 epochs" in result.stderr


def test_runs_are_numbered_and_never_overwritten(call, tmp_path):
    words = ("train", "xor", "--epochs", 1, "--no-pictures", *SMALL)
    (tmp_path / "runs" / "xor-1").mkdir(parents=True)
    assert "runs/xor-2" in call(*words).stdout


def test_plain_lines_are_few(call):
    lines = call("train", "xor", "--epochs", 300, "--no-pictures", *SMALL).stderr.splitlines()
    assert 2 <= len(lines) <= 25
    assert lines[-1].startswith("epoch 300/300  training loss ")


def test_pictures_are_drawn_and_listed(call, tmp_path):
    result = call("train", "xor", "--epochs", 1, *SMALL)
    assert result.exit_code == 0, result.output
    pictures = tmp_path / "runs" / "xor-1" / "pictures"
    assert f"Pictures: {pictures}" in result.stdout
    for path in pictures.iterdir():
        assert f"  {path.name}" in result.stdout


def test_a_loss_that_explodes_ends_with_1_and_keeps_the_run(call):
    words = ("--learning-rate", 1e30, "--optimizer", "sgd", "--epochs", 5, "--network", "dense 1")
    result = call("train", "waves", *words, "--json", "--no-pictures")
    assert result.exit_code == 1
    made = json.loads(result.stdout)
    assert made["outcome"]["reason"] == "non_finite"
    assert ds.open_run(made["run"]).outcome.advice.startswith("Try a tenth of the learning rate")


def test_ctrl_c_keeps_what_was_learnt(tmp_path):
    words = ["train", "xor", "--epochs", "300000", "--schedule", "constant", "--json", *SMALL]
    words += ["--no-pictures"]
    process = running(tmp_path, *words)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    made = json.loads(stdout)
    assert made["outcome"]["reason"] == "interrupted"
    assert ds.open_run(made["run"]).outcome.step == made["steps"] > 0


def test_ctrl_c_before_the_training_leaves_nothing(call, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("downslope.cli.training.train", stopped)
    result = call("train", "xor")
    assert result.exit_code == 130
    assert result.stderr.endswith("\nStopped.\n")
    assert not (tmp_path / "runs").exists()


def test_a_recipe_fits_small_data_and_two_class_losses():
    data = ds.load("xor")
    few = ds.Dataset(
        "few", data.task, data.train.take(range(5)), data.validation, data.test, data.scaling,
        class_names=data.class_names,
    )  # fmt: skip
    plan = ds.TrainOptions(loss="binary_cross_entropy").plan(few)
    assert plan.settings.batch_size == 5
    assert plan.network.layers[-1].units == 1


def test_other_classes_begin_with_an_earlier_run(call):
    words = ("--epochs", 1, "--no-pictures", "--json")
    network = ("--network", "dense 4 tanh, dense 2")
    first = json.loads(call("train", "xor", *network, *words).stdout)
    second = json.loads(call("train", "blobs", "--start", first["run"], "--freeze", *words).stdout)
    one, other = ds.open_run(first["run"]), ds.open_run(second["run"])
    assert other.network.layers[0] == one.network.layers[0]
    assert other.network.layers[1].units == len(other.data.class_names) > 2
    assert other.settings.freeze == 1
    assert (other.parameters[0]["weights"] == one.parameters[0]["weights"]).all()
