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
    assert made["test"] is made["baseline"] is made["test_interval"] is None
    assert made["test_evaluations"] == 0
    assert made["steps"] > before.outcome.step
    assert ds.open_run("run").outcome.advice == "Go on with: downslope resume RUN."


READING = "import downslope.data as t; t.load = lambda *a, **k: os._exit(9)"
DRAWN = (
    "from downslope.runs.checkpoint import CheckpointWriter as w; w.store = lambda *a: os._exit(9)"
)
STORED = "from downslope.runs import training as t; t.compiled = lambda *a, **k: os._exit(9)"


def killed(tmp_path, patch, *words) -> None:
    """Call the command line in a process that ends at once where `patch` says."""
    code = f"import os\n{patch}\nfrom downslope.cli.main import main; main()"
    command = [sys.executable, "-c", code, *words]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 9, ended.stderr


@pytest.mark.parametrize("patch", [READING, DRAWN, STORED])
def test_a_training_that_was_killed_while_it_started_goes_on(call, tmp_path, own_run, patch):
    words = ("train", "xor", "--epochs", "3", *SMALL, "--no-pictures", "--out", "run")
    killed(tmp_path, patch, *words)
    if patch != STORED:
        assert [path.name for path in Path("run").iterdir() if path.is_file()] == ["options.json"]
        again = call("layers", "run")
        assert again.stderr.splitlines()[-1] == (
            f"Error: The training in {tmp_path}/run was ended before its first state was stored. "
            f"Expected a training that has begun. Begin it again with: downslope resume "
            f"{tmp_path}/run"
        )
    result = call("resume", "run", "--no-pictures")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(
        "Continuing from step 0" if patch == STORED else "The training in run was ended before its"
    )
    weights = (Path("run") / "weights.safetensors").read_bytes()
    assert weights == (own_run / "weights.safetensors").read_bytes()


@pytest.mark.parametrize(
    "log", [(), pytest.param(("--log", "tensorboard"), marks=pytest.mark.peers)]
)
def test_its_command_can_be_given_again_as_well(log, call, tmp_path, own_run):
    if log:
        pytest.importorskip("tensorboardX")
    words = ("train", "xor", "--epochs", "3", *SMALL, "--no-pictures", "--out", "run")
    killed(tmp_path, DRAWN, *words, *log)
    Path("run/.run.json.77.unfinished").write_text("")
    Path("run/.claimed").write_text("")
    assert call(*words).exit_code == 0
    weights = (Path("run") / "weights.safetensors").read_bytes()
    assert weights == (own_run / "weights.safetensors").read_bytes()
    assert not Path("run/.claimed").exists()


def test_what_was_asked_for_is_changed_and_checked_like_any_file(call, refused, tmp_path):
    words = ("train", "xor", "--epochs", "3", *SMALL, "--no-pictures", "--out", "run")
    killed(tmp_path, READING, *words)
    path = Path("run/options.json")
    written = json.loads(path.read_text())
    for name, value, reason in (
        ("source", "xor.csv", "the data is 'xor.csv'"),
        ("reading", {"no_such": 1}, "load takes no no_such"),
        ("options", {"epochs": "many"}, "The number of epochs is 'many'."),
        ("options", {"epoch": 3}, "There is no setting called 'epoch'."),
        ("options", {"stop": {"patience": "x"}}, "Expected `int | null`, got `str`"),
        ("options", {"learning_rate": "x"}, "The learning rate is 'x'."),
        ("options", {"network": 3}, "The network is of type int."),
        ("command", "rm", "Invalid enum value 'rm' - at `$.command`"),
    ):
        path.write_text(json.dumps(written | {name: value}))
        assert reason in refused("resume", "run")
    path.write_text(json.dumps(written))
    assert call("resume", "run", "--epochs", 2, "--no-pictures").exit_code == 0
    assert ds.open_run("run").settings.epochs == 2


def test_a_fork_that_was_killed_while_it_started_goes_on(call, tmp_path, xor_run):
    words = ("fork", str(xor_run), "--at-step", "10", "--set", "epochs=2", "--no-pictures")
    killed(tmp_path, DRAWN, *words, "--out", "run")
    assert call("resume", "run", "--no-pictures").exit_code == 0
    run = ds.open_run("run")
    assert (run.parent.steps, run.settings.epochs) == (10, 2)


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
    assert run["test_evaluations"] == 1  # as before it went on
    (phase,) = ds.open_run(own_run).phases
    assert phase.settings.epochs == 3
    text = call("resume", own_run, "--epochs", 6, "--learning-rate", 0.01).stdout
    assert text.startswith(f"Continuing from step {run['steps']} in {own_run}\n")
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
    assert refused("resume", own_run).startswith(f"The training in {own_run} has already finished.")
    assert ds.open_run(own_run).outcome.reason == "epochs"
