"""The changes that CONTRIBUTING.md describes touch one source file each: done in a copy.

A command and a chapter of the report have a line in a table besides.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import downslope

SOURCE = Path(downslope.__file__).parent
ACTIVATION = """
        Activation(
            "softsign",
            lambda z: z / (1 + jnp.abs(z)),
            formula="z / (1 + abs(z))",
            derivative="1 / (1 + abs(z))**2",
            source="Turian et al., 2009",
            is_elementwise=True,
            is_increasing=True,
            numpy="z / (1 + np.abs(z))",
            torch="nn.Softsign()",
            keras="softsign",
            onnx=lambda graph, z: graph.node("Softsign", z),
        ),
"""
OPTIMIZER = """
        OptimizerRecord(
            "lion",
            0.0003,
            "sign(b1 m + (1 - b1) g), where m <- b2 m + (1 - b2) g",
            "Chen et al., Symbolic discovery of optimization algorithms, 2023",
            optax.scale_by_lion,
            MappingProxyType({"b1": _fraction(0.9), "b2": _fraction(0.99)}),
            state="mean of the gradients of lion",
            decouples=True,
        ),
"""
USE = """
import numpy as np
import downslope as ds

run = ds.train("dense 16 softsign, dense 10", "digits", optimizer="lion", epochs=3)
assert run.settings.learning_rate == 0.0003, run.settings
assert run.settings.optimizer.b2 == 0.99
run.save("run")
opened = ds.open_run("run")
ds.export(opened, "digits.py", to="numpy")
import digits

inputs = ds.load("digits").test.inputs[:5]
np.testing.assert_allclose(digits.outputs(inputs), run.outputs(inputs), rtol=1e-4, atol=1e-4)
from downslope.cli.options import registered
assert "lion" in registered("engine.optimizers", "OPTIMIZERS")  # what help lists
assert "softsign" in str(ds.catalogue("activations"))
assert "lion" in str(ds.catalogue("optimizers"))
try:
    ds.Optimizer("lions")
except ds.SettingError as error:
    assert "Did you mean 'lion'?" in str(error)
"""

COMMAND = '''
"""`downslope size`: how large the network of a run is."""

from __future__ import annotations

import rich_click as click

from downslope.cli import options
from downslope.cli.lines import print_json, say
from downslope.cli.runner import Output, RunAt


@click.command()
@options.run
@options.output
def size(run: RunAt, output: Output) -> None:
    """Say how many weights and biases the network of a RUN has."""
    count = output.open(run).parameter_count
    if output.as_json:
        print_json({"parameters": count})
    else:
        say(f"{count:,} weights and biases")
'''
COMMAND_LINE = '        "size": "How many weights a network has.",\n'
CHAPTER = '''
"""How large the network is."""

from __future__ import annotations

from collections.abc import Iterator

from downslope.reporting.material import Material
from downslope.reporting.pieces import Piece, Words


def the_size(material: Material) -> Iterator[Piece]:
    """How many weights and biases there are."""
    yield Words(f"The network has {material.run.parameter_count:,} weights and biases.")
'''
CHAPTER_LINES = (
    "from downslope.reporting.story_size import the_size\n",
    '    ("How large it is", (the_size,)),\n',
)
FORMAT = '''
"""JSON files with an object in each line."""

from __future__ import annotations

from pathlib import Path

from downslope.data.readers.formats import TableFormat


def read_json_lines(path: Path):
    """Read a file of JSON lines."""
    import pyarrow.json

    from downslope.data.tables.bounds import check_table

    table = pyarrow.json.read_json(path)
    check_table(path, table)
    return table


FORMAT = TableFormat("JSON lines", (".jsonl",), read_json_lines)
'''
USE_OF_OTHERS = """
import json
import downslope as ds
from downslope.reporting import story
from downslope.reporting.material import Material

with open("rooms.jsonl", "w") as file:
    for row in range(60):
        file.write(json.dumps({"area": row % 17 + 1.5, "town": "ab"[row % 2], "rent": 9.5 * row}))
        file.write("\\n")
data = ds.load("rooms.jsonl", target="rent")
assert sum(data.sizes.values()) == 60
run = ds.train("dense 2 tanh, dense 1", data, epochs=1, folder="run")
title, writers = story.AFTERWARDS[0]
assert title == "How large it is"
(words,) = (piece for write in writers for piece in write(Material(run)))
assert words.text == f"The network has {run.parameter_count:,} weights and biases."
"""


def add(file: Path, registry: str, record: str) -> None:
    """Put a record first into a registry, as a person would."""
    text = file.read_text(encoding="utf-8")
    start = text.index(f"{registry} = Registry(")
    index = text.index("    [\n", start) + len("    [\n")
    file.write_text(text[:index] + record.lstrip("\n") + text[index:], encoding="utf-8")


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the package, where a new file and a new line harm nobody."""
    copy = tmp_path / "src" / "downslope"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def run_in(folder: Path, *arguments: str) -> str:
    """What Python prints with the copied package."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def insert(file: Path, before: str, line: str) -> None:
    """Put a line before a text that the file has once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1
    file.write_text(text.replace(before, line + before), encoding="utf-8")


def test_a_command_a_chapter_and_a_format_are_a_file_each(copy, tmp_path):
    (copy / "cli" / "commands" / "size.py").write_text(COMMAND.lstrip(), encoding="utf-8")
    insert(copy / "cli" / "main.py", '        "neuron": "', COMMAND_LINE)
    (copy / "reporting" / "story_size.py").write_text(CHAPTER.lstrip(), encoding="utf-8")
    story = copy / "reporting" / "story.py"
    insert(story, "from downslope.reporting.story_weight", CHAPTER_LINES[0])
    insert(story, '    ("How the training ended', CHAPTER_LINES[1])
    (copy / "data" / "readers" / "formats" / "json_lines.py").write_text(FORMAT.lstrip())
    (tmp_path / "use.py").write_text(USE_OF_OTHERS, encoding="utf-8")
    run_in(tmp_path, "use.py")
    assert "How many weights a network has." in run_in(tmp_path, "-m", "downslope", "--help")
    shown = run_in(tmp_path, "-m", "downslope", "size", "run")
    assert shown == f"{11} weights and biases\n"
    assert run_in(tmp_path, "-m", "downslope", "size", "run", "--json") == '{"parameters": 11}\n'


def test_an_activation_and_an_optimizer_are_added_in_one_file_each(copy, tmp_path):
    add(copy / "nn" / "activations.py", "ACTIVATIONS", ACTIVATION)
    add(copy / "engine" / "optimizers.py", "OPTIMIZERS", OPTIMIZER)
    (tmp_path / "use.py").write_text(USE, encoding="utf-8")
    run_in(tmp_path, "use.py")


def bare(text: str) -> str:
    """Code without the blanks and last commas that a formatter may set."""
    return re.sub(r",(?=[)\]}])", "", re.sub(r"\s+", "", text))


def test_contributing_shows_what_is_done_here():
    page = bare((Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    for shown in (ACTIVATION, OPTIMIZER, COMMAND, CHAPTER, FORMAT, COMMAND_LINE, *CHAPTER_LINES):
        assert bare(shown).strip(",") in page
