"""However a command ends: one message on standard error, the right exit code, no traceback."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.cli import ending
from downslope.cli.commands.data import data
from downslope.cli.ending import code_of
from tests.cli.conftest import START

linux = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
FULL = (
    "Error: The output cannot be written: No space left on device. Expected free space on it. "
    "Free some space, or write elsewhere.\n"
)


def shell(words: str, tmp_path: Path) -> subprocess.CompletedProcess:
    """`downslope` and whatever a shell does with its streams."""
    script = f'downslope() {{ "{sys.executable}" -c "{START}" "$@"; }}; {words}'
    return subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )


@linux
@pytest.mark.parametrize("words", ["data", "data --json", "--help"])
def test_output_to_a_full_disk(words, tmp_path):
    done = shell(f"downslope {words} > /dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (2, FULL)
    done = shell(f"downslope {words} > /dev/full 2> /dev/full", tmp_path)
    assert (done.returncode, done.stderr, done.stdout) == (2, "", "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed, tmp_path):
    """What is opened later must not stand in their place, and take what is printed."""
    done = shell(f"downslope data {closed}", tmp_path)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert ("digits" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))
    done = shell(f"downslope predict nowhere - {closed}", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    if "2" not in closed:
        assert done.stderr.startswith("Error: ")


def test_a_reader_that_closes_the_pipe(tmp_path):
    done = shell("downslope data --json | true; echo ${PIPESTATUS[0]}", tmp_path)
    assert done.stderr == ""
    assert done.stdout in ("0\n", "141\n")  # the pipe may have taken all of it


@linux
def test_a_working_folder_that_is_gone(tmp_path):
    done = shell("mkdir x && cd x && rmdir ../x && downslope data", tmp_path)
    assert (done.returncode, done.stderr) == (
        2,
        "Error: The working folder is gone: it was deleted or moved. Expected a folder to work "
        "in. Change to another folder and try again.\n",
    )


def test_letters_that_the_terminal_does_not_know(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = shell("downslope train Zürich.csv --target y", tmp_path)
    assert done.returncode == 2
    assert "rich.csv. Expected" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_not_a_file(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    wanted = "is a pipe or a device. Expected a file or a folder."
    assert wanted in refused("train", "pipe.csv", "--target", "y")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    assert wanted in refused("train", "null.csv", "--target", "y")
    (tmp_path / "zero.npz").symlink_to("/dev/zero")
    assert wanted in refused("train", "zero.npz")


def images(folder: Path):
    """A folder with two classes of noise."""
    draw = np.random.default_rng(0)
    for name in (b"caf\xe9", b"b"):
        inside = folder / os.fsdecode(name)
        inside.mkdir(parents=True)
        for number in range(12):
            pixels = draw.integers(0, 256, (4, 4, 3), np.uint8)
            Image.fromarray(pixels).save(inside / f"{number}.png")


def test_names_that_are_not_utf8(refused, call, tmp_path, xor_run):
    table = tmp_path / os.fsdecode(b"caf\xe9.csv")
    table.write_text("a,y\n1,x\n")
    assert refused("train", table, "--target", "y") == (
        rf"The path {tmp_path}/caf\xe9.csv is not UTF-8. Expected a path whose letters can be "
        "told. Rename it."
    )
    images(tmp_path / "images")
    words = ("--network", "flatten, dense 2", "--epochs", 1)
    assert refused("train", "images", *words) == (
        r"The name caf\xe9 is not UTF-8. Expected names of classes, columns and files whose "
        "letters can be told. Rename it."
    )
    table.write_text("1,2\n3,4\n")
    predictions = call("predict", xor_run, table)
    assert predictions.exit_code == 0
    assert predictions.stdout.splitlines()[1].startswith(rf"{tmp_path}/caf\xe9.csv ")
    out = os.fsdecode(b"o\xe9")
    trained = call("train", "xor", "--network", "dense 2", "--epochs", 1, "--out", out)
    assert trained.exit_code == 0
    assert trained.stdout.splitlines()[-1].startswith("  ")  # its pictures
    assert call("test", out).exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["\x1b[2J"], r"Error: No such command '\x1b[2J'."),
        (["train", "--\x1b[31m"], r"--\x1b[31m"),  # in the words of any version of click
        (["train", "xor", "--epochs", "\u202e1"], r"\u202e1"),
        (["train", "xor", "--network", "\x9b1"], r"The network has a layer '\x9b1'."),
        (["test", "a\nError: b"], r"a\nError: b does not exist."),
    ],
)
def test_escapes_in_what_is_typed(call, words, message):
    done = call(*words)
    assert done.exit_code == 2
    assert message in done.stderr.splitlines()[-1]


def test_messages_are_bounded(call):
    for words in (["x" * 10**5], ["train", "y" * 10**5], ["train", "xor", "--loss", "z" * 10**5]):
        done = call(*words)
        assert done.exit_code == 2
        assert len(done.stderr) < 4000


def broken(monkeypatch, error: BaseException):
    """Let `downslope data` raise something."""

    def fail(**_):
        raise error

    monkeypatch.setattr(data, "callback", fail)


def test_what_is_unexpected_is_kept_and_told(refused, call, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    broken(monkeypatch, ZeroDivisionError("division by zero\x1b[2J\nand more"))
    message = refused("data")
    kept = next(tmp_path.glob("downslope-error-*.txt"))
    assert message == (
        "Downslope failed, which is a fault of its own (ZeroDivisionError: division by "
        r"zero\x1b[2J and more). Expected a result, or a message of what to change. Please report "
        f"it to the project's issue tracker, with the file {kept} and what you did."
    )
    assert "in fail\n    raise error\nZeroDivisionError" in kept.read_text()
    assert kept.read_text().startswith("downslope 0")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert "with these lines: " in refused("data")


class JaxRuntimeError(RuntimeError):
    """Named as the engine's."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 9 TiB"),
        JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"),
        JaxRuntimeError("downslope: out of memory"),
    ],
)
def test_memory_that_runs_out(refused, monkeypatch, error):
    broken(monkeypatch, error)
    message = refused("data")
    assert message.startswith("The memory is too small")
    assert message.endswith("fewer units or channels, or smaller images.")


def test_codes(monkeypatch, call, capsys):
    assert code_of(BrokenPipeError(errno.EPIPE, "Broken pipe")) == 141
    assert capsys.readouterr().err == ""
    broken(monkeypatch, KeyboardInterrupt())
    done = call("data")
    assert (done.exit_code, done.stderr) == (130, "\nStopped.\n")
    broken(monkeypatch, EOFError("no more"))
    assert "EOFError" in call("data").stderr
    broken(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "/x/y"))
    assert call("data").stderr.startswith("Error: The file /x/y cannot be written: No space left")


@pytest.mark.parametrize(
    "values",
    [
        ("9007199254740993", "9007199254740992"),  # one number, as floats
        ("9007199254740993", "2"),
        ("99999999999999999999", "99999999999999999998", "7"),
        ("-9223372036854775809", "-9223372036854775808"),
        ("inf", "1", "2"),
        ("123456789012345678901234567890", "1"),
    ],
)
def test_numbers_that_no_float_holds_are_classes_and_categories(values, tmp_path):
    rows = [f"{index % 5},{values[index % len(values)]}" for index in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    learnt = ds.load(tmp_path / "t.csv", target="y", task="classification")
    assert sorted(learnt.class_names) == sorted(values)
    seen = ds.load(
        tmp_path / "t.csv", target="x", column_types={"y": "category"}, task="regression"
    )
    if len(values) > 2:
        assert set(seen.input_names) >= {f"y = {one}" for one in values}


@pytest.mark.parametrize("setting", ["epochs", "batch-size", "patience", "seed"])
def test_whole_numbers_without_end(refused, setting):
    words = ("--network", "dense 2", f"--{setting}", "9" * 20)
    message = refused("train", "xor", *words)
    assert "99" in message
    assert "fault of its own" not in message


def test_starts_without_end(refused):
    assert refused("minima", "xor", "--starts", "9" * 12) == (
        "The number of starts is 999999999999. Expected a whole number of at most 10,000. Try 32."
    )


# Ctrl-C is heard, which whoever runs tests in the background hands on as ignored
HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
BEGIN = "import os; from downslope.cli import start; os.write(2, b'!'); start()"
XOR = ("train", "xor", "--network", "dense 2", "--epochs", "2", "--no-pictures")
FIRST = 0.002  # what is heard between `os.write` and `start` is heard by Python alone
MOMENTS = [  # seconds, from the first imports to the end, and the command
    *((FIRST + 0.03 * step, ("data",)) for step in range(7)),
    *((FIRST + 0.25 * step**1.3, XOR) for step in range(6)),
]


@pytest.mark.parametrize(("seconds", "words"), MOMENTS)
def test_ctrl_c_at_any_moment(seconds, words, tmp_path):
    command = [sys.executable, "-c", HEAR + BEGIN, *words]
    with subprocess.Popen(command, cwd=tmp_path, stdout=-1, stderr=-1) as process:
        assert process.stderr.read(1) == b"!"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1].decode()
    assert "Traceback" not in said
    assert "ignored" not in said
    is_stopped = said.endswith("\nStopped.\n")
    is_stopped |= "Stopped by Ctrl-C" in said or "Go on with" in said
    assert process.returncode == (130 if is_stopped else 0)
    assert is_stopped or seconds > FIRST  # the first is sent before anything is imported


def test_the_module_is_the_command_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "downslope", "predict", "nowhere", "x.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {tmp_path}/nowhere does not exist. ")


def test_an_interrupt_that_python_drops_ends_the_command(tmp_path):
    code = (
        "import os, signal\n"
        "from downslope.cli import main, ending\n"
        "class Late:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        sum(range(9))\n"
        "def run(**settings):\n"
        "    one = Late()\n"
        "    del one\n"
        "    while True: pass\n"
        "main.cli = run\n"
        "main.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", HEAR + code],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "\nStopped.\n")


def test_a_process_that_ignores_ctrl_c_goes_on(tmp_path):
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {BEGIN}"
    with subprocess.Popen(
        [sys.executable, "-c", code, "data"], stdout=-1, stderr=-1, cwd=tmp_path
    ) as process:
        assert process.stderr.read(1) == b"!"
        process.send_signal(signal.SIGINT)
        assert process.communicate()[1] == b""
    assert process.returncode == 0


def test_another_error_that_comes_of_an_interrupt_is_told_as_one(capsys):
    try:
        ending.was_interrupted.set()
        assert code_of(ImportError("numpy._core.multiarray failed to import")) == 130
        assert code_of(ds.DataError("a.", "b", "C.")) == 2
    finally:
        ending.was_interrupted.clear()
    assert capsys.readouterr().err == "\nStopped.\nError: a. Expected b. C.\n"
