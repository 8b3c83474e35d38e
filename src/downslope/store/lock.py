"""One writer for each folder: a lock that the system gives back when its process ends.

The folder itself is locked, so that no file is left behind. Where a system or a disk has no such
locks (Windows, some network disks) nothing is locked.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from downslope.errors import StorageError
from downslope.store.files import plain_errors

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one that writes into a folder.

    Raises:
        StorageError: Another process is writing into it, or it cannot be opened.
    """
    if fcntl is None:
        yield
        return
    with plain_errors(folder):
        handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise StorageError(
                    f"Another training is writing into {folder}.",
                    "a folder that nobody else writes into",
                    "Wait until it has ended, or choose another folder.",
                ) from error
        yield
    finally:
        with suppress(OSError):  # nothing was written by it, and the training is whole
            os.close(handle)
