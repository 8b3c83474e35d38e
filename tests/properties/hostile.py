"""Broken files without end: whole ones, changed at random, and a reader that must survive them.

Run as a program, it reads a range of them in this one process and prints what became of them:

    python -m tests.properties.hostile KIND FIRST LAST

Each file is a pure function of (kind, number). A file that takes longer than `LONGEST` seconds
ends the process, also where the time is spent outside of Python; memory is limited likewise. The
number of the file being read stands in the file that `PROGRESS` names, if it does.
"""

from __future__ import annotations

import faulthandler
import gzip
import io
import json
import os
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from PIL import Image
from scipy.io import savemat

from downslope.errors import DownslopeError
from tests.data.tiny_folders import idx_bytes

LONGEST = 20  # seconds for one file
MEMORY = 4 << 30  # bytes of addresses for the process
PROGRESS = "HOSTILE_PROGRESS"
ROWS = 40
PIECES = [b"\0", b"\xff", b'"', b",", b"\n", b"\r", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff",
          b"\xef\xbb\xbf", b"\xff\xfe", b"NaN", b"1e999", b"-", b"'", b"\x80", b"[", b"{", b"(",
          b"\x00\x00\x00\x01", b"9" * 400, b"\xe2\x82"]  # fmt: skip


def mutate(draw: random.Random, content: bytes, other: bytes) -> bytes:
    """Change a file in one to eight ways."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        size = len(data)
        at = draw.randrange(size + 1)
        if draw.random() < 0.4:  # headers decide most
            at = min(at, draw.randrange(200))
        length = draw.choice((1, 1, 2, 4, 16, 200))
        way = draw.randrange(9)
        if way == 0 and at < size:
            data[at] ^= 1 << draw.randrange(8)
        elif way == 1 and at < size:
            data[at] = draw.randrange(256)
        elif way == 2:
            data[at:at] = draw.choice(PIECES)
        elif way == 3:
            data[at : at + length] = b""
        elif way == 4:
            data[at:at] = data[at : at + length] * draw.choice((1, 2, 50))
        elif way == 5 and draw.random() < 0.5:
            del data[at:]
        elif way == 6:
            begin = draw.randrange(len(other) + 1)
            data[at : at + length] = other[begin : begin + length]
        elif way == 7:
            piece = draw.choice(PIECES)
            data[at : at + len(piece)] = piece
        elif way == 8:
            end = max(0, size - draw.randrange(60))  # where Parquet and zip keep what is where
            data[end : end + 1] = bytes([draw.randrange(256)])
    return bytes(data)


def _table() -> pa.Table:
    draw = np.random.default_rng(0)
    return pa.table(
        {
            "size": [None if index % 9 == 0 else float(index) for index in range(ROWS)],
            "town": [("Bern", "Rome", "Oslo")[index % 3] for index in range(ROWS)],
            "day": [f"20{index:02}-01-02" for index in range(ROWS)],
            "is": draw.integers(0, 2, ROWS) == 1,
            "grade": [("a", "b")[index % 2] for index in range(ROWS)],
        }
    )


def _text(delimiter: str = ",", end: str = "\n") -> str:
    columns = _table().to_pydict()
    rows = zip(*columns.values(), strict=True)
    lines = [columns, *rows]
    return end.join(
        delimiter.join("" if cell is None else str(cell) for cell in row) for row in lines
    )


def _csv() -> list[bytes]:
    quoted = 'a,b,c\n"x, ""y""",1,p\n"two\nlines",2,q\n' + "z,3,p\n" * 20
    return [
        _text().encode(),
        _text(";", "\r\n").encode(),
        _text("\t").encode("utf-16"),
        gzip.compress(_text("|").encode()),
        quoted.encode(),
        b"1,2,x\n" * 30 + b"3,4,y\n" * 30,
    ]


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _parquet() -> list[bytes]:
    table = _table()
    return [
        _written(lambda file, pack=pack: pyarrow.parquet.write_table(table, file, compression=pack))
        for pack in ("none", "snappy", "gzip", "zstd")
    ] + [
        _written(
            lambda file: pyarrow.parquet.write_table(
                table, file, use_dictionary=False, data_page_version="2.0", row_group_size=15
            )
        )
    ]


def _arrow() -> list[bytes]:
    return [
        _written(
            lambda file, pack=pack: pyarrow.feather.write_feather(_table(), file, compression=pack)
        )
        for pack in ("uncompressed", "lz4")
    ]


def _image(kind: str, *modes: str) -> list[bytes]:
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)
    picture = Image.fromarray(noise)
    return [
        _written(lambda file, mode=mode: picture.convert(mode).save(file, kind)) for mode in modes
    ]


def _arrays() -> list[bytes]:
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (ROWS, 6, 5), np.uint8), np.arange(ROWS) % 3
    features = draw.normal(size=(ROWS, 4)).astype(np.float32)
    names = np.array(["cat", "dog"])[labels % 2]
    parts = {"x_train": images, "y_train": labels, "x_test": images[:9], "y_test": labels[:9]}
    return [
        _written(lambda file: np.savez(file, X=features, y=names)),
        _written(lambda file: np.savez_compressed(file, **parts)),
        _written(lambda file: np.savez(file, data=features, target=features[:, 0])),
    ]


def _idx() -> list[bytes]:
    images = idx_bytes(np.random.default_rng(0).integers(0, 256, (ROWS, 6, 5)))
    return [images, gzip.compress(images)]


def _heads() -> list[bytes]:
    return [json.dumps({"a.png": [[1.5, 2], [30, 20]], "b.png": []}).encode()]


def _matlab() -> list[bytes]:
    info, entry = np.empty((1, 1), object), np.empty((1, 1), [("location", object)])
    entry[0, 0] = (np.random.default_rng(0).uniform(0, 20, (9, 2)),)
    info[0, 0] = entry
    return [
        _written(
            lambda file, packed=packed: savemat(file, {"image_info": info}, do_compression=packed)
        )
        for packed in (False, True)
    ]


def _load_table(path: Path) -> None:
    from downslope.data.load import load
    from downslope.data.readers.table_file import read_table

    load(read_table(path), target=read_table(path).column_names[-1])


def _load_image(path: Path) -> None:
    from downslope.data.photos import read_photo
    from downslope.data.readers.image_set import look_at, read_pixels

    look_at(path)
    read_pixels(path, 16, 16, "RGB")
    read_photo(path, 32)


def _load_arrays(path: Path) -> None:
    from downslope.data.load import load

    load(path)


def _load_idx(path: Path) -> None:
    from downslope.data.readers.idx import read_idx_folder

    labels = path.with_name("train-labels-idx1-ubyte")
    labels.write_bytes(idx_bytes(np.arange(ROWS) % 3))
    read_idx_folder(path.parent).split(0)


def _load_heads(path: Path) -> None:
    from downslope.data.load import read

    for name in ("a.png", "b.png"):
        path.with_name(name).write_bytes(_seeds("png")[0])
    read(path.parent)


def _load_matlab(path: Path) -> None:
    from downslope.data.readers.heads import read_shanghaitech_heads

    read_shanghaitech_heads(path)


# for each kind: its whole files, what a broken one is called, what reads it
KINDS: dict[str, tuple[Callable[[], list[bytes]], str, Callable[[Path], None]]] = {
    "csv": (_csv, "a.csv", _load_table),
    "parquet": (_parquet, "a.parquet", _load_table),
    "arrow": (_arrow, "a.arrow", _load_table),
    "png": (lambda: _image("PNG", "RGB", "L", "P", "RGBA"), "a.png", _load_image),
    "jpeg": (lambda: _image("JPEG", "RGB", "L"), "a.jpg", _load_image),
    "gif": (lambda: _image("GIF", "P"), "a.gif", _load_image),
    "bmp": (lambda: _image("BMP", "RGB", "P"), "a.bmp", _load_image),
    "tiff": (lambda: _image("TIFF", "RGB", "L"), "a.tif", _load_image),
    "webp": (lambda: _image("WEBP", "RGB", "RGBA"), "a.webp", _load_image),
    "npz": (_arrays, "a.npz", _load_arrays),
    "idx": (_idx, "train-images-idx3-ubyte", _load_idx),
    "heads": (_heads, "heads.json", _load_heads),
    "matlab": (_matlab, "GT_IMG_1.mat", _load_matlab),
}


@cache
def _seeds(kind: str) -> list[bytes]:
    return KINDS[kind][0]()


def broken(kind: str, number: int) -> bytes:
    """The content of one broken file."""
    draw = random.Random(f"{kind} {number}")
    seeds = _seeds(kind)
    return mutate(draw, draw.choice(seeds), draw.choice(seeds))


def survive(kind: str, first: int, last: int) -> dict:
    """Read broken files, and say what became of them.

    Returns:
        How many loaded and how many were refused, the seconds of the slowest with its number,
        and of each that ended otherwise its number and the exception.
    """
    became: Counter[str] = Counter()
    slowest, crashes = (0.0, first), []
    progress = os.environ.get(PROGRESS)
    _, name, load = KINDS[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        for number in range(first, last):
            if progress:
                Path(progress).write_text(f"{kind} {number}")
            path.write_bytes(broken(kind, number))
            faulthandler.dump_traceback_later(LONGEST, exit=True)
            began = time.perf_counter()
            try:
                load(path)
                became["loaded"] += 1
            except DownslopeError as error:
                became["refused"] += 1
                if "\n" in str(error) or len(str(error)) > 2000:
                    crashes.append((number, f"a long message: {str(error)[:200]!r}"))
            except Exception as error:
                crashes.append((number, f"{type(error).__name__}: {str(error)[:300]}"))
            slowest = max(slowest, (time.perf_counter() - began, number))
            faulthandler.cancel_dump_traceback_later()
    return {"kind": kind, **became, "slowest": slowest, "crashes": crashes}


def _peak() -> float:
    """The most memory that this process has held, in MiB.

    Linux counts the parent's memory into `ru_maxrss`; `VmHWM` starts anew.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    kind, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")  # nothing is printed beside the one message
    found = survive(kind, first, last)
    found["peak"] = _peak()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
