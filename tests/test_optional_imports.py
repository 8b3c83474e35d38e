"""Whatever a test needs beyond the extra [test], it skips with its reason where it is missing."""

import ast
from pathlib import Path

import pytest

from tests.conftest import PEERS

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))


def root_of(module: str) -> str:
    """The package that has to be installed for a module of this name."""
    return "sklearn" if module.startswith("downslope.sklearn") else module.split(".")[0]


def imported(node: ast.AST) -> list[str]:
    """The optional packages that a statement imports."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
        if node.module in ("downslope", "tests.reference"):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        return []
    roots = ["torch" if name.endswith("torch_twin") else root_of(name) for name in names]
    return [root for root in roots if root in PEERS]


def skipped(node: ast.AST) -> list[str]:
    """The optional packages without which a call skips the test."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip":
        return [root_of(ast.literal_eval(node.args[0]))]
    if isinstance(node, ast.ImportFrom) and "torch" in imported(node):
        return ["torch"]  # torch_twin skips whoever imports it
    return []


def is_marked(node: ast.AST) -> bool:
    return "pytest.mark.peers" in ast.unparse(node)


def unguarded(source: str) -> list[str]:
    """What a file of tests imports without skipping, or needs without the marker."""
    tree = ast.parse(source)
    faults = []
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    inside = {id(part) for function in functions for part in ast.walk(function)}
    top = [one for one in ast.walk(tree) if id(one) not in inside]
    module_skips = {root for one in top for root in skipped(one)}
    module_is_marked = any(
        is_marked(one) for one in tree.body if "pytestmark" in ast.unparse(one).split("=")[0]
    )
    has_tests = any(one.name.startswith("test_") for one in functions)
    faults += [
        f"line {one.lineno}: {root}"
        for one in top
        for root in imported(one)
        if root not in module_skips
    ]
    if module_skips and has_tests and not module_is_marked:
        faults.append("pytestmark lacks pytest.mark.peers")
    for function in functions:
        own = {root for one in ast.walk(function) for root in skipped(one)} & set(PEERS)
        for one in ast.walk(function):
            missing = set(imported(one)) - own - module_skips
            faults += [f"line {one.lineno}: {root}" for root in missing]
        marked = module_is_marked or any(map(is_marked, function.decorator_list))
        if own and function.name.startswith("test_") and not marked:
            varied = "importorskip" in ast.unparse(function) and "marks=" in source
            if not varied:
                faults.append(f"{function.name} lacks @pytest.mark.peers")
    return faults


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TESTS)))
def test_what_is_optional_is_skipped_where_it_is_missing(path):
    assert unguarded(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "def test_it():\n    import pandas",
        "def test_it():\n    from downslope.sklearn import NetworkClassifier",
        "def test_it():\n    pytest.importorskip('torch')",
        "pytest.importorskip('torch')\ndef test_it(): pass",
        "def helper():\n    from sklearn import datasets",
    ],
)
def test_an_import_without_a_way_out_is_found(source):
    assert unguarded(source) != []
