"""What an onlooker sees between two chunks of a training, and the request to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from downslope.runs.trace import Trace, TraceBuilder


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

    @property
    def seconds_left(self) -> float:
        """How long it will take at the pace so far."""
        return (self.steps - self.step) * self.seconds / max(1, self.step - self.first)

    @property
    def trace(self) -> Trace:
        """Everything recorded so far."""
        return self.builder.trace()


OnChunk = Callable[[Progress], object]


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
