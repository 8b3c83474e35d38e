"""The server's side of a training: its worker process, what it has sent, and the pages that look.

The worker is asked for a frame as soon as one page has drawn its last one. A page that is slower
than others is not waited for, and nothing is queued for it: its next frame has all that was
recorded since its last, and the arrays of now.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import numpy as np

from downslope.lab import messages
from downslope.lab.messages import Frame, Notice, Scene, packed, unpacked

WORKER = (  # which Ctrl-C ends without a word while it starts
    "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    "from downslope.lab.worker import main; main()"
)
CURVES = ("losses", "rows")
_command = msgspec.json.Encoder().encode


class Session:
    """One worker, and what it has sent.

    Args:
        source: The data or run folder that the worker begins with.
        folder: Where it works: runs go into `runs` below.
    """

    def __init__(self, source: str, folder: str) -> None:
        self._source, self._folder = source, folder
        self.pages: set[Page] = set()
        self._kept: dict[str, bytes] = {}  # the last message of each kind but frames
        self.frame: Frame | None = None
        self.arrays: dict[str, np.ndarray] = {}  # of the last frame, and of those before it
        self.losses = np.empty(0, np.float32)
        self.rows = np.empty((0, 0), np.float32)
        self.number = 0  # of frames
        self._is_asked = False

    def start(self) -> None:
        """Start the worker, and listen to it."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-c", WORKER, str(theirs.fileno())]
        self._process = subprocess.Popen(
            [*command, self._source], cwd=self._folder, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self._connection = Connection(ours.detach())
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._connection.fileno(), self._hear)

    async def end(self) -> None:
        """Let the worker end: it stops between two chunks, and its run is whole."""
        self._loop.remove_reader(self._connection.fileno())
        with suppress(OSError):
            self.send(messages.Pause())
        for page in list(self.pages):
            page.close()
        await asyncio.to_thread(self._wait)

    def _wait(self) -> None:
        self._connection.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait(5)

    def send(self, command: Any) -> None:
        """Give the worker a command."""
        self._connection.send_bytes(_command(command))

    def want(self) -> None:
        """Ask the worker for a frame, unless it has been asked."""
        if not self._is_asked:
            self._is_asked = True
            with suppress(OSError):
                self.send(messages.Ready())

    def _hear(self) -> None:
        """Take what the worker has sent."""
        try:
            message = self._connection.recv_bytes()
        except (EOFError, OSError):
            self._loop.remove_reader(self._connection.fileno())
            text = "The training process has ended. Start downslope lab again; the run is kept."
            self._tell("notice", packed(Notice(text, "error")))
            return
        header, arrays = unpacked(message)
        if isinstance(header, Frame):
            self._take(header, arrays)
            for page in self.pages:
                page.wake()
            return
        if isinstance(header, Scene):
            self.frame, self.arrays = None, {}
            self.losses, self.rows = np.empty(0, np.float32), np.empty((0, 0), np.float32)
            self._kept.clear()
            for page in self.pages:
                page.renew()
        self._tell(type(header).__name__, message)

    def _take(self, frame: Frame, arrays: dict[str, np.ndarray]) -> None:
        """Put a frame's curves behind those that were sent before."""
        self._is_asked = False
        self.frame = frame
        self.number += 1
        if "losses" in arrays:
            losses, rows = (arrays.pop(name) for name in CURVES)
            self.losses = np.concatenate([self.losses[: frame.losses_from], losses])
            before = self.rows[: frame.rows_from].reshape(-1, rows.shape[1])
            self.rows = np.concatenate([before, rows])
        self.arrays |= arrays

    def _tell(self, kind: str, message: bytes) -> None:
        if kind != "Notice":
            self._kept[kind] = message
        for page in self.pages:
            page.tell(message)

    def join(self, page: Page) -> None:
        """A page has come: it is told what there is."""
        page.number = min(set(range(1, len(self.pages) + 2)) - {one.number for one in self.pages})
        self.pages.add(page)
        for message in self._kept.values():
            page.tell(message)
        page.wake()

    def leave(self, page: Page) -> None:
        """A page has gone."""
        self.pages.discard(page)


class Page:
    """One page that looks at a session.

    Args:
        session: The session.
    """

    MOST_WAITING = 64  # messages in words

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: list[bytes] = []
        self._is_ready = False
        self._number = session.number - 1
        self._news = asyncio.Event()
        self.is_closed = False
        self.number = 0  # among the pages of this session; from 1 where it has joined
        self.renew()

    def renew(self) -> None:
        """Another scene has come: its curves begin anew."""
        self._losses = self._rows = 0

    def ready(self) -> None:
        """It has drawn what it was sent."""
        self._is_ready = True
        self._session.want()
        self.wake()

    def wake(self) -> None:
        """Look whether there is something to send."""
        self._news.set()

    def close(self) -> None:
        """Nothing more comes."""
        self.is_closed = True
        self.wake()

    def tell(self, message: bytes) -> None:
        """Send a message, before the next frame."""
        self._waiting.append(message)
        del self._waiting[: -self.MOST_WAITING]
        self.wake()

    async def next(self) -> list[bytes]:
        """What is to be sent now; waits until there is something; empty at the end."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self.is_closed:
                return []
            found, self._waiting = self._waiting, []
            session = self._session
            if self._is_ready and session.frame is not None and self._number != session.number:
                self._is_ready, self._number = False, session.number
                found.append(self._frame())
            if found:
                return found

    def _frame(self) -> bytes:
        """The frame of now, with the curves since this page's last one."""
        session = self._session
        assert session.frame is not None
        losses, rows = session.losses[self._losses :], session.rows[self._rows :]
        header = msgspec.structs.replace(
            session.frame, losses_from=self._losses, rows_from=self._rows
        )
        self._losses, self._rows = len(session.losses), len(session.rows)
        return packed(header, {**session.arrays, "losses": losses, "rows": rows})
