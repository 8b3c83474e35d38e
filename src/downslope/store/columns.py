"""Columns of numbers in a Parquet file, which every table tool opens."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from downslope.errors import RunError
from downslope.store.files import write_file


def write_columns(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Write named columns of one length each.

    Raises:
        StorageError: The disk or the folder refuses.
    """
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    table = pyarrow.table({name: np.asarray(values) for name, values in columns.items()})
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
        table = pyarrow.parquet.read_table(io.BytesIO(path.read_bytes()))
        return {name: table.column(name).to_numpy() for name in table.column_names}
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise RunError(
            f"{path} cannot be read ({error}).",
            "a Parquet file as written by a training",
            "Restore the file, or train again.",
        ) from error
