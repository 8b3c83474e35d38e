"""A disk after a loss of power, under the least that POSIX promises.

- What was written to a file and not synced may be there, or cut short, or zeros, in part or all.
- That a file was created, renamed or removed, or a folder made, may or may not have happened, in
  any order, unless the folder that holds the name was synced since. A rename may have left both
  names, but not neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tests.campaigns.disk import Call

BLOCK = 512  # bytes of a file that are written, or not, together
CHANGES = ("create", "write", "fsync", "replace", "unlink", "mkdir")


@dataclass
class _File:
    """What was written to a file, and how much of it is on the disk for certain."""

    content: bytes = b""
    is_synced: bool = True


@dataclass(frozen=True)
class _Change:
    """A name that is given to a file or a folder, or taken away (None); or moved from `before`."""

    name: str
    one: _File | _Folder | None
    before: str = ""


@dataclass
class _Folder:
    """Names in a folder: those on the disk for certain, and changes that may be there."""

    names: dict[str, _File | _Folder] = field(default_factory=dict)
    pending: list[_Change] = field(default_factory=list)

    def now(self) -> dict[str, _File | _Folder]:
        """The names as a process sees them."""
        return _changed(self.names, self.pending)


def _changed(names: dict, changes: list[_Change]) -> dict:
    names = dict(names)
    for change in changes:
        if change.one is None:
            names.pop(change.name, None)
        else:
            names[change.name] = change.one
        if change.before:
            names.pop(change.before, None)
    return names


def _find(root: _Folder, path: Path) -> _File | _Folder:
    found: _File | _Folder = root
    for part in path.parts:
        assert isinstance(found, _Folder)
        found = found.now()[part]
    return found


def _replay(calls: tuple[Call, ...]) -> _Folder:
    """The disk behind some calls, with what is certain and what is not."""
    root = _Folder()
    for call in calls:
        holder = _find(root, call.path.parent)
        assert isinstance(holder, _Folder)
        if call.name == "fsync":
            one = _find(root, call.path)
            if isinstance(one, _File):
                one.is_synced = True
            else:
                one.names, one.pending = one.now(), []
        elif call.name == "create":
            holder.pending.append(_Change(call.path.name, _File()))
        elif call.name == "mkdir":
            holder.pending.append(_Change(call.path.name, _Folder()))
        elif call.name == "unlink":
            holder.pending.append(_Change(call.path.name, None))
        elif call.name == "write":
            one = _find(root, call.path)
            assert isinstance(one, _File)
            one.content, one.is_synced = one.content + call.content, False
        else:
            assert call.goal is not None and call.goal.parent == call.path.parent
            moved = holder.now()[call.path.name]
            holder.pending.append(_Change(call.goal.name, moved, call.path.name))
    return root


def _left(one: _File, draw: np.random.Generator) -> bytes:
    """What is left of a file's content."""
    content = one.content
    if one.is_synced or not content:
        return content
    how = draw.choice(["whole", "nothing", "cut", "zeros", "blocks"])
    if how == "whole":
        return content
    if how == "cut":
        return content[: draw.integers(len(content))]
    if how == "zeros":
        kept = draw.integers(len(content))
        return content[:kept] + bytes(len(content) - kept)
    if how == "blocks":
        pieces = [content[at : at + BLOCK] for at in range(0, len(content), BLOCK)]
        return b"".join(piece if draw.random() < 0.5 else bytes(len(piece)) for piece in pieces)
    return b""


def _survivors(folder: _Folder, draw: np.random.Generator) -> dict[str, _File | _Folder]:
    """The names that are left of a folder."""
    fraction = draw.choice([0.0, 0.2, 0.5, 0.8, 1.0])
    there = [change for change in folder.pending if draw.random() < fraction]
    # of a file that is moved both names may be there
    there = [replace(one, before="") if draw.random() < 0.2 else one for one in there]
    if draw.random() < 0.5:
        there = [there[index] for index in draw.permutation(len(there))]
    return _changed(folder.names, there)


def build(calls: tuple[Call, ...], draw: np.random.Generator, disk: Path) -> None:
    """Write a disk as it may be when the power goes behind these calls."""

    def write(folder: _Folder, path: Path) -> None:
        path.mkdir()
        for name, one in _survivors(folder, draw).items():
            if isinstance(one, _Folder):
                write(one, path / name)
            else:
                (path / name).write_bytes(_left(one, draw))

    write(_replay(calls), disk)
