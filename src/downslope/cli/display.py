"""What a user sees on standard error while data is read, a network trained, pictures drawn.

On a terminal a display that is redrawn in place; elsewhere, and beside JSON, a few plain lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from downslope.cli.lines import say
from downslope.cli.live import COMPILING, LiveTraining, clock, speed, told
from downslope.data import Dataset
from downslope.errors import printable
from downslope.numerals import rounded
from downslope.runs.metric_text import progress_text
from downslope.runs.progress import OnChunk, Progress
from downslope.text import amount

MOST_LINES = 20  # about so many plain lines in all,
LONGEST_SILENCE = 15.0  # but never silent for longer than this, in seconds
REDRAWS_PER_SECOND = 4  # enough to look alive; each takes time from the training


def _terminal(lively: bool) -> Console | None:
    """The console of standard error, if a display can be redrawn on it."""
    console = Console(stderr=True)
    able = console.is_terminal and not console.is_dumb_terminal
    return console if lively and able and console.encoding.lower().startswith("utf") else None


@contextmanager
def reading(source: str, *, lively: bool) -> Iterator[Callable[[int, int], object]]:
    """Show how far reading a data set is; yields what is to be called with (done, in all)."""
    name = printable(Path(source).name or source)

    def line(done: int, total: int) -> str:
        return f"reading {name}: {done:,} of {total:,}"

    with _bar(f"Reading {name}", line, lively) as on_progress:
        yield on_progress


@contextmanager
def replaying(*, lively: bool) -> Iterator[Callable[[int, int], object]]:
    """Show how far a training is replayed; yields what is to be called with (steps, in all)."""

    def line(done: int, total: int) -> str:
        return f"replaying the training: {done:,} of {total:,} steps"

    with _bar("Replaying the training", line, lively) as on_progress:
        yield on_progress


@contextmanager
def working(what: str, *, lively: bool) -> Iterator[Callable[[int, int], object]]:
    """Show how far long work is; yields what is to be called with (done, in all)."""

    def line(done: int, total: int) -> str:
        return f"{what}: {100 * done // total} %"

    with _bar(what, line, lively, is_long=True) as on_progress:
        yield on_progress


@contextmanager
def _bar(
    what: str, line: Callable[[int, int], str], lively: bool, *, is_long: bool = False
) -> Iterator[Callable[[int, int], object]]:
    """A bar on a terminal; elsewhere a line now and then.

    Args:
        what: What is done.
        line: The plain line for (done, in all).
        lively: Whether a display may be redrawn in place.
        is_long: Whether it takes so long that it is announced, and the time left is shown.
    """
    console = _terminal(lively)
    if console is None:
        lines = _Lines()
        if is_long:
            say(what, err=True)
        yield lambda done, total: lines.say(line(done, total), done == total)
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn()
    many = (TaskProgressColumn(), TimeRemainingColumn()) if is_long else (MofNCompleteColumn(),)
    with Bars(*columns, *many, console=console, transient=True) as bars:
        task = bars.add_task(printable(what), total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


@contextmanager
def training(
    dataset: Dataset, epochs: int, *, lively: bool, watch: bool = True
) -> Iterator[OnChunk]:
    """Show a training while it runs; yields what is to be called with each `Progress`.

    Args:
        dataset: What is learnt.
        epochs: Its epochs.
        lively: Whether a display may be redrawn in place.
        watch: Whether it is told while it runs what is certainly wrong.
    """
    console = _terminal(lively)
    if console is None:
        sizes = f"{len(dataset.train):,} samples, {amount(epochs, 'epoch')}"
        say(f"training on {dataset.name}: {sizes}", err=True)
        shown = PlainTraining(dataset, watch)
        patience = Timer(LONGEST_SILENCE, say, [COMPILING], {"err": True})
        patience.daemon = True
        patience.start()

        def on_chunk(progress: Progress) -> None:
            patience.cancel()
            shown(progress)

        try:
            yield on_chunk
        finally:
            patience.cancel()
        return
    shown = LiveTraining(dataset, epochs, watch)
    with Live(shown, console=console, refresh_per_second=REDRAWS_PER_SECOND):
        yield shown.update
        shown.finish()


@contextmanager
def waiting(what: str, *, lively: bool) -> Iterator[None]:
    """Show that something is being done that takes a while."""
    console = _terminal(lively)
    if console is None:
        yield
        return
    with console.status(Text(printable(what))):
        yield


class _Lines:
    """Plain lines, not more often than every so many seconds."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def say(self, line: str, is_last: bool = False) -> None:
        if not is_last and time.monotonic() - self.last >= LONGEST_SILENCE:
            self.last = time.monotonic()
            say(line, err=True, exact=True)


class PlainTraining:
    """A training as plain lines: one for every so many epochs, the last one always."""

    def __init__(self, dataset: Dataset, watch: bool = True) -> None:
        self.dataset, self.watch = dataset, watch
        self.told: set[str] = set()  # what is wrong is said once
        self.shown = 0
        self.last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Say a line, if it is time to."""
        every = -(-progress.epochs // MOST_LINES)
        is_news = progress.epoch // every > self.shown // every or (
            progress.step == progress.steps and progress.epoch > self.shown
        )
        if is_news or time.monotonic() - self.last >= LONGEST_SILENCE:
            self.shown, self.last = progress.epoch, time.monotonic()
            say(self._line(progress), err=True, exact=True)
        if not self.watch or progress.step == progress.steps:  # the verdicts at the end tell it
            return
        for one in progress.findings:
            if one.cause not in self.told:
                self.told.add(one.cause)
                say(told(one), err=True)

    def _line(self, progress: Progress) -> str:
        trace, width = progress.trace, len(f"{progress.epochs:,}")
        parts = [f"epoch {progress.epoch:>{width},}/{progress.epochs:,}"]
        if len(trace.validation_loss):  # not every epoch is measured
            parts += [
                f"training loss {rounded(trace.train_loss[-1]):<9}",
                f"validation loss {rounded(trace.validation_loss[-1]):<9}",
                progress_text(self.dataset, trace.epochs),
            ]
        else:
            parts += [f"step {progress.step:,}/{progress.steps:,}"]
            parts += [f"batch loss {rounded(trace.batch_loss[-1]):<9}"]
        parts.append(speed(progress, len(self.dataset.train)))
        if progress.step < progress.steps:
            parts.append(f"{clock(progress.seconds_left)} left")
        return "  ".join(filter(None, parts))
