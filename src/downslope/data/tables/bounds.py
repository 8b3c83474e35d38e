"""How much memory a table takes where each value stands by itself.

In Parquet and Arrow a value that repeats is written once, and pages and buffers are packed: a file
of a megabyte can hold a billion rows. What counts is rows times the bytes of a value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import compute

from downslope.data.limits import check_unpacked

pc: Any = compute  # whose functions are made when it is imported
_OFFSET = 8  # bytes for each text, besides its letters


def check_table(path: Path, table: pa.Table) -> None:
    """Check what the columns of a table take where each value stands by itself.

    Raises:
        DataError: It is more than they may.
    """
    wanted = 0
    for column in table.columns:
        for chunk in column.chunks:
            wanted += _alone(chunk)
    check_unpacked(path, wanted, "table")


def _alone(chunk: Any) -> int:
    """Bytes of an array whose repeated values each stand by themselves."""
    kind = chunk.type
    if pa.types.is_dictionary(kind) and is_text(kind.value_type):
        lengths = pc.cast(pc.binary_length(chunk.dictionary), pa.int64())
        found = pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0
        return found + _OFFSET * len(chunk)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        values = chunk.dictionary if pa.types.is_dictionary(kind) else chunk.values
        widest = values.nbytes if len(values) < 2 else max(8, 2 * values.nbytes // len(values))
        return widest * len(chunk)
    return chunk.nbytes


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts or bytes of any length."""
    types = pa.types
    return types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind)
