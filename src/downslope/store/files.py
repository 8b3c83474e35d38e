"""Writing files so that they are whole or absent, and saying plainly when the disk refuses."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from downslope.errors import StorageError

_REASONS = {
    errno.ENOSPC: ("The disk is full", "free space on it", "Free some space and try again."),
    errno.EDQUOT: ("Your share of the disk is full", "free space", "Free some and try again."),
    errno.EROFS: ("The disk is read-only", "a disk that can be written", "Choose another folder."),
    errno.EACCES: ("Writing is not permitted", "a folder of yours", "Choose another folder."),
    errno.EPERM: ("Writing is not permitted", "a folder of yours", "Choose another folder."),
    errno.ENOTDIR: ("A part of the path is a file", "a folder", "Choose another folder."),
    errno.ENAMETOOLONG: ("The name is too long", "a shorter name", "Choose another folder."),
}


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into one clear message.

    Raises:
        StorageError: The disk is full, read-only, not permitted, or failed otherwise.
    """
    try:
        yield
    except OSError as error:
        what = (error.strerror or str(error), "a folder that can be written", "Choose another.")
        reason, expected, advice = _REASONS.get(error.errno or 0, what)
        raise StorageError(f"{reason}: {path} cannot be written.", expected, advice) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, it is there as a whole or not at all.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    with plain_errors(path):
        try:
            with open(unfinished, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)


def new_file(path: Path, advice: str = "Remove it, or name another.") -> None:
    """Check that nothing is overwritten.

    Args:
        path: A file that is to be written.
        advice: What to do if it is there.

    Raises:
        StorageError: There is such a file already.
    """
    if path.exists():
        raise StorageError(f"{path} is there already.", "the name of a new file", advice)


def claim_folder(path: Path, beside: Collection[str] = ()) -> Path:
    """Create the folder `path`, and its parents, for one writer; nothing is overwritten.

    Args:
        path: The folder.
        beside: Names of what may be in it already.

    Returns:
        Its absolute path.

    Raises:
        StorageError: It exists and is not empty, or cannot be created or written.
    """
    path = Path(os.path.abspath(path.expanduser()))
    with plain_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        if any(one.name not in beside for one in path.iterdir()):
            raise StorageError(
                f"The folder {path} is not empty.",
                "a new or empty folder",
                "Choose another; nothing is ever overwritten.",
            )
    write_file(path / ".claimed", b"")  # tells now, not after the training, that it is writable
    with plain_errors(path):
        (path / ".claimed").unlink()
    return path


def claim_numbered_folder(parent: Path, name: str) -> Path:
    """Create the first free folder among `parent`/`name`-1, `name`-2, ... for one writer.

    Raises:
        StorageError: It cannot be created or written.
    """
    parent = Path(os.path.abspath(parent.expanduser()))
    number = 1
    while True:
        path = parent / f"{name}-{number}"
        with plain_errors(path):
            parent.mkdir(parents=True, exist_ok=True)
            try:
                path.mkdir()  # fails if another process was faster
            except FileExistsError:
                number += 1
                continue
        try:
            return claim_folder(path)
        except StorageError:
            with suppress(OSError):
                path.rmdir()  # an empty folder would be taken for a run
            raise
