"""Arrow files, which are also called Feather."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from downslope.data.limits import check_unpacked
from downslope.data.readers.formats import TableFormat

if TYPE_CHECKING:
    import pyarrow as pa


def read_arrow(path: Path) -> pa.Table:
    """Read an Arrow file, unless it takes too much memory.

    Raises:
        DataError: It does.
        pyarrow.ArrowException: It cannot be read.
    """
    import pyarrow.feather

    from downslope.data.tables.bounds import check_table

    check_unpacked(path, sum(_packed_buffers(path)), "table")
    table = pyarrow.feather.read_table(path)
    check_table(path, table)
    return table


def _packed_buffers(path: Path) -> Iterator[int]:
    """How large the packed buffers of an Arrow file say that they are, unpacked."""
    import pyarrow as pa

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


FORMAT = TableFormat("Arrow", (".arrow", ".feather", ".ipc"), read_arrow)
