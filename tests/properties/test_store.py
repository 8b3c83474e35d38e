"""Whatever is written comes back as it was, bit for bit."""

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from downslope.storage.arrays import decode_arrays, encode_arrays, flatten, unflatten
from downslope.storage.columns import encode_columns

DTYPES = st.sampled_from([np.float32, np.float64, np.int32, np.int64, np.uint8])
COLUMN_DTYPES = st.sampled_from([np.float32, np.float64, np.int64])
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
NAMES = st.text("abcdefgh_0123456789", min_size=1, max_size=5)
NESTED = st.dictionaries(
    NAMES, st.recursive(ARRAYS, lambda inner: st.dictionaries(NAMES, inner, max_size=3))
)


def same(one, other) -> bool:
    """Whether two nestings hold the same names, dtypes, shapes and bits."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


@given(NESTED)
def test_nested_arrays_come_back(nested):
    content = encode_arrays(flatten(nested))
    assert same(unflatten(decode_arrays(content, Path("arrays")), nested), nested)


@given(st.data(), COLUMN_DTYPES, st.integers(0, 20), st.sets(NAMES, min_size=1))
def test_columns_are_read_by_others(data, dtype, length, names):
    columns = {name: data.draw(hnp.arrays(dtype, length)) for name in sorted(names)}
    table = pyarrow.parquet.read_table(io.BytesIO(encode_columns(columns)))
    assert same({name: table[name].to_numpy() for name in table.column_names}, columns)
