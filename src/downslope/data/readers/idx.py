"""IDX files, the format of MNIST, and folders that hold the four files of such a set.

The format: two zero bytes, a byte for the type (8 is unsigned bytes), a byte for the number of
axes, the length of each axis as a big-endian 32-bit integer, then the values, last axis fastest.
Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from downslope.data.dataset import Samples
from downslope.data.limits import check_unpacked
from downslope.data.unsplit import Unsplit
from downslope.errors import DataError

MOST_AXES = 8  # images have 3, and NumPy has no more than 64
_PARTS = ("train", "t10k")
_KINDS = {"images": 3, "labels": 1}


def read_idx(path: str | Path) -> np.ndarray:
    """Read one IDX file of unsigned bytes, gzipped or not.

    The sizes in the header are checked before anything is allocated, so a forged header cannot
    claim memory that the file does not fill.

    Returns:
        uint8, of the shape that the header states.

    Raises:
        DataError: The file cannot be read, is not IDX, is cut off, goes on after its end, or
            unpacks to more than it may.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            gzipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not gzipped:
                return _parse(raw, path)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _parse(stream, path)
    except (OSError, EOFError, zlib.error) as problem:
        reason = getattr(problem, "strerror", None) or "its compressed data are broken"
        raise DataError(
            f"The file {path} cannot be read: {reason}.",
            "an IDX file, gzipped or not",
            "Check the file, or download it again.",
        ) from None


def _parse(stream: BinaryIO | gzip.GzipFile, path: Path) -> np.ndarray:
    start = stream.read(4)
    if len(start) < 4 or start[:3] != b"\0\0\x08" or start[3] == 0:
        raise DataError(
            f"The file {path} begins with the bytes {start.hex(' ') or '(none)'}.",
            "00 00 08 and the number of axes, as in an IDX file of unsigned bytes",
            "Check that it is an IDX file; other types of values are not read.",
        )
    if start[3] > MOST_AXES:
        raise DataError(
            f"The file {path} claims {start[3]} axes.",
            f"at most {MOST_AXES}; images have 3",
            "Download or write it again.",
        )
    lengths = stream.read(4 * start[3])
    if len(lengths) < 4 * start[3]:
        raise _wrong_size(path, "ends inside its header")
    shape = struct.unpack(f">{start[3]}I", lengths)
    size = math.prod(shape)
    check_unpacked(path, size)
    values = stream.read(size)
    if len(values) < size:
        raise _wrong_size(path, f"holds {len(values)} of the {size} values that it claims")
    if stream.read(1):
        raise _wrong_size(path, f"goes on after the {size} values that it claims")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _wrong_size(path: Path, what: str) -> DataError:
    return DataError(
        f"The file {path} {what}.",
        "as many values as its header states",
        "Download or write it again.",
    )


def holds_idx(folder: Path) -> bool:
    """Say whether a folder holds any of the four files of an MNIST-style set."""
    return any(_find(folder, part, kind) for part in _PARTS for kind in _KINDS)


def read_idx_folder(folder: Path) -> Unsplit:
    """Read an MNIST-style folder.

    It holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, each with or without `.gz`, and with `-` or `.` before `idx`. The
    t10k part is the test part. A folder with only one of the two parts is read too.

    Raises:
        DataError: A file is missing or broken, or two files do not fit each other.
    """
    read = [_read_part(folder, part) for part in _PARTS]
    found = [part for part in read if part is not None]
    samples, test = found[0], found[1] if len(found) == 2 else None
    if test is not None and test.inputs.shape[1:] != samples.inputs.shape[1:]:
        raise DataError(
            f"In {folder} the training images are {_sides(samples)} pixels and the test images "
            f"{_sides(test)}.",
            "images of one size",
            "Keep the files of one data set together.",
        )
    classes = 1 + max(int(part.targets.max()) for part in found)
    return Unsplit(
        name=folder.name,
        task="classification",
        samples=samples,
        test=test,
        per="all",
        class_names=tuple(str(number) for number in range(classes)),
        source=str(folder),
    )


def _sides(part: Samples) -> str:
    return f"{part.inputs.shape[2]} by {part.inputs.shape[1]}"


def _read_part(folder: Path, part: str) -> Samples | None:
    """Read the images and labels of one part; None where the folder has neither."""
    paths = {kind: _find(folder, part, kind) for kind in _KINDS}
    if not any(paths.values()):
        return None
    arrays = {}
    for kind, path in paths.items():
        if path is None:
            other = next(path.name for path in paths.values() if path is not None)
            raise DataError(
                f"In {folder} there is {other}, and no {part} {kind}.",
                f"a file {part}-{kind}-idx{_KINDS[kind]}-ubyte, gzipped or not",
                "Put both files into the folder.",
            )
        arrays[kind] = read_idx(path)
        if arrays[kind].ndim != _KINDS[kind] or not arrays[kind].size:
            raise DataError(
                f"The file {path} holds an array of shape {arrays[kind].shape}.",
                f"{kind} with {_KINDS[kind]} axes and at least one value",
                "Check that the file has the right name.",
            )
    images, labels = arrays["images"], arrays["labels"]
    if len(images) != len(labels):
        raise DataError(
            f"In {folder} the {part} part has {len(images)} images and {len(labels)} labels.",
            "one label for each image",
            "Keep the files of one data set together.",
        )
    return Samples(images[..., None], labels.astype(np.int32))


def _find(folder: Path, part: str, kind: str) -> Path | None:
    names = (f"{part}-{kind}{dot}idx{_KINDS[kind]}-ubyte" for dot in "-.")
    paths = (folder / (name + suffix) for name in names for suffix in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)
