"""Columns of numbers in a Parquet file, which every table tool opens."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from downslope.errors import RunError
from downslope.store.files import write_file


def write_columns(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Write named columns of numbers, of one length each.

    Raises:
        StorageError: The disk or the folder refuses.
    """
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
    write_file(path, buffer.getvalue())


def read_columns(path: Path) -> dict[str, np.ndarray]:
    """Read named columns.

    Raises:
        RunError: The file is missing or damaged.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        # read_table and to_numpy would load pandas
        table = pyarrow.parquet.ParquetFile(io.BytesIO(path.read_bytes())).read()
        columns = {name: table.column(name).combine_chunks() for name in table.column_names}
        return {name: np.from_dlpack(one) for name, one in columns.items()}
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise RunError(
            f"{path} cannot be read ({error}).",
            "a Parquet file as written by a training",
            "Restore the file, or train again.",
        ) from error
