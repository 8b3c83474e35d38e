"""Which files belong together, with their lengths and checksums: the last to be written.

    manifest.json   {"files": {NAME: {"bytes": N, "sha256": "..."}}, "sha256": "..."}

The last checksum is that of the list itself, so that no letter of it can change unseen. A
checksum finds damage, not forgery: whoever changes a file may write another manifest, and what is
read is therefore checked as any stranger's file is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from downslope.storage.files import damaged, read_file, write_file

NAME = "manifest.json"
MOST_BYTES = 1 << 20  # of a manifest
MOST_FILES = 1000  # in it: it is read again for each of them


@dataclass(frozen=True)
class Mark:
    """What is known of a file.

    Attributes:
        bytes: Its length.
        sha256: Its checksum, in hexadecimal.
    """

    bytes: int
    sha256: str

    @staticmethod
    def of(content: bytes) -> Mark:
        """The mark of what a file holds."""
        return Mark(len(content), hashlib.sha256(content).hexdigest())


Marks = Mapping[str, Mark]


@dataclass(frozen=True)
class _Manifest:
    files: dict[str, Mark]
    sha256: str


def _encoded(marks: Marks) -> bytes:
    files = dict(marks)
    own = hashlib.sha256(msgspec.json.encode(files)).hexdigest()
    text = msgspec.json.format(msgspec.json.encode(_Manifest(files, own)), indent=2)
    return text + b"\n"


def write_manifest(folder: Path, marks: Marks) -> None:
    """Write the manifest of files that are there already.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    write_file(folder / NAME, _encoded(marks))


def read_manifest(folder: Path) -> Marks:
    """Read a manifest.

    Raises:
        RunError: It is missing or damaged.
    """
    content = read_file(folder, NAME, MOST_BYTES)
    try:
        found = msgspec.json.decode(content, type=_Manifest, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(folder / NAME, str(error)) from error
    if len(found.files) > MOST_FILES:
        raise damaged(folder / NAME, f"it names {len(found.files):,} files")
    if _encoded(found.files) != content:
        raise damaged(folder / NAME, "it is not as it was written")
    return found.files


def read_marked(folder: Path, name: str, marks: Marks) -> bytes:
    """Read a file whose mark is in a manifest; the name is ours, never the manifest's.

    Raises:
        RunError: It is missing, or not as it was written.
    """
    if name not in marks:
        raise damaged(folder / NAME, f"it has no {name}")
    content = read_file(folder, name, max(0, marks[name].bytes))
    if Mark.of(content) != marks[name]:
        raise damaged(folder / name, "it is not as it was written: its checksum is another")
    return content
