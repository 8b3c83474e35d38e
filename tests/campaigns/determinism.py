"""Whether the same training gives the same bits again, and whether any step can be gone back to.

    python -m tests.campaigns.determinism [--out FILE] [again | steps | elsewhere] [NUMBER ...]

again: 30 pairs of data and network are trained three times, each time in a process of its own:
as they are, once more, and into a folder with other chunks of steps. All bits have to be equal.
steps: the checksum of the weights is taken behind every step while ten of them train, go on with
another learning rate, and are forked; at 200 random steps another process has to find the same
weights by `run.at`, from stored states that are near and far, and from the first weights.
elsewhere: whether the same trainings differ with programs that another process compiled, on one
core, and with other code for the layers; all but the first is measured, not promised.

All of it takes about half an hour on two cores that have nothing else to do.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import numpy as np

import downslope as ds
from downslope.insight import diff
from downslope.runs.checkpoint import Checkpoints, CheckpointWriter
from downslope.runs.resume import fork, resume
from downslope.runs.save import arrays_of
from downslope.runs.validate import first_layers
from tests.campaigns.pairs import LOOKED_AT, PAIRS
from tests.campaigns.rate_cases import Case
from tests.plain import PLAIN

ROOT = Path(__file__).parents[2]
MODULE = "tests.campaigns.determinism"
USUAL, SHORT, LONG = 0.5, 0.01, 3.0  # seconds of a chunk of steps; 0 for a single step
STEPS_PER_PAIR = {"saved": 6, "stored": 4, "resumed": 5, "forked": 5}  # 20 in 10 pairs: 200
PROGRAMS = "programs"  # stands for a folder of compiled programs
ENVIRONMENTS: Mapping[str, tuple[Mapping[str, str], int | None]] = {  # variables, cores
    "programs that another process compiled": ({"DOWNSLOPE_CACHE": PROGRAMS}, None),
    "one core": ({}, 1),
    "without the native kernel": ({"DOWNSLOPE_NATIVE": "0"}, None),
    "without the native kernel, one core": ({"DOWNSLOPE_NATIVE": "0"}, 1),
    "kernel with AVX2": ({"DOWNSLOPE_NATIVE": "avx2"}, None),
}


def checksum(*trees: Any) -> str:
    """SHA-256 of all numbers, in their order."""
    found = hashlib.sha256()
    for leaf in jax.tree.leaves(trees):
        array = np.asarray(leaf, order="C")
        found.update(f"{array.dtype}{array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def network_for(case: Case, data: ds.Dataset) -> ds.Network:
    """The pair's network; where columns are looked up, their layers come first."""
    lookups = ds.Network([*first_layers(data), ds.Dense(32, "relu"), ds.Dense(1)])
    return ds.parse_network(case.network) if case.network else lookups


@contextmanager
def chunks_of(seconds: float):
    """Let a chunk of steps take so long."""
    with mock.patch("downslope.runs.training.CHUNK_SECONDS", seconds):
        yield


def train_once(number: int, seconds: float, folder: str | None = None) -> dict[str, str]:
    """Train a pair; checksums of what it leaves."""
    case = PAIRS[number]
    data = case.data()
    with chunks_of(seconds):
        run = ds.train(network_for(case, data), data, options=PLAIN, folder=folder, **case.settings)
    return {
        "weights": checksum(arrays_of(run)),
        "trace": checksum(dict(run.trace.steps), dict(run.trace.epochs)),
        "optimizer": checksum(run.optimizer_state),
        "outcome": str(run.outcome).split("Go on with")[0],
        "steps": str(run.outcome.step),
    }


class Watching(CheckpointWriter):
    """A writer that notes the checksum of the weights behind each chunk of steps."""

    seen: dict[int, str] = {}  # noqa: RUF012 - one for the process: `train` makes its own writer
    due = True

    def is_due(self, epoch: int) -> bool:
        """Always; whether it is also stored is remembered."""
        self.due = super().is_due(epoch)
        return True

    def store(self, run: ds.Run, state: Any, epoch: int) -> None:
        """Note the checksum; store it if it is due."""
        self.seen[int(state.step)] = checksum(state.parameters)
        if self.due:
            super().store(run, state, epoch)
        self.due = True  # the first and the last state are stored without a question


@contextmanager
def watched():
    """Note the checksum of the weights behind every step; yields what is noted."""
    Watching.seen = {}
    modules = [importlib.import_module(f"downslope.runs.{one}") for one in ("train", "resume")]
    patched = [mock.patch.object(module, "CheckpointWriter", Watching) for module in modules]
    with chunks_of(0), patched[0], patched[1]:
        yield Watching.seen


def watch(number: int, folder: str, near: bool) -> dict[str, dict[int, str]]:
    """Train a pair, go on with it and fork it, with the checksum of the weights of every step.

    Args:
        number: The pair.
        folder: Where the four runs go.
        near: Whether many states are stored, so that each step is near one of them.
    """
    case, index = PAIRS[number], Path(folder)
    data, settings = case.data(), dict(case.settings)
    stored = Checkpoints(seconds=None, epochs=1, most=12 if near else 2)
    with watched() as seen:
        run = ds.train(
            network_for(case, data),
            data,
            options=PLAIN,
            folder=index / "stored",
            checkpoints=stored,
            **settings,
        )
    found = {"stored": dict(seen), "saved": dict(seen)}
    replace(run, folder=None).save(index / "saved")
    shutil.copytree(index / "stored", index / "resumed")
    other = settings.get("learning_rate", 0.1) / 3
    with watched() as seen:
        resume(
            index / "resumed",
            epochs=settings["epochs"] + max(1, settings["epochs"] // 2),
            learning_rate=other,
            data=data,
            checkpoints=stored,
        )
    found["resumed"] = found["stored"] | dict(seen)
    middle = run.outcome.step * 2 // 5
    with watched() as seen:
        fork(run, middle, index / "forked", learning_rate=other, seed=7, checkpoints=stored)
    before = {step: one for step, one in found["stored"].items() if step <= middle}
    found["forked"] = before | dict(seen)
    return found


def look(number: int, folder: str, steps: Mapping[str, Sequence[int]]) -> dict[str, dict[int, str]]:
    """The checksums of the weights of some steps of runs that are opened from their folders."""
    data, found = PAIRS[number].data(), {}
    for name, some in steps.items():
        run = replace(ds.open_run(Path(folder) / name), dataset=data)
        found[name] = {step: checksum(ds.replay(run).parameters(step)) for step in some}
    return found


def train_some(numbers: Sequence[int], folder: str) -> dict[str, str]:
    """Train pairs one after another into folders named by their numbers; the kernel's name."""
    for number in numbers:
        train_once(number, USUAL, str(Path(folder) / str(number)))
    return {"kernel": ds.open_run(Path(folder) / str(numbers[0])).versions["native kernel"]}


JOBS = {"train": train_once, "watch": watch, "look": look, "some": train_some}


def elsewhere(job: str, *words: Any, cores: int | None = None, **environment: str) -> Any:
    """Do a job in a process of its own; nothing that was compiled is kept."""

    few = f"os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:{cores}]); "
    fewer = "" if cores is None else few
    # the process itself keeps to fewer cores, before jax is there to count them
    code = f"import os, runpy; {fewer}runpy.run_module({MODULE!r}, run_name='__main__')"
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", code, "do", json.dumps([job, *words])],
        env={**os.environ, "PYTHONPATH": paths, "DOWNSLOPE_CACHE": "off", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def again(number: int, work: Path) -> dict[str, Any]:
    """Train a pair three times; whether all bits are equal."""
    first = elsewhere("train", number, USUAL)
    second = elsewhere("train", number, USUAL)
    third = elsewhere("train", number, SHORT, str(work / f"again-{number}"))
    return {
        "pair": PAIRS[number].name,
        "steps": int(first["steps"]),
        "again": first == second,
        "folder and other chunks": first == third,
        "differ": sorted(
            {name for name in first if not first[name] == second[name] == third[name]}
        ),
    }


def steps_of(number: int, work: Path, near: bool, counts: Mapping[str, int]) -> dict[str, Any]:
    """Compare the weights of random steps with those that were there while it trained."""
    index = work / f"steps-{number}"
    index.mkdir()
    recorded = elsewhere("watch", number, str(index), near)
    draw = np.random.default_rng(number)
    asked = {name: _drawn(draw, recorded[name], count) for name, count in counts.items()}
    found = elsewhere("look", number, str(index), asked)
    wrong = [
        (name, step)
        for name, steps in asked.items()
        for step in steps
        if found[name][str(step)] != recorded[name][str(step)]
    ]
    total = sum(map(len, asked.values()))
    row = {"pair": PAIRS[number].name, "near": near, "asked": total, "right": total - len(wrong)}
    return {**row, "wrong": wrong, "steps": asked}


def _drawn(draw: np.random.Generator, recorded: Mapping[str, str], count: int) -> list[int]:
    """Some of the steps, each of which was noted."""
    assert sorted(map(int, recorded)) == list(range(len(recorded))), "a step was not noted"
    return sorted(draw.choice(len(recorded), min(count, len(recorded)), replace=False).tolist())


def compared(numbers: Sequence[int], work: Path) -> Iterator[dict[str, Any]]:
    """How the same trainings differ at other positions."""
    here, programs = work / "here", str(work / PROGRAMS)
    elsewhere("some", numbers, str(here), DOWNSLOPE_CACHE=programs)
    for name, (variables, cores) in ENVIRONMENTS.items():
        there = work / name.replace(" ", "-")
        given = {key: programs if one == PROGRAMS else one for key, one in variables.items()}
        kernel = elsewhere("some", numbers, str(there), cores=cores, **given)["kernel"]
        for number in numbers:
            row = {"where": name, "kernel": kernel, "pair": PAIRS[number].name}
            yield row | difference(here / str(number), there / str(number))


def difference(one: Path, other: Path) -> dict[str, Any]:
    """Where two runs part, and how far apart their weights end."""
    found = diff(ds.open_run(one), ds.open_run(other))
    return {
        "steps": found.steps,
        "equal": found.differs_from is None and bool(found.same_weights),
        "parted at": found.differs_from,
        "parted by": found.parted_by,
        "weights apart": found.weights_apart,
        "said": found.cause,
    }


def main() -> None:
    """Do the parts that are named, or all; or a job for another process."""
    words = sys.argv[1:]
    if words[:1] == ["do"]:
        job, *rest = json.loads(words[1])
        print(json.dumps(JOBS[job](*rest)))
        return
    out = Path(words[words.index("--out") + 1]) if "--out" in words else None
    numbers = [int(word) for word in words if word.isdigit()] or list(range(len(PAIRS)))
    parts = [word for word in ("again", "steps", "elsewhere") if word in words] or [
        "again",
        "steps",
        "elsewhere",
    ]
    rows: dict[str, list[dict[str, Any]]] = {part: [] for part in parts}

    def tell(part: str, row: dict[str, Any]) -> None:
        rows[part].append(row)
        print(json.dumps({"part": part, **row}), flush=True)
        if out is not None:
            out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for number in numbers if "again" in parts else ():
            tell("again", again(number, work))
        looked = [number for number in LOOKED_AT if number in numbers]
        for index, number in enumerate(looked if "steps" in parts else ()):
            tell("steps", steps_of(number, work, index % 2 == 0, STEPS_PER_PAIR))
        for row in compared(numbers, work) if "elsewhere" in parts else ():
            tell("elsewhere", row)
    print(summary(rows))


def summary(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """What was found, in a line for each question."""
    said = []
    for name in ("again", "folder and other chunks") if rows.get("again") else ():
        good = sum(row[name] for row in rows["again"])
        said.append(f"{name}: {good} of {len(rows['again'])} pairs equal in every bit")
    if rows.get("steps"):
        right, asked = (sum(row[name] for row in rows["steps"]) for name in ("right", "asked"))
        said.append(f"steps: {right} of {asked} as recorded")
    for where in dict.fromkeys(row["where"] for row in rows.get("elsewhere", ())):
        own = [row for row in rows["elsewhere"] if row["where"] == where]
        apart = [row["weights apart"] for row in own if not row["equal"]]
        farthest = f", the others' weights up to {max(apart):.2g} apart" if apart else ""
        said.append(f"{where}: {len(own) - len(apart)} of {len(own)} equal{farthest}")
    return "\n".join(said)


if __name__ == "__main__":
    main()
