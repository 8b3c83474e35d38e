"""A loss of power at any moment: what was not yet synced is dropped, cut short or reordered.

    python -m tests.campaigns.power_loss [--states N] [--seed S] [--out FILE]

The life of a run folder is recorded, operation by operation: first checkpoint, further ones that
make room for each other, the end of the run, going on, further ones, the end again; in half of the
recordings processes are killed on the way and others go on. Then disks are built as a loss of power
could have left them (`lost_disk.py`).

Each disk must hold the newest state whose storing had returned before the power went, or the one
that was being stored; and a training must be able to go on storing there.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from downslope.errors import DownslopeError
from downslope.runs import run_folder
from downslope.runs.run_folder import Seconds
from tests.campaigns.disk import Call, Do, Killed, watched
from tests.campaigns.lost_disk import CHANGES, build
from tests.campaigns.saves import NOTHING, begin, end, found_in, keep, scratch, states

RUN = Path("runs") / "first"  # both folders are made by the store


@dataclass(frozen=True)
class Recording:
    """The life of a run folder.

    Attributes:
        calls: Each change, in its order; paths are relative to the disk.
        stored: Behind how many of them something was stored, and what a reader found then.
    """

    calls: tuple[Call, ...]
    stored: tuple[tuple[int, str], ...]

    def allowed(self, at: int) -> tuple[str, ...]:
        """What a reader may find if only the first `at` calls were made."""
        behind = [state for count, state in self.stored if count <= at]
        before = [state for count, state in self.stored if count > at]
        return (behind[-1] if behind else NOTHING, *before[:1])


class _Recorder:
    """A hook that notes what is done, and kills the process at some of the calls."""

    def __init__(self, disk: Path, kills: set[int]) -> None:
        self._disk, self._kills, self._is_dead = disk, kills, False
        self.calls: list[Call] = []

    def __call__(self, call: Call, do: Do) -> object:
        if self._is_dead or len(self.calls) in self._kills:
            self._kills.discard(len(self.calls))
            self._is_dead = True
            raise Killed
        result = do()
        if call.name in CHANGES:
            goal = None if call.goal is None else call.goal.relative_to(self._disk)
            self.calls.append(replace(call, path=call.path.relative_to(self._disk), goal=goal))
        return result

    def start_again(self) -> None:
        """Another process begins."""
        self._is_dead = False


def record(disk: Path, draw: np.random.Generator, kills: int) -> Recording:
    """Live a run folder's life on a disk, with so many processes killed on the way."""
    stored, run = states()
    folder, half = disk / RUN, len(stored) // 2
    first = replace(run, seconds=Seconds(1.0, 1.0, 1.0))  # so that the two ends differ
    life: list[Callable[[], object]] = [
        *(lambda one=one: keep(folder, one) for one in stored[1:half]),
        lambda: end(folder, first),
        lambda: run_folder.open_again(folder),
        *(lambda one=one: keep(folder, one) for one in stored[half:]),
        lambda: end(folder, run),
    ]
    moments = set(draw.integers(30, 25 * len(life), kills).tolist())
    recorder, marks = _Recorder(disk, moments), []
    with watched(folder, recorder):
        begin(folder, stored[0])
    marks.append((len(recorder.calls), found_in(folder)))
    for operation in life:
        while True:
            try:
                with watched(folder, recorder):
                    operation()
                break
            except Killed:
                recorder.start_again()
        marks.append((len(recorder.calls), found_in(folder)))
    return Recording(tuple(recorder.calls), tuple(marks))


@dataclass(frozen=True)
class Loss:
    """A disk after a loss of power.

    Attributes:
        at: Behind which call.
        what: The call that was next.
        found: "the newest", "the one being stored", or what else.
        problems: What should not be.
    """

    at: int
    what: str
    found: str
    problems: tuple[str, ...]


def _judged(recording: Recording, at: int, disk: Path) -> Loss:
    names, folder = ("the newest", "the one being stored"), disk / RUN
    problems: list[str] = []
    try:
        state = found_in(folder)
        found = dict(zip(reversed(recording.allowed(at)), reversed(names), strict=False))
        if len(recording.allowed(at)) == 1:
            found = {recording.allowed(at)[0]: names[0]}
        told = found.get(state, "an older one")
        if state != NOTHING and told in names:
            problems += _goes_on(folder)
        if state == NOTHING and told == "the newest":
            told = "nothing was stored yet"
    except (DownslopeError, OSError) as error:
        told = f"unreadable: {error}"
    if told == "an older one" or told.startswith("unreadable"):
        problems.append(told)
    following = recording.calls[at] if at < len(recording.calls) else None
    what = "the end" if following is None else f"{following.name} {following.path}"
    return Loss(at, what, told, tuple(problems))


def _goes_on(folder: Path) -> Iterator[str]:
    last = replace(states()[0][-1], epoch=99)
    run_folder.open_again(folder)
    keep(folder, last)
    if not found_in(folder).startswith("state"):
        yield "a training cannot go on there"


def recordings(root: Path, draw: np.random.Generator) -> list[Recording]:
    """Two lives of a run folder: without and with killed processes."""
    found = []
    for kills in (0, 4):
        disk = root / f"recorded-{kills}"
        disk.mkdir()
        found.append(record(disk, draw, kills))
    return found


def lose_power(
    recorded: list[Recording], number: int, root: Path, draw: np.random.Generator
) -> list[Loss]:
    """Lose power so many times, at any moment."""
    losses = []
    for one in range(number):
        recording = recorded[one % len(recorded)]
        at, disk = int(draw.integers(len(recording.calls) + 1)), root / f"disk-{one}"
        build(recording.calls[:at], draw, disk)
        losses.append(_judged(recording, at, disk))
        if not losses[-1].problems:
            shutil.rmtree(disk)
    return losses


def campaign(root: Path, number: int, seed: int = 0) -> list[Loss]:
    """Record, and lose power so many times."""
    draw = np.random.default_rng(seed)
    return lose_power(recordings(root, draw), number, root, draw)


def summary(losses: list[Loss]) -> dict:
    """The figures of a campaign."""
    return {
        "disks": len(losses),
        "recovered": sum(not one.problems for one in losses),
        "found": dict(Counter(one.found.partition(":")[0] for one in losses)),
        "moments": len({one.at for one in losses}),
        "problems": [f"{one.what} ({one.at}): {one.problems}" for one in losses if one.problems],
    }


def main() -> None:
    """Lose power as often as is asked for, and tell how it went."""
    words = sys.argv[1:]

    def said(name: str, default: str) -> str:
        return words[words.index(name) + 1] if name in words else default

    root = scratch("power")
    began = time.monotonic()
    found = summary(campaign(root, int(said("--states", "3000")), int(said("--seed", "0"))))
    found["seconds"] = round(time.monotonic() - began)
    text = json.dumps(found, indent=1)
    print(text)
    if said("--out", ""):
        Path(said("--out", "")).write_text(text + "\n", encoding="utf-8")
    if found["problems"]:
        sys.exit(f"What is not as it should be is kept in {root}.")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
