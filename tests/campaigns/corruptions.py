"""Ways to spoil a run folder by accident; `attacks` has those on purpose.

A folder is held as names and contents, so a spoilt one is a pure function of (bases, number).
Accidents leave the manifests as they are; whoever does it on purpose makes them anew.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from downslope.storage import manifest
from downslope.storage.checkpoints import FOLDER, step_of
from downslope.storage.manifest import Mark

DOCUMENT, WEIGHTS = "run.json", "weights.safetensors"
TRACE = "trace.safetensors"
STEPS, EPOCHS = "trace/steps.parquet", "trace/epochs.parquet"
OWN, STATES = "manifest.json", f"{FOLDER}/manifest.json"


@dataclass(frozen=True)
class Link:
    """A link to somewhere."""

    target: str


@dataclass(frozen=True)
class Sparse:
    """A file of so many bytes, most of which the disk does not hold."""

    size: int


class Pipe:
    """A named pipe that nobody writes into."""


class Directory:
    """A folder where a file should be."""


Content = bytes | Link | Sparse | Pipe | Directory
Files = dict[str, Content]


@dataclass(frozen=True)
class Bases:
    """Whole folders, and what is outside of them.

    Attributes:
        folders: Each by its name, as names and contents.
        outside: A folder that holds copies of them, which nobody may open.
    """

    folders: Mapping[str, dict[str, bytes]]
    outside: str


def put(folder: Path, files: Files) -> int:
    """Write a folder; returns how many bytes its files seem to have."""
    size = 0
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case bytes():
                path.write_bytes(content)
                size += len(content)
            case Link():
                path.symlink_to(content.target)
            case Sparse():
                with path.open("wb") as file:
                    file.truncate(content.size)
            case Pipe():
                os.mkfifo(path)
            case Directory():
                path.mkdir()
    return size


def seal(files: Files) -> Files:
    """Make the manifests anew, for what is there now."""
    sealed = dict(files)
    own = {
        name: Mark.of(files[name])
        for name in (DOCUMENT, WEIGHTS, TRACE, STEPS, EPOCHS)
        if isinstance(files.get(name), bytes)
    }
    if own and OWN in files:
        sealed[OWN] = manifest._encoded(own)
    states = {
        name.removeprefix(f"{FOLDER}/"): Mark.of(content)
        for name, content in files.items()
        if step_of(name.removeprefix(f"{FOLDER}/")) is not None and isinstance(content, bytes)
    }
    if states:
        sealed[STATES] = manifest._encoded(states)
    return sealed


def read_names(files: Mapping[str, object]) -> list[str]:
    """The files of a folder that somebody reads."""
    return sorted(name for name in files if not name.startswith(("pictures", "test-evaluations")))


def understood_names(files: Mapping[str, object]) -> list[str]:
    """Those whose content means something to us, and not to other programs alone."""
    return [name for name in read_names(files) if not name.endswith(".parquet")]


# ---- accidents


def flip(draw: random.Random, content: bytes) -> bytes:
    """Change one to eight bits."""
    data = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 8))):
        at = draw.randrange(len(data))
        data[at] ^= 1 << draw.randrange(8)
    return bytes(data) if bytes(data) != content else content[:-1]


def cut(draw: random.Random, content: bytes) -> bytes:
    """Leave the beginning."""
    return content[: draw.choice((0, 1, 8, len(content) - 1, draw.randrange(len(content))))]


def longer(draw: random.Random, content: bytes) -> bytes:
    """Put something behind it."""
    return content + draw.choice((b"\0", b"\n", content, bytes(4096)))


def blank(draw: random.Random, content: bytes) -> bytes:
    """Lose a stretch, as a disk does that forgot to write it."""
    at = draw.randrange(len(content))
    length = draw.choice((1, 64, 512, 4096))
    lost = content[:at] + bytes(len(content[at : at + length])) + content[at + length :]
    return lost if lost != content else cut(draw, content)


Change = Callable[[random.Random, bytes], bytes]
CHANGES: tuple[Change, ...] = (flip, cut, longer, blank)


def changed(draw: random.Random, files: Files, bases: Bases, change: Change) -> Files:
    """Change one file."""
    name = draw.choice(read_names(files))
    content = files[name]
    assert isinstance(content, bytes)
    return {**files, name: change(draw, content)}


def lost(draw: random.Random, files: Files, bases: Bases) -> Files:
    """Lose one file."""
    name = draw.choice(read_names(files))
    return {one: content for one, content in files.items() if one != name}


def swapped(
    draw: random.Random, files: Files, bases: Bases, names: Sequence[str] | None = None
) -> Files:
    """Exchange two files, or take one from another folder; of those with `names`, or of all."""
    names = read_names(files) if names is None else names
    one, other = draw.sample(names, 2)
    elsewhere = [own.get(one, b"") for own in bases.folders.values()]
    foreign = [content for content in elsewhere if content and content != files[one]]
    if foreign and draw.random() < 0.5:
        return {**files, one: draw.choice(foreign)}
    return {**files, one: files[other], other: files[one]}


def replaced(draw: random.Random, files: Files, bases: Bases) -> Files:
    """Put something else than a file in the place of one."""
    name = draw.choice(read_names(files))
    same = f"{bases.outside}/{draw.choice(sorted(bases.folders))}/{name}"
    kinds = [Pipe(), Directory(), Sparse(1 << 40), Link(same), Link("/dev/zero"), Link("nowhere")]
    return {**files, name: draw.choice(kinds)}


def led_outside(draw: random.Random, files: Files, bases: Bases) -> Files:
    """Put a link to another place in the place of a folder."""
    inner = sorted({name.partition("/")[0] for name in files if "/" in name})
    name = draw.choice(inner)
    kept = {one: content for one, content in files.items() if not one.startswith(f"{name}/")}
    target = f"{bases.outside}/{draw.choice(sorted(bases.folders))}/{name}"
    return {**kept, name: Link(draw.choice((target, "/dev", "/proc/self", "..")))}


Way = Callable[[random.Random, Files, Bases], Files]
ACCIDENTS: dict[str, Way] = {
    "flipped bits": lambda draw, files, bases: changed(draw, files, bases, flip),
    "cut off": lambda draw, files, bases: changed(draw, files, bases, cut),
    "longer": lambda draw, files, bases: changed(draw, files, bases, longer),
    "blank stretch": lambda draw, files, bases: changed(draw, files, bases, blank),
    "lost": lost,
    "swapped": swapped,
    "no file": replaced,
    "folder led outside": led_outside,
}
