"""The gate lets nobody in but the lab's own page: every route, asked in every way."""

import asyncio
import atexit
import itertools

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from downslope.lab.gate import ENTRANCE, POLICY, Gate
from downslope.lab.server import FILES, application

PORT = 4711
LOOP = asyncio.new_event_loop()
atexit.register(LOOP.close)
OURS = f"127.0.0.1:{PORT}"
HOSTS = (
    OURS, f"localhost:{PORT}", "127.0.0.1", "localhost", f"127.0.0.1:{PORT + 1}",
    f"evil.com:{PORT}",
    f"127.0.0.1.evil.com:{PORT}", f"[::1]:{PORT}", f"0.0.0.0:{PORT}", "", None, f"{OURS} ",
    f"{OURS},evil.com",
)  # fmt: skip
ORIGINS = (
    None, f"http://{OURS}", f"http://localhost:{PORT}", "null", "", "http://evil.com",
    f"https://{OURS}", f"http://{OURS}.evil.com", f"http://127.0.0.1:{PORT + 1}",
    f"HTTP://{OURS}", f"http://{OURS}/", f"http://user@{OURS}",
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")


def cookies(gate: Gate) -> tuple[tuple[str | None, bool], ...]:
    """Cookies, and whether each is right."""
    right = f"{gate.cookie}={gate._pass}"
    return (
        (None, False),
        ("", False),
        (f"{gate.cookie}=", False),
        (f"{gate.cookie}={gate.ticket}", False),
        (f"{gate.cookie}={gate._pass[:-1]}", False),
        (f"downslope-lab-{PORT + 1}={gate._pass}", False),
        (f"other=1; {right}", True),
        (right, True),
    )


def ask(app, kind, path, method="GET", headers=(), query=b"", body=b""):
    """Send a request; gives the status and the headers, or for a WebSocket whether it was taken."""
    scope = {
        "type": kind, "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": list(headers), "method": method, "scheme": "http", "http_version": "1.1",
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", PORT),
        "subprotocols": [], "state": {}, "extensions": {},
    }  # fmt: skip
    sent = []
    waiting = [
        {"type": "websocket.connect"} if kind == "websocket"
        else {"type": "http.request", "body": body, "more_body": False},
    ]  # fmt: skip

    async def receive():
        if waiting:
            return waiting.pop(0)
        return {"type": "websocket.disconnect" if kind == "websocket" else "http.disconnect"}

    async def send(message):
        sent.append(message)

    LOOP.run_until_complete(app(scope, receive, send))
    if kind == "websocket":
        return sent[0]["type"] == "websocket.accept", {}
    return sent[0]["status"], dict(sent[0]["headers"])


def lines(**named):
    return [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, value in named.items()
        if value is not None
    ]


def tries(gate: Gate, paths):
    """Every combination, and whether it may be let in."""
    for kind, path, host, origin, (cookie, is_right) in itertools.product(
        ("http", "websocket"), paths, HOSTS, ORIGINS, cookies(gate)
    ):
        is_host = host in HOSTS[:2]
        is_origin = origin == f"http://{host}" or (origin is None and kind == "http")
        may = is_host and is_origin and is_right
        for method in METHODS if kind == "http" and cookie else ("GET",):
            yield kind, path, method, lines(host=host, origin=origin, cookie=cookie), may


def wrong_accepts(app, gate: Gate, paths) -> tuple[list, int]:
    """Requests that were let in and should not have been, and how many were tried."""
    wrong, count = [], 0
    for kind, path, method, headers, may in tries(gate, paths):
        count += 1
        status, _ = ask(app, kind, path, method, headers)
        is_in = status if kind == "websocket" else status not in (401, 403)
        if is_in and not may:
            wrong.append((kind, path, method, headers))
    return wrong, count


class Behind:
    """An application that takes everything, and counts."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self, scope, receive, send) -> None:
        self.count += 1
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def test_no_wrong_accept_in_thousands_of_tries():
    behind = Behind()
    gate = Gate(behind, PORT)
    paths = ("/", "/socket", "/../secret")
    wrong, count = wrong_accepts(gate, gate, paths)
    assert wrong == []
    assert count >= 5_000
    allowed = sum(may for *_, may in tries(gate, paths))
    assert behind.count == allowed > 0  # and whoever may come in does


def test_a_route_without_the_gate_is_found():
    gate = Gate(Behind(), PORT)
    inner = Starlette(routes=[Route("/open", lambda request: PlainTextResponse("in"))])

    async def leaky(scope, receive, send):
        await (inner if scope["path"] == "/open" else gate)(scope, receive, send)

    assert wrong_accepts(leaky, gate, ("/open",))[0]


def routes_of(app: Gate) -> list[str]:
    return [getattr(route, "path", "") for route in app.app.routes]


def test_every_route_of_the_lab_is_behind_it(tmp_path):
    app = application("xor", str(tmp_path), PORT)
    assert {"/", "/upload", "/socket", "/{name:path}"} == set(routes_of(app))
    paths = [*(one for one in routes_of(app) if "{" not in one), *(f"/{name}" for name in FILES)]
    for path in paths:
        for headers in ([], lines(host=OURS), lines(host=OURS, origin="http://evil.com")):
            assert ask(app, "http", path, headers=headers)[0] in (401, 403)
            assert not ask(app, "websocket", path, headers=headers)[0]
    entered = lines(host=OURS, cookie=f"{app.cookie}={app._pass}")
    for name in FILES:
        status, answer = ask(app, "http", f"/{name}", headers=entered)
        assert (status, answer[b"content-security-policy"].decode()) == (200, POLICY)


def test_no_wrong_accept_at_the_lab_s_own_routes(tmp_path):
    """With every method; and nothing that a stranger sends is kept."""
    app = application("xor", str(tmp_path), PORT)
    paths = [one for one in routes_of(app) if "{" not in one]
    count = 0
    for kind, path, method, headers, may in tries(app, paths):
        if may:
            continue
        count += 1
        status, _ = ask(app, kind, path, method, headers, b"name=a.csv", b"a,b\n1,2\n")
        assert status is False if kind == "websocket" else status in (401, 403)
    assert count >= 5_000
    assert list(tmp_path.iterdir()) == []


def test_the_link_works_once():
    gate = Gate(Behind(), PORT)
    query = f"ticket={gate.ticket}".encode()
    status, headers = ask(gate, "http", ENTRANCE, headers=lines(host=OURS), query=query)
    assert status == 303
    cookie = headers[b"set-cookie"].decode()
    assert "HttpOnly; SameSite=Strict" in cookie
    assert ask(gate, "http", ENTRANCE, headers=lines(host=OURS), query=query)[0] == 401
    own = lines(host=OURS, cookie=cookie.split(";")[0])
    assert ask(gate, "http", ENTRANCE, headers=own, query=query)[0] == 303  # a second tab
    assert ask(gate, "http", "/", headers=own)[0] == 200


@pytest.mark.parametrize("query", [b"", b"ticket=", b"ticket=a&ticket=b", b"ticket=%00", b"x=\xff"])
def test_a_wrong_link_is_refused(query):
    gate = Gate(Behind(), PORT)
    assert ask(gate, "http", ENTRANCE, headers=lines(host=OURS), query=query)[0] == 401
    assert ask(gate, "http", ENTRANCE, "POST", lines(host=OURS), query)[0] == 405


def test_a_header_that_comes_twice_is_refused():
    gate = Gate(Behind(), PORT)
    own = lines(host=OURS, cookie=f"{gate.cookie}={gate._pass}")
    assert ask(gate, "http", "/", headers=own)[0] == 200
    for name, value in ((b"host", b"evil.com"), (b"origin", b"http://evil.com"), (b"cookie", b"")):
        twice = [*own, (name, value), (name, value)]
        assert ask(gate, "http", "/", headers=twice)[0] == 403


def test_a_page_of_another_site_cannot_navigate_in():
    gate = Gate(Behind(), PORT)
    own = lines(host=OURS, cookie=f"{gate.cookie}={gate._pass}")
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        assert ask(gate, "http", "/", headers=[*own, *lines(sec_fetch_site=site)])[0] == status
