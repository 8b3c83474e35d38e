"""The lab's server: the page's files, uploads, and one WebSocket for each page; behind the gate."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from downslope.data import BUILT_IN
from downslope.data.readers.file_names import ARRAYS, is_table_file
from downslope.data.readers.file_names import ending as ending_of
from downslope.lab.gate import Gate
from downslope.lab.messages import LONGEST_COMMAND, Choose, Notice, Ready, command_of, packed
from downslope.lab.session import Page, Session

PAGE = Path(__file__).parent / "page"
MOST_UPLOADED = 1 << 30  # bytes of one file


class Lab:
    """The server's own state: its session, and the files that were dropped on the page.

    Args:
        source: The data or run folder to begin with.
        folder: Where runs go.
    """

    def __init__(self, source: str, folder: str) -> None:
        self.session = Session(source, folder)
        self.uploads: dict[str, Path] = {}
        self._dropped = Path(folder) / "dropped"  # stays, as runs read their data again

    @asynccontextmanager
    async def running(self, app: Any) -> AsyncIterator[None]:
        """While the server runs."""
        self.session.start()
        try:
            yield
        finally:
            await self.session.end()

    async def upload(self, request: Request) -> Response:
        """Keep a file that was dropped on the page, under a name of our own."""
        name = Path(request.query_params.get("name", ""))
        packed_as = ".gz" if name.suffix.lower() == ".gz" else ""
        ending = ending_of(name) + packed_as
        if not is_table_file(name) and ending != ARRAYS:
            text = "Such a file cannot be read here: drop a table (CSV, Parquet, Arrow) or .npz."
            return PlainTextResponse(text, 415)
        stem = re.sub(r"[^A-Za-z0-9]+", "-", name.stem).strip("-")[:40] or "data"
        self._dropped.mkdir(exist_ok=True)
        size, digest = 0, sha256()
        with tempfile.NamedTemporaryFile(dir=self._dropped, delete=False) as file:
            async for piece in request.stream():
                size += len(piece)
                if size > MOST_UPLOADED:
                    break
                digest.update(piece)
                file.write(piece)
        if size > MOST_UPLOADED:
            os.unlink(file.name)
            return PlainTextResponse("The file is too large: at most 1 GiB can be dropped.", 413)
        path = self._dropped / f"{stem}-{digest.hexdigest()[:8]}{ending}"
        os.replace(file.name, path)  # the same file again is the same
        number = str(len(self.uploads) + 1)
        self.uploads[number] = path
        return JSONResponse({"upload": number})

    async def connect(self, socket: WebSocket) -> None:
        """One page, as long as it is open."""
        await socket.accept()
        page = Page(self.session)
        self.session.join(page)
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
        if isinstance(command, Choose) and command.data not in BUILT_IN:
            path = self.uploads.get(command.data)
            if path is None:
                page.tell(packed(Notice("There is no such data set.", "error")))
                return
            command = Choose(str(path), command.target)
        self.session.send(command)


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


def run(source: str, folder: str, port: int, on_start: Callable[[str], object]) -> None:
    """Serve until Ctrl-C.

    Args:
        source: The data or run folder to begin with.
        folder: Where runs go.
        port: The port; 0 for a free one.
        on_start: Called with the one-time link as soon as the server listens.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
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
