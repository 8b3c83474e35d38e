"""Trainings killed at random optimizer_state, again and again, beside the same never interrupted.

    python -m tests.campaigns.kill [--kills N] [--seed S] [--out FILE]
    python -m tests.campaigns.kill --start-up [--kills N] [--seed S] [--load PROCESSES]

Each of nine trainings (`killed.py`) runs in a process of its own, which is sent SIGKILL at a random
moment, started again, killed again, and at last left alone; one that was killed before its first
state was stored begins anew. What its folder then holds is compared by SHA-256 with what the
uninterrupted training left: final weights, trace, and the last checkpoint with all that the
optimizer remembers and the best weights. 500 kills take about twenty minutes on two cores that
are busy with other work as well.

With --start-up the command line is killed while it reads, draws and compiles, perhaps with other
processes that keep the cores busy. Whatever is in the folder then, `downslope resume` or the same
command once more has to end with the bits of the training that nobody killed.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from downslope.runs import run_folder
from downslope.runs.run_folder import EPOCHS, STEPS, TRACE, WEIGHTS
from downslope.storage.checkpoints import read_state, stored_steps
from downslope.storage.lock import is_empty
from tests.campaigns import killed
from tests.campaigns.killed import CASES, FIRST, PHASES, WRITING, read_diary, work

AT_A_TIME = 2
MOST_SECONDS = 120  # of one process
# how often the next kill waits for: progress, any moment, the first checkpoint, the final writing
KINDS = ("progress", "any moment", "first checkpoint", "final writing")
SHARES = (0.62, 0.1, 0.1, 0.18)
MOST_PER_TRAINING = 15


@dataclass(frozen=True)
class Kill:
    """Where a kill fell.

    Attributes:
        phase: One of `PHASES`.
        step: The step that was noted last.
        is_resumed: Whether the process had gone on, rather than begun.
    """

    phase: str
    step: int
    is_resumed: bool


@dataclass(frozen=True)
class Training:
    """A training that was killed until it ended.

    Attributes:
        case: Its index in `CASES`.
        kills: In their order.
        differs: What is not equal to the uninterrupted training; empty where all is.
    """

    case: int
    kills: tuple[Kill, ...]
    differs: tuple[str, ...]


def checksums(folder: Path) -> dict[str, str]:
    """The SHA-256 of all that has to be equal in a run's folder."""
    found = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (WEIGHTS, TRACE, STEPS, EPOCHS)
    }
    last = max(stored_steps(folder))
    # the document tells the seconds that the training took, and nothing else that could differ
    arrays = read_state(folder, last)
    del arrays["document"]
    for name, array in sorted(arrays.items()):
        facts = f"{name} {array.dtype} {array.shape}".encode()
        found[f"state: {name}"] = hashlib.sha256(facts + array.tobytes()).hexdigest()
    return found | {"last checkpoint": str(last)}


def processes(cache: Path) -> BaseContext:
    """Processes that have imported all when they begin; what they compile is kept in `cache`."""
    os.environ["DOWNSLOPE_CACHE"] = str(cache)
    os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "true"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([killed.__name__])
    return context


_MULTIPROCESSING = threading.Lock()  # which asks for the end of every process, in any thread


def _start(process: BaseProcess) -> None:
    with _MULTIPROCESSING:
        process.start()


def _is_alive(process: BaseProcess) -> bool:
    with _MULTIPROCESSING:
        return process.is_alive()


IsDue = Callable[[str, int], bool]  # whether to kill now, in this phase and at this step


def _until_its_end(process: BaseProcess, diary: Path, is_due: IsDue) -> int:
    """Start a process, kill it when that is due, and wait for its end; its exit code."""
    _start(process)
    began, is_killed = time.monotonic(), False
    while _is_alive(process):
        if time.monotonic() - began > MOST_SECONDS:
            process.kill()
            raise RuntimeError(f"a training hangs: {process.name}")
        if not is_killed and is_due(*read_diary(diary)):
            process.kill()
            is_killed = True
        time.sleep(0.001)
    assert process.exitcode is not None
    return process.exitcode


def train_undisturbed(context: BaseContext, case: int, data: Path, folder: Path) -> float:
    """Train a case in a process that nobody kills; how many seconds that took."""
    diary = folder.with_suffix(".diary")
    process = context.Process(target=work, args=(case, data, folder, diary), name=folder.name)
    began = time.monotonic()
    if _until_its_end(process, diary, _never) != 0:
        raise RuntimeError(f"{CASES[case].name}: the undisturbed training ended otherwise")
    return time.monotonic() - began


def _never(phase: str, step: int) -> bool:
    return False


def kill_moment(
    draw: np.random.Generator, kind: str, at_most: float, step: int, steps: int
) -> IsDue:
    """When to kill, as a question about the phase and step that a process is in."""
    began, seen = time.monotonic(), [0.0]
    pause = draw.uniform(0, {"progress": 0.03, "final writing": 0.02}.get(kind, 0.005))

    def after_pause(is_there: bool) -> bool:
        now = time.monotonic()
        seen[0] = seen[0] or (now if is_there else 0.0)
        return bool(seen[0]) and now - seen[0] >= pause

    if kind == "any moment":
        until = began + draw.uniform(0, at_most)
        return lambda phase, now: time.monotonic() >= until
    if kind == "first checkpoint":
        return lambda phase, now: after_pause(phase == FIRST or now > step)
    if kind == "final writing":
        return lambda phase, now: after_pause(phase == WRITING)
    goal = step + draw.integers(1, max(2, steps // 8))
    return lambda phase, now: after_pause(now >= goal)


def kill_until_it_ends(
    context: BaseContext,
    case: int,
    seed: int,
    data: Path,
    folder: Path,
    usual_seconds: float,
    expected: dict[str, str],
    most: int,
) -> Training:
    """Kill one training again and again, `most` times, then compare what it left."""
    draw, kills = np.random.default_rng([case, seed]), []
    diary, steps = folder.with_suffix(".diary"), int(expected["last checkpoint"])
    while True:
        first = stored_steps(folder) if folder.is_dir() else ()
        if not first:
            shutil.rmtree(folder, ignore_errors=True)  # there is nothing that could be lost
        diary.unlink(missing_ok=True)
        process = context.Process(target=work, args=(case, data, folder, diary), name=folder.name)
        kind = draw.choice(KINDS, p=SHARES)
        is_due = kill_moment(draw, kind, usual_seconds, max(first, default=0), steps)
        code = _until_its_end(process, diary, is_due if len(kills) < most else _never)
        if code == 0:
            break
        if code != -signal.SIGKILL:
            return Training(case, tuple(kills), (f"exit code {code}: {folder}",))
        kills.append(Kill(*read_diary(diary), is_resumed=bool(first)))
    found = checksums(folder)
    differs = [name for name in found | expected if found.get(name) != expected.get(name)]
    if not differs:
        shutil.rmtree(folder)
    return Training(case, tuple(kills), tuple(differs))


def campaign(
    root: Path,
    kills: int,
    seed: int = 0,
    cases: tuple[int, ...] = tuple(range(len(CASES))),
    most: int = MOST_PER_TRAINING,
) -> list[Training]:
    """Kill trainings of all cases in turn, until there were so many kills."""
    context = processes(root / "cache")
    data = {case: root / f"data-{case}" for case in cases}
    usual, expected = {}, {}
    for case in cases:
        data[case].mkdir()
        CASES[case].write(data[case])
        for name in ("compiling", "undisturbed"):
            folder = root / f"{name}-{case}"
            usual[case] = train_undisturbed(context, case, data[case], folder)
        expected[case] = checksums(folder)
        differs = [one for one, mark in checksums(root / f"compiling-{case}").items()
                   if mark != expected[case][one]]  # fmt: skip
        if differs:
            raise RuntimeError(f"{CASES[case].name} differs when it is trained twice: {differs}")

    done: list[Training] = []

    def one(number: int) -> None:
        if sum(len(training.kills) for training in done) >= kills:
            return
        case = cases[number % len(cases)]
        folder = root / f"run-{number}"
        found = kill_until_it_ends(
            context, case, seed + number, data[case], folder, usual[case], expected[case], most
        )
        done.append(found)
        told = f"{CASES[case].name}: {len(found.kills)} kills, {found.differs or 'equal'}"
        print(told, flush=True)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, range(kills)))
    return done


def call(*words: str) -> None:
    """Call the command line, whose words go nowhere: what a process of the campaign does."""
    from downslope.cli.main import cli

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.exit(cli.main([*words, "--no-pictures"], standalone_mode=False))


def _spin() -> None:
    while True:
        pass


NOTHING, ASKED, STORED, ENDED = "nothing", "options alone", "states", "the whole run"


def left_in(folder: Path) -> str:
    """What a process that was killed while it started has left."""
    if not folder.is_dir() or is_empty(folder):
        return NOTHING
    if run_folder.has_ended(folder):
        return ENDED
    return STORED if stored_steps(folder) else ASKED


def start_up(root: Path, kills: int, seed: int = 0, load: int = 0) -> dict:
    """Kill the command line while it starts; returns what was left, and what was wrong then."""
    context, draw = processes(root / "cache"), np.random.default_rng(seed)
    (root / "data").mkdir()
    killed.write_table(root / "data")
    table = str(root / "data" / "things.csv")
    words = ("train", table, "--target", "kind", "--epochs", "2", "--batch-size", "8")

    def ended(*own: str, after: float | None = None) -> int:
        began = time.monotonic()
        process = context.Process(target=call, args=own)
        _until_its_end(
            process,
            root / "none",
            _never if after is None else lambda *_: time.monotonic() - began >= after,
        )
        assert process.exitcode is not None
        return process.exitcode

    others = [context.Process(target=_spin, daemon=True) for _ in range(load)]
    for other in others:
        _start(other)
    usual = 0.0
    for name in ("compiling", "undisturbed"):
        began = time.monotonic()
        assert ended(*words, "--out", str(root / name)) == 0
        usual = time.monotonic() - began
    expected, left, wrong = checksums(root / "undisturbed"), Counter(), []
    for number in range(kills):
        folder = root / f"run-{number}"
        own = (*words, "--out", str(folder))
        ended(*own, after=draw.uniform(0, 0.7 * usual))
        found = left_in(folder)
        left[found] += 1
        is_new = found == NOTHING or (found == ASKED and number % 2)  # both ways have to work
        again = own if is_new else ("resume", str(folder))
        code = 0 if found == ENDED else ended(*again)
        if code or checksums(folder) != expected:
            wrong.append(f"{found}: exit code {code} of {again[0]} in {folder}")
    for other in others:
        other.kill()
    return {"kills": kills, "load": load, "left": dict(left), "different": wrong}


def summary(done: list[Training]) -> dict:
    """The figures of a campaign."""
    kills = [(training, kill) for training in done for kill in training.kills]
    phases = Counter(
        f"{kill.phase}, {'resumed' if kill.is_resumed else 'begun'}" for _, kill in kills
    )
    order = [f"{phase}, {how}" for phase in PHASES for how in ("begun", "resumed")]
    return {
        "kills": len(kills),
        "kills of trainings that ended equal": sum(not one.differs for one, _ in kills),
        "trainings": len(done),
        "most kills of one training": max((len(one.kills) for one in done), default=0),
        "by phase": {name: phases[name] for name in order if phases[name]},
        "by case": dict(Counter(CASES[training.case].name for training, _ in kills)),
        "different": [f"{CASES[one.case].name}: {one.differs}" for one in done if one.differs],
    }


def main() -> None:
    """Kill as often as is asked for, and tell how it went."""
    words = sys.argv[1:]

    def said(name: str, default: str) -> str:
        return words[words.index(name) + 1] if name in words else default

    root = Path(tempfile.mkdtemp(prefix="downslope-kill-"))
    began = time.monotonic()
    seed = int(said("--seed", "0"))
    if "--start-up" in words:
        found = start_up(root, int(said("--kills", "100")), seed, int(said("--load", "0")))
    else:
        found = summary(campaign(root, int(said("--kills", "500")), seed))
    found["seconds"] = round(time.monotonic() - began)
    text = json.dumps(found, indent=1)
    print(text)
    if said("--out", ""):
        Path(said("--out", "")).write_text(text + "\n", encoding="utf-8")
    if found["different"]:
        sys.exit(f"What differs is kept in {root}.")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
