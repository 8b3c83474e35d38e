"""Every operation of the store on its files, seen one by one before it is done.

Where strace is missing this is how one of them is made to fail, to be cut short, or to be the last
one; and it is how a course of operations is recorded, so that a loss of power can be simulated.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from downslope.storage import files


@dataclass(frozen=True)
class Call:
    """An operation on a file.

    Attributes:
        name: "open", "read", "create", "write", "fsync", "replace", "unlink", "mkdir" or "list".
        path: The file or folder.
        content: What is written.
        goal: The new name.
    """

    name: str
    path: Path
    content: bytes = b""
    goal: Path | None = None


Do = Callable[..., Any]  # does the operation; of a "write" takes what to write instead
Hook = Callable[[Call, Do], Any]


class _Raw(io.FileIO):
    """An unbuffered file that asks the hook before it writes."""

    def __init__(self, path: Path, mode: str, hook: Hook) -> None:
        super().__init__(path, mode)
        self._path, self._hook = path, hook

    def write(self, content: Any, /) -> int:
        content = bytes(content)
        do = super().write
        return self._hook(Call("write", self._path, content), lambda less=content: do(less))


class _Read(io.FileIO):
    """An unbuffered file that asks the hook before it reads."""

    def __init__(self, handle: int, path: Path, hook: Hook) -> None:
        super().__init__(handle, "rb")
        self._path, self._hook = path, hook

    def readinto(self, buffer: Any, /) -> int:
        do = super().readinto
        return self._hook(Call("read", self._path), lambda: do(buffer))


@contextmanager
def watched(folder: Path, hook: Hook) -> Iterator[None]:
    """Ask `hook` before each operation of the store in or on `folder`, or just above it.

    The hook is given what is about to be done and a function that does it; what it returns, or
    raises, is what the store sees.
    """
    whole = {name: getattr(os, name) for name in ("open", "fsync", "replace", "unlink", "mkdir",
             "listdir", "scandir")}  # fmt: skip
    handles: dict[int, Path] = {}

    def path_of(name: Any) -> Path | None:
        path = handles.get(name) if isinstance(name, int) else Path(name)
        return (
            path if path and (folder in (path, *path.parents) or path in folder.parents) else None
        )

    def asked(name: str, shown: str) -> Do:
        def ask(path: Any, *arguments: Any, **named: Any) -> Any:
            index = path_of(path)
            if index is None:
                return whole[name](path, *arguments, **named)
            return hook(Call(shown, index), lambda: whole[name](path, *arguments, **named))

        return ask

    def replace(path: Any, goal: Any) -> None:
        return hook(
            Call("replace", Path(path), goal=Path(goal)), lambda: whole["replace"](path, goal)
        )

    def open_handle(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        index = path_of(path)
        if index is None:
            return whole["open"](path, flags, *arguments, **named)
        handle = hook(Call("open", index), lambda: whole["open"](path, flags, *arguments, **named))
        handles[handle] = index
        return handle

    def open_file(path: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if mode == "rb" and path in handles:
            return io.BufferedReader(_Read(path, handles[path], hook))
        if mode not in ("wb", "xb"):
            return builtins.open(path, mode, *arguments, **named)
        raw = hook(Call("create", Path(path)), lambda: _Raw(Path(path), mode, hook))
        handles[raw.fileno()] = Path(path)
        return io.BufferedWriter(raw)

    with ExitStack() as patches:
        for name, shown in (("unlink", "unlink"), ("mkdir", "mkdir"), ("fsync", "fsync"),
                            ("listdir", "list"), ("scandir", "list")):  # fmt: skip
            patches.enter_context(patch.object(os, name, asked(name, shown)))
        patches.enter_context(patch.object(os, "replace", replace))
        patches.enter_context(patch.object(os, "open", open_handle))
        patches.enter_context(patch.object(files, "open", open_file, create=True))
        yield


class Killed(BaseException):
    """What ends a process whose operations are no longer done."""


class Fault:
    """A hook that lets one operation fail, and counts them.

    Args:
        place: Which one, from 0; None for none.
        how: "kill"; "half, then kill"; "short", after which it goes on; "half, then ENOSPC"; or
            the name of an error.

    Attributes:
        calls: What was asked for so far.
    """

    def __init__(self, index: int | None, how: str) -> None:
        self._index, self._how, self._is_dead, self._cut = index, how, False, None
        self.calls: list[Call] = []

    def __call__(self, call: Call, do: Do) -> Any:
        if self._is_dead:
            raise Killed  # whatever a `finally` tries, the process is no more
        self.calls.append(call)
        if self._cut == call.path and call.name == "write":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if len(self.calls) - 1 != self._index:
            return do()
        if self._how in ("kill", "half, then kill"):
            self._is_dead = True
            if self._how != "kill":
                do(call.content[: len(call.content) // 2])
            raise Killed
        if self._how in ("short", "half, then ENOSPC"):
            self._cut = call.path if self._how != "short" else None
            return do(call.content[: (len(call.content) + 1) // 2])
        number = getattr(errno, self._how)
        raise OSError(number, os.strerror(number))
