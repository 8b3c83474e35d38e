"""Tables from memory: frames of other libraries, by the protocols that they share."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from downslope.errors import DataError


def is_frame(value: Any) -> bool:
    """Whether `table_from` may know what to do with it."""
    return isinstance(value, pa.Table) or any(
        hasattr(value, name) for name in ("__arrow_c_stream__", "__dataframe__")
    )


def table_from(frame: Any) -> pa.Table:
    """An Arrow table with the columns of a frame of pandas, polars or another library.

    Raises:
        DataError: It is no frame, or holds something that has no place in a table.
    """
    if isinstance(frame, pa.Table):
        return frame
    try:
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
        if hasattr(frame, "__dataframe__"):
            from pyarrow.interchange import from_dataframe

            return from_dataframe(frame)
    except (pa.ArrowException, NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError(
            f"The frame cannot be read: {' '.join(str(error).split())[:200]}.",
            "columns of numbers, texts, dates or yes and no",
            "Convert the column, or leave it out.",
        ) from error
    raise DataError(
        f"The source is of type {type(frame).__name__}.",
        "a name, a path, or a frame of pandas, polars or Arrow",
        "Give one of these, or make a Dataset of your arrays.",
    )
