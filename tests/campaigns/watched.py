"""What a process opens, runs and takes of memory while it reads: seen by an audit hook."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OPENING = ("open", "os.listdir", "os.scandir", "os.mkdir", "os.remove", "os.symlink", "os.truncate")
NEVER = (
    "exec", "compile", "pickle.find_class", "subprocess.Popen", "os.system", "os.exec",
    "os.posix_spawn", "os.fork", "ctypes.dlopen", "marshal.loads", "code.__new__",
)  # fmt: skip
# where the program itself lies: what it loads late is its own
PROGRAM = tuple(
    os.path.realpath(path) + os.sep
    for path in {*sys.path, sys.prefix, sys.base_prefix}
    if path and os.path.isdir(path)
)
QUIET = ("/proc/self/", "/sys/")  # what libraries ask the system of itself


class Watch:
    """Sees, while it is on, what lies outside of some folders."""

    def __init__(self) -> None:
        self._allowed: tuple[str, ...] | None = None
        self._within = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if self._allowed is None or self._within:
            return
        self._within = True
        try:
            self._note(event, arguments)
        finally:
            self._within = False

    def _note(self, event: str, arguments: tuple) -> None:
        if event.startswith("socket.") or event in NEVER:
            source = getattr(arguments[0], "co_filename", "") if arguments else ""
            if source.startswith(PROGRAM) or _is_of_program(arguments):
                return
            if event == "marshal.loads" and _is_imported():
                return  # "exec" tells whether the module is the program's own
            self.seen.append(f"{event} {str(arguments)[:200]}")
        elif event in OPENING and arguments and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            assert self._allowed is not None
            if not (path + os.sep).startswith((*self._allowed, *PROGRAM)):
                self.seen.append(f"{event} {path}")

    @contextmanager
    def only(self, *folders: Path) -> Iterator[None]:
        """Note whatever is opened outside of these folders."""
        before = self._allowed
        self._allowed = tuple(os.path.realpath(one) + os.sep for one in folders)
        try:
            yield
        finally:
            self._allowed = before


def _is_of_program(arguments: tuple) -> bool:
    """Whether a compilation is of a module that is imported late, or of a literal.

    NumPy reads the heads of its files with `ast.literal_eval`, which executes nothing: if anything
    did, "exec" would tell.
    """
    return len(arguments) > 1 and str(arguments[1]).startswith((*PROGRAM, "<unknown>"))


def _is_imported() -> bool:
    """Whether it is the import of a compiled module that asks."""
    frame = sys._getframe(3)  # behind this function, `_note` and `_hook`
    return frame.f_code.co_filename.startswith("<frozen importlib")


def _status(name: str) -> int:
    """A figure of the process in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.partition(f"{name}:")[2].split()[0]) * 1024


class Memory:
    """The most memory that a process took since `Memory()`, beyond what it had then."""

    def __init__(self) -> None:
        with suppress(OSError):  # the system's mark of the highest is set back, where it can be
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._before = _status("VmRSS")

    def taken(self) -> int:
        """In bytes."""
        return max(_status("VmHWM"), _status("VmRSS")) - self._before


def limit_addresses(more: int) -> None:
    """Refuse the process more than so many bytes of addresses beyond those that it has."""
    most = _status("VmSize") + more
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
