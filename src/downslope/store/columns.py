"""Columns of numbers in a Parquet file, which every table tool opens."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from downslope.store.files import damaged


def encode_columns(columns: Mapping[str, np.ndarray]) -> bytes:
    """Named columns of numbers, of one length each, as the content of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    def column(values: np.ndarray) -> pyarrow.Array:
        # from the memory itself: asked what the values are, pyarrow would load pandas to find out
        values = np.ascontiguousarray(values)
        kind = pyarrow.from_numpy_dtype(values.dtype)
        return pyarrow.Array.from_buffers(kind, len(values), [None, pyarrow.py_buffer(values)])

    buffer = io.BytesIO()
    table = pyarrow.table({name: column(values) for name, values in columns.items()})
    pyarrow.parquet.write_table(table, buffer)
    return buffer.getvalue()


def decode_columns(content: bytes, path: Path) -> dict[str, np.ndarray]:
    """Named columns from the content of a file.

    Args:
        content: The content.
        path: Where it comes from, for the message.

    Raises:
        RunError: It is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        # read_table and to_numpy would load pandas
        table = pyarrow.parquet.ParquetFile(io.BytesIO(content)).read()
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        return {name: np.from_dlpack(one) for name, one in columns.items()}
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise damaged(path, str(error)) from error
