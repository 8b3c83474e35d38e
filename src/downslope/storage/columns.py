"""Columns of numbers in a Parquet file, which every table tool opens.

They are written plainly: uncompressed, each value at its full width, none missing; `parquet` says
why, and reads them.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from downslope.storage.files import damaged
from downslope.storage.parquet import read_plain

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


def decode_columns(content: bytes, path: Path) -> dict[str, np.ndarray]:
    """Named columns from the content of a file.

    Args:
        content: The content.
        path: Where it comes from, for the message.

    Raises:
        RunError: It is damaged, or not as `encode_columns` writes.
    """
    try:
        return read_plain(content)
    except ValueError as error:
        raise damaged(path, str(error)) from error
