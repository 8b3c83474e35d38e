"""Where arrays lie in memory."""

from __future__ import annotations

import numpy as np

ALIGNMENT = 64  # bytes: what the engine asks of memory that it shall use as it is


def aligned(array: np.ndarray) -> np.ndarray:
    """The array itself if it lies where the engine can use it without a copy, else a copy there.

    So a data set is held once, however often it is trained on.

    Args:
        array: Of any shape and type.
    """
    lies_well = array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0
    if lies_well or not array.size:
        return array
    buffer = np.empty(array.nbytes + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    copy = buffer[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy
