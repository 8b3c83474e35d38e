"""Columns of numbers in a Parquet file, which every table tool opens.

They are written plainly: uncompressed, each value at its full width, none missing. So a file of
somebody else's that claims more rows than its length can hold is refused before any is decoded;
a few bytes of a compressed page could become gigabytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from downslope.store.files import damaged

if TYPE_CHECKING:
    import pyarrow.parquet

WIDTHS = {"INT64": 8, "FLOAT": 4, "DOUBLE": 8}  # bytes of a value
MOST_COLUMNS = 64
MOST_FOOTER = 1 << 16  # bytes: what it says takes many times as much once it is read
MOST_LISTED, MOST_TEXT = 1000, 1 << 12  # in the footer: parts of a list, bytes of a text
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
    import pyarrow
    import pyarrow.parquet

    try:
        if int.from_bytes(content[-8:-4], "little") > MOST_FOOTER:
            raise ValueError("its end is too long")
        file = pyarrow.parquet.ParquetFile(
            pyarrow.BufferReader(content),
            thrift_string_size_limit=MOST_TEXT,
            thrift_container_size_limit=MOST_LISTED,
        )
        _check_footer(file.metadata, len(content))
        # read_table and to_numpy would load pandas
        table = file.read(use_threads=False)
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        return {name: np.from_dlpack(one) for name, one in columns.items()}
    except (OSError, ValueError, KeyError, BufferError, pyarrow.ArrowException) as error:
        raise damaged(path, str(error)) from error


def _check_footer(footer: pyarrow.parquet.FileMetaData, size: int) -> None:
    """Check what a file of `size` bytes says of itself, before more of it is read.

    Raises:
        ValueError: It is not as `encode_columns` writes.
    """
    if footer.metadata is not None:
        raise ValueError("it holds more than columns")
    if footer.num_columns > MOST_COLUMNS:
        raise ValueError(f"it has {footer.num_columns} columns")
    columns = [footer.schema.column(place) for place in range(footer.num_columns)]
    for one in columns:
        if one.path != one.name or one.max_definition_level or one.max_repetition_level:
            raise ValueError(f"the column {one.name[:40]!r} has gaps or columns of its own")
        if one.physical_type not in WIDTHS or one.logical_type.type != "NONE":
            kind = f"{one.physical_type}, {one.logical_type.type}"
            raise ValueError(f"the column {one.name[:40]!r} is of the type {kind}")
    if len({one.name for one in columns}) != len(columns):
        raise ValueError("two columns have one name")
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    width = sum(WIDTHS[one.physical_type] for one in columns)
    rows = [group.num_rows for group in groups]
    if min(rows, default=0) < 0 or sum(rows) != footer.num_rows or sum(rows) * width > size:
        raise ValueError(f"it claims {footer.num_rows:,} rows of {width} bytes, having {size:,}")
    for group in groups:
        for place, one in enumerate(columns):
            _check_chunk(group.column(place), group.num_rows, WIDTHS[one.physical_type], size)


def _check_chunk(chunk: Any, rows: int, width: int, size: int) -> None:
    """Check one column of some rows."""
    if chunk.compression != "UNCOMPRESSED" or not {*chunk.encodings} <= {"PLAIN", "RLE"}:
        raise ValueError("its columns are not written plainly")
    if chunk.file_path or chunk.has_dictionary_page:
        raise ValueError("its columns lie in another place")
    if chunk.num_values != rows or not rows * width <= chunk.total_compressed_size <= size:
        raise ValueError("its columns have another length than it claims")
