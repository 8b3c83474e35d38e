"""Files of a few kilobytes that claim to hold gigabytes, of every kind that is read.

Each is read in a process of its own that may take so many GiB of memory and no more. What must
come back is one message: no abort, no traceback, no process that the system ends.

    python -m tests.campaigns.memory_bombs [GIB]
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

MEMORY = 3  # GiB of address space above what the libraries take
_READ = """
import resource, sys
limit = int(float(sys.argv[2]) * 2**30)
import downslope as ds
from downslope.data.load import read
from downslope.data.photos import read_photo
import pyarrow, scipy.io, PIL.Image
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + limit, used + limit))
try:
    read(sys.argv[1], target=sys.argv[3] or None)
    print("READ")
except ds.DownslopeError as error:
    print("TOLD", error)
except MemoryError as error:
    print("MEMORY", error)
with open("/proc/self/status") as file:
    print(next(line.split()[1] for line in file if line.startswith("VmHWM")))
"""


class Told(NamedTuple):
    """What became of a bomb.

    Attributes:
        name: Its kind.
        size: Bytes on the disk.
        said: The message, or what the process ended with.
        peak: GiB that the process took.
        seconds: How long it took.
    """

    name: str
    size: int
    said: str
    peak: float
    seconds: float

    @property
    def is_held(self) -> bool:
        """Whether it ended with a message, within the memory."""
        return self.said.startswith("TOLD")


def zeros(before: bytes, count: int) -> bytes:
    """What zlib makes of `before` and so many zeros; a megabyte of them is packed, and repeated."""
    size = 1 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)  # without header and checksum
    first = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(bytes(count % size)) + packer.flush()
    high, low = divmod(zlib.adler32(before), 1 << 16)  # zeros change only the sum of sums
    check = struct.pack(">HH", (high + count * low) % 65521, low)
    return b"\x78\xda" + first + piece * (count // size) + last + check


def png(path: Path, side: int, colour: int = 0) -> Path:
    """A PNG of side by side pixels, black, without holding it in memory."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    depth = {0: 1, 2: 3, 6: 4}[colour]
    rows = zeros(b"", side * (1 + side * depth))
    header = struct.pack(">IIBBBBB", side, side, 8, colour, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    return path


def images_too_large(folder: Path) -> Path:
    """Two classes of an image of 400 million pixels each."""
    for name in "ab":
        png(folder / name / "1.png", 20_000)
    return folder


def images_at_the_limit(folder: Path) -> Path:
    """Six images just below the limit, which many threads would decode at once; one is broken."""
    first = png(folder / "a" / "1.png", 9_400)
    for index in range(2, 7):
        path = folder / "ab"[index % 2] / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(first.read_bytes())
    (folder / "b" / "7.png").write_bytes(b"none")
    return folder


def photos_with_heads(folder: Path) -> Path:
    """A crowd photo of 900 million pixels."""
    png(folder / "a.png", 30_000)
    (folder / "heads.json").write_text(json.dumps({"a.png": [[1, 1]]}))
    return folder


def csv_gz(folder: Path) -> Path:
    """3 GiB of numbers in 3 MB."""
    path = folder / "bomb.csv.gz"
    with gzip.open(path, "wb", 9) as file:
        file.write(b"x,y\n")
        row = b"1,2\n" * (1 << 18)
        for _ in range(3 << 10):
            file.write(row)
    return path


def csv_gz_members(folder: Path) -> Path:
    """The same as many members of one file."""
    one = gzip.compress(b"1,2\n" * (1 << 22), 9)
    path = folder / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n") + one * 200)
    return path


def parquet_numbers(folder: Path) -> Path:
    """Half a billion times the same number."""
    path = folder / "bomb.parquet"
    column = pa.chunked_array([pa.array(np.zeros(1 << 22))] * 60)
    pa.parquet.write_table(pa.table({"x": column, "y": column}), path, compression="zstd")
    return path


def parquet_texts(folder: Path) -> Path:
    """A text of a megabyte, four thousand times."""
    path = folder / "bomb.parquet"
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(500, np.int32)), ["x" * (1 << 20)])
    schema = pa.schema({"x": pa.string(), "y": pa.int64()})
    with pa.parquet.ParquetWriter(path, schema) as writer:
        piece = pa.table(
            {"x": texts.cast(pa.string()), "y": pa.array(np.arange(500))}, schema=schema
        )
        for _ in range(8):
            writer.write_table(piece)
    return path


def arrow_packed(folder: Path) -> Path:
    """4 GiB of zeros in an Arrow file."""
    path = folder / "bomb.arrow"
    batch = pa.table({"x": np.zeros(1 << 24), "y": np.zeros(1 << 24)})
    with pa.ipc.new_file(
        path, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
    ) as writer:
        for _ in range(16):
            writer.write_table(batch)
    return path


def arrow_texts(folder: Path) -> Path:
    """A dictionary of one long text, and many places in it."""
    path = folder / "bomb.arrow"
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int8)), ["x" * (1 << 20)])
    pa.feather.write_feather(pa.table({"x": texts, "y": np.arange(100_000)}), path)
    return path


def npz(folder: Path) -> Path:
    """Arrays of 4 GiB in some megabytes."""
    path = folder / "bomb.npz"
    header = io.BytesIO()
    shape = (1 << 20, 1 << 9)
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("X.npy", "w", force_zip64=True) as file:
            file.write(header.getvalue())
            for _ in range(shape[0] * shape[1] * 8 >> 20):
                file.write(bytes(1 << 20))
        labels = io.BytesIO()
        np.save(labels, np.zeros(shape[0], np.int8))
        archive.writestr("y.npy", labels.getvalue())
    return path


def npz_forged(folder: Path) -> Path:
    """A header that claims what is not there."""
    path = folder / "bomb.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1 << 20)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", header.getvalue())
        archive.writestr("y.npy", header.getvalue())
    return path


def mat(folder: Path) -> Path:
    """A label file whose variable unpacks to 3 GiB."""
    from tests.data.tiny_folders import photo

    photo(folder / "images" / "IMG_1.jpg")
    size = 3 << 30
    packed = zeros(struct.pack("<II", 14, size), size)
    at = folder / "ground-truth" / "GT_IMG_1.mat"
    at.parent.mkdir()
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    at.write_bytes(header + struct.pack("<II", 15, len(packed)) + packed)
    return folder


def idx(folder: Path) -> Path:
    """An IDX file of 2 GiB in 2 MB."""
    count = 1 << 21
    for name, kind in (("images", 3), ("labels", 1)):
        shape = (count, 32, 31) if kind == 3 else (count,)
        with gzip.open(folder / f"train-{name}-idx{kind}-ubyte.gz", "wb", 6) as file:
            file.write(bytes([0, 0, 8, kind]) + struct.pack(f">{kind}I", *shape))
            for _ in range((count * 32 * 31 if kind == 3 else count) >> 20):
                file.write(bytes(1 << 20))
    return folder


BOMBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "images too large": (images_too_large, ""),
    "images at the limit": (images_at_the_limit, ""),
    "photos": (photos_with_heads, ""),
    "csv.gz": (csv_gz, "y"),
    "csv.gz, members": (csv_gz_members, "y"),
    "parquet, numbers": (parquet_numbers, "y"),
    "parquet, texts": (parquet_texts, "y"),
    "arrow, packed": (arrow_packed, "y"),
    "arrow, texts": (arrow_texts, "y"),
    "npz": (npz, ""),
    "npz, forged": (npz_forged, ""),
    "mat": (mat, ""),
    "idx": (idx, ""),
}


def drop(name: str, folder: Path, memory: float = MEMORY) -> Told:
    """Make a bomb in an empty folder and read it in a process of its own."""
    make, target = BOMBS[name]
    folder.mkdir(parents=True, exist_ok=True)
    path = make(folder)
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(path), str(memory), target],
        capture_output=True,
        text=True,
        timeout=300,
    )
    took = time.perf_counter() - began
    lines = done.stdout.split("\n")
    if done.returncode or len(lines) < 2:
        return Told(name, size, f"ENDED {done.returncode} {done.stderr[-300:]}", 0.0, took)
    return Told(name, size, lines[0], int(lines[1]) / 2**20, took)


def main() -> None:
    """Drop all of them and print what became of each."""
    import tempfile

    memory = float(sys.argv[1]) if len(sys.argv) > 1 else MEMORY
    failed = 0
    for name in BOMBS:
        with tempfile.TemporaryDirectory() as folder:
            told = drop(name, Path(folder) / "data", memory)
        failed += not told.is_held
        print(
            f"{name:20} {told.size / 2**20:7.2f} MB  peak {told.peak:5.2f} GiB  "
            f"{told.seconds:5.1f} s  {told.said[:150]}",
            flush=True,
        )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
