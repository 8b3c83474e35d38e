"""What answers at once: help, version and names, without starting the engine."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import downslope
from downslope.cli import commands
from downslope.cli.main import PURPOSES, cli
from downslope.data import BUILT_IN
from downslope.nn.ops.native import native
from tests.cli.conftest import documented

WATCHED = """
import sys
sys.argv = ["downslope", *{words!r}]
from downslope.cli.main import main
try:
    main()
except SystemExit as ending:
    assert not ending.code, ending.code
print("jax" in sys.modules, "pyarrow" in sys.modules, "rich.console" in sys.modules)
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"], ["data"]])
def test_answers_without_the_engine(words):
    """Help loads what draws it, and nothing else."""
    code = WATCHED.format(words=words)
    prediction = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert prediction.stderr == ""
    is_help = "--help" in words
    assert prediction.stdout.splitlines()[-1] == f"False False {is_help}"


def test_importing_the_package_starts_no_engine():
    code = "import sys, downslope; print('jax' in sys.modules, downslope.Network.__name__)"
    prediction = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert prediction.stdout == "False Network\n"


def test_every_public_name_is_there():
    assert {*downslope._HOME, *downslope._MODULES} == {*downslope.__all__}
    for name in downslope.__all__:
        assert getattr(downslope, name) is not None
    assert set(downslope.__all__) <= set(dir(downslope))
    with pytest.raises(AttributeError, match="module 'downslope' has no attribute 'nothing'"):
        _ = downslope.nothing


def test_help_names_every_command_by_purpose_in_a_line_that_is_whole(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = call("--help").stdout.splitlines()
    for purpose, own in PURPOSES.items():
        head = next(index for index, line in enumerate(lines) if line.rstrip() == f"{purpose}:")
        shown = [line.split(maxsplit=1) for line in lines[head + 1 : head + 1 + len(own)]]
        assert {name: text.rstrip() for name, text in shown} == own


def test_every_command_is_a_file_and_listed():
    names = [name for own in PURPOSES.values() for name in own]
    files = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}
    assert sorted(names) == sorted(files)
    for name in names:
        assert cli.get_command(None, name).name == name
    assert cli.get_command(None, "nothing") is None


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"]])
def test_help_fits_into_narrow_terminals_without_colours(words, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    result = call(*words)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 40


def test_help_of_a_command_shows_its_options_by_topic(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = call("train", "--help").stdout
    heads = ("Reading a table:", "--target <", "Training:", "--epochs <", "\nOptions:", "--json  ")
    order = [text.index(one) for one in heads]
    assert order == sorted(order)


def test_words_alone_show_the_help_whole(call):
    result = call()
    assert result.exit_code == 2
    assert result.stderr.rstrip().endswith("To train: downslope train digits.")


def test_a_shell_completes_commands_and_options(monkeypatch):
    words = {"_DOWNSLOPE_COMPLETE": "bash_complete", "COMP_WORDS": "downslope train --lo"}
    code = "from downslope.cli.main import main; main()"
    prediction = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env={**os.environ, **words, "COMP_CWORD": "2"},
    )  # fmt: skip
    assert prediction.stdout.split() == ["plain,--loss", "plain,--log"]


def test_version(call):
    is_there, says = native()
    path = f"native kernel for {says}" if is_there else f"JAX alone; the native kernel is {says}"
    assert call("--version").stdout == (
        f"downslope {version('downslope')}\nproducts and convolutions: {path}\n"
    )


def test_version_says_that_the_kernel_is_turned_off(call, monkeypatch):
    monkeypatch.setenv("DOWNSLOPE_NATIVE", "0")
    assert call("--version").stdout.splitlines()[1] == (
        "products and convolutions: JAX alone; "
        "the native kernel is turned off by DOWNSLOPE_NATIVE=0"
    )


def test_data_lists_the_built_in_sets(call):
    lines = call("data").stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(BUILT_IN)]] == list(BUILT_IN)
    found = json.loads(call("data", "--json").stdout)
    assert set(found) == documented("data")
    listed = found["datasets"]
    assert [one["name"] for one in listed] == list(BUILT_IN)
    assert [one["generated"] for one in listed] == [one.generated for one in BUILT_IN.values()]
    assert set(listed[0]) == {"name", "kind", "samples", "generated", "licence", "description"}


def test_usage_errors_exit_with_2(call):
    assert call("tarin").exit_code == 2
    result = call("train", "xor", "--batch-size", "many")
    assert result.exit_code == 2
    assert "'many' is neither a whole number nor \"full\"." in result.stderr
