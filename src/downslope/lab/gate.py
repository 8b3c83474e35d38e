"""The gate in front of everything that the lab serves, http and websocket alike.

A page of somebody else's in the same browser can send requests to this machine, and a name of
somebody else's can be pointed at it. So each request has to name this host, come from this page
if it says where it comes from, and bring the cookie that the one-time link was exchanged for.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

ENTRANCE = "/enter"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
HELP = "Open the link that downslope lab printed; each of its links works once."


class Gate:
    """Let through what comes from the lab's own page alone.

    Args:
        app: What is behind it.
        port: The port that the server listens on.

    Attributes:
        port: The port.
        ticket: What the next one-time link brings; a new one as soon as it was used.
    """

    def __init__(self, app: App, port: int) -> None:
        self.app, self.port = app, port
        self.ticket = secrets.token_urlsafe(32)
        self._pass = secrets.token_urlsafe(32)

    @property
    def link(self) -> str:
        """The one-time link."""
        return f"http://127.0.0.1:{self.port}{ENTRANCE}?ticket={self.ticket}"

    @property
    def cookie(self) -> str:
        """The cookie's name; ports of one machine share their cookies, so it has the port."""
        return f"downslope-lab-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on; every kind of request but the server's own start and end."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = _single(scope["headers"])
        is_socket = scope["type"] == "websocket"
        if not is_socket and scope["type"] != "http":
            return
        if headers is None or not self._is_ours(headers, needs_origin=is_socket):
            await _refuse(scope, receive, send, 403, "This request is not for the lab.")
        elif not is_socket and scope["path"] == ENTRANCE:
            await self._enter(scope, receive, send)
        elif not self._has_pass(headers):
            await _refuse(scope, receive, send, 401, HELP)
        else:
            await self.app(scope, receive, _guarded(send))

    def _is_ours(self, headers: Mapping[bytes, str], *, needs_origin: bool) -> bool:
        """Whether the request names this host, and comes from its page."""
        hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if host not in hosts:
            return False
        if origin is None:
            site = headers.get(b"sec-fetch-site", "none")
            return not needs_origin and site in ("none", "same-origin")
        return origin == f"http://{host}"

    def _has_pass(self, headers: Mapping[bytes, str]) -> bool:
        try:
            found = SimpleCookie(headers.get(b"cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return found is not None and compare_digest(found.value.encode(), self._pass.encode())

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange the one-time link for the cookie; who has it already is let in as well."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [])
        is_right = len(given) == 1 and compare_digest(given[0].encode(), self.ticket.encode())
        if scope["method"] != "GET":
            await _refuse(scope, receive, send, 405, "The entrance takes GET alone.")
        elif is_right:
            self.ticket = secrets.token_urlsafe(32)
            cookie = f"{self.cookie}={self._pass}; HttpOnly; SameSite=Strict; Path=/"
            await _answer(send, 303, b"", [(b"location", b"/"), (b"set-cookie", cookie.encode())])
        elif self._has_pass(_single(scope["headers"]) or {}):
            await _answer(send, 303, b"", [(b"location", b"/")])
        else:
            await _refuse(scope, receive, send, 401, HELP)


def _single(headers: Any) -> dict[bytes, str] | None:
    """The headers by name; None where one that counts comes twice."""
    found: dict[bytes, str] = {}
    for name, value in headers:
        name = name.lower()
        if name in found and name in (b"host", b"origin", b"cookie", b"sec-fetch-site"):
            return None
        found[name] = value.decode("latin-1")
    return found


def _guarded(send: Send) -> Send:
    """Sending with the headers that tell the browser what the page may do."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [one for one in message.get("headers", ()) if one[0] != b"cache-control"]
            message = {**message, "headers": [*own, *HEADERS]}
        await send(message)

    return guarded


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        await send({"type": "websocket.close", "code": 1008, "reason": text})
        return
    await _answer(send, status, f"{text}\n".encode(), [(b"content-type", b"text/plain")])


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = [(b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": status}
    await send({**start, "headers": [*headers, *length, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
