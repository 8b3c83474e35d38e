"""How a command ends: with one message on standard error, and an exit code.

0: done. 1: the training ended badly. 2: something given cannot be used, the disk or the memory is
too small, or a fault of Downslope's own. 130: stopped with Ctrl-C. 141: whoever read the output has
closed it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
import tempfile
import traceback
from contextlib import suppress
from importlib.metadata import version

import click

from downslope.cli.interrupts import STOPPED, was_interrupted
from downslope.cli.lines import say
from downslope.errors import LONGEST_PART, MOST_FAULTS, DownslopeError, StorageError, shortened

FAILED = 2
NOBODY_READS = 141  # 128 + the number of SIGPIPE
# what the engine raises where memory runs out; named, since nothing here may import the engine
ENGINE_ERRORS, OUT_OF_MEMORY = (
    ("JaxRuntimeError", "XlaRuntimeError"),
    ("RESOURCE_EXHAUSTED", "memory"),
)


class BrokenOff(Exception):
    """Stands for an error of which click would print lines of its own."""


def check_surroundings() -> None:
    """Check what every command needs of its process.

    Raises:
        StorageError: The working folder is gone.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise StorageError(
            "The working folder is gone: it was deleted or moved.",
            "a folder to work in",
            "Change to another folder and try again.",
        ) from error


def open_closed_streams() -> None:
    """Let what would go to a closed standard stream go nowhere, and what would come be empty.

    Else the next file that is opened would stand in its place, and take what is printed.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            opened = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - for the whole process
            if opened.fileno() != number:
                os.dup2(opened.fileno(), number)
            setattr(sys, name, opened)


def code_of(error: BaseException) -> int:
    """Tell of an error in one message, and return the exit code that it gives."""
    if isinstance(error, BrokenOff) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return NOBODY_READS
    code = FAILED
    is_strange = not isinstance(error, DownslopeError | click.ClickException | OSError)
    is_interrupt = isinstance(error, KeyboardInterrupt | click.Abort)
    if is_interrupt or (is_strange and was_interrupted.is_set()):  # C makes others of interrupts
        text, code = "\nStopped.", STOPPED
    elif isinstance(error, click.ClickException):
        buffer = io.StringIO()
        error.show(buffer)
        text = "\n".join(line.rstrip() for line in buffer.getvalue().rstrip().split("\n"))
        if not isinstance(error, click.exceptions.NoArgsIsHelpError):
            text = shortened(text, 4 * LONGEST_PART)
    else:
        own = error if isinstance(error, DownslopeError) else _told(error)
        text = f"Error: {own}" if len(own.faults) == 1 else _listed(own.faults)
    with suppress(OSError):  # a full disk may be behind both streams
        say(text, err=True)
    return code


def _listed(faults: tuple[DownslopeError, ...]) -> str:
    """Several faults, a line each."""
    told = [f"{at}. {one}" for at, one in enumerate(faults[:MOST_FAULTS], start=1)]
    more = [] if len(faults) <= MOST_FAULTS else [f"And {len(faults) - MOST_FAULTS} more."]
    return "\n".join([f"Error: {len(faults)} things are wrong.", *told, *more])


def _told(error: BaseException) -> DownslopeError:
    """An error of somebody else's as one of ours."""
    if isinstance(error, MemoryError) or (
        type(error).__name__ in ENGINE_ERRORS and any(one in str(error) for one in OUT_OF_MEMORY)
    ):
        said = " ".join(str(error).split())
        return StorageError(
            f"The memory is too small{f' ({said})' if said else ''}.",
            "work that fits into this machine's memory",
            "Use smaller batches (--batch-size), fewer units or channels, or smaller images.",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        where = "The output" if error.filename is None else f"The file {error.filename}"
        return StorageError(
            f"{where} cannot be written: {error.strerror}.",
            "free space on it",
            "Free some space, or write elsewhere.",
        )
    said = " ".join(f"{type(error).__name__}: {error}".split())
    return DownslopeError(
        f"Downslope failed, which is a fault of its own ({shortened(said, LONGEST_PART // 2)}).",
        "a result, or a message of what to change",
        f"Please report it to the project's issue tracker, {_kept(error)}.",
    )


def _kept(error: BaseException) -> str:
    """Keep an error's traceback in a file of its own; where it is, in words."""
    lines = traceback.format_exception(error)
    where = f"downslope {version('downslope')}, Python {sys.version}, {sys.platform}\n"
    try:
        handle, path = tempfile.mkstemp(prefix="downslope-error-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(where + "".join(lines))
    except OSError:
        return f"with these lines: {''.join(lines[-2:])}"
    return f"with the file {path} and what you did"
