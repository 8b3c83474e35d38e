"""What answers at once: help, version and names, without starting the engine."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import downslope
from downslope.data import BUILT_IN
from downslope.nn.ops.native import native

WATCHED = """
import sys
sys.argv = ["downslope", *{words!r}]
from downslope.cli.main import main
try:
    main()
except SystemExit as ending:
    assert not ending.code, ending.code
print("jax" in sys.modules, "rich" in sys.modules)
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["train", "--help"], ["data"]])
def test_answers_without_the_engine(words):
    code = WATCHED.format(words=words)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stderr == ""
    assert answer.stdout.splitlines()[-1] == "False False"


def test_importing_the_package_starts_no_engine():
    code = "import sys, downslope; print('jax' in sys.modules, downslope.Network.__name__)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout == "False Network\n"


def test_every_public_name_is_there():
    assert {*downslope._HOME, *downslope._MODULES} == {*downslope.__all__}
    for name in downslope.__all__:
        assert getattr(downslope, name) is not None
    assert set(downslope.__all__) <= set(dir(downslope))
    with pytest.raises(AttributeError, match="module 'downslope' has no attribute 'nothing'"):
        _ = downslope.nothing


def test_help_names_every_command(call):
    text = call("--help").stdout
    for name in ("train", "test", "predict", "count", "trace", "neuron", "layers", "data"):
        assert f"\n  {name} " in text


def test_version(call):
    is_there, says = native()
    path = f"native kernel, {says}" if is_there else f"JAX alone; the native kernel is {says}"
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
    listed = json.loads(call("data", "--json").stdout)["datasets"]
    assert [one["name"] for one in listed] == list(BUILT_IN)
    assert [one["generated"] for one in listed] == [one.generated for one in BUILT_IN.values()]
    assert set(listed[0]) == {"name", "kind", "samples", "generated", "licence", "description"}


def test_usage_errors_exit_with_2(call):
    assert call("tarin").exit_code == 2
    result = call("train", "xor", "--batch-size", "many")
    assert result.exit_code == 2
    assert "'many' is neither a whole number nor \"full\"." in result.stderr
