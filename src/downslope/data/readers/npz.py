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
import pyarrow as pa

from downslope.data.dataset import Samples
from downslope.data.readers.array_file import INPUTS, named, read_arrays
from downslope.data.tables.options import TableOptions
from downslope.data.tables.targets import labelled, refuse_new_classes
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

TARGETS = ("y", "targets", "target", "labels", "label")
_PARTS = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
_CHANNELS = (1, 3, 4)
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
    shaped = {name: _inputs(path, part) for name, part in order.items()}
    sizes = dict.fromkeys(one.shape[1:] for one in shaped.values())
    if len(sizes) > 1:
        raise DataError(
            f"In {path} the inputs of the parts have the shapes {' and '.join(map(str, sizes))}.",
            "inputs of one shape",
            "Keep the arrays of one data set together.",
        )
    inputs = np.concatenate(list(shaped.values()))
    border = len(inputs) - (len(shaped["test"]) if "test" in shaped else 0)
    training, test = np.arange(border), np.arange(border, len(inputs))
    task, targets, names, notes = _learnt(path, list(order.values()), options, training, test)
    both = Samples(inputs, targets)
    is_image = inputs.ndim == 4
    return Unsplit(
        name=path.stem,
        task=task,
        samples=both.take(training) if len(test) else both,
        test=both.take(test) if len(test) else None,
        per=("channel" if inputs.shape[-1] > 1 else "all") if is_image else "feature",
        class_names=names,
        source=str(path),
        white=_white(inputs) if is_image else 0.0,
        notes=notes,
        options=options.given,
    )


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


def _inputs(path: Path, part: _Part) -> np.ndarray:
    """The inputs, (N, F) or (N, H, W, channels)."""
    values, name = part.inputs, part.names[0]
    if values.dtype.kind not in "buif":
        raise DataError(
            f"The array {name} of {path} holds values of type {values.dtype}.",
            "numbers",
            "Save texts as a table; save numbers with a dtype such as float32.",
        )
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what float32 cannot hold is told below
            values = values.astype(np.float32)
        bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if bad.any():
            raise DataError(
                f"Row {int(bad.argmax()) + 1} of the array {name} of {path} has a value that is "
                "not a finite number.",
                "finite numbers, of at most 3.4e38",
                "Fill in what is missing, or leave the row out.",
            )
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim == 4 and values.shape[-1] not in _CHANNELS and values.shape[1] in _CHANNELS:
        values = np.moveaxis(values, 1, -1)
    is_known = values.ndim == 2 or (values.ndim == 4 and values.shape[-1] in _CHANNELS)
    if not is_known or not values.size:
        raise DataError(
            f"The array {name} of {path} has the shape {part.inputs.shape}.",
            "(N, F) for features, (N, H, W) or (N, H, W, channels) for images with 1, 3 or 4 "
            "channels",
            "Save it in one of these shapes.",
        )
    return values


def _learnt(
    path: Path,
    parts: list[_Part],
    options: TableOptions,
    training: np.ndarray,
    test: np.ndarray,
) -> tuple:
    """Task, targets, names of the classes and notes, of all parts one after the other."""
    columns = [_labels(path, part) for part in parts]
    if any(one.ndim > 1 for one in columns):
        numbers = [one.astype(np.float64) for one in columns]
        if len({one.shape[1:] for one in numbers}) > 1 or not all(
            np.isfinite(one).all() for one in numbers
        ):
            raise _unlearnable(path, parts[0])
        values = np.concatenate(numbers)
        if options.task != "regression" and ((values == 0) | (values == 1)).all():
            labels = tuple(f"label {number + 1}" for number in range(values.shape[1]))
            return "multilabel", values.astype(np.float32), labels, ()
        return "regression", values, (), ()
    try:
        values = pa.chunked_array([pa.array(np.concatenate(columns))])
    except (pa.ArrowException, ValueError, TypeError, UnicodeDecodeError):
        raise _unlearnable(path, parts[0]) from None
    name = parts[0].names[1]
    found = labelled(pa.table({name: values}), (name,), options, path.name)
    if len(found.targets) < len(values):
        raise _unlearnable(path, parts[0])
    refuse_new_classes(found, training, test)
    return found.task, found.targets, found.class_names, found.notes


def _labels(path: Path, part: _Part) -> np.ndarray:
    """One value per sample, (N,); several numbers each, (N, outputs), where they are no classes."""
    values = part.targets.reshape(len(part.targets), -1)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind not in "buifU" or not values.shape[1]:
        raise _unlearnable(path, part)
    if values.shape[1] == 1:
        values = values[:, 0]
        return values.astype(np.float64) if values.dtype.kind == "f" else values
    if values.dtype.kind == "U":
        raise _unlearnable(path, part)
    is_one_hot = ((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all()
    return values.argmax(axis=1) if is_one_hot else values


def _unlearnable(path: Path, part: _Part) -> DataError:
    return DataError(
        f"The array {part.names[1]} of {path}, {part.targets.dtype} of shape "
        f"{part.targets.shape}, cannot be learnt.",
        "a class or finite numbers for each sample",
        "Save whole numbers, texts or float32.",
    )


def _white(images: np.ndarray) -> float:
    """What the brightest pixel of an image file is among these; 0 where that is not known."""
    if images.dtype == np.uint8:
        return 255.0
    lowest, highest = float(images.min()), float(images.max())
    if lowest < 0 or highest > 255:
        return 0.0
    return 1.0 if highest <= 1 else 255.0
