"""What an onlooker sees between two chunks of a training, and the request to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from downslope.learning.trace import Trace, TraceBuilder


@dataclass(frozen=True)
class Progress:
    """A training between two chunks.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        epoch: Epochs finished.
        epochs: Epochs in all.
        seconds: Seconds spent in the loop, without compiling.
        builder: The trace while it grows.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    seconds: float
    builder: TraceBuilder

    @property
    def trace(self) -> Trace:
        """Everything recorded so far; put together when it is asked for."""
        return self.builder.trace()


OnChunk = Callable[[Progress], object]


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a request that is seen between two chunks.

    A second Ctrl-C interrupts at once. Outside of the main thread, where signals cannot be
    caught, no request is ever seen.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    asked = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
