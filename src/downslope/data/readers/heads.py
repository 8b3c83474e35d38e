"""The positions of heads, from the MATLAB files of ShanghaiTech and Mall."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from downslope.data.limits import check_unpacked
from downslope.errors import DataError, DownslopeError

_PACKED = 15
_CHUNK = 1 << 20
LARGEST = 64 * 2**20  # bytes of a label file: 500 times that of Mall


def read_shanghaitech_heads(path: Path) -> np.ndarray:
    """Read the heads of one photo from `image_info{1,1}.location`.

    Returns:
        float64 of shape (K, 2): the (x, y) of each head, in pixels of the photo on disk.

    Raises:
        DataError: The file cannot be read, or holds something else.
    """
    info = _variable(path, "image_info")
    try:
        entry = info[0, 0] if info.dtype.names is None else info  # a struct without a cell
        return _points(entry["location"][0, 0])
    except (IndexError, KeyError, TypeError, ValueError):
        raise _unexpected(path, "image_info{1,1} with the positions of the heads") from None


def read_mall_heads(path: Path) -> list[np.ndarray]:
    """Read the heads of each frame from `frame{1,n}.loc`.

    Returns:
        For each frame float64 of shape (K, 2): the (x, y) of each head, in pixels of the frame.

    Raises:
        DataError: The file cannot be read, or holds something else.
    """
    frames = _variable(path, "frame")
    try:
        if frames.ndim != 2 or frames.shape[0] != 1:
            raise ValueError
        return [_points(frames[0, number][0, 0][0]) for number in range(frames.shape[1])]
    except (IndexError, KeyError, TypeError, ValueError):
        raise _unexpected(path, "frame{1,n} with the positions of the heads") from None


def _variable(path: Path, name: str) -> Any:
    from scipy.io import loadmat

    try:
        if path.stat().st_size > LARGEST:
            raise ValueError
        _check_unpacked(path, path.read_bytes())
        found = loadmat(path, variable_names=[name])
    except DownslopeError:
        raise
    except Exception:  # scipy raises many kinds for broken files
        raise DataError(
            f"The label file {path} cannot be read.",
            f"a MATLAB file of version 4 to 7.2, at most {LARGEST // 2**20} MiB",
            "Download it again, or save it from MATLAB with -v7.",
        ) from None
    if name not in found:
        raise _unexpected(path, f"a variable {name}")
    return found[name]


def _check_unpacked(path: Path, raw: bytes) -> None:
    """Check how large the variables of a file are, each of which is packed by itself.

    The layout is that of MAT-files of level 5: after 128 bytes a type and a length for each
    variable; type 15 is a packed one.

    Raises:
        DataError: They take more than they may.
    """
    order = {b"IM": "<", b"MI": ">"}.get(raw[126:128])
    start, size = 128, 0
    while order is not None and start + 8 <= len(raw):
        kind, length = struct.unpack_from(f"{order}II", raw, start)
        if kind == _PACKED:
            packed, unpacker = raw[start + 8 : start + 8 + length], zlib.decompressobj()
            while packed and not unpacker.eof:
                size += len(unpacker.decompress(packed, _CHUNK))
                packed = unpacker.unconsumed_tail
                check_unpacked(path, size, "label file")
        start += 8 + length


def _points(values: Any) -> np.ndarray:
    points = np.asarray(values)
    if points.dtype.kind not in "iuf":
        raise TypeError
    if points.size == 0:  # MATLAB writes nobody as 0 by 0
        return np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError
    return points.astype(np.float64)


def _unexpected(path: Path, expected: str) -> DataError:
    return DataError(
        f"The label file {path} holds something else than head positions.",
        expected,
        "Check that it belongs to this data set.",
    )
