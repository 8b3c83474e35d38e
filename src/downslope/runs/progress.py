"""What an onlooker sees between two chunks of a training, and the request to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from downslope.engine.model import Model
from downslope.engine.settings import whole
from downslope.runs.finding import Finding
from downslope.runs.trace import Trace, TraceBuilder
from downslope.runs.watch import Watch


@dataclass(frozen=True)
class NextChunk:
    """What `on_chunk` may return: how many steps the next chunk has.

    A chunk of a few steps costs more time for each step, and is seen sooner.

    Attributes:
        steps: The number of steps; 0 ends the training there, as Ctrl-C does.

    Example:
        >>> run = ds.train(
        ...     "dense 8 tanh, dense 2", "moons", epochs=2,
        ...     on_chunk=lambda progress: ds.NextChunk(0 if progress.step >= 9 else 4),
        ... )
        >>> run.outcome.reason, run.outcome.step  # the first chunk is one step
        ('interrupted', 9)
    """

    steps: int

    def __post_init__(self) -> None:
        """Check the number."""
        whole("number of steps in a chunk", self.steps, 0, "0 ends the training.")


@dataclass(frozen=True)
class Progress:
    """The progress of a training, as `on_chunk` receives it between two chunks of steps.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        epoch: Epochs finished.
        epochs: Epochs in all.
        seconds: Seconds spent in the loop since it started or was resumed, without compiling.
        builder: The trace while it grows.
        first: Steps done before the training was resumed; 0 for a new training.
        model_now: Gives the network with the weights of this moment; `model` calls it.
        watch: Looks for what is wrong already.

    Example:
        >>> seen = []
        >>> run = ds.train(
        ...     "dense 8 tanh, dense 2", "moons", epochs=2,
        ...     on_chunk=lambda progress: seen.append((progress.step, progress.steps)),
        ... )
        >>> seen[-1]
        (36, 36)
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    seconds: float
    builder: TraceBuilder
    first: int = 0
    model_now: Callable[[], Model] | None = None
    watch: Watch | None = None

    @cached_property
    def model(self) -> Model:
        """The network with its weights after `step` steps; copied when it is first asked for.

        Only while `on_chunk` runs: the next chunk takes the place of these weights.
        """
        assert self.model_now is not None
        return self.model_now()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is certainly wrong already: at most one finding, as a verdict at the end is."""
        return () if self.watch is None else self.watch.findings(self.trace)

    @property
    def seconds_left(self) -> float:
        """How long it will take at the pace so far."""
        return (self.steps - self.step) * self.seconds / max(1, self.step - self.first)

    @property
    def trace(self) -> Trace:
        """Everything recorded so far."""
        return self.builder.trace()


OnChunk = Callable[[Progress], object]  # of what it returns, only a `NextChunk` counts


STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or SIGTERM into a request that is seen between two chunks.

    A second one does what it did before: Ctrl-C interrupts at once. Outside of the main thread,
    where signals cannot be caught, no request is ever seen.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()
    before = {number: signal.getsignal(number) for number in STOPPING}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def ask(number: int, frame: object) -> None:
        asked.set()
        restore()

    for number in STOPPING:
        signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        restore()
