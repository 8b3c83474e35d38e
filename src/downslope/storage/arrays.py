"""Named arrays in a safetensors file, which holds numbers and shapes and can hold no code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from downslope.storage.files import check_names, damaged, write_file

KINDS = ("float32", "float64", "int32", "int64", "uint8", "uint32")
MOST_HEAD = 1 << 21  # bytes: each array that the head names takes many times as much once read

Nested = Mapping[str, Any]  # names to arrays, or to further such mappings


def flatten(nested: Nested, prefix: str = "") -> dict[str, np.ndarray]:
    """Give each array of nested mappings its joined name: "1.weights"."""
    flat: dict[str, np.ndarray] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = np.asarray(value, order="C")
    return flat


def unflatten(flat: Mapping[str, np.ndarray], like: Nested, prefix: str = "") -> dict[str, Any]:
    """Put arrays back into mappings nested as in `like`, of the same shapes and types.

    Raises:
        KeyError: An array is missing.
        ValueError: An array has another shape or type.
    """
    nested: dict[str, Any] = {}
    for name, value in like.items():
        full_name = f"{prefix}{name}"
        if isinstance(value, Mapping):
            nested[name] = unflatten(flat, value, f"{full_name}.")
            continue
        if flat[full_name].shape != value.shape:
            raise ValueError(
                f"{full_name} has shape {flat[full_name].shape} instead of {value.shape}"
            )
        if flat[full_name].dtype != value.dtype:
            raise ValueError(
                f"{full_name} has type {flat[full_name].dtype} instead of {value.dtype}"
            )
        nested[name] = flat[full_name]
    return nested


def encode_arrays(
    arrays: Mapping[str, np.ndarray], notes: Mapping[str, str] | None = None
) -> bytes:
    """Named arrays as the content of a safetensors file, with notes about them in its head."""
    return safetensors.numpy.save(dict(arrays), metadata=dict(notes or {}) or None)


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], notes: Mapping[str, str] | None = None
) -> None:
    """Write named arrays, and notes about them into the file's head.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    write_file(path, encode_arrays(arrays, notes))


def decode_arrays(content: bytes, path: Path) -> dict[str, np.ndarray]:
    """Named arrays from the content of a file.

    Args:
        content: The content.
        path: Where it comes from, for the message.

    Raises:
        RunError: It is damaged, or holds other types than `KINDS`.
    """
    if int.from_bytes(content[:8], "little") > MOST_HEAD:
        raise damaged(path, "its head is too long")
    try:
        arrays = safetensors.numpy.load(content)
    except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise damaged(path, str(error)) from error
    check_names(content[8 : 8 + int.from_bytes(content[:8], "little")], path)
    for name, array in arrays.items():
        if array.dtype not in KINDS:
            raise damaged(path, f"{name[:40]} is of the type {array.dtype}")
    return arrays
