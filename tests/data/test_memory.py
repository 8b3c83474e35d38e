"""Arrays lie where the engine can use them without a copy."""

import jax
import numpy as np
import pytest

import downslope as ds
from downslope.data.memory import ALIGNMENT, aligned


def at(offset, shape, dtype=np.float32):
    """An array that begins `offset` bytes behind a multiple of the alignment."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    buffer = np.zeros(size + 2 * ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT + offset
    return buffer[start : start + size].view(dtype).reshape(shape)


@pytest.mark.parametrize("array", [at(0, (5, 3)), np.empty((0, 3), np.float32)])
def test_what_lies_well_is_left_alone(array):
    assert aligned(array) is array


@pytest.mark.parametrize(
    "array",
    [
        at(4, (5, 3)),
        at(0, (6, 4)).T,
        at(0, (6, 4))[::2],
        at(16, (), np.int32),
        np.array(["a", "bc"]),
    ],
)
def test_a_copy_has_the_same_numbers(array):
    array[...] = "a" if array.dtype.kind == "U" else np.arange(array.size).reshape(array.shape)
    copy = aligned(array)
    assert copy.ctypes.data % ALIGNMENT == 0
    assert copy.flags.c_contiguous
    assert (copy.shape, copy.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(copy, array)


def test_the_engine_uses_the_samples_where_they_are():
    samples = ds.Samples(at(16, (70, 3)), at(4, (70, 1)))
    for array in (samples.inputs, samples.targets):
        assert jax.device_put(array).unsafe_buffer_pointer() == array.ctypes.data
