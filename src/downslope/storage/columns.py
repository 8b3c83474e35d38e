"""Columns of numbers as a Parquet file, for every program that opens tables.

Downslope writes it and never reads it back: a few bytes of a stranger's compressed page could
become gigabytes, and pyarrow ends the process on some broken footers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

LARGEST_GROUP = 1 << 26  # rows that are described together: the most that pyarrow takes


def encode_columns(columns: Mapping[str, np.ndarray]) -> bytes:
    """Named columns of int64, float32 or float64, one length each, as a Parquet file's content."""
    import pyarrow
    import pyarrow.parquet

    def column(values: np.ndarray) -> pyarrow.Array:
        # from the memory itself: asked what the values are, pyarrow would load pandas to find out
        values = np.ascontiguousarray(values)
        kind = pyarrow.from_numpy_dtype(values.dtype)
        return pyarrow.Array.from_buffers(kind, len(values), [None, pyarrow.py_buffer(values)])

    arrays = {name: column(values) for name, values in columns.items()}
    fields = [pyarrow.field(name, one.type, nullable=False) for name, one in arrays.items()]
    table = pyarrow.table(list(arrays.values()), schema=pyarrow.schema(fields))
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(
        table,
        buffer,
        row_group_size=LARGEST_GROUP,
        compression="none",
        use_dictionary=False,
        store_schema=False,
        data_page_version="1.0",
    )
    return buffer.getvalue()
