"""The controller's end of a worker's pipes: start it, ask it, and never wait for ever."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[1]
START_SECONDS = 180.0  # importing a library and building a network
FIRST_SECONDS = 600.0  # the first block, in which things are compiled
BLOCK_SECONDS = 300.0


class WorkerError(Exception):
    """A contender cannot go on; the message is one line for people."""


class Worker:
    """A worker process, ended when the `with` block is left, however it is left.

    Args:
        name: What messages call it.
        command: What is started; answers come from its standard output, a line of JSON each.
        environment: What it finds in its environment besides ours.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        # standard error goes to a file: a pipe would fill up; open as long as the worker is
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=ROOT,
            env=os.environ | dict(environment or {}),
            start_new_session=True,  # Ctrl-C is ours to handle, and its children end with it
        )
        self._pending = b""

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
        self._said.close()

    def ask(self, word: str, seconds: float) -> dict[str, Any]:
        """Send one word and return the answer.

        Args:
            word: What it shall do.
            seconds: How long it may take.

        Raises:
            WorkerError: It failed, ended, or took longer.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return self.answer(seconds, word)

    def answer(self, seconds: float, word: str = "start") -> dict[str, Any]:
        """Return the next answer; arguments and errors as for `ask`."""
        line = self._line(seconds)
        if line is None:
            self.end()
            raise WorkerError(
                f"{self.name} did not answer {word!r} within {seconds:.0f} s and was stopped"
            )
        try:
            reply = json.loads(line)
        except ValueError:
            raise WorkerError(f"{self.name} answered {line[:80]!r}, which is no JSON") from None
        if "error" in reply:
            raise WorkerError(reply["error"])
        return reply

    def _line(self, seconds: float) -> bytes | None:
        """The next line of its output, or None when it takes longer than `seconds`.

        They are counted in slices of a second at most: when the whole machine was suspended in
        between, the worker is not to blame.
        """
        assert self._process.stdout is not None
        left = seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._pending:
                if left <= 0:
                    return None
                slice_of_it = min(1.0, left)
                if not selector.select(slice_of_it):
                    left -= slice_of_it
                    continue
                piece = os.read(self._process.stdout.fileno(), 1 << 16)
                if not piece:
                    raise self._ended()
                self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _ended(self) -> WorkerError:
        """It is gone: with which code, and what it said last."""
        self.end()
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        last = lines[-1][:300] if lines else "it said nothing"
        return WorkerError(f"{self.name} ended with code {self._process.returncode}: {last}")

    def kill(self) -> None:
        """Kill the process and all that it started; whoever waits for its answer is told."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill it and close its pipes; it may be gone already."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
