"""What is dropped on the page, as files and folders under names of our own.

Names that a page or an archive brings are text until they were taken apart: an archive whose names
could lead anywhere else, or whose size could fill memory or disk, is refused as a whole.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from threading import Event
from zlib import error as DeflateError

from downslope.data.readers.file_names import ARRAYS, is_image, is_table_file, leads_out
from downslope.data.readers.file_names import ending as ending_of
from downslope.errors import DataError, StorageError, quoted

FOLDER = "dropped"
MOST_UPLOADED = 1 << 30  # bytes of a file as it comes
MOST_UNPACKED = 4 << 30  # bytes of all files of an archive
MOST_FILES = 100_000
MOST_LISTED = 24 << 20  # bytes of an archive's list of its files, which is read at once
MOST_SHRUNK = 200  # times: images and tables that are smaller by more than this are a trap,
FREE_SHRUNK = 64 << 20  # unless they have fewer bytes than this
LONGEST, DEEPEST = 200, 12  # bytes of a name; folders inside of each other
ARCHIVE = ".zip"
LABELS = (".mat", ".json")  # what readers need beside images, tables and arrays
KINDS = "a table (CSV, Parquet, Arrow), .npz, or a folder or zip of images"
_PIECE = 1 << 20
_SYSTEM = ("__MACOSX",)


class TooLargeError(DataError):
    """More was dropped than fits."""


class _Archive(io.FileIO):
    """An archive's file, of which no more is read at once than its list may have."""

    def read(self, size: int | None = -1) -> bytes:
        """Read; the rest where no size is given."""
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > MOST_LISTED:
            raise _too_many("more files than can be listed")
        return super().read(size)


def listed(folder: Path) -> dict[str, Path]:
    """What lies visibly in a folder, by name: so no name from elsewhere is ever a path."""
    if not folder.is_dir():
        return {}
    return {
        path.name: path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and not path.is_symlink()
    }


class Dropped:
    """The files that were dropped on the page; they stay, as runs read their data again.

    Args:
        folder: Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ends = Event()

    def end(self) -> None:
        """Break off what is being unpacked."""
        self._ends.set()

    def found(self) -> dict[str, Path]:
        """What is there, by name, found by listing it."""
        return listed(self.folder)

    def data(self) -> tuple[str, ...]:
        """The names of what can be learnt from: all but single photos."""
        return tuple(name for name, path in self.found().items() if not is_image(path))

    async def keep(self, given: str, pieces: AsyncIterator[bytes]) -> str:
        """Keep a file; of an archive, its files.

        Args:
            given: What it is called by whoever drops it.
            pieces: Its bytes.

        Returns:
            The name under which it is found again; the same for the same content.

        Raises:
            DataError: It cannot be learnt from, or could do harm.
            TooLargeError: It is too large.
            StorageError: The disk refuses.
        """
        name = Path(given.replace("\0", ""))
        suffix = ending_of(name) + (".gz" if name.suffix.lower() == ".gz" else "")
        if not (is_table_file(name) or is_image(name) or suffix in (ARRAYS, ARCHIVE)):
            raise DataError(
                f"{quoted(given)} cannot be read here.", KINDS, "Save it as one of these."
            )
        stem = re.sub(r"[^A-Za-z0-9]+", "-", name.stem).strip("-")[:40] or "data"
        unfinished: Path | None = None
        try:
            self.folder.mkdir(exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(prefix=".", dir=self.folder))
            file = unfinished / f"file{suffix}"
            title = f"{stem}-{await _written(file, pieces)}"
            if suffix != ARCHIVE:
                return self._moved(file, title + suffix)
            whole = unfinished / "files"
            await asyncio.to_thread(unpack, file, whole, self._ends)
            alone = _single_table(whole)
            return self._moved(alone or whole, title + (alone.suffix if alone else ""))
        except OSError as error:
            raise StorageError(
                f"What was dropped cannot be kept in {self.folder}: {error.strerror}.",
                "a folder that can be written, with room on its disk",
                "Make room, or start downslope lab in another folder.",
            ) from error
        finally:
            if unfinished is not None:
                shutil.rmtree(unfinished, ignore_errors=True)

    def _moved(self, path: Path, name: str) -> str:
        """Put a whole file or folder in its place; the same again is the same."""
        to = self.folder / name
        if path.is_dir() and to.is_dir():
            return name
        os.replace(path, to)
        return name


async def _written(file: Path, pieces: AsyncIterator[bytes]) -> str:
    """Write what comes; the beginning of its checksum."""
    size, digest = 0, sha256()
    with file.open("xb") as out:
        async for piece in pieces:
            size += len(piece)
            if size > MOST_UPLOADED:
                raise TooLargeError(
                    "What was dropped is larger than 1 GiB.",
                    "at most 1 GiB",
                    "Start the lab with its path: downslope lab FOLDER.",
                )
            digest.update(piece)
            out.write(piece)
    return digest.hexdigest()[:8]


def unpack(archive: Path, into: Path, ends: Event | None = None) -> None:
    """Unpack the files of a zip archive that can be learnt from.

    Args:
        archive: The archive.
        into: A folder that is not there; folders around all of the files are left out.
        ends: Set from another thread to break it off.

    Raises:
        DataError: It is damaged, locked or empty, or has names, links or sizes that no folder of
            images has.
        OSError: The disk refuses.
    """
    with _Archive(archive) as raw:
        try:
            with zipfile.ZipFile(raw) as opened:
                files = _files(opened, archive.stat().st_size)
                for parts, info in files.items():
                    _unpack_one(opened, info, into.joinpath(*parts), ends)
        except (zipfile.BadZipFile, DeflateError, EOFError, ValueError, NotImplementedError,
                struct.error):  # fmt: skip
            raise DataError(
                "The zip archive is damaged, or no zip archive.",
                "a zip archive as the system makes it",
                "Make it again, or drop the folder itself.",
            ) from None
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise _refused("two files of the same name") from None


def _files(opened: zipfile.ZipFile, size: int) -> dict[tuple[str, ...], zipfile.ZipInfo]:
    """The files to unpack by where they go, once the whole list is known to do no harm."""
    if len(opened.infolist()) > MOST_FILES:
        raise _too_many(f"{len(opened.infolist()):,} files")
    found: dict[tuple[str, ...], zipfile.ZipInfo] = {}
    for info in opened.infolist():
        parts = _parts(info.orig_filename)
        kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(f"the link or device {_told(info)}")
        if info.flag_bits & 0x1:
            raise _refused(f"{_told(info)}, which is locked by a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(f"{_told(info)}, which is packed in an unusual way")
        if info.orig_filename.endswith("/") or not _is_learnt_from(parts):
            continue
        if parts in found:
            raise _refused("two files of the same name")
        found[parts] = info
    if not found:
        raise DataError("The zip archive holds nothing to learn from.", KINDS, "Look into it.")
    unpacked = sum(info.file_size for info in found.values())
    if unpacked > MOST_UNPACKED or unpacked > max(FREE_SHRUNK, MOST_SHRUNK * size):
        raise TooLargeError(
            f"The zip archive has {size:,} bytes and would be {unpacked:,} bytes unpacked.",
            f"at most {MOST_UNPACKED >> 30} GiB, and no more than {MOST_SHRUNK} times its own size",
            "Unpack it yourself, and start the lab with its path: downslope lab FOLDER.",
        )
    while len({parts[0] for parts in found}) == 1 and all(len(parts) > 1 for parts in found):
        found = {parts[1:]: info for parts, info in found.items()}
    return found


def _parts(name: str) -> tuple[str, ...]:
    """The folders and the name of an archive's file.

    Raises:
        DataError: They are none that a folder of images has.
    """
    parts = tuple(name.removesuffix("/").split("/"))
    is_plain = all(
        part not in ("", ".", "..")
        and len(part.encode(errors="surrogatepass")) <= LONGEST
        and not any(ord(one) < 32 or 127 <= ord(one) < 160 or one == "\\" for one in part)
        for part in parts
    )
    if not is_plain or leads_out(name) or len(parts) > DEEPEST:
        raise _refused(f"the name {quoted(name)}")
    return parts


def _is_learnt_from(parts: tuple[str, ...]) -> bool:
    """Whether a file is of a kind that the readers know; MNIST's files have no ending."""
    path = Path(parts[-1])
    if any(part.startswith(".") or part in _SYSTEM for part in parts):
        return False
    known = is_image(path) or is_table_file(path) or ending_of(path) in (ARRAYS, *LABELS)
    return known or "ubyte" in path.name


def _unpack_one(
    opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, ends: Event | None
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with opened.open(info) as content, path.open("xb") as out:
        while piece := content.read(_PIECE):
            size += len(piece)
            if size > info.file_size:
                raise zipfile.BadZipFile
            if ends is not None and ends.is_set():
                raise DataError("The lab ends.", "a lab that runs", "Start it again.")
            out.write(piece)


def _single_table(folder: Path) -> Path | None:
    """The table or arrays that are all that an archive held."""
    files = list(folder.iterdir())
    if len(files) != 1 or not files[0].is_file():
        return None
    is_whole = is_table_file(files[0]) or ending_of(files[0]) == ARRAYS
    return files[0] if is_whole else None


def _told(info: zipfile.ZipInfo) -> str:
    return quoted(info.orig_filename)


def _refused(what: str) -> DataError:
    return DataError(
        f"The zip archive has {what}.",
        "a zip of a folder of images, tables or arrays: plain names, no links",
        "Make it again from the folder itself, or drop the folder.",
    )


def _too_many(what: str) -> TooLargeError:
    return TooLargeError(
        f"The zip archive has {what}.",
        f"at most {MOST_FILES:,} files",
        "Unpack it yourself, and start the lab with its path: downslope lab FOLDER.",
    )
