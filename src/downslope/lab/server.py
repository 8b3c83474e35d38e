"""The lab's server: the page's files, uploads, and one WebSocket for each page; behind the gate."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from downslope.data import BUILT_IN
from downslope.errors import DownslopeError, SettingError, StorageError
from downslope.lab.dropped import FOLDER, Dropped, TooLargeError, listed
from downslope.lab.gate import Gate
from downslope.lab.messages import (
    LONGEST_COMMAND,
    Asked,
    Choose,
    Count,
    GoTo,
    Notice,
    Open,
    OpenTest,
    Pause,
    Play,
    Ready,
    Renew,
    Setup,
    command_of,
    packed,
)
from downslope.lab.session import Page, Session

PAGE = Path(__file__).parent / "page"
PORT = 8137  # if it is free: a page that is open, and a bookmark, find the next lab there


class Lab:
    """The server's own state: its session, and what was dropped on the page.

    Args:
        source: The data or run folder to begin with.
        folder: Where runs go.
    """

    def __init__(self, source: str, folder: str) -> None:
        self.session = Session(source, folder)
        self._source, self._runs = Path(source), Path(folder) / "runs"
        self.dropped = Dropped(Path(folder) / FOLDER)

    @asynccontextmanager
    async def running(self, app: Any) -> AsyncIterator[None]:
        """While the server runs."""
        self.session.start()
        try:
            yield
        finally:
            self.dropped.end()
            await self.session.end()

    async def upload(self, request: Request) -> Response:
        """Keep a file that was dropped on the page, under a name of our own."""
        given = request.query_params.get("name", "")
        try:
            name = await self.dropped.keep(given, request.stream())
        except DownslopeError as error:
            status = {TooLargeError: 413, StorageError: 507}.get(type(error), 415)
            return PlainTextResponse(str(error), status)
        except ClientDisconnect:  # nobody waits for an answer
            return PlainTextResponse("", 400)
        return JSONResponse({"upload": name})

    async def connect(self, socket: WebSocket) -> None:
        """One page, as long as it is open."""
        await socket.accept()
        page = Page(self.session)
        self.session.join(page)
        if len(self.session.pages) > 1:
            told = f"This is page {page.number} of this lab; each of its pages steers the training."
            page.tell(packed(Notice(told, "page")))
            self._tell_others(page, "looks at this training as well, and can steer it")
        sender = asyncio.create_task(_send(socket, page))
        try:
            while True:
                self._obey(page, await socket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass
        finally:
            self.session.leave(page)
            page.close()
            sender.cancel()

    def _obey(self, page: Page, text: str) -> None:
        """Pass a command on to the worker; no path of the page's is ever opened."""
        if len(text) > LONGEST_COMMAND // 4:
            page.tell(packed(Notice("That command is too long.", "error")))
            return
        try:
            command = command_of(text)
        except (msgspec.MsgspecError, UnicodeError) as error:
            page.tell(packed(Notice(f"The page sent what is no command: {error}.", "error")))
            return
        if isinstance(command, Ready):
            page.ready()
            return
        try:
            self.session.send(self._with_path(command))
        except KeyError:
            page.tell(packed(Notice("There is no such data set, photo or run.", "error")))
            return
        if did := DID.get(type(command)):
            self._tell_others(page, did)

    def _tell_others(self, page: Page, did: str) -> None:
        """Say on the other pages what one of them did."""
        for other in self.session.pages - {page}:
            other.tell(packed(Notice(f"Page {page.number} {did}.", "page")))

    def _with_path(self, command: Asked) -> Asked:
        """A command with the path of what it names.

        Raises:
            KeyError: There is nothing of that name.
        """
        if isinstance(command, Choose) and command.data not in BUILT_IN:
            return Choose(str(self.dropped.found()[command.data]), command.target)
        if isinstance(command, Count):
            return Count(str(self.dropped.found()[command.photo]))
        if isinstance(command, Open):
            begun_with = {self._source.name: self._source}
            return Open(str({**begun_with, **listed(self._runs)}[command.run]))
        return command


DID = {
    Choose: "took other data",
    Open: "opened a run",
    Setup: "changed the settings",
    Play: "trains",
    Pause: "paused the training",
    Renew: "began again",
    GoTo: "went to another step",
    OpenTest: "opened the test part",
}


async def _send(socket: WebSocket, page: Page) -> None:
    while messages := await page.next():
        for message in messages:
            await socket.send_bytes(message)


async def _file(request: Request) -> Response:
    """One of the page's own files, found by listing them."""
    name = request.path_params.get("name") or "index.html"
    path = FILES.get(name)
    if path is None:
        return PlainTextResponse("There is no such page.", 404)
    kind = guess_type(name)[0] or "application/octet-stream"
    return Response(path.read_bytes(), media_type=kind)


FILES = {
    str(path.relative_to(PAGE).as_posix()): path
    for path in PAGE.rglob("*")
    if path.suffix in (".html", ".css", ".js", ".svg")
}


def application(source: str, folder: str, port: int) -> Gate:
    """Everything behind the gate, as an ASGI application.

    Args:
        source: The data or run folder to begin with.
        folder: Where runs go.
        port: The port that the server listens on.
    """
    lab = Lab(source, folder)
    routes = [
        Route("/upload", lab.upload, methods=["POST"]),
        WebSocketRoute("/socket", lab.connect),
        Route("/", _file),
        Route("/{name:path}", _file),
    ]
    return Gate(Starlette(routes=routes, lifespan=lab.running), port)


def run(source: str, folder: str, port: int | None, on_start: Callable[[str], object]) -> None:
    """Serve until Ctrl-C.

    Args:
        source: The data or run folder to begin with.
        folder: Where runs go.
        port: The port; 0 for a free one; None for the usual one, or a free one if that is taken.
        on_start: Called with the one-time link as soon as the server listens.

    Raises:
        SettingError: The port is taken.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(listening, port)
        app = application(source, folder, listening.getsockname()[1])
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, ws="websockets-sansio",
            ws_max_size=LONGEST_COMMAND, timeout_graceful_shutdown=2, server_header=False,
        )  # fmt: skip
        server = uvicorn.Server(config)

        async def serve() -> None:
            serving = asyncio.create_task(server.serve([listening]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            if server.started:
                on_start(app.link)
            await serving

        asyncio.run(serve())


def _bind(listening: socket.socket, port: int | None) -> None:
    try:
        listening.bind(("127.0.0.1", PORT if port is None else port))
    except OSError as error:
        if port is not None:
            raise SettingError(
                f"Port {port} cannot be used: {error.strerror}.",
                "a free port of this machine",
                "Leave out --port: a free one is found.",
            ) from error
        listening.bind(("127.0.0.1", 0))
