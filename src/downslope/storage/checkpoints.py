"""States of long work, each a file of its own: the newest is there as a whole, come what may.

    checkpoints/step-1200-5d41402a.safetensors      one state
    checkpoints/manifest.json                       which states there are

A state is written under a name that no other has, then the manifest that names it, and only then
is removed what the manifest does not name any more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from downslope.errors import RunError
from downslope.storage.arrays import decode_arrays, encode_arrays
from downslope.storage.files import (
    damaged,
    is_there,
    make_folder,
    plain_errors,
    remove_unfinished,
    write_file,
)
from downslope.storage.manifest import NAME, Mark, Marks, read_manifest, read_marked, write_manifest

FOLDER = "checkpoints"
_STATE = re.compile(r"step-(0|[1-9][0-9]{0,17})-[0-9a-f]{8}\.safetensors")
_TRIES = 5  # a reader may come upon a writer that removes what it was about to read


def step_of(name: str) -> int | None:
    """The step that a file is the state of; None for other files."""
    found = _STATE.fullmatch(name)
    return None if found is None else int(found[1])


def stored_steps(folder: Path) -> tuple[int, ...]:
    """The steps whose states a run's folder holds, from the lowest up; none where none is kept.

    Raises:
        RunError: The manifest is damaged.
    """
    return tuple(sorted(_names(_listed(folder))))


def _listed(folder: Path) -> Marks:
    directory = folder / FOLDER
    return read_manifest(directory) if is_there(directory) and is_there(directory / NAME) else {}


def _names(marks: Marks) -> dict[int, str]:
    """The name of each step's state."""
    return {step: name for name in marks if (step := step_of(name)) is not None}


def read_state(folder: Path, step: int) -> dict[str, np.ndarray]:
    """The state of a step that is stored.

    Raises:
        RunError: It is missing or damaged.
    """
    directory = folder / FOLDER
    for left in reversed(range(_TRIES)):
        marks = _listed(folder)
        if step not in _names(marks):
            raise damaged(directory / NAME, f"it has no state of step {step:,}")
        name = _names(marks)[step]
        try:
            return decode_arrays(read_marked(directory, name, marks), directory / name)
        except RunError:
            if not left or _listed(folder) == marks:
                raise
    raise AssertionError  # the last try returns or raises


def write_state(
    folder: Path, step: int, arrays: Mapping[str, np.ndarray], lasting: Collection[int], most: int
) -> None:
    """Store the state of a step; older ones make room for it.

    Args:
        folder: The run's folder.
        step: Steps done.
        arrays: The state.
        lasting: Steps whose states are never removed.
        most: How many other states may be there.

    Raises:
        RunError: The manifest of the states before it is damaged.
        StorageError: The disk or the folder refuses; what was there is there still.
    """
    directory = folder / FOLDER
    make_folder(directory)
    before = _listed(folder)
    content = encode_arrays(arrays)
    mark = Mark.of(content)
    name = f"step-{step}-{mark.sha256[:8]}.safetensors"
    write_file(directory / name, content)
    names = _names(before) | {step: name}
    chosen = kept(names, lasting, most)
    marks = {**before, name: mark}
    write_manifest(directory, {names[one]: marks[names[one]] for one in chosen})
    _remove_others(directory, {names[one] for one in chosen})


def kept(steps: Collection[int], lasting: Collection[int], most: int) -> tuple[int, ...]:
    """Which of some steps' states are kept: the last two, and others spread over the training.

    Args:
        steps: The steps there are states of.
        lasting: Those that have to be kept.
        most: How many others may be, at least 2.
    """
    chosen = sorted(steps)
    while sum(step not in lasting for step in chosen) > most:
        # the one without which the widest gap is the narrowest: between its two neighbours
        free = [index for index in range(len(chosen) - 2) if chosen[index] not in lasting]
        if not free:
            break
        ends = [-1, *chosen]
        del chosen[min(free, key=lambda index: ends[index + 2] - ends[index])]
    return tuple(chosen)


def _remove_others(directory: Path, names: Collection[str]) -> None:
    """Remove states that the manifest does not name, and what a process that ended left behind."""
    with plain_errors(directory):
        found = [path for path in directory.iterdir() if path.name not in names]
    for path in found:
        if step_of(path.name) is not None:
            with suppress(OSError):  # it takes room, and nothing else
                path.unlink()
    remove_unfinished(directory, f"{_STATE.pattern}|{re.escape(NAME)}")
