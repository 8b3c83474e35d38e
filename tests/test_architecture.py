"""The shape of the program: which floor may import which, and what each public name owes."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import downslope

SOURCE = Path(downslope.__file__).parent
ROOT = Path(__file__).parents[1]  # the installed package may lie elsewhere
FLOORS = (
    "errors", "names", "numerals", "text", "result", "storage", "data", "nn", "engine", "runs",
    "insight", "diagnosis", "exporting", "plots", "reporting", "learn", "sklearn", "lab", "cli",
    "__main__",
)  # fmt: skip
FILES = sorted(SOURCE.rglob("*.py"))
FREE_OF_CIRCLES = {
    "storage", "nn", "engine", "runs", "insight", "diagnosis", "exporting", "plots",
    "reporting", "learn", "sklearn", "lab", "cli",
}  # fmt: skip
MAY_NOT_IMPORT = {"data": {"jax", "optax"}, "storage": {"jax", "optax"}}


def floor_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.add(node.module)
            if node.module == "downslope":
                found |= {f"downslope.{name.name}" for name in node.names}
    return found


def all_imports(path: Path) -> set[str]:
    """The same with modules that are imported as names of their package."""
    found = imports(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down_only(path):
    floor = floor_of(path)
    if floor == "__init__":  # the Python door may name everything
        return
    for module in imports(path):
        root, _, rest = module.partition(".")
        assert root not in MAY_NOT_IMPORT.get(floor, set()), f"{floor} imports {module}"
        if root == "downslope" and rest:
            used = rest.split(".")[0]
            assert FLOORS.index(used) <= FLOORS.index(floor), f"{floor} imports {module}"


def circles(uses: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach each other through their imports."""

    def reached(start: str) -> set[str]:
        found, waiting = set(), [start]
        while waiting:
            fresh = uses.get(waiting.pop(), set()) - found
            found |= fresh
            waiting += fresh
        return found

    reach = {module: reached(module) for module in uses}
    groups = {
        frozenset(other for other in reach[module] if module in reach.get(other, ()))
        for module in uses
    }
    return [set(group) for group in groups if group]


@pytest.mark.parametrize("floor", sorted(set(FLOORS) - {"errors", "names", "numerals"}))
def test_no_modules_of_a_floor_import_each_other(floor):
    """Imports inside functions and those for types alone count as well."""
    names = {
        "downslope." + ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
        for path in FILES
        if path.name != "__init__.py" and floor_of(path) == floor
    }
    uses = {name: all_imports(path) & set(names) - {name} for name, path in names.items()}
    assert uses
    assert circles(uses) == []


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]


def test_one_file_alone_meets_a_higher_floor_by_its_name():
    """A result is drawn by the floor above it, which is loaded when a figure is asked for."""
    named = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                target = ast.unparse(node.args[0]).strip("'")
                used = target.removeprefix("downslope.").split(".")[0]
                if used in FLOORS and FLOORS.index(used) > FLOORS.index(floor_of(path)):
                    named[str(path.relative_to(SOURCE))] = target
    assert named == {"result.py": "downslope.plots"}


@pytest.mark.parametrize("path", [path for path in FILES if floor_of(path) == "cli"], ids=str)
def test_commands_print_through_one_place(path):
    """What is a stranger's gets there its escapes."""
    if path.name != "lines.py":
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"click\.s?echo|^\s*print\(", text, re.MULTILINE)


def test_there_are_no_other_floors():
    assert {floor_of(path) for path in FILES} - {"__init__"} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_holds_one_idea_in_at_most_800_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 800


def test_all_is_what_is_exported():
    assert dir(downslope) == sorted(downslope.__all__)
    assert len(set(downslope.__all__)) == len(downslope.__all__)
    modules = {name for name in dir(downslope) if inspect.ismodule(getattr(downslope, name))}
    assert modules == {"data", "insight", "plots"}


def test_type_checkers_see_the_names_that_are_loaded_on_first_use():
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "downslope"
        for name in node.names
    }
    assert seen == set(downslope.__all__)


@pytest.mark.parametrize("name", downslope.__all__)
def test_every_public_name_is_documented(name):
    value = getattr(downslope, name)
    assert inspect.getdoc(value)
    for method, function in inspect.getmembers(value, inspect.isfunction):
        if inspect.isclass(value) and not method.startswith("_"):
            assert inspect.getdoc(function), f"{name}.{method}"


def test_every_ignored_rule_has_its_reason():
    for path in {*FILES, *ROOT.glob("tests/**/*.py")} - {Path(__file__)}:
        for line in path.read_text(encoding="utf-8").splitlines():
            found = re.search(r"#\s*(noqa|type: ignore|pyright: ignore)(\S*)(.*)", line)
            assert not found or len(found[3].strip(" #-")) > 5, (path, line)
    rules = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for line in re.findall(r'^    "[A-Z]+\d+".*$', rules, re.MULTILINE):
        assert "# " in line, line
