"""The rounds of one rung: A B C A B C, one at work while all others wait."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.catalogue import Contender
from benchmarks.driver import (
    BLOCK_SECONDS,
    FIRST_SECONDS,
    ROOT,
    START_SECONDS,
    Worker,
    WorkerError,
)
from benchmarks.results import Contest, Row
from benchmarks.rungs import Rung
from benchmarks.work import Dense

SETTLE_SECONDS = 0.05  # until the threads of the one before have gone to sleep
Tell = Callable[[str], None]


@dataclass
class _Runner:
    """A contender on the track: its process, and what was measured so far."""

    row: Row
    worker: Worker | None = None
    seconds: list[float] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=dict)

    def give_up(self, reason: object) -> None:
        """Take no further part."""
        self.row = replace(self.row, absent=str(reason))
        if self.worker is not None:
            self.worker.end()

    def start(self, worker: Worker) -> None:
        """Prepare, do the first block, which is not counted, and tell the loss behind it."""
        self.worker = worker
        try:
            ready = worker.answer(START_SECONDS)
            first = worker.ask("run", FIRST_SECONDS)
            loss = worker.ask("loss", BLOCK_SECONDS)["loss"]
        except WorkerError as error:
            self.give_up(error)
            return
        self.figures = {name: [value] for name, value in first["figures"].items()}
        self.row = replace(
            self.row,
            importing=ready["importing"],
            preparing=ready["preparing"],
            first=first["seconds"],
            loss=loss,
            peak=first["peak"],
        )

    def run(self) -> None:
        """One counted block, if it is still there."""
        if self.row.absent or self.worker is None:
            return
        time.sleep(SETTLE_SECONDS)
        try:
            reply = self.worker.ask("run", BLOCK_SECONDS)
        except WorkerError as error:
            self.give_up(error)
            return
        if not self.seconds:
            self.figures.clear()  # those of the first block, which is not counted
        self.seconds.append(reply["seconds"])
        for name, value in reply["figures"].items():
            self.figures.setdefault(name, []).append(value)
        self.row = replace(self.row, peak=max(self.row.peak, reply["peak"]))

    def finished(self) -> Row:
        """What was measured; nothing counts of a contender that did not come to the end."""
        if self.row.absent:
            return self.row
        if not self.seconds:  # the smallest size has the first round only
            self.seconds.append(self.row.first)
        figures = {name: tuple(values) for name, values in self.figures.items()}
        return replace(self.row, seconds=tuple(self.seconds), figures=figures)


def race(rung: Rung, rounds: int, is_smallest: bool, tell: Tell) -> Contest:
    """Run all rounds of a rung.

    Args:
        rung: What is done, at the size that is wanted.
        rounds: How many rounds are counted, after the first one; 0 for the first one alone.
        is_smallest: Whether `rung` is of the smallest size: contenders then start side by side,
            as their times mean nothing.
        tell: Called with a line for people.
    """
    runners = [_Runner(Row(one.key, one.label, one.role)) for one in rung.contenders]
    with _folders() as (folder, environment), ExitStack() as workers:
        _make_samples(rung, is_smallest, folder)

        def start(runner: _Runner, contender: Contender) -> None:
            if not contender.is_installed:
                runner.give_up(f"{contender.package} is not installed")
                return
            worker = _worker(rung, contender, is_smallest, folder, environment)
            runner.start(workers.enter_context(worker))
            tell(f"  {contender.label}: {runner.row.absent or 'ready'}")

        _start_all(runners, rung.contenders, start, at_once=2 if is_smallest else 1)
        for _ in range(min(rounds, rung.most_rounds)):
            for runner in runners:
                runner.run()
    is_dense = all(isinstance(layer, Dense) for layer in rung.work.layers)
    return Contest(
        name=rung.name,
        title=rung.title,
        unit=rung.unit,
        units=rung.units_per_block,
        operations=rung.work.matrix_products * rung.work.steps if is_dense else 0.0,
        rows=tuple(runner.finished() for runner in runners),
    )


def _start_all(
    runners: Sequence[_Runner],
    contenders: Sequence[Contender],
    start: Callable[[_Runner, Contender], None],
    at_once: int,
) -> None:
    """Start all contenders, so many at once; interrupted, leave nobody waiting for an answer."""
    with ThreadPoolExecutor(at_once) as starters:
        started = [starters.submit(start, *pair) for pair in zip(runners, contenders, strict=True)]
        try:
            for one in started:
                one.result()
        except BaseException:  # Ctrl-C above all
            starters.shutdown(wait=False, cancel_futures=True)
            while not all(one.done() for one in started):
                for runner in runners:
                    if runner.worker is not None:
                        runner.worker.kill()
                time.sleep(SETTLE_SECONDS)  # one may be about to start
            raise


def _worker(
    rung: Rung, contender: Contender, is_smallest: bool, folder: Path, environment: dict[str, str]
) -> Worker:
    job = {
        "rung": rung.name,
        "contender": contender.key,
        "smallest": is_smallest,
        "folder": str(folder),
    }
    command = (sys.executable, "-m", "benchmarks.worker", json.dumps(job))
    return Worker(contender.label, command, {**environment, **contender.environment})


def _make_samples(rung: Rung, is_smallest: bool, folder: Path) -> None:
    """In a process of its own: what it needs of memory shall not be counted anywhere."""
    size = "smallest" if is_smallest else "full"
    command = (sys.executable, "-m", "benchmarks.samples", rung.name, size, str(folder))
    subprocess.run(command, cwd=ROOT, check=True)


@contextmanager
def _folders() -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder for the samples, and variables that point to caches in which nothing lies yet."""
    with tempfile.TemporaryDirectory(prefix="downslope-benchmarks-") as name:
        folder = Path(name)
        environment = {
            "DOWNSLOPE_CACHE": f"{name}/cache",
            "TORCHINDUCTOR_CACHE_DIR": f"{name}/torch",
            "KERAS_HOME": f"{name}/keras",
            "MPLCONFIGDIR": f"{name}/matplotlib",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        yield folder, environment
