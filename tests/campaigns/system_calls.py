"""Every system call of the store made to fail, to be cut short, or to be the last one.

    python -m tests.campaigns.system_calls [--out FILE]

Four operations are tried: one more checkpoint, the first of a folder, the end of a run, and a run
that goes on after its end. Each call of each is in turn the one before which the process is killed,
or fails with ENOSPC or EIO, by strace; by a wrapper of ours (`disk.py`) where strace is missing,
and for writes that are cut short, which strace cannot do. A reader must then find what was there
before or what should be there now, bit for bit; whoever wrote must have said one thing at most; and
doing it once more must leave exactly the files that an undisturbed process leaves. It takes a few
minutes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from downslope.errors import DownslopeError
from tests.campaigns.disk import Fault, Killed, watched
from tests.campaigns.saves import NOTHING, Operation, found_in, names_in, operations, scratch

KILL, ERRORS = "kill", ("ENOSPC", "EIO")
WRITES = ("short", "half, then ENOSPC", "half, then kill")  # what only a write can be
TRIES = 3  # as a process may ask for memory once more, or once less
# calls that concern no file: killed before as all others, but no disk lets them fail
NO_FILES = re.compile(
    r"brk|m(map|unmap|remap|advise|protect)|futex|get.*id|getrandom|rt_.*|clock.*"
)


class End(NamedTuple):
    """How a process ended: its status (0 done, 1 refused, -9 killed), and what it said."""

    status: int
    said: str


@dataclass(frozen=True)
class Trial:
    """One call of one operation, disturbed.

    Attributes:
        operation: Its name.
        call: What was disturbed, and where in the operation.
        how: In what way.
        end: How it ended.
        found: "old", "new", or what else was found.
        problems: What should not be; empty where all is well.
    """

    operation: str
    call: str
    how: str
    end: End
    found: str
    problems: tuple[str, ...]


class Bench:
    """A place to try one operation in, again and again.

    Args:
        operation: What is tried.
        root: An empty folder.
    """

    def __init__(self, operation: Operation, root: Path) -> None:
        self.operation, self.root, self._number = operation, root, 0
        root.mkdir()
        operation.prepare(root / "prepared")
        self.before = found_in(root / "prepared")
        undisturbed = self.folder()
        operation.do(undisturbed)
        self.after, self._names = found_in(undisturbed), names_in(undisturbed)
        assert self.before != self.after

    def folder(self) -> Path:
        """A fresh folder to try it in."""
        self._number += 1
        folder = self.root / f"trial-{self._number}" / "run"  # its parent is its own as well
        folder.parent.mkdir()
        return self.operation.copy_of(self.root / "prepared", folder)

    def judge(self, folder: Path, call: str, how: str, end: End) -> Trial:
        """Say what is there, and whether that is as it should be."""
        problems = []
        try:
            state = found_in(folder)
        except (DownslopeError, OSError) as error:
            found = f"unreadable: {error}"
        else:
            found = {self.before: "old", self.after: "new"}.get(state, "another state")
        if found not in ("old", "new"):
            problems.append(f"the folder holds neither the old nor the new state: {found}")
        if end.status == 0 and found != "new":
            problems.append("it ended as if all were well, and the new state is not there")
        if end.status not in (0, 1, -9):
            problems.append("it ended with a traceback")
        if end.status == 1 and (end.said.count("\n") or not end.said.endswith(".")):
            problems.append("it said more than one thing")
        if not problems:
            problems += self._after_once_more(folder, found)
        if not problems:
            shutil.rmtree(folder.parent)
        return Trial(self.operation.name, call, how, end, found, tuple(problems))

    def _after_once_more(self, folder: Path, found: str) -> Iterator[str]:
        if self.before == NOTHING:
            if found == "new":
                return  # it is begun, and nobody begins it twice
            shutil.rmtree(folder, ignore_errors=True)  # nothing is in it that could be lost
        self.operation.do(folder)
        if found_in(folder) != self.after:
            yield "doing it once more does not lead to the new state"
        left = sorted(set(names_in(folder)) ^ set(self._names))
        if left:
            yield f"doing it once more leaves other files: {left}"


def wrapped(bench: Bench) -> Iterator[Trial]:
    """Disturb each operation that the wrapper sees."""
    folder, fault = bench.folder(), Fault(None, "")
    with watched(folder, fault):
        bench.operation.do(folder)
    for index, call in enumerate(fault.calls):
        for how in (KILL, *ERRORS, *(WRITES if call.name == "write" and call.content else ())):
            folder = bench.folder()
            end = End(0, "")
            try:
                # another process than the one that does it once more
                with patch.object(os, "getpid", lambda: 1), watched(folder, Fault(index, how)):
                    bench.operation.do(folder)
            except Killed:
                end = End(-9, "")
            except DownslopeError as error:
                end = End(1, str(error))
            except BaseException:  # whatever is not ours is what is looked for
                end = End(2, traceback.format_exc())
            yield bench.judge(folder, f"{index + 1}. {call.name} {call.path.name}", how, end)


@dataclass(frozen=True)
class _Line:
    """A system call in strace's log: its name, how often that name was called, and all of it."""

    name: str
    ordinal: int
    text: str


def _in_process(bench: Bench, folder: Path, injection: tuple[str, ...]) -> tuple[End, list[_Line]]:
    """Do the operation in a process that strace watches from its beginning; its calls."""
    log, said = folder.with_name("strace.log"), folder.with_name("said")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the child computes nothing, so that threads are no matter
        child = os.fork()
    if child == 0:
        _be_watched(bench.operation, folder, said)
    command = ["strace", "-p", str(child), "-o", str(log), "-y", "-s", "64", *injection]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        told = strace.stderr.readline()
        if "attached" not in told:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise OSError(f"strace cannot watch: {told}")
        os.kill(child, signal.SIGUSR1)
        _, status = os.waitpid(child, 0)
        strace.wait()
    text = said.read_text(encoding="utf-8") if said.exists() else ""
    return End(os.waitstatus_to_exitcode(status), text), _calls(log)


def _be_watched(operation: Operation, folder: Path, said: Path) -> None:
    """What the child does; it never returns."""
    status, words = 0, ""
    signal.sigwait({signal.SIGUSR1})
    os.getppid()  # seen in the log: from here on
    try:
        operation.do(folder)
    except DownslopeError as error:
        status, words = 1, str(error)
    except BaseException:  # whatever is not ours is what is looked for
        status, words = 2, traceback.format_exc()
    os.getppid()  # and up to here
    said.write_text(words, encoding="utf-8")
    os._exit(status)


def _calls(log: Path) -> list[_Line]:
    found, counts, marks = [], Counter(), 0
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        match = re.match(r"(\w+)\(", line)
        if match is None:
            continue
        counts[match[1]] += 1
        if match[1] == "getppid":
            marks += 1
        elif marks == 1:
            found.append(_Line(match[1], counts[match[1]], line))
    return found


def traced(bench: Bench) -> Iterator[Trial]:
    """Disturb each system call, by strace.

    Raises:
        OSError: It may not watch other processes here.
    """
    lines = _undisturbed(bench)
    for index in range(len(lines)):
        for how in (KILL, *(() if NO_FILES.fullmatch(lines[index].name) else ERRORS)):
            for attempt in range(TRIES):
                if attempt:  # what comes before, importing, may have come to other numbers
                    lines = _undisturbed(bench)
                folder, line = bench.folder(), lines[index]
                end, seen = _in_process(bench, folder, _injection(line, how))
                trial = bench.judge(folder, f"{index + 1}. {line.text[:100]}", how, end)
                if trial.problems or _is_hit(seen, index, line, how):
                    break
            else:
                trial = replace(trial, problems=("another call was hit",))
            yield trial


def _undisturbed(bench: Bench) -> list[_Line]:
    """The system calls of the operation, with their numbers in the whole process."""
    end, lines = _in_process(bench, bench.folder(), ())
    assert end == End(0, ""), end
    return lines


def _injection(line: _Line, how: str) -> tuple[str, ...]:
    what = "signal=KILL" if how == KILL else f"error={how}"
    return "-e", f"inject={line.name}:{what}:when={line.ordinal}"


def _is_hit(seen: list[_Line], index: int, line: _Line, how: str) -> bool:
    """Whether the intended call was disturbed: memory may be asked for once more or less."""
    if how == KILL:
        return bool(seen) and seen[-1].name == line.name and abs(len(seen) - index - 1) <= 1
    return any(one.name == line.name and "INJECTED" in one.text for one in seen)


def can_trace() -> bool:
    """Whether strace is here and may disturb calls."""
    if shutil.which("strace") is None:
        return False
    command = ["strace", "-o", os.devnull, "-e", "inject=getppid:error=EIO", "true"]
    return subprocess.run(command, capture_output=True).returncode == 0


def campaign(root: Path, with_strace: bool) -> list[Trial]:
    """Try all operations by the wrapper, and by strace where it is wanted."""
    trials = []
    for number, operation in enumerate(operations()):
        trials += wrapped(Bench(operation, root / f"wrapped-{number}"))
        if with_strace:
            trials += traced(Bench(operation, root / f"traced-{number}"))
    return trials


def summary(trials: list[Trial]) -> dict:
    """The figures of a campaign."""
    ends = {0: "done all the same", 1: "one message", -9: "killed"}
    rows: dict[str, Counter] = {}
    for one in trials:
        row = rows.setdefault(f"{one.operation}, {one.how}", Counter())
        row["calls"] += 1
        row[ends.get(one.end.status, "traceback")] += 1
        row[one.found if one.found in ("old", "new") else "neither"] += 1
    return {
        "trials": len(trials),
        "well": sum(not one.problems for one in trials),
        "rows": {name: dict(row) for name, row in rows.items()},
        "messages": sorted({re.sub(r"/\S+/", "", one.end.said) for one in trials} - {""}),
        "problems": [
            f"{one.operation}: {one.call}, {one.how}: {'; '.join(one.problems)} {one.end.said}"
            for one in trials
            if one.problems
        ],
    }


def main() -> None:
    """Try everything, and tell how it went."""
    root = scratch("calls")
    began = time.monotonic()
    by_strace = can_trace()
    found = {"strace": by_strace} | summary(campaign(root, by_strace))
    found["seconds"] = round(time.monotonic() - began)
    text = json.dumps(found, indent=1)
    print(text)
    if "--out" in sys.argv:
        Path(sys.argv[sys.argv.index("--out") + 1]).write_text(text + "\n", encoding="utf-8")
    if found["problems"]:
        sys.exit(f"What is not as it should be is kept in {root}.")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
