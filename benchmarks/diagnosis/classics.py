"""Twenty-five classic faults, made through the doors that a new user takes, and what each says."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

import downslope as ds
from downslope.cli.main import cli

STOPPED = "had stopped falling"  # what was said before there were verdicts
REFUSED = "refused, rightly"
SILENT = "nothing"


@dataclass(frozen=True)
class Classic:
    """A fault.

    Attributes:
        name: What is wrong.
        rows: The columns of its table, by name; empty for `data`.
        data: A built-in set.
        settings: What is asked for, by the names of `ds.train`.
        before: What was said of it before there were verdicts.
    """

    name: str
    rows: Callable[[np.random.Generator], dict[str, np.ndarray]] | None = None
    data: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    before: str = STOPPED


def _numbers(draw: np.random.Generator) -> dict[str, np.ndarray]:
    """Two inputs and a bent function of them."""
    a, b = draw.uniform(-2, 2, (2, 400))
    return {"a": a, "b": b, "y": np.sin(2 * a) + b + 0.1 * draw.normal(size=400)}


def _classes(draw: np.random.Generator) -> dict[str, np.ndarray]:
    """Two inputs and whether they lie outside of a circle."""
    a, b = draw.normal(0, 1.5, (2, 400))
    return {"a": a, "b": b, "y": np.where(np.hypot(a, b) > 1.7, "out", "in")}


def _with(
    make: Callable[[np.random.Generator], dict[str, np.ndarray]], **changes: Callable[..., Any]
) -> Callable[[np.random.Generator], dict[str, np.ndarray]]:
    """The same table with columns changed, each by a function of it and of the generator."""

    def made(draw: np.random.Generator) -> dict[str, np.ndarray]:
        table = make(draw)
        return table | {name: change(table, draw) for name, change in changes.items()}

    return made


def _outlier(table: dict[str, np.ndarray], _: np.random.Generator) -> np.ndarray:
    return np.where(np.arange(400) == 7, 1e5, table["y"])


def _rare(table: dict[str, np.ndarray], draw: np.random.Generator) -> np.ndarray:
    return np.where(draw.random(400) < 0.03, "yes", "no")


TWO = "dense 16 relu, dense 16 relu"
PLAIN = {"optimizer": "adam", "learning_rate": 0.01, "epochs": 20, "batch_size": 32}


def _classic(name: str, rows: Any, network: str, before: str = STOPPED, **settings: Any) -> Classic:
    own = {**PLAIN, **settings}
    if "{" in network:
        network = network.format(TWO)
    return Classic(name, rows, settings={"network": network, **own}, before=before)


CLASSICS = (
    # refused before the first step
    _classic("softmax before cross-entropy", _classes, "{}, dense 2 softmax", REFUSED),
    _classic("sigmoid before binary cross-entropy", _classes, "{}, dense 1 sigmoid", REFUSED,
             loss="binary_cross_entropy"),
    _classic("softmax of one unit", _classes, "{}, dense 1 softmax", REFUSED,
             loss="binary_cross_entropy"),
    _classic("one output for two classes", _classes, "{}, dense 1", REFUSED),
    _classic("squared error for classes", _classes, "{}, dense 2", REFUSED, loss="squared_error"),
    _classic("cross-entropy for numbers", _numbers, "{}, dense 1", REFUSED, loss="cross_entropy"),
    _classic("negative learning rate", _numbers, "{}, dense 1", REFUSED, learning_rate=-0.01),
    _classic("batch of 0 samples", _numbers, "{}, dense 1", REFUSED, batch_size=0),
    _classic("dense without flatten", None, "conv 4 3 relu, dense 10", REFUSED),
    # finite, but bad
    _classic("rate 100 times too high", _classes, "{}, dense 2", learning_rate=10.0,
             optimizer="sgd"),
    _classic("rate so high that numbers overflow", _numbers, "{}, dense 1", learning_rate=1e4,
             optimizer="sgd"),
    _classic("rate 10,000 times too low", _classes, "{}, dense 2", learning_rate=1e-6),
    _classic("ended after one epoch", _classes, "{}, dense 2", epochs=1, learning_rate=1e-3),
    _classic("labels shuffled", _with(_classes, y=lambda table, draw: draw.permutation(table["y"])),
             "{}, dense 2"),
    _classic("labels one row late", _with(_classes, y=lambda table, _: np.roll(table["y"], 1)),
             "{}, dense 2"),
    _classic("eight sigmoid layers", _classes, ", ".join(["dense 16 sigmoid"] * 8) + ", dense 2"),
    _classic("inputs not scaled", _with(_classes, a=lambda table, _: 5e3 * table["a"] + 2e4),
             "{}, dense 2", scaling="none"),
    _classic("targets not scaled", _with(_numbers, y=lambda table, _: 1e5 * table["y"]),
             "{}, dense 1", scaling="none"),
    _classic("dead relus", _classes, "{}, dense 2", optimizer="sgd", learning_rate=30.0),
    _classic("a target outlier", _with(_numbers, y=_outlier), "{}, dense 1"),
    _classic("sigmoid at the end for numbers", _numbers, "{}, dense 1 sigmoid"),
    _classic("no hidden activation", _classes, "dense 16, dense 16, dense 2"),
    _classic("dropout 0.95", _classes, "dense 16 relu, dropout 0.95, dense 2"),
    _classic("three in a hundred are of a class", _with(_classes, y=_rare), "{}, dense 2",
             epochs=5),
    _classic("a column that is the target",
             _with(_numbers, c=lambda table, draw: 3 * table["y"] + 1e-3 * draw.normal(size=400)),
             "{}, dense 1", SILENT),
)  # fmt: skip


def _words(settings: dict[str, Any]) -> list[str]:
    return [
        word for name, value in settings.items() for word in (f"--{name.replace('_', '-')}",
                                                              str(value))
    ]  # fmt: skip


def _first_line(text: str) -> str:
    return " ".join(text.split())


def through_doors(one: Classic, seed: int = 0) -> dict[str, str]:
    """What the command line and Python say of a fault."""
    table = None if one.rows is None else one.rows(np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        source, target = "digits", []
        if table is not None:
            source, target = "rows.csv", ["--target", "y"]
            rows = zip(*table.values(), strict=True)
            lines = [",".join(table), *(",".join(map(str, row)) for row in rows)]
            Path(source).write_text("\n".join(lines) + "\n")
        asked = ["train", source, *target, *_words(one.settings), "--no-pictures", "--out", "run"]
        made = CliRunner().invoke(cli, [*asked, "--json"])
        if not Path("run/run.json").exists():
            said = _first_line(made.stderr)
            return {"command line": said, "Python": _in_python(one, source), "diagnosis": ""}
        told = json.loads(made.stdout)["outcome"]
        verdict = told["findings"][0]["cause"] if told["findings"] else told["message"]
        found = CliRunner().invoke(cli, ["diagnose", "run", "--budget", "0", "--json"])
        findings = json.loads(found.stdout)["findings"]
        named = [
            f"{own['cause']} ({own['level']})" for own in findings
            if own["level"] in ("fault", "warning") and own["cause"] != "no_better_than_baseline"
        ]  # fmt: skip
        python = _in_python(one, source)
    return {"command line": verdict, "Python": python, "diagnosis": ", ".join(named)}


def _in_python(one: Classic, source: str) -> str:
    settings = dict(one.settings)
    reading = {"scaling": settings.pop("scaling")} if "scaling" in settings else {}
    try:
        data = ds.load(source, **({} if source == "digits" else {"target": "y"}), **reading)
        run = ds.train(data=data, **settings)
    except ds.DownslopeError as error:
        return _first_line(str(error))
    return run.findings[0].cause if run.findings else run.outcome.message


def classics(only: str = "") -> Iterator[tuple[Classic, dict[str, str]]]:
    """Every fault whose name has these words, with what the doors say of it."""
    for one in CLASSICS:
        if only in one.name:
            yield one, through_doors(one)
