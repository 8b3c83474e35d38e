"""How much memory a table takes, found out before it is unpacked.

In Parquet and Arrow a value that repeats is written once, and pages and buffers are packed: a file
of a megabyte can hold a billion rows. What counts is rows times the bytes of a value.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from pyarrow import compute

from downslope.data.limits import check_unpacked, most_bytes_unpacked

pc: Any = compute  # whose functions are made when it is imported
TEXT_RATIO = 20  # a packed text may unpack to so many times its own size
TEXT_COST = 6  # bytes in memory for each byte of a text while it is read
_CHUNK = 1 << 20
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_OFFSET = 8  # bytes for each text, besides its letters


def unpacked_text(path: Path, raw: bytes) -> bytes:
    """The content of a gzipped text, all of its members.

    Args:
        path: What messages call it.
        raw: The bytes of the file.

    Raises:
        DataError: It unpacks to more than it may.
        EOFError: It ends too early.
        zlib.error: It is damaged.
    """
    most = max(most_bytes_unpacked() // TEXT_COST, TEXT_RATIO * len(raw))
    pieces, size = [], 0
    while raw:
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            piece = unpacker.decompress(raw, min(_CHUNK, most + 1 - size))
            raw = unpacker.unconsumed_tail
            size += len(piece)
            pieces.append(piece)
            if size > most:
                check_unpacked(path, max(size, most) * TEXT_COST, "table", ratio=0)
            if not piece and not raw and not unpacker.eof:
                raise EOFError("its compressed data end too early")
        raw = unpacker.unused_data.lstrip(b"\0")  # packers may pad the end of a file
    return b"".join(pieces)


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file, unless it takes too much memory.

    Raises:
        DataError: It does.
        pyarrow.ArrowException: It cannot be read.
    """
    with pyarrow.parquet.ParquetFile(path) as file:
        wanted, letters = _in_parquet(file.metadata)
        check_unpacked(path, wanted, "table")
        if letters <= most_bytes_unpacked():
            return file.read()
        texts = [one.name for one in file.schema_arrow if _is_text(one.type)]
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
    fields = [field.with_type(one.type) for field, one in zip(schema, columns, strict=True)]
    return pa.schema(fields, metadata=schema.metadata)


def _in_parquet(metadata: Any) -> tuple[int, int]:
    """Bytes of all values but the letters of texts; and the letters that there can be at most."""
    wanted = letters = 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            width = _WIDTHS.get(chunk.physical_type, _OFFSET)
            if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":
                width = max(1, metadata.schema.column(column).length)
            wanted += chunk.num_values * width
            if chunk.physical_type == "BYTE_ARRAY":
                wanted += chunk.total_uncompressed_size
                letters += chunk.num_values * chunk.total_uncompressed_size
    return wanted, letters


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return types.is_string(kind) or types.is_binary(kind) or types.is_large_string(kind)


def read_arrow(path: Path) -> pa.Table:
    """Read an Arrow file, unless it takes too much memory.

    Raises:
        DataError: It does.
        pyarrow.ArrowException: It cannot be read.
    """
    check_unpacked(path, sum(_packed_buffers(path)), "table")
    table = pyarrow.feather.read_table(path)
    check_table(path, table)
    return table


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
    if pa.types.is_dictionary(kind) and _is_text(kind.value_type):
        lengths = pc.cast(pc.binary_length(chunk.dictionary), pa.int64())
        found = pc.sum(pc.take(lengths, chunk.indices)).as_py() or 0
        return found + _OFFSET * len(chunk)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        values = chunk.dictionary if pa.types.is_dictionary(kind) else chunk.values
        widest = values.nbytes if len(values) < 2 else max(8, 2 * values.nbytes // len(values))
        return widest * len(chunk)
    return chunk.nbytes


def _packed_buffers(path: Path) -> Iterator[int]:
    """How large the packed buffers of an Arrow file say that they are, unpacked."""
    with pa.memory_map(str(path)) as source:
        if bytes(source.read(6)) != b"ARROW1":  # an older form, which packs with a type of its own
            return
        source.seek(8)
        while True:
            try:
                message = pa.ipc.read_message(source)
            except (EOFError, OSError, pa.ArrowException):  # the end, or what reading it will tell
                return
            if message.body is None or message.type not in ("record batch", "dictionary"):
                continue
            for start, length in _spans(message.metadata.to_pybytes(), message.type):
                if length >= 8 and start + 8 <= message.body.size:
                    head = message.body.slice(start, 8).to_pybytes()
                    yield max(0, struct.unpack("<q", head)[0])  # -1 where a buffer is not packed


def _spans(metadata: bytes, kind: str) -> list[tuple[int, int]]:
    """Start and length of each buffer of a batch whose buffers are packed.

    The layout is that of FlatBuffers: tables whose fields are found through a list of offsets.
    Source: the Apache Arrow columnar format, Message.fbs.
    """
    try:
        batch = _field(metadata, struct.unpack_from("<I", metadata)[0], 2)
        if kind == "dictionary":
            batch = _field(metadata, batch, 1)
        if batch is None or _field(metadata, batch, 3) is None:  # not packed
            return []
        vector = _field(metadata, batch, 2)
        count = struct.unpack_from("<I", metadata, vector)[0]
        return [struct.unpack_from("<qq", metadata, vector + 4 + 16 * n) for n in range(count)]
    except (struct.error, TypeError):  # what reading it will tell
        return []


def _field(data: bytes, table: Any, number: int) -> Any:
    """Where the table or vector is that a field of a table leads to; None without such a field."""
    fields = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", data, fields)[0]:
        return None
    offset = struct.unpack_from("<H", data, fields + 4 + 2 * number)[0]
    if not offset:
        return None
    return table + offset + struct.unpack_from("<I", data, table + offset)[0]
