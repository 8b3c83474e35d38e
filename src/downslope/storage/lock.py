"""One writer for each folder: a lock that the system gives back when its process ends.

The folder itself is locked, so that no file is left behind. A lock counts only where the folder
that was locked is still the one at its path: only who holds the lock removes a folder, and whoever
waited with a handle of the one that is gone begins anew. Where a system or a disk has no such
locks (Windows, some network disks) nothing is locked, and nothing is removed.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from downslope.errors import RunError, StorageError
from downslope.storage.checkpoints import FOLDER, stored_steps
from downslope.storage.files import plain_errors, sync_folder, write_file

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

CLAIMED = ".claimed"
MOST_TRIES = 100  # to make a folder that others remove again and again
_UNFINISHED = re.compile(r"\..*\.[0-9]+\.unfinished")


class _Lock(NamedTuple):
    """A handle of a folder, and whether it holds the lock."""

    handle: int
    is_held: bool


_held: set[int] = set()  # handles that lock a folder


def _let_go() -> None:
    """In a process that was forked: the locks are those of its parent, and end with that one."""
    for handle in _held:
        with suppress(OSError):
            os.close(handle)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def _lock(folder: Path) -> _Lock:
    """Lock a folder.

    Raises:
        FileNotFoundError: It is not there, or another process has just removed it.
        StorageError: Another process writes into it.
    """
    handle = os.open(folder, os.O_RDONLY)
    is_held = False
    try:
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_held = True
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise StorageError(
                    f"Another training is writing into {folder}.",
                    "a folder that nobody else writes into",
                    "Wait until it has ended, or choose another folder.",
                ) from error
        if not _is_at(handle, folder):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))
    except BaseException:
        _unlock(_Lock(handle, False))
        raise
    _held.add(handle)
    return _Lock(handle, is_held)


def _unlock(lock: _Lock) -> None:
    _held.discard(lock.handle)
    with suppress(OSError):  # nothing was written by it, and the training is whole
        os.close(lock.handle)


def _is_at(handle: int, path: Path) -> bool:
    """Whether a handle is of what is at a path now."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def is_locked(folder: Path) -> bool:
    """Whether another process writes into a folder now; where there are no locks, nobody does."""
    try:
        lock = _lock(folder)
    except StorageError:
        return True
    except OSError:  # it is not there
        return False
    _unlock(lock)
    return False


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one that writes into a folder that is there.

    Raises:
        StorageError: Another process is writing into it, or it cannot be opened.
    """
    with plain_errors(folder):
        lock = _lock(folder)
    try:
        yield
    finally:
        _unlock(lock)


class Claim:
    """A new or empty folder that this process alone writes into, until it is released.

    As a context it is released at the end, and given back where an error ends it.

    Attributes:
        path: Its absolute path.
    """

    def __init__(self, path: Path, lock: _Lock, made: list[Path]) -> None:
        self.path = path
        self._lock: _Lock | None = lock
        self._made = made  # folders that this process made, outermost first

    def __fspath__(self) -> str:
        """Its path, as the functions of Python take it."""
        return str(self.path)

    def __enter__(self) -> Claim:
        """Begin a context."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Release it, or give it back."""
        if kind is None:
            self.release()
        else:
            self.give_back()

    def release(self) -> None:
        """Let others write into the folder."""
        lock, self._lock = self._lock, None
        if lock is not None:
            _unlock(lock)

    def give_back(self, leftovers: Collection[str] = ()) -> None:
        """Release it; a folder that was made, and into which nothing has come, is removed first.

        Args:
            leftovers: Names of files that are nothing without others.
        """
        lock = self._lock
        if lock is None:
            return
        if lock.is_held and _is_at(lock.handle, self.path):
            with suppress(OSError, RunError):
                _tidy(self.path, leftovers)
            if self._made[-1:] == [self.path]:
                with suppress(OSError):  # something is in it
                    self.path.rmdir()
                    self._made.pop()
        self.release()
        for path in reversed(self._made):
            if not _removed_if_unclaimed(path):
                break


def _removed_if_unclaimed(path: Path) -> bool:
    """Remove a folder that is empty and that nobody has claimed."""
    try:
        lock = _lock(path)
    except (OSError, StorageError):
        return False
    try:
        if lock.is_held:
            path.rmdir()
        return lock.is_held
    except OSError:
        return False
    finally:
        _unlock(lock)


def _is_nothing(path: Path) -> bool:
    """Whether a file or folder is only what a process left that ended before it stored anything."""
    if path.name == FOLDER and path.is_dir() and not path.is_symlink():
        return not stored_steps(path.parent)
    return path.name == CLAIMED or _UNFINISHED.fullmatch(path.name) is not None


def _tidy(folder: Path, leftovers: Collection[str]) -> None:
    """Remove what is nothing by itself, if there is nothing else; its lock has to be held."""
    found = list(folder.iterdir())
    if not all(one.name in leftovers or _is_nothing(one) for one in found):
        return
    for path in found:
        if path.name == FOLDER:
            for one in path.iterdir():
                one.unlink()
            path.rmdir()
        else:
            path.unlink()


def is_empty(folder: Path, beside: Collection[str] = ()) -> bool:
    """Whether a folder holds nothing but what may be beside.

    What a process left there that ended before it stored anything is nothing.

    Raises:
        StorageError: It cannot be read.
    """
    with plain_errors(folder):
        try:
            return all(one.name in beside or _is_nothing(one) for one in folder.iterdir())
        except RunError:  # states that cannot be read
            return False


def _check_empty(folder: Path, beside: Collection[str] = ()) -> None:
    if not is_empty(folder, beside):
        raise StorageError(
            f"The folder {folder} is not empty.",
            "a new or empty folder",
            "Choose another; nothing is ever overwritten.",
        )


def _make_folders(path: Path, made: list[Path]) -> None:
    """Create a folder and its parents, to stay; those that were not there are added to `made`.

    Raises:
        FileNotFoundError: Another process has just removed one of them.
    """
    for folder in reversed([one for one in (path, *path.parents) if not one.exists()]):
        with suppress(FileExistsError):
            folder.mkdir()
            made.append(folder)
        sync_folder(folder.parent)


@contextmanager
def _undone(made: list[Path]) -> Iterator[None]:
    """Remove what was made where an error ends the claim of it."""
    try:
        yield
    except BaseException:
        for path in reversed(list(dict.fromkeys(made))):
            if not _removed_if_unclaimed(path):
                break
        raise


def claim_folder(path: Path, beside: Collection[str] = ()) -> Claim:
    """Create the folder `path`, and its parents, for one writer; nothing is overwritten.

    Args:
        path: The folder.
        beside: Names of what may be in it already.

    Raises:
        StorageError: It exists and is not empty, another process writes into it, or it cannot
            be created or written.
    """
    path = Path(os.path.abspath(path.expanduser()))
    made: list[Path] = []
    for left in reversed(range(MOST_TRIES)):
        # what is not there has been removed by another process, but not again and again
        passing = (FileNotFoundError,) if left else ()
        with suppress(*passing), _undone(made), plain_errors(path, passing):
            _make_folders(path, made)
            return _checked(Claim(path, _lock(path), list(dict.fromkeys(made))), beside)
    raise AssertionError  # the last try returns or raises


def _checked(claim: Claim, beside: Collection[str]) -> Claim:
    """A claim of a folder that is empty and can be written; else it is given back."""
    path = claim.path
    try:
        with plain_errors(path):
            sync_folder(path.parent)  # whoever made it may have left that to the system
        _check_empty(path, beside)
        write_file(path / CLAIMED, b"")  # tells now, not after the training, that it is writable
        with plain_errors(path):
            (path / CLAIMED).unlink()
    except BaseException:
        claim.give_back()
        raise
    return claim


def claim_numbered_folder(parent: Path, name: str) -> Claim:
    """Create the first free folder among `parent`/`name`-1, `name`-2, ... for one writer.

    Raises:
        StorageError: It cannot be created or written.
    """
    parent = Path(os.path.abspath(parent.expanduser()))
    made: list[Path] = []
    number = 1
    while True:
        path = parent / f"{name}-{number}"
        with _undone(made), plain_errors(path):
            try:
                _make_folders(parent, made)
                path.mkdir()  # fails if another process was faster
                made.append(path)
                lock = _lock(path)
            except FileExistsError:
                number += 1
                continue
            except (FileNotFoundError, StorageError):  # it was, in between
                continue
            return _checked(Claim(path, lock, list(dict.fromkeys(made))), ())
