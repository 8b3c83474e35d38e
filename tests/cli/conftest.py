"""The command line in this process, and runs that are trained once for all tests."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from downslope.cli.main import cli
from downslope.data.density import STRIDE
from tests.cli.folders import shanghaitech

START = "from downslope.cli.main import main; main()"
# quickly compiled
SMALL = ("--network", "dense 2", "--optimizer", "sgd")


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call `downslope` with these words in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def documented(command: str) -> set[str]:
    """The keys of a command's JSON object, as docs/json.md lists them."""
    page = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
    sections = {
        name.strip("` "): body
        for head, _, body in (one.partition("\n") for one in page.split("\n## ")[1:])
        for name in head.split(",")
    }
    rows = [line.split(" | ")[0] for line in sections[command].splitlines() if line[:3] == "| `"]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


@pytest.fixture
def refused(call):
    """Call `downslope`, and return its one message: exit code 2, nothing on standard output."""

    def refuse(*words) -> str:
        result = call(*words)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        message = result.stderr.splitlines()[-1]
        assert message.startswith("Error: ")
        assert "Traceback" not in result.stderr
        return message.removeprefix("Error: ")

    return refuse


def running(tmp_path, *words) -> subprocess.Popen:
    """A training in a process of its own, whose loop has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch"):
            return process
    raise AssertionError("ended too early")


def trained(folder: Path, *words: str) -> Path:
    result = CliRunner().invoke(cli, ["train", *words, "--no-pictures", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def xor_run(tmp_path_factory):
    """A run that learnt `xor` a little."""
    return trained(tmp_path_factory.mktemp("runs") / "xor", "xor", "--epochs", "3", *SMALL)


@pytest.fixture
def own_run(xor_run, tmp_path):
    """A copy of it, for what is written into a run."""
    return Path(shutil.copytree(xor_run, tmp_path / "own"))


@pytest.fixture(scope="session")
def crowd_folder(tmp_path_factory):
    """Twenty photos with labels, as in ShanghaiTech."""
    return shanghaitech(tmp_path_factory.mktemp("data") / "street")


@pytest.fixture(scope="session")
def crowd_run(tmp_path_factory, crowd_folder):
    """A run that counts heads, badly."""
    network = f"conv 2 3 relu, max_pool {STRIDE}, conv 1 1"
    words = (str(crowd_folder), "--network", network, "--optimizer", "sgd", "--epochs", "1")
    return trained(tmp_path_factory.mktemp("runs") / "street", *words)
