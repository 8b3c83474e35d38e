"""Arrays from NumPy's files, `.npy` and `.npz`; objects that Python pickled are never read.

What a header claims is checked against what is there before anything is allocated, so that a
forged one cannot claim memory that the file does not fill.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from downslope.data.limits import check_unpacked, no_memory
from downslope.errors import DataError, DownslopeError

INPUTS = ("x", "inputs", "images", "data", "features")  # what arrays of inputs are called


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a file by their names; that of an `.npy` is called "".

    Raises:
        DataError: The file cannot be read, holds Python objects, or unpacks to more than it may.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as stream:
                return {"": _array(path, "", stream, path.stat().st_size)}
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            check_unpacked(path, sum(entry.file_size for entry in entries))
            found = {}
            for entry in entries:
                name = entry.filename.removesuffix(".npy")
                if name in found:
                    raise ValueError(f"it holds the array {name} twice")
                with archive.open(entry) as stream:
                    found[name] = _array(path, name, stream, entry.file_size)
            return found
    except DownslopeError:
        raise
    except MemoryError as problem:
        raise no_memory(path) from problem
    except Exception as problem:  # zip and NumPy raise many kinds for broken files
        reason = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:150]
        raise DataError(
            f"The file {path} cannot be read: {reason.rstrip('.') or type(problem).__name__}.",
            "arrays as numpy.save or numpy.savez writes them",
            "Check the file, or write it again.",
        ) from None


def named(arrays: dict[str, np.ndarray], wanted: tuple[str, ...]) -> str | None:
    """What the first of these names is called in the file, whatever its capitals."""
    known = {name.lower(): name for name in reversed(arrays)}
    return next((known[name] for name in wanted if name in known), None)


def inputs_in(arrays: dict[str, np.ndarray]) -> np.ndarray | None:
    """The array that a network is to answer to: the only one, or the one called as inputs are."""
    if len(arrays) == 1:
        return next(iter(arrays.values()))
    found = named(arrays, INPUTS)
    return None if found is None else arrays[found]


def _array(path: Path, name: str, stream: IO[bytes], size: int) -> np.ndarray:
    """The array in a stream of `size` bytes."""
    header = io.BytesIO(stream.read(min(size, 1 << 16)))
    version = npy.read_magic(header)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version[0]}.{version[1]} of the format is not known")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of headers that only old versions of Python wrote
        shape, by_columns, kind = readers[version](header)
    if kind.hasobject:
        raise DataError(
            f"The array {name or 'in it'} of {path} holds Python objects, which could run any "
            "program when they are read.",
            "numbers or texts",
            "Write it again with a dtype of its own, such as array.astype(str).",
        )
    if any(length < 0 for length in shape):
        raise ValueError("an axis has a length below 0")
    wanted = math.prod(shape) * kind.itemsize
    if header.tell() + wanted != size:
        raise ValueError(f"it holds {size - header.tell()} bytes where {wanted} are claimed")
    values = np.frombuffer(header.read() + stream.read(), kind, math.prod(shape))
    return values.reshape(shape, order="F" if by_columns else "C")
