"""A run that another process trains is followed, and taken over when that has ended."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

import downslope as ds
from downslope.storage.lock import claim_folder, is_locked, locked
from tests.lab.test_worker import Desk

LONG = ("--epochs", "100000", "--patience", "1000000", "--no-pictures")


# Ctrl-C is heard, which whoever runs tests in the background hands on as ignored
HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def start(folder, *words):
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", f"{HEAR}from downslope.cli import start; start()", *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "BROWSER": "true"}, start_new_session=True,
    )  # fmt: skip


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def test_a_folder_is_locked_while_somebody_writes(tmp_path):
    assert not is_locked(tmp_path / "nothing")
    with claim_folder(tmp_path / "run"):
        assert is_locked(tmp_path / "run")
    (tmp_path / "run").mkdir(exist_ok=True)
    assert not is_locked(tmp_path / "run")


def test_a_training_of_another_process_is_followed_and_taken_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trainer = start(tmp_path, "train", "moons", *LONG, "--checkpoint-seconds", "0.2")
    try:
        folder = tmp_path / "runs" / "moons-1"
        until(lambda: is_locked(folder))
        desk = Desk(str(folder))  # before its first state is stored
        header, _ = desk.until("Scene")
        assert header.folder == str(folder)
        seen = []
        while len(seen) < 2:
            header, arrays = desk.until("Frame", lambda one: one.step > max(seen, default=-1))
            assert header.state == "watched"
            assert "weights.0" in arrays
            assert len(desk.losses) == header.step
            seen.append(header.step)
        for command in ({"do": "play"}, {"do": "pause"}, {"do": "renew"}, {"do": "test"}):
            desk.ask(**command)
            header, _ = desk.until("Notice")
            assert "watched" in header.text
        assert is_locked(folder)  # and nobody has been disturbed
        os.killpg(trainer.pid, signal.SIGINT)
        assert trainer.wait(60) == 130
        header, _ = desk.until("Frame", lambda one: one.state == "paused")
        run = ds.open_run(folder)
        assert header.step == run.outcome.step > seen[-1]
        assert desk.losses.tolist() == pytest.approx(run.trace.batch_loss.tolist(), rel=1e-6)
        desk.ask(do="play", steps=2)
        step = run.outcome.step + 2
        header, _ = desk.until("Frame", lambda one: (one.state, one.step) == ("paused", step))
        assert ds.open_run(folder).outcome.step == header.step
        desk.end()
    finally:
        trainer.kill()
        trainer.communicate()


def test_a_run_that_another_process_has_taken_up_is_watched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = ds.train("dense 2", "moons", epochs=2, folder="runs/mine",
                   on_chunk=lambda progress: ds.NextChunk(0))  # fmt: skip
    desk = Desk("runs/mine")
    desk.until("Frame", lambda one: one.state == "paused")
    with locked(run.folder):
        desk.ask(do="play")
        desk.until("Frame", lambda one: one.state == "watched")
    desk.until("Frame", lambda one: one.state == "paused")
    desk.ask(do="play")
    desk.until("Frame", lambda one: one.state == "ended")
    desk.end()


def test_the_command_that_trains_opens_the_page_and_ctrl_c_ends_both(tmp_path):
    trainer = start(tmp_path, "train", "moons", *LONG, "--lab")
    try:
        line = trainer.stdout.readline()
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)/enter", line)[1])
        folder = tmp_path / "runs" / "moons-1"
        until(lambda: (folder / "checkpoints" / "manifest.json").exists())
        os.killpg(trainer.pid, signal.SIGINT)
        _, told = trainer.communicate(timeout=60)
        assert trainer.returncode == 130
        assert "Traceback" not in told
        assert ds.open_run(folder).outcome.reason == "interrupted"
        with pytest.raises(OSError, match="refused"):
            __import__("socket").create_connection(("127.0.0.1", port), 5)
    finally:
        trainer.kill()
        trainer.communicate()
