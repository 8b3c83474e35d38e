"""The example of each public name runs as a reader would paste it.

Three things are at hand: `ds` (`import downslope as ds`), `np` (`import numpy as np`), and a saved
run, `runs/moons-1`, in the folder where the examples run.
"""

import dataclasses
import doctest
import importlib
import inspect
import itertools
import re

import numpy as np
import pytest

import downslope as ds

ESTIMATORS = ("downslope.sklearn.NetworkClassifier", "downslope.sklearn.NetworkRegressor")
PEERS = (*ESTIMATORS, "downslope.tensorboard_log")  # their examples need what [peers] brings
# names without an example: the exceptions, which the function that raises them documents
EXEMPT = {
    "downslope.DataError",
    "downslope.InputError",
    "downslope.Misfit",
    "downslope.NetworkError",
    "downslope.RunError",
    "downslope.SettingError",
    "downslope.StorageError",
}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _value(name):
    if name in ESTIMATORS:
        pytest.importorskip("sklearn")
    home, _, inside = name.rpartition(".")
    return getattr(importlib.import_module(home), inside)


def _analysis(name):
    """The analysis that an example calls: neighbours share compiled programs."""
    called = re.search(r"ds\.insight\.(\w+)\(", _value(name).__doc__ or "")
    return called[1] if called else ""


def _is_ours(value):
    """Whether it is a class or a function, not a dictionary of them or a type of values."""
    return inspect.isclass(value) or inspect.isfunction(value)


def _names():
    names = []
    for home in ("downslope", "downslope.data", "downslope.insight", "downslope.plots"):
        module = importlib.import_module(home)
        public = (name for name in module.__all__ if not inspect.ismodule(getattr(module, name)))
        names += [f"{home}.{name}" for name in public if _is_ours(getattr(module, name))]
    names.append("downslope.result.Result")
    return [*sorted(names, key=_analysis), *ESTIMATORS]


def _parameter(name):
    return pytest.param(name, marks=[pytest.mark.peers] if name in PEERS else [])


NAMES = [_parameter(name) for name in _names()]


def _examples(name):
    """The examples of a name; of a class those of its public methods as well."""
    value = _value(name)
    owners = {name: value}
    if inspect.isclass(value):
        methods = {one: vars(value)[one] for one in vars(value) if not one.startswith("_")}
        owners |= {f"{name}.{one}": getattr(method, "__func__", method)
                   for one, method in methods.items()}  # fmt: skip
    found = doctest.DocTestFinder(recurse=False)
    for one, owner in owners.items():
        if isinstance(getattr(owner, "__doc__", None), str):
            yield from found.find(owner, one, module=False, globs={"ds": ds, "np": np})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the run that the examples open."""
    made = tmp_path_factory.mktemp("examples")
    run = ds.train("dense 8 tanh, dense 2", "moons", epochs=2)
    run.save(made / "runs" / "moons-1")
    return made


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_run(name, folder, monkeypatch):
    if name == "downslope.tensorboard_log":
        pytest.importorskip("tensorboardX")
    monkeypatch.chdir(folder)
    said = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    for test in _examples(name):
        runner.run(test, out=said.append, clear_globs=False)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example(name):
    value = _value(name)
    is_exception = inspect.isclass(value) and issubclass(value, Exception)
    assert (name in EXEMPT) <= is_exception, "exempt without a reason"
    if name not in EXEMPT:
        assert ">>> " in (value.__doc__ or ""), f"{name} has no example"


def _section(documentation, head):
    """The names that a section such as Args lists."""
    _, _, rest = documentation.partition(f"\n{head}:\n")
    lines = itertools.takewhile(lambda line: not line or line.startswith(" "), rest.split("\n"))
    return {found[1] for line in lines if (found := re.match(r"    (\w+): ", line))}


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_attributes_are_documented_by_their_names(name):
    value = _value(name)
    documentation = inspect.getdoc(value)
    if dataclasses.is_dataclass(value):
        fields = {one.name for one in dataclasses.fields(value) if not one.name.startswith("_")}
        documented = _section(documentation, "Attributes")
        assert fields & set(inspect.get_annotations(value)) <= documented <= fields
    elif hasattr(value, "_fields"):
        assert _section(documentation, "Attributes") == set(value._fields)
    elif name not in EXEMPT:
        is_ours = inspect.isfunction(value) or inspect.isfunction(value.__init__)  # not dict's
        arguments = inspect.signature(value).parameters if is_ours else ()
        part = "Attributes" if isinstance(value, type) and issubclass(value, ds.Layer) else "Args"
        assert _section(documentation, part) == set(arguments)
