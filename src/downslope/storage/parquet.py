"""Reading the plainest kind of Parquet file: numbers at their full width, none missing.

It is the kind that `columns` writes, and nothing else is taken: a few bytes of a compressed page
could become gigabytes. Not by pyarrow, which ends the whole process on some broken footers; here
each length is compared with what is there, and nothing is made that the file does not hold.

Source: Apache Parquet, File format; Apache Thrift, Compact protocol encoding (both 2013 and on).
"""

from __future__ import annotations

from typing import Any

import numpy as np

MAGIC = b"PAR1"
KINDS = {2: np.dtype("<i8"), 4: np.dtype("<f4"), 5: np.dtype("<f8")}  # by Parquet's numbers
MOST_COLUMNS = 64
MOST_FOOTER, MOST_HEAD = 1 << 16, 1 << 12  # bytes: what they say takes many times as much once read
DEEPEST = 8

Record = dict[int, Any]  # a struct of Thrift: the numbers of its fields, and their values


class _Thrift:
    """Thrift's compact protocol.

    Args:
        content: What is read.

    Attributes:
        place: How many bytes of it were read.
    """

    def __init__(self, content: bytes | memoryview) -> None:
        self.content, self.place = content, 0

    def byte(self) -> int:
        """One byte."""
        if not 0 <= self.place < len(self.content):
            raise ValueError("it ends too early")
        self.place += 1
        return self.content[self.place - 1]

    def number(self) -> int:
        """A whole number in as many bytes as it needs, at most 10."""
        found = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
        raise ValueError("a number in it is too long")

    def signed(self) -> int:
        """A whole number of either sign: 0, -1, 1, -2 are written as 0, 1, 2, 3."""
        found = self.number()
        return (found >> 1) ^ -(found & 1)

    def text(self, length: int) -> bytes:
        """So many bytes."""
        if length > len(self.content) - self.place:
            raise ValueError("it ends too early")
        self.place += length
        return bytes(self.content[self.place - length : self.place])

    def record(self, depth: int = 0) -> Record:
        """A struct."""
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        found: Record = {}
        field = 0
        while head := self.byte():
            field = field + (head >> 4) if head >> 4 else self.signed()
            if field in found:
                raise ValueError("it says something twice")
            kind = head & 0x0F
            found[field] = kind == 1 if kind in (1, 2) else self.value(kind, depth)
        return found

    def value(self, kind: int, depth: int) -> Any:
        """A value of one of Thrift's kinds."""
        if kind in (1, 2, 3):  # a truth in a list, or a small number
            return self.byte()
        if kind in (4, 5, 6):
            return self.signed()
        if kind == 7:
            return self.text(8)
        if kind == 8:
            return self.text(self.number())
        if kind == 9:
            head = self.byte()
            length = head >> 4 if head >> 4 < 15 else self.number()
            if length > len(self.content):
                raise ValueError("it ends too early")
            return [self.value(head & 0x0F, depth + 1) for _ in range(length)]
        if kind == 12:
            return self.record(depth + 1)
        raise ValueError("it holds a value of no known kind")


def read_plain(content: bytes) -> dict[str, np.ndarray]:
    """Named columns of int64, float32 or float64 from the content of a file.

    Raises:
        ValueError: It is no such file, or claims what it does not hold.
    """
    if len(content) < 12 or content[:4] != MAGIC or content[-4:] != MAGIC:
        raise ValueError("it is no Parquet file")
    length = int.from_bytes(content[-8:-4], "little")
    if length > min(MOST_FOOTER, len(content) - 12):
        raise ValueError("its footer is too long")
    footer = _Thrift(content[-8 - length : -8]).record()
    if not footer.keys() <= {1, 2, 3, 4, 6, 7}:
        raise ValueError("it holds more than columns")
    names, kinds = _schema(_of(footer, 2, list))
    groups = _records(_of(footer, 4, list))
    rows = [_of(group, 3, int) for group in groups]
    width = sum(kind.itemsize for kind in kinds)
    if min(rows, default=0) < 0 or sum(rows) != _of(footer, 3, int):
        raise ValueError("its parts have other lengths")
    if sum(rows) * width > len(content):
        raise ValueError(f"it claims {sum(rows):,} rows, and has {len(content):,} bytes")
    pages = memoryview(content)[: -8 - length]
    pieces: list[list[np.ndarray]] = [[np.empty(0, kind)] for kind in kinds]
    for group, count in zip(groups, rows, strict=True):
        chunks = _records(_of(group, 1, list))
        if len(chunks) != len(names):
            raise ValueError("a part of it has other columns")
        for place, chunk in enumerate(chunks):
            start = _start(chunk, names[place], kinds[place], count)
            pieces[place] += _pages(pages, start, kinds[place], count)
    arrays = [np.concatenate(own).astype(own[0].dtype.newbyteorder("="), copy=False)
              for own in pieces]  # fmt: skip
    return dict(zip(names, arrays, strict=True))


def _schema(elements: list[Any]) -> tuple[list[str], list[np.dtype]]:
    """The columns' names and types."""
    root, *columns = _records(elements) or [{}]
    if root.get(5) != len(columns) or len(columns) > MOST_COLUMNS:
        raise ValueError(f"it has {len(columns)} columns")
    names, kinds = [], []
    for one in columns:
        name = _of(one, 4, bytes).decode("utf-8")
        is_plain = one.get(3) == 0 and not one.keys() & {2, 5, 6, 7, 8, 10}
        if not is_plain or one.get(1) not in KINDS:
            raise ValueError(f"the column {name[:40]!r} holds something else than plain numbers")
        names.append(name)
        kinds.append(KINDS[one[1]])
    if len({*names}) != len(names):
        raise ValueError("two columns have one name")
    return names, kinds


def _start(chunk: Record, name: str, kind: np.dtype, rows: int) -> int:
    """Where the pages of a column begin."""
    known = _of(chunk, 3, dict)
    is_plain = known.get(4) == 0 and not {1, 4, 5, 6, 7, 8, 9} & chunk.keys() and 11 not in known
    if not is_plain:
        raise ValueError(f"the column {name[:40]!r} is not written plainly")
    is_own = known.get(3) == [name.encode()] and KINDS.get(known.get(1, 0)) == kind
    if not is_own or known.get(5) != rows:
        raise ValueError(f"the column {name[:40]!r} is another than its place tells")
    return _of(known, 9, int)


def _pages(content: memoryview, place: int, kind: np.dtype, rows: int) -> list[np.ndarray]:
    """The numbers of a column's pages, as they lie in the file."""
    found = []
    while rows:
        head = _Thrift(content[max(0, place) : max(0, place) + MOST_HEAD])
        page = head.record()
        own = _of(page, 5, dict)
        count, size = _of(own, 1, int), _of(page, 3, int)
        if page.get(1) != 0 or own.get(2) != 0 or page.get(2) != size:
            raise ValueError("a page of it is not written plainly")
        if not 0 < count <= rows or size != count * kind.itemsize:
            raise ValueError("a page of it has another length than it claims")
        place = max(0, place) + head.place
        if place + size > len(content):
            raise ValueError("it ends too early")
        found.append(np.frombuffer(content, kind, count, place))
        place, rows = place + size, rows - count
    return found


def _of(record: Record, field: int, kind: type) -> Any:
    """A field that has to be there."""
    found = record.get(field)
    if not isinstance(found, kind):
        raise ValueError("it does not say what it has to")
    return found


def _records(values: list[Any]) -> list[Record]:
    if not all(isinstance(one, dict) for one in values):
        raise ValueError("it does not say what it has to")
    return values
