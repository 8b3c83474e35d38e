"""Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from downslope.data.limits import check_unpacked, most_bytes_unpacked
from downslope.data.readers.formats import TableFormat

if TYPE_CHECKING:
    import pyarrow as pa

OFFSET = 8  # bytes for each text, besides its letters
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file, unless it takes too much memory.

    Raises:
        DataError: It does.
        pyarrow.ArrowException: It cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet

    from downslope.data.tables.bounds import check_table, is_text

    with pyarrow.parquet.ParquetFile(path) as file:
        wanted, letters = _in_parquet(file.metadata)
        check_unpacked(path, wanted, "table")
        if letters <= most_bytes_unpacked():
            return file.read()
        texts = [one.name for one in file.schema_arrow if is_text(one.type)]
    # repeated texts are held once, until it is known how long they are together
    with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
        table = file.read()
    check_table(path, table)
    columns = [
        one.cast(one.type.value_type) if name in texts and pa.types.is_dictionary(one.type) else one
        for name, one in zip(table.column_names, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=_plain_schema(table.schema, columns))


def _plain_schema(schema: pa.Schema, columns: list[pa.ChunkedArray]) -> pa.Schema:
    import pyarrow as pa

    fields = [field.with_type(one.type) for field, one in zip(schema, columns, strict=True)]
    return pa.schema(fields, metadata=schema.metadata)


def _in_parquet(metadata: Any) -> tuple[int, int]:
    """Bytes of all values but the letters of texts; and the letters that there can be at most."""
    wanted = letters = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            width = _WIDTHS.get(chunk.physical_type, OFFSET)
            if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":
                width = max(1, metadata.schema.column(column).length)
            wanted += chunk.num_values * width
            if chunk.physical_type == "BYTE_ARRAY":
                wanted += chunk.total_uncompressed_size
                letters += chunk.num_values * chunk.total_uncompressed_size
    return wanted, letters


FORMAT = TableFormat("Parquet", (".parquet", ".pq"), read_parquet)
