"""Writing files so that they are whole or absent, and saying plainly when the disk refuses."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from downslope.errors import RunError, StorageError

try:
    import resource
except ImportError:  # on Windows
    resource = None

LONGEST = 300  # letters of what is quoted from a file
_GROUPS = Path("/sys/fs/cgroup")  # where Linux shows control groups, and which this process is in
_GROUPS_OF_PROCESS = Path("/proc/self/cgroup")

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
def plain_errors(path: Path, but: tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into one clear message.

    Args:
        path: What was to be written.
        but: Kinds of refusals that are left as they are.

    Raises:
        StorageError: The disk is full, read-only, not permitted, or failed otherwise.
    """
    try:
        yield
    except but:
        raise
    except OSError as error:
        what = (error.strerror or str(error), "a folder that can be written", "Choose another.")
        reason, expected, advice = _REASONS.get(error.errno or 0, what)
        raise StorageError(f"{reason}: {path} cannot be written.", expected, advice) from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that, whatever happens, it is there as a whole or not at all.

    Once this returns it outlives a loss of power: first the content is on the disk, then the file
    gets its name, then the folder that knows the name is on the disk.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    with plain_errors(path):
        try:
            unfinished.unlink(missing_ok=True)
            with open(unfinished, "xb") as file:  # anew: what lay there may have been a link
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        finally:
            with suppress(OSError):  # a disk that refuses has been told of already
                unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)


def remove_unfinished(folder: Path, names: str) -> None:
    """Remove what `write_file` left in a folder where its process ended too early.

    Args:
        folder: A folder that nobody else writes these files into.
        names: A regular expression for the names of the files that were to be written.

    Raises:
        StorageError: The folder cannot be read.
    """
    unfinished = re.compile(rf"\.({names})\.[0-9]+\.unfinished")
    with plain_errors(folder):
        found = [path for path in folder.iterdir() if unfinished.fullmatch(path.name)]
    for path in found:
        with suppress(OSError):  # it takes room, and nothing else
            path.unlink()


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can be asked for it."""
    if os.name != "posix":
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder may be one to write into and not to read
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some disks know no such thing
            raise
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Create a folder in one that is there, to stay; nothing happens if it is there already.

    Raises:
        StorageError: The disk or the folder refuses, or a link of that name leads elsewhere.
    """
    with plain_errors(path):
        if path.is_symlink():
            raise StorageError(
                f"{path} is a link, which may lead anywhere.", "a folder", "Remove the link."
            )
        try:
            path.mkdir()
        except FileExistsError:
            return
        sync_folder(path.parent)


def make_output_folder(path: Path) -> None:
    """Create a folder, and its parents, for what a command writes beside a run or elsewhere.

    In a run's folder, which may be a stranger's, no link is followed.

    Raises:
        StorageError: The disk or the folder refuses, or there is such a link.
    """
    of_run = ("run.json", "manifest.json", "checkpoints", "options.json")
    if path.is_symlink() and any((path.parent / name).exists() for name in of_run):
        make_folder(path)  # which says what is wrong
    with plain_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def read_file(folder: Path, name: str, most: int) -> bytes:
    """Read a file that somebody else may have put into a folder: nothing outside is opened.

    Args:
        folder: The folder; it may be a link itself.
        name: The file's name below it, with "/" between its parts.
        most: How many bytes it may have.

    Raises:
        RunError: It is missing, too large, or no plain file of that folder.
    """
    path = folder
    try:
        for part in name.split("/"):
            path = path / part
            if stat.S_ISLNK(os.lstat(path).st_mode):
                raise damaged(path, "it is a link, which may lead anywhere")
        # without waiting, as a pipe would do, and without following a link that came since
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
        with open(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise damaged(path, "it is not a file")
            if state.st_size > most:
                raise damaged(path, f"it has {state.st_size:,} bytes instead of at most {most:,}")
            if state.st_size > most_bytes():
                raise damaged(path, f"its {state.st_size:,} bytes are too many for this machine")
            return file.read(state.st_size)
    except (OSError, ValueError, MemoryError) as error:
        raise damaged(path, getattr(error, "strerror", None) or str(error)) from error


@cache
def memory_bytes() -> int:
    """How much memory this process may use: the least that machine, container and user allow."""
    return min([_machine_bytes(), *_group_limits(), *_address_limit()])


def most_bytes() -> int:
    """How large something may be of which two copies have to fit into memory."""
    return memory_bytes() // 2


def free_bytes() -> int:
    """How many bytes of memory this process may still take, as far as can be told."""
    free = memory_bytes()
    with suppress(OSError, IndexError, ValueError):  # not Linux
        with open("/proc/meminfo", encoding="ascii") as file:
            free = int(file.read().partition("MemAvailable:")[2].split()[0]) * 1024
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = [int(one) for one in file.read().split()[:2]]
        reserved, used = (one * os.sysconf("SC_PAGE_SIZE") for one in pages)
        free = min([free, *(one - used for one in _group_limits())])
        free = min([free, *(one - reserved for one in _address_limit())])
    return max(0, free)


def _machine_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 1 << 34


def _group_limits() -> list[int]:
    """The limits of this process's control groups, both versions, and of the groups around them.

    Inside a container its own group may be mounted as the root, under which its path is not found:
    all folders from that path up to the root are looked at.
    """
    try:
        lines = _GROUPS_OF_PROCESS.read_text("ascii", "replace").splitlines()
    except OSError:  # not Linux
        return []
    found = []
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers and "memory" not in controllers.split(","):
            continue
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        root = _GROUPS / "memory" if controllers else _GROUPS
        own = root / path.strip("/")
        for folder in (own, *own.parents):
            if root in (folder, *folder.parents):
                with suppress(OSError, ValueError):  # no such file, or "max"
                    found.append(int((folder / name).read_text("ascii")))
    return found


def _address_limit() -> list[int]:
    """The limit of this process's addresses, as `ulimit -v` sets it."""
    if resource is None:
        return []
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return [] if limit == resource.RLIM_INFINITY else [limit]


def is_there(path: Path) -> bool:
    """Whether there is a file or a folder.

    Raises:
        RunError: There is a link, or it cannot be found out.
    """
    try:
        state = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise damaged(path, getattr(error, "strerror", None) or str(error)) from error
    if stat.S_ISLNK(state.st_mode):
        raise damaged(path, "it is a link, which may lead anywhere")
    return True


def damaged(path: Path, why: str) -> RunError:
    """What to raise where a file of a run cannot be used, and why, which may quote the file."""
    why = " ".join(why.split())
    return RunError(
        f"{path} cannot be read ({why if len(why) <= LONGEST else why[:LONGEST] + '...'}).",
        "a file as written by a training",
        "Restore the file, or train again.",
    )


def check_names(content: bytes, path: Path) -> None:
    """Check that no object of a JSON text has a name twice: readers differ in which of two counts.

    Args:
        content: JSON that could be read.
        path: Where it comes from, for the message.

    Raises:
        RunError: A name is there twice.
    """

    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise damaged(path, f"it has the name {name!r} twice")
            seen.add(name)

    try:
        json.loads(content, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise damaged(path, str(error)) from error


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
