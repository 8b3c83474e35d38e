"""The command line: a door to the engine. Imported by nobody.

A command's own file holds its options and imports the engine only when the command runs, so that
help, version and usage errors answer at once.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from typing import NoReturn

STOPPED = 130  # 128 + the number of SIGINT, as shells have it


def start() -> None:
    """Run the command line; Ctrl-C ends it in one line, also while all of it is being imported."""
    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, stop_at_once)
        from downslope.cli.main import main
    except KeyboardInterrupt:
        stop_at_once()
    else:
        main()


def stop_at_once(number: int = 0, frame: object = None) -> NoReturn:
    """End the process as Ctrl-C does, wherever it is; the arguments are those of a handler.

    An exception would be lost where Python calls back from C, as it does in every import.
    """
    try:
        os.write(2, b"\nStopped.\n")
    finally:
        os._exit(STOPPED)
