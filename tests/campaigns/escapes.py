"""A stranger's texts at every door: nothing that a terminal or a page would obey comes out.

    python -m tests.campaigns.escapes

Columns, classes, files, folders and the fields of a forged run carry each of `TEXTS`; every command
is called with them, in words and with --json. What is printed holds no control character but line
ends, none of the marks that reorder or hide text, and no line that a stranger's line end began;
what is JSON is JSON, with the names as they were.
"""

from __future__ import annotations

import csv
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click.testing
import numpy as np
from PIL import Image

import downslope as ds
from downslope.cli.main import cli
from downslope.errors import printable
from tests.campaigns.corruptions import DOCUMENT, seal
from tests.campaigns.forged import read_bases
from tests.plain import PLAIN

INJECTED = "INJECTED"  # what a line would begin with that a stranger began
TEXTS = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b2Jclear",
    "over\rwritten\b\b\x7f",
    f"a\n{INJECTED}",
    "\u202egnp.exe\u2066",
    "ze\u200bro\ufeff\u00ad",
    f"\u2028{INJECTED}\x85\x0b\x0c",
    "[bold]mark[/up] $\\frac{$ {0} %s <b>&amp;",
)
MADE = 21  # commands that have to work; the others are mistakes and forged runs
LONG = ("report", "generalization", "layers", "resume")  # commands
SMALL = ("--epochs", "1", "--network")


def table(folder: Path) -> Path:
    """A table whose columns, categories, classes and file have these names."""
    path = folder / f"t{TEXTS[0]}{TEXTS[7]}{TEXTS[5]}{TEXTS[8].replace('/', '')}.csv"
    rows = [
        [index % 7, index % 5, *(f"{TEXTS[index % 9]}{at}" for at in range(2)), TEXTS[index % 9]]
        for index in range(270)
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*TEXTS[:4], f"y{TEXTS[4]}"])
        writer.writerows(rows)
    return path


def images(folder: Path) -> Path:
    """Images in folders of these names."""
    inside = folder / f"i{TEXTS[1]}{TEXTS[4]}{TEXTS[7]}"
    for number, text in enumerate((TEXTS[0], TEXTS[4], TEXTS[5])):
        index = inside / text
        index.mkdir(parents=True)
        for at in range(12):
            pixels = np.full((6, 6), 40 * number + at, np.uint8)
            Image.fromarray(pixels).save(index / f"{at}{TEXTS[6]}.png")
    return inside


def forge(run: Path, target: Path, *, all_of_it: bool) -> Path:
    """A copy of a run whose texts are a stranger's, with manifests made anew.

    With `all_of_it` also those that a training never writes so: its name, and how it ended.
    """
    shutil.copytree(run, target)
    files = read_bases(run.parent.parent)[run.name]
    document = json.loads(files[DOCUMENT])
    strange = "".join(TEXTS)
    data = document["data"]
    data["class_names"] = [f"{text}{strange}" for text in TEXTS[:2]]
    data["fingerprint"] = strange
    if all_of_it:
        data["name"] = document["outcome"]["message"] = strange
    document["versions"] = {strange: strange}
    files[DOCUMENT] = json.dumps(document).encode()
    for name, content in seal(files).items():
        assert isinstance(content, bytes)
        (target / name).write_bytes(content)
    return target


def commands(folder: Path) -> Iterator[list[str]]:
    """Every door, and what to say there; the first ones make the runs of the later ones."""
    data, pictures = str(table(folder)), str(images(folder))
    target = f"y{TEXTS[4]}"
    run, shown = str(folder / "runs" / f"r{TEXTS[7]}"), str(folder / "runs" / f"i{TEXTS[5]}")
    dense = [*SMALL, "dense 2, dense 9"]
    yield ["train", data, "--target", target, *dense, "--out", run]
    yield ["train", pictures, *SMALL, "flatten, dense 3", "--out", shown]
    for one in (run, shown):
        for command in ("test", "report", "generalization", "layers"):
            yield [command, one]
        yield ["neuron", one, "--layer", "1" if one == run else "2", "--unit", "0"]
        yield ["trace", one, "--step", "1"]
    yield ["predict", run, data]
    yield ["predict", run, data, "--csv"]
    yield ["predict", shown, next(str(path) for path in sorted(Path(pictures).rglob("*.png")))]
    yield ["diff", run, shown]
    yield ["export", run, "--to", "safetensors", "--out", str(folder / f"{TEXTS[7]}.safetensors")]
    yield ["resume", run, "--epochs", "2"]
    rows = folder / f"rows{TEXTS[5]}.csv"
    rows.write_text("1,2\n3,4\n")
    base = xor_run(folder)
    strange = str(forge(base, folder / "runs" / f"forged{TEXTS[5]}", all_of_it=False))
    yield ["predict", strange, str(rows)]
    yield from mistakes(data, run)
    for one in (strange, str(forge(base, folder / "more" / TEXTS[5], all_of_it=True))):
        yield ["test", one, "--data", "moons"]
        yield ["test", one]
        yield ["resume", one]
        yield ["fork", one, "--at", "1"]


def mistakes(data: str, run: str) -> Iterator[list[str]]:
    """What is refused, with a stranger's text in the message."""
    for text in TEXTS:
        yield ["train", data, "--target", text * 3]
        yield ["train", data, "--target", f"y{TEXTS[4]}", "--column", f"{text}=what"]
        yield ["train", data, "--target", f"y{TEXTS[4]}", "--network", f"dense {text}"]
        yield ["train", text, "--target", text]
        yield ["train", "xor", "--loss", text]
        yield ["train", "xor", "--optimizer", text]
        yield ["train", "xor", f"--{text}"]
        yield ["slope", text, "--at", "1"]
        yield ["predict", run, f"{text}.csv"]
        yield ["test", text]
        yield [text]


def xor_run(folder: Path) -> Path:
    """A small run to forge."""
    path = folder / "base" / "runs" / "xor"
    network = ds.parse_network("dense 2")
    ds.train(network, ds.load("xor"), options=PLAIN, epochs=1, learning_rate=0.1, folder=path)
    return path


def faults(text: str, what: str) -> list[str]:
    """What is wrong with what was printed."""
    found = []
    if printable(text, keep="\n") != text:
        found.append(f"{what}: not printable: {set(text) - set(printable(text))!r}")
    found += [f"{what}: a stranger's line: {line[:200]!r}" for line in text.splitlines()
              if line.lstrip().startswith(INJECTED)]  # fmt: skip
    return found


def call(words: list[str]) -> tuple[click.testing.Result, list[str]]:
    """Call a command, and what is wrong with its answer."""
    done = click.testing.CliRunner().invoke(cli, words)
    what = " ".join(words[:1]) + repr(words[1:])[:150]
    found = faults(done.stderr, what)
    if "--csv" not in words:  # what is made for programs is as it is, but on a terminal
        found += faults(done.stdout, what)
    if "fault of its own" in done.stderr or done.exit_code not in (0, 1, 2):
        found.append(f"{what}: {done.exit_code}: {done.stderr[-600:]!r}")
    return done, found


def campaign(folder: Path, *, is_small: bool = False) -> tuple[int, list[str]]:
    """Go through all doors; how many answers there were, and what is wrong."""
    os.environ["COLUMNS"] = "200"
    before = os.getcwd()
    os.chdir(folder)
    count, wrong = 0, []
    try:
        for index, words in enumerate(commands(folder)):
            is_mistake = index >= MADE
            if is_small and (index % 5 if is_mistake else words[0] in LONG):
                continue
            done, found = call(words)
            wrong += found
            count += 1
            if done.exit_code == 2 and not is_mistake:
                wrong.append(f"refused: {words}: {done.stderr[-500:]}")
            if words[0] in ("test", "predict", "trace", "neuron", "diff") and "--csv" not in words:
                done, found = call([*words, "--json"])
                count += 1
                wrong += found
                if done.exit_code == 0:
                    json.loads(done.stdout)
    finally:
        os.chdir(before)
    wrong += pages(folder)
    return count, wrong


def pages(folder: Path) -> list[str]:
    """What is wrong with the reports, the notebook's cards, and what Python prints."""
    wrong = []
    for path in sorted(folder.rglob("report.html")):
        text = path.read_text(encoding="utf-8")
        wrong += faults(text.replace("\n", " "), "report")  # where a line ends means nothing there
        wrong += ["a stranger's tag in a report"] * ("<b>&" in text)
    for path in (folder / "runs").iterdir():
        run = ds.open_run(path)
        wrong += faults(run._repr_html_() + repr(run), f"card of {path}")
    return wrong


def on_a_terminal(folder: Path) -> bytes:
    """What a training draws on a terminal, of a table with these names."""
    words = ["train", str(table(folder)), "--target", f"y{TEXTS[4]}", *SMALL, "dense 9"]
    script = f"import sys; sys.argv = {['downslope', *words, '--no-pictures']!r}\n"
    script += "from downslope.cli.main import main; main()"
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    with subprocess.Popen([sys.executable, "-c", script], cwd=folder, env=environment,
                          stdin=theirs, stdout=theirs, stderr=theirs):  # fmt: skip
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            drawn += piece
    os.close(ours)
    return drawn


def main() -> None:
    """Run it, and print what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        count, wrong = campaign(Path(folder))
    print("\n".join(wrong[:60]))
    print(f"{count} answers, {len(wrong)} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
