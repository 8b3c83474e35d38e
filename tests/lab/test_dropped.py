"""What is dropped on the page: archives and files of strangers, and nothing outside its folder."""

import asyncio
import io
import random
import stat
import struct
import threading
import tracemalloc
import zipfile
from urllib.parse import quote

import numpy as np
import pytest
from PIL import Image

import downslope as ds
from downslope.errors import DataError, StorageError
from downslope.lab import dropped
from downslope.lab.dropped import Dropped, TooLargeError, unpack
from downslope.lab.server import application
from tests.lab.test_gate import OURS, PORT, ask, lines


def png(side=8, value=0):
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(file, "png")
    return file.getvalue()


def packed(files, method=zipfile.ZIP_STORED):
    """A zip archive of (name, bytes), or of (ZipInfo, bytes)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def keep(folder, name, content):
    async def pieces():
        for at in range(0, len(content), 1000):
            yield content[at : at + 1000]

    return asyncio.run(Dropped(folder).keep(name, pieces()))


def images(prefix="", classes=("cat", "dog"), count=12):
    return [
        (f"{prefix}{name}/{index}.png", png(value=20 * index + 5 * (name == "dog")))
        for name in classes
        for index in range(count)
    ]


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("prefix", ["", "pets/", "a/b/c/"])
def test_a_zip_of_images_is_a_folder_per_class(tmp_path, prefix):
    """Folders around all of it are left out, and so is what no reader needs."""
    more = [("__MACOSX/x.png", b"x"), (f"{prefix}.DS_Store", b"x"), (f"{prefix}notes.pdf", b"x")]
    content = packed([*images(prefix), *more])
    name = keep(tmp_path / "dropped", "my pets!.zip", content)
    assert name.startswith("my-pets-")
    data = ds.load(tmp_path / "dropped" / name)
    assert (data.class_names, sum(data.sizes.values())) == (("cat", "dog"), 24)
    assert keep(tmp_path / "dropped", "my pets!.zip", content) == name  # the same is the same
    assert not any("pdf" in one or "MACOSX" in one for one in names_in(tmp_path))
    assert Dropped(tmp_path / "dropped").data() == (name,)


def test_a_zip_of_photos_with_heads_is_a_crowd(tmp_path):
    photos = [(f"crowd/{index}.png", png(64, 9 * index)) for index in range(12)]
    heads = "image,x,y\n" + "".join(f"{index}.png,{3 + index},20\n" for index in range(12))
    name = keep(tmp_path, "people.zip", packed([*photos, ("crowd/heads.csv", heads)]))
    assert ds.load(tmp_path / name).task == "counting"


def test_a_zip_of_a_single_table_is_that_table(tmp_path):
    name = keep(tmp_path, "Kaggle set.zip", packed([("deep/data.csv", "a,b\n1,2\n")]))
    assert name.endswith(".csv")
    assert (tmp_path / name).read_text() == "a,b\n1,2\n"


def linked(mode=stat.S_IFLNK):
    info = zipfile.ZipInfo("cat/1.png")
    info.create_system, info.external_attr = 3, (mode | 0o777) << 16
    return info


HARMFUL = {
    "slip": [("../../evil.png", b"x")],
    "slip inside": [("cat/../../../evil.png", b"x")],
    "absolute": [("/etc/evil.png", b"x")],
    "drive": [("C:/evil.png", b"x")],
    "backslash": [("..\\..\\evil.png", b"x")],
    "empty part": [("cat//1.png", b"x")],
    "dot": [("./cat/1.png", b"x")],
    "control": [("cat/\x1b[2J.png", b"x")],
    "too long": [("cat/" + "x" * 300 + ".png", b"x")],
    "too deep": [("a/" * 40 + "1.png", b"x")],
    "link": [(linked(), b"/etc/passwd")],
    "pipe": [(linked(stat.S_IFIFO), b"")],
    "file and folder": [("cat.png", b"x"), ("cat.png/1.png", b"x")],
    "nothing": [("readme.pdf", b"x"), ("run.exe", b"x"), ("inner.zip", packed(images()))],
}


@pytest.mark.parametrize("files", HARMFUL.values(), ids=HARMFUL)
def test_what_could_do_harm_is_refused_as_a_whole(tmp_path, files):
    (tmp_path / "in").mkdir()
    others = [] if files is HARMFUL["nothing"] else [("fine/1.png", png())]  # do no harm
    for content in (packed(files), packed([*others, *files])):
        with pytest.raises(DataError) as refused:
            keep(tmp_path / "in" / "dropped", "a.zip", content)
        assert refused.value.advice
    assert [one for one in names_in(tmp_path) if one not in ("in", "in/dropped")] == []


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_packing_is_refused(tmp_path, method):
    """LZMA lets the archive choose how much memory unpacking takes."""
    with pytest.raises(DataError, match="unusual"):
        keep(tmp_path, "a.zip", packed(images(), method))


def test_the_same_name_twice_and_a_password(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        content = packed([("a/1.png", b"x"), ("a/1.png", b"y")])
    with pytest.raises(DataError, match="same name"):
        keep(tmp_path, "a.zip", content)
    locked = bytearray(packed(images()))
    at = locked.index(b"PK\x01\x02")
    locked[at + 8] |= 1
    with pytest.raises(DataError, match="password"):
        keep(tmp_path, "a.zip", bytes(locked))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    bomb = packed([("a/1.csv", bytes(100 << 20))], zipfile.ZIP_DEFLATED)
    with pytest.raises(TooLargeError, match="104,857,600"):
        keep(tmp_path, "a.zip", bomb)
    assert names_in(tmp_path) == []


def test_unpacking_takes_little_memory(tmp_path):
    content = packed([(f"a/{one}.csv", bytes(10 << 20)) for one in range(5)], zipfile.ZIP_DEFLATED)
    (tmp_path / "a.zip").write_bytes(content)
    tracemalloc.start()
    try:
        unpack(tmp_path / "a.zip", tmp_path / "files")
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_list_of_files_that_fills_memory_is_not_read(tmp_path, monkeypatch):
    content = packed([(f"a/{one}.png", b"x") for one in range(200)])
    monkeypatch.setattr(dropped, "MOST_LISTED", 8000)
    with pytest.raises(TooLargeError, match="more files"):
        keep(tmp_path, "a.zip", content)
    monkeypatch.undo()
    monkeypatch.setattr(dropped, "MOST_FILES", 100)
    with pytest.raises(TooLargeError, match="200 files"):
        keep(tmp_path, "a.zip", content)


def test_a_size_that_lies_is_found(tmp_path):
    content = bytearray(packed([("a/1.csv", bytes(1000)), ("a/2.csv", b"1")]))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    with pytest.raises(DataError, match="damaged"):
        keep(tmp_path, "a.zip", bytes(content))


def test_a_full_disk_and_an_end_leave_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.zip").write_bytes(packed(images()))
    ends = threading.Event()
    ends.set()
    with pytest.raises(DataError, match="ends"):
        unpack(tmp_path / "a.zip", tmp_path / "x", ends)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dropped, "unpack", full)
    with pytest.raises(StorageError, match="No space left"):
        keep(tmp_path / "dropped", "a.zip", packed(images()))
    assert names_in(tmp_path / "dropped") == []


def test_whoever_goes_in_the_middle_leaves_nothing(tmp_path):
    async def broken():
        yield b"a,b\n"
        raise ConnectionError

    with pytest.raises(StorageError):
        asyncio.run(Dropped(tmp_path / "dropped").keep("a.csv", broken()))
    assert names_in(tmp_path / "dropped") == []


PIECES = (
    "..", ".", "", "cat", "dog", "/", "\\", "C:", "~", "%2e%2e", "\u202e", "\x00", "\x1b", "ä",
    "x" * 250, "con", "a b", "<img src=x>", "$(id)", "`id`", "\ud800", "1.png", "2.csv", "a.json",
    "train-images-idx3-ubyte", ".ssh", "__MACOSX", "heads.csv", "evil.py", "inner.zip",
    "\U0001f600",
)  # fmt: skip
ENDINGS = (".zip", ".zip", ".zip", ".csv", ".npz", ".png", ".csv.gz", ".py", "", ".parquet")


def payload(draw: random.Random):
    """A name and content that somebody could drop."""
    name = draw.choice(("/", "", "\\")).join(draw.choices(PIECES, k=draw.randint(1, 5)))
    name += draw.choice(ENDINGS)
    files = []
    for _ in range(draw.randint(0, 6)):
        inner = "/".join(draw.choices(PIECES, k=draw.randint(1, 4))) + draw.choice(("", ".png"))
        info = zipfile.ZipInfo("x")
        info.filename = info.orig_filename = inner.replace("\ud800", "?")
        if draw.random() < 0.15:
            info.create_system = 3
            info.external_attr = draw.choice((stat.S_IFLNK, stat.S_IFIFO, stat.S_IFREG)) << 16
        info.compress_type = draw.choice((0, 8, 8, 8, 12, 14))
        files.append((info, draw.choice((b"", b"../../x", png(), bytes(200_000)))))
    content = bytearray(packed(files))
    kind = draw.random()
    if kind < 0.3 and content:  # a few bytes changed
        for _ in range(draw.randint(1, 8)):
            content[draw.randrange(len(content))] = draw.randrange(256)
    elif kind < 0.4:
        content = content[: draw.randrange(len(content) + 1)]
    elif kind < 0.45:
        content = bytearray(draw.randbytes(draw.randint(0, 3000)))
    elif kind < 0.5:
        content += bytes(draw.randint(0, 100_000))
    return name, bytes(content)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_thousand_payloads_stay_in_the_folder(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    app = application("xor", str(work), PORT)
    entered = lines(host=OURS, cookie=f"{app.cookie}={app._pass}")
    draw, said = random.Random(17), {}
    payloads = [payload(draw) for _ in range(1000)]
    tracemalloc.start()
    try:
        for name, content in payloads:
            query = f"name={quote(name, errors='surrogatepass')}".encode()
            status, _ = ask(app, "http", "/upload", "POST", entered, query, content)
            said[status] = said.get(status, 0) + 1
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
    assert set(said) <= {200, 413, 415}
    assert min(said[200], said[415]) > 100  # and what does no harm is taken
    for path in set(tmp_path.rglob("*")) - {work}:
        assert path.is_relative_to(work / "dropped")
        assert not path.is_symlink()
        assert path.is_dir() or path.is_file()
        assert path.suffix not in (".py", ".zip", ".exe")
        assert not any(one.startswith(".") for one in path.relative_to(work).parts)
