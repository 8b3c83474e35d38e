"""What Ctrl-C does: it ends whatever runs, in one line, wherever it is."""

from __future__ import annotations

import os
import signal
import sys
from threading import Event
from types import FrameType
from typing import Any, NoReturn

STOPPED = 130  # 128 + the number of SIGINT, as shells have it
was_interrupted = Event()  # by Ctrl-C


def answer_interrupts() -> None:
    """Let Ctrl-C break off whatever a command does, so that nothing can lose that."""
    if signal.getsignal(signal.SIGINT) in (signal.default_int_handler, stop_at_once):
        signal.signal(signal.SIGINT, _interrupt)
    sys.unraisablehook = _end_if_interrupted


def ignore_interrupts() -> None:
    """Let Ctrl-C do nothing: all is done, and Python tears itself down."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Break off what runs; at once in an import, where an exception would crash jaxlib."""
    was_interrupted.set()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            stop_at_once()
        frame = frame.f_back
    raise KeyboardInterrupt


def _end_if_interrupted(error: Any) -> None:
    """End where Python drops an interrupt, as it does in callbacks of C."""
    if isinstance(error.exc_value, KeyboardInterrupt):
        stop_at_once()
    sys.__unraisablehook__(error)


def stop_at_once(number: int = 0, frame: object = None) -> NoReturn:
    """End the process as Ctrl-C does, wherever it is; the arguments are those of a handler.

    An exception would be lost where Python calls back from C, as it does in every import.
    """
    try:
        os.write(2, b"\nStopped.\n")
    finally:
        os._exit(STOPPED)
