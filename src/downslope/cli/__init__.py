"""The command line: a door to the engine. Imported by nobody.

A command's own file holds its options and imports the engine only when the command runs, so that
help, version and usage errors answer at once.
"""

from __future__ import annotations

from downslope.cli.interrupts import stop_at_once


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
