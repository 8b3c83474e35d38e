"""What the server takes from the page: files, uploads and commands; nothing outside its folder."""

import random

import msgspec
import pytest

from downslope.lab.messages import Choose, Count, Open, unpacked
from downslope.lab.server import FILES, Lab, application
from downslope.lab.session import Page
from tests.lab.test_gate import OURS, PORT, ask, lines

NAMES = (
    "people.csv", "../../etc/passwd.csv", "/etc/cron.d/evil.csv", "..\\..\\evil.csv", "a\x00b.csv",
    "<script>alert(1)</script>.csv", "x" * 500 + ".csv", ".csv", "tabelle-ä.csv", "a b;rm -rf.csv",
    "CON.csv", "%2e%2e%2fevil.csv", "\u202egnp.csv", "nul.parquet", "a.npz",
)  # fmt: skip


@pytest.fixture
def app(tmp_path):
    return application("xor", str(tmp_path / "work"), PORT)


@pytest.fixture
def entered(app, tmp_path):
    (tmp_path / "work").mkdir()
    return lines(host=OURS, cookie=f"{app.cookie}={app._pass}")


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_upload_stays_in_its_folder_whatever_its_name(app, entered, tmp_path):
    from urllib.parse import quote

    for number, name in enumerate(NAMES):
        query = f"name={quote(name)}".encode()
        body = f"a,b\n{number},2\n".encode()
        assert ask(app, "http", "/upload", "POST", entered, query, body)[0] in (200, 415)
    found = everything(tmp_path)
    assert len(found) > 8
    assert all(one.startswith("work/dropped/") for one in found)
    assert all(one.replace("work/dropped/", "").count("/") == 0 for one in found)
    assert all(set(one) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./")
               for one in found)  # fmt: skip


@pytest.mark.parametrize("name", ["evil.py", "evil.html", "evil", "evil.csv.exe", ""])
def test_other_files_are_not_taken(app, entered, name, tmp_path):
    query = f"name={name}".encode()
    assert ask(app, "http", "/upload", "POST", entered, query, b"x")[0] == 415
    assert everything(tmp_path) == []


def test_a_file_that_is_too_large_leaves_nothing(app, entered, tmp_path, monkeypatch):
    monkeypatch.setattr("downslope.lab.dropped.MOST_UPLOADED", 10)
    assert ask(app, "http", "/upload", "POST", entered, b"name=a.csv", b"x" * 11)[0] == 413
    assert everything(tmp_path) == []


@pytest.mark.parametrize(
    "path",
    ["/../server.py", "/vendor/../../server.py", "/%2e%2e/server.py", "//etc/passwd", "/server.py",
     "/messages.d.ts", "/package.json", "/vendor", "/\x00", "/vendor/README.md"],
)  # fmt: skip
def test_only_files_of_the_page_are_served(app, entered, path):
    assert ask(app, "http", path, headers=entered)[0] == 404
    assert {name.rsplit(".", 1)[1] for name in FILES} <= {"html", "css", "js", "svg"}


def test_a_thousand_paths_lead_to_the_page_s_own_files_alone(app, entered):
    own = {path.read_bytes() for path in FILES.values()}
    pieces = (
        "..", ".", "", "vendor", "index.html", "main.js", "server.py", "etc", "passwd", "~", "*",
        "%2e%2e", "..%2f", "\\", "\x00", "\u202e", "messages.d.ts", "lab.css", "C:",
    )  # fmt: skip
    draw, found = random.Random(5), 0
    for _ in range(1000):
        path = draw.choice(("/", "//", "/")) + "/".join(draw.choices(pieces, k=draw.randint(1, 5)))
        status, body = answer(app, path, entered)
        assert status in (200, 404)
        assert status == 404 or body in own
        found += status == 200
    assert 20 < found < 500


def answer(app, path, headers):
    """Status and body of a request for a path."""
    bodies = []

    async def told(scope, receive, send):
        async def both(message):
            bodies.append(message.get("body", b""))
            await send(message)

        await app(scope, receive, both)

    return ask(told, "http", path, headers=headers)[0], b"".join(bodies)


class Worker:
    """Takes commands down instead of a process."""

    def __init__(self, session):
        self.sent = []
        session.send = self.sent.append


@pytest.fixture
def lab(tmp_path):
    return Lab("xor", str(tmp_path))


def test_no_path_of_the_page_reaches_the_worker(lab, tmp_path):
    worker = Worker(lab.session)
    page = Page(lab.session)
    lab.session.join(page)
    (tmp_path / "secret").mkdir()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "secret")
    for path in ("/etc/passwd", "../x.csv", str(tmp_path), "1", "", "~", "digits/../x", ".", "..",
                 "link", "../secret", "runs"):  # fmt: skip
        for command in (Choose(path), Count(path), Open(path)):
            lab._obey(page, msgspec.json.encode(command).decode())
    assert worker.sent == []
    assert len(page._waiting) == 36
    for at in ("dropped/a.csv", "dropped/b.png", "runs/moons-1"):
        (tmp_path / at).mkdir(parents=True)
    for command in (Choose("a.csv", "b"), Choose("moons"), Count("b.png"), Open("moons-1")):
        lab._obey(page, msgspec.json.encode(command).decode())
    assert worker.sent == [
        Choose(str(tmp_path / "dropped" / "a.csv"), "b"),
        Choose("moons"),
        Count(str(tmp_path / "dropped" / "b.png")),
        Open(str(tmp_path / "runs" / "moons-1")),
    ]


def test_a_page_is_told_what_another_one_did(lab):
    Worker(lab.session)
    one, other = Page(lab.session), Page(lab.session)
    for page in (one, other):
        lab.session.join(page)
    lab._obey(other, '{"do": "pause"}')
    lab._obey(other, '{"do": "pace", "steps": 1}')  # that of whoever plays
    assert [unpacked(message)[0].text for message in one._waiting] == [
        "Page 2 paused the training."
    ]
    assert other._waiting == []
    lab.session.leave(one)
    lab.session.join(late := Page(lab.session))
    assert late.number == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"do": "rm"}', '{"do": "play", "steps": "1"}', '{"do": "goto"}',
     '{"do": "play", "extra": 1}', '{"do": "setup", "epochs": 1.5}', "x" * 20_000,
     '{"do": "goto", "step": 1e400}', "\ud800"],
)  # fmt: skip
def test_what_is_no_command_is_told_and_not_passed_on(lab, text):
    worker = Worker(lab.session)
    page = Page(lab.session)
    lab._obey(page, text)
    assert worker.sent == []
    header, _ = unpacked(page._waiting[-1])
    assert header.level == "error"
