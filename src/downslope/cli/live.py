"""A training on a terminal: a bar, two small curves, speed and time left, redrawn in place."""

from __future__ import annotations

import math

import numpy as np
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from downslope.cli.curves import Scale, draw
from downslope.data import Dataset
from downslope.errors import printable
from downslope.numerals import rounded
from downslope.runs.finding import Finding
from downslope.runs.metric_text import progress_text
from downslope.runs.progress import Progress
from downslope.text import amount

ROWS = 5  # lines of a curve
WIDEST = 36  # characters of a curve
TRAINING, VALIDATION, WRONG = "bright_blue", "orange1", "bold red"
COMPILING = "Compiling the network for this machine (the longer the more layers it has) ..."


class LiveTraining:
    """What is on the screen; `update` hands it news, rich asks it for its looks."""

    def __init__(self, dataset: Dataset, epochs: int, watch: bool = True) -> None:
        self.dataset, self.epochs, self.watch = dataset, epochs, watch
        self.findings: tuple[Finding, ...] = ()
        self.progress: Progress | None = None
        self.finished = False
        self.preparing = Spinner("dots", COMPILING)

    def update(self, progress: Progress) -> None:
        """Take the news of a chunk."""
        self.progress = progress
        self.findings = progress.findings if self.watch else ()

    def finish(self) -> None:
        """Say how long it took instead of how long it will take."""
        self.finished = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> list[RenderableType]:
        """The lines as they are now."""
        sizes = f"{len(self.dataset.train):,} training samples, {amount(self.epochs, 'epoch')}"
        head = Text.assemble((printable(self.dataset.name), "bold"), f"  {sizes}")
        progress = self.progress
        if progress is None:
            return [Group(head, self.preparing)]
        room = options.max_width
        lines = [head, self._bar(progress, room), self._curves(progress, room), self._foot()]
        lines += [Text(told(one), WRONG) for one in self.findings]
        return [Group(*lines)]

    def _bar(self, progress: Progress, room: int) -> RenderableType:
        bar = Table.grid(padding=(0, 2))
        now = min(progress.epoch + 1, progress.epochs)
        bar.add_row(
            f"epoch {now:,}/{progress.epochs:,}",
            ProgressBar(progress.steps, progress.step, width=max(8, min(40, room - 45))),
            f"step {progress.step:,}/{progress.steps:,}",
        )
        return bar

    def _curves(self, progress: Progress, room: int) -> RenderableType:
        """Training and validation loss side by side, at one scale."""
        trace = progress.trace
        training, name = trace.train_loss, "training loss"
        positions = trace.epochs["step"] / progress.steps
        where = positions
        if len(training) < 2:  # no curve yet; batches are the first thing to be seen
            training, where = thinned(trace.batch_loss, progress.steps)
            name = "batch loss"
        span = shown_span(progress.step / progress.steps)
        validation = trace.validation_loss
        scale = Scale(training, validation)
        width = max(8, min(WIDEST, (room - 14) // 2))
        axis = [rounded(scale.high, 3), *[""] * (ROWS - 2), rounded(scale.low, 3)]
        grid = Table.grid(padding=(0, 2))
        grid.add_column(justify="right", style="dim", min_width=7)
        grid.add_row(
            "log" if scale.is_log else "",
            _title(name, training),
            _title("validation loss", validation),
        )
        grid.add_row(
            "\n".join(axis),
            Text("\n".join(draw(where / span, training, scale, width, ROWS)), TRAINING),
            Text("\n".join(draw(positions / span, validation, scale, width, ROWS)), VALIDATION),
        )
        return grid

    def _foot(self) -> Text:
        progress = self.progress
        assert progress is not None
        left = progress.seconds_left
        parts = [speed(progress, len(self.dataset.train))]
        parts += [f"took {clock(progress.seconds)}" if self.finished else f"{clock(left)} left"]
        parts += [progress_text(self.dataset, progress.trace.epochs)]
        text = Text("   ".join(filter(None, parts)))
        if not self.finished:
            text.append("   Ctrl-C ends it and keeps what was learnt", "dim")
        return text


def told(finding: Finding) -> str:
    """What is wrong with a training that still runs, in a line or two."""
    return f"{finding.title}: {finding}"


def _title(name: str, values: np.ndarray) -> str:
    return f"{name} {rounded(values[-1])}" if len(values) else name


def shown_span(done: float) -> float:
    """The fraction of the training that fills the width: 1, 1/2, 1/4 ..., at least half full."""
    return 1.0 if done <= 0 else 0.5 ** int(np.log2(1 / done))


def thinned(
    losses: np.ndarray, steps: int, most: int = 2 * WIDEST
) -> tuple[np.ndarray, np.ndarray]:
    """Batch losses averaged to at most `most` values, and each one's position from 0 to 1."""
    groups = np.array_split(losses, min(most, max(1, len(losses))))
    values = np.array([group.mean() for group in groups if len(group)])
    ends = np.cumsum([len(group) for group in groups if len(group)])
    return values, ends / steps


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:34 or 1:02:03."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def speed(progress: Progress, samples: int) -> str:
    """Training samples per second so far."""
    done = (progress.step - progress.first) / progress.steps * progress.epochs * samples
    return f"{done / max(progress.seconds, 1e-9):,.0f} samples/s"
