"""`downslope resume`: a training goes on, and says so."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import downslope as ds
from downslope.cli.training import hint_to_resume
from tests.cli.conftest import SMALL, running

LONG = ("train", "xor", "--epochs", "300000", "--schedule", "constant", "--no-pictures", *SMALL)


def test_a_killed_training_goes_on_until_somebody_asks_it_to_stop(call, tmp_path):
    words = (*LONG, "--out", "run", "--checkpoint-seconds", "0")
    process = running(tmp_path, *words)
    refused = call("resume", "run")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1] == (
        f"Error: Another training is writing into {tmp_path}/run. Expected a folder that nobody "
        "else writes into. Wait until it has ended, or choose another folder."
    )
    process.kill()
    process.communicate()
    before = ds.open_run("run")
    assert before.outcome.message.startswith("The training has not ended; its last checkpoint")
    process = running(tmp_path, "resume", "run", "--json", "--no-pictures")
    os.kill(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    made = json.loads(stdout)
    assert made["outcome"]["reason"] == "interrupted"
    assert made["steps"] > before.outcome.step
    assert ds.open_run("run").outcome.advice == "Go on with: downslope resume RUN."


def test_many_ctrl_c_leave_a_run_that_can_be_opened(tmp_path):
    process = running(tmp_path, *LONG, "--out", "run")
    code = (
        "import os, signal, sys, time\n"
        "for _ in range(40):\n"
        "    os.kill(int(sys.argv[1]), signal.SIGINT)\n"
        "    time.sleep(0.001)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(process.pid)], check=False)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert ds.open_run(tmp_path / "run").settings.epochs == 300000


def test_a_training_that_is_broken_off_says_how_to_go_on(own_run, tmp_path, capsys):
    for folder, words in (
        (own_run, f"\nGo on with: downslope resume {own_run}\n"),
        (tmp_path, ""),
    ):
        with pytest.raises(KeyboardInterrupt), hint_to_resume(folder):
            raise KeyboardInterrupt
        assert capsys.readouterr().err == words


def test_the_same_command_again_says_how_to_go_on(refused, own_run, tmp_path):
    assert refused("train", "xor", "--out", "own") == (
        f"The folder {tmp_path}/own is not empty. Expected a new or empty folder. Go on with the "
        "training in it with: downslope resume own; or choose another folder."
    )


def test_training_longer(call, own_run):
    run = json.loads(call("resume", own_run, "--epochs", 5, "--json", "--no-pictures").stdout)
    assert run["epochs"] == 5
    assert run["test_openings"] == 2
    (phase,) = ds.open_run(own_run).phases
    assert phase.settings.epochs == 3
    text = call("resume", own_run, "--epochs", 6, "--learning-rate", 0.01).stdout
    assert text.startswith(f"Going on from step {run['steps']} in {own_run}\n")
    assert (Path(own_run) / "pictures" / "loss.png").exists()


def test_values_that_cannot_be_used(refused, own_run):
    assert refused("resume", own_run, "--epochs", 0).startswith("The number of epochs is 0.")
    assert refused("resume", own_run, "--epochs", 4, "--learning-rate", -1) == (
        "The learning rate is -1.0. Expected a number above 0. Try 0.1 for sgd or 0.001 for adam."
    )
    assert refused("resume", own_run, "--checkpoint-seconds", -1) == (
        "The time between two checkpoints is -1.0 seconds. Expected a number of at least 0, or "
        "None. 10 is usual."
    )
    assert refused("resume", own_run).startswith(f"The training in {own_run} has ended.")
    assert ds.open_run(own_run).outcome.reason == "epochs"
