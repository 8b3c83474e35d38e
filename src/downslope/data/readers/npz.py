"""Samples in an `.npz` file: arrays of inputs, and of labels or numbers to learn.

    X y    inputs targets    images labels    data target          split by us
    x_train y_train x_test y_test     train_images train_labels test_images test_labels    and so on

Images have the shape (N, H, W) or (N, H, W, channels), features (N, F). The samples of a
validation part join the training samples, from which a validation part is taken as from any others.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.readers.array_file import INPUTS, named, read_arrays
from downslope.data.readers.arrays import Pair, inputs_of, learnt_of, of_images, refuse_unlike
from downslope.data.tables.options import TableOptions
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

TARGETS = ("y", "targets", "target", "labels", "label")
_PARTS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
_EXAMPLE = "the arrays X and y; or x_train, y_train, x_test and y_test"


class _Part(NamedTuple):
    """One part's arrays, and what they are called in the file."""

    inputs: np.ndarray
    targets: np.ndarray
    names: tuple[str, str]


def read_npz(path: Path, options: TableOptions) -> Unsplit:
    """Read the samples of a file.

    Args:
        path: The file.
        options: What the user said; its target and kinds have no meaning here.

    Raises:
        DataError: The file cannot be read, its arrays are not named as they should be, or do not
            fit each other, or the targets cannot be learnt.
        SettingError: The task is unknown.
    """
    arrays = read_arrays(path)
    parts = {name: part for name in _PARTS if (part := _part(path, arrays, name)) is not None}
    if not parts:
        parts = {"train": _whole(path, arrays)}
    if "train" not in parts:
        raise _unnamed(path, arrays)
    order = {name: parts[name] for name in _PARTS if name in parts}  # the test part is the last
    pairs = [_shaped(path, part) for part in order.values()]
    refuse_unlike([one.inputs for one in pairs], f"In {path} the inputs of the parts have")
    inputs = np.concatenate([one.inputs for one in pairs])
    border = len(inputs) - (len(pairs[-1].inputs) if "test" in order else 0)
    training, test = np.arange(border), np.arange(border, len(inputs))
    found = learnt_of(pairs, options, path.name, test)
    both = Samples(inputs, found.targets)
    return Unsplit(
        name=path.stem,
        task=found.task,
        samples=both.take(training) if len(test) else both,
        test=both.take(test) if len(test) else None,
        class_names=found.class_names,
        source=str(path),
        notes=found.notes,
        options=options.given,
        **of_images(inputs),
    )


def _shaped(path: Path, part: _Part) -> Pair:
    inputs, targets = (f"array {name} of {path}" for name in part.names)
    values = part.inputs
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what float32 cannot hold is told by name
            values = values.astype(np.float32)
    return Pair(inputs_of(values, inputs), part.targets, (inputs, targets), part.names[1])


def _part(path: Path, arrays: dict[str, np.ndarray], part: str) -> _Part | None:
    def find(kinds: tuple[str, ...]) -> str | None:
        pairs = product(_PARTS[part], kinds)
        names = [one for word, kind in pairs for one in (f"{kind}_{word}", f"{word}_{kind}")]
        return named(arrays, tuple(names))

    return _pair(path, arrays, find(INPUTS), find(TARGETS))


def _whole(path: Path, arrays: dict[str, np.ndarray]) -> _Part:
    found = _pair(path, arrays, named(arrays, INPUTS), named(arrays, TARGETS))
    if found is None:
        raise _unnamed(path, arrays)
    return found


def _pair(
    path: Path, arrays: dict[str, np.ndarray], inputs: str | None, targets: str | None
) -> _Part | None:
    if inputs is None and targets is None:
        return None
    if inputs is None or targets is None:
        raise _unnamed(path, arrays)
    part = _Part(arrays[inputs], arrays[targets], (inputs, targets))
    lengths = [one.shape[0] if one.ndim else 0 for one in part[:2]]
    if lengths[0] != lengths[1] or not lengths[0]:
        raise DataError(
            f"In {path} the array {inputs} has {lengths[0]} samples and {targets} has "
            f"{lengths[1]}.",
            "a target for each input, and at least one",
            "Keep the arrays of one data set together; the first axis counts the samples.",
        )
    return part


def _unnamed(path: Path, arrays: dict[str, np.ndarray]) -> DataError:
    names = ", ".join(name[:40] for name in list(arrays)[:20])
    return DataError(
        f"{path} holds the arrays {names or 'none'}.", _EXAMPLE, "Save them under these names."
    )
