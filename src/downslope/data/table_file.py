"""Tables from files: CSV and its relatives, Parquet, Arrow. Columns come out named.

What a text file does not say (how its letters are encoded, what parts its columns, whether its
first line names them) is found out from its beginning. Its cells stay texts, exactly as they are
written: what a column is, is decided later, and once (`kinds.decide`).
"""

from __future__ import annotations

import csv
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
from pyarrow import compute

from downslope.data.file_names import ARROW, PARQUET, ending
from downslope.data.frames import plain_table, refuse_same_names
from downslope.data.kinds import WRITTEN
from downslope.errors import DataError

pc: Any = compute  # whose functions are made when it is imported
LARGEST = 2**31  # bytes of text
_BLOCK = 2**28  # bytes: a row must fit into it
_DELIMITERS = ",;\t|"
_SAMPLE = 1 << 16  # bytes of the beginning from which the layout is found


class Layout(NamedTuple):
    """How a text file is to be read."""

    delimiter: str
    has_names: bool


def read_table(path: Path) -> pa.Table:
    """Read a table.

    Args:
        path: A text file with columns parted by a comma, semicolon, tab or bar, gzipped or not;
            a Parquet file; or an Arrow file.

    Returns:
        Columns with names of their own; a text file without a line of names gets `column 1`, ...
        Those of a text file are texts (see `kinds.is_written`), null where a cell is empty.

    Raises:
        DataError: The file cannot be read as a table with at least one row.
    """
    kind = ending(path)
    try:
        if kind in PARQUET:
            with pyarrow.parquet.ParquetFile(path) as file:
                table = file.read()
        elif kind in ARROW:
            table = pyarrow.feather.read_table(path)
        else:
            return _checked(path, _read_text(path, path.read_bytes()))
        table.validate(
            full=True
        )  # what a forged file says of its own lengths is believed elsewhere
    except DataError:
        raise
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException, ValueError) as problem:
        raise _unreadable(path, problem) from problem
    return plain_table(_checked(path, table), str(path))


def read_table_text(raw: bytes, path: Path) -> pa.Table:
    """Read a table from the bytes of a text file.

    Args:
        raw: The bytes, gzipped or not.
        path: What messages call it.

    Raises:
        DataError: As for `read_table`.
    """
    try:
        return _checked(path, _read_text(path, raw))
    except (EOFError, zlib.error, csv.Error, pa.ArrowException, ValueError) as problem:
        raise _unreadable(path, problem) from problem


def _unreadable(path: Path, problem: Exception) -> DataError:
    reason = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:200]
    return DataError(
        f"The table {path} cannot be read: {reason.rstrip('.') or type(problem).__name__}.",
        "a whole CSV, Parquet or Arrow file",
        "Check the file, or write it again.",
    )


def _checked(path: Path, table: pa.Table) -> pa.Table:
    refuse_same_names(table.column_names, str(path))
    if not table.num_rows or not table.num_columns:
        raise _no_rows(path)
    return table


def _no_rows(path: Path) -> DataError:
    return DataError(f"{path} has no rows.", "a table with one row per sample", "Add rows.")


def _read_text(path: Path, raw: bytes) -> pa.Table:
    text = _decoded(_unpacked(path, raw))
    if not text.strip():
        raise DataError(f"{path} is empty.", "a table with one row per sample", "Add rows.")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"Line {line} of {path} holds a zero byte.",
            "text",
            "Save the table as CSV again, encoded as UTF-8.",
        )
    body = text.lstrip("\r\n")
    layout = _layout(body, tabs=ending(path) in (".tsv", ".tab"))
    names, rows = _names(body, layout)
    if not rows or (len(names) > 1 and not rows.strip()):
        raise _no_rows(path)
    above = len(text[: len(text) - len(rows)].splitlines())
    if '"' in rows:
        _check_quotes(path, rows, layout, len(names), above)
    ragged: list[int] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row.actual_columns)
        return "skip"  # told below, where all of it can be said

    content = rows.encode()
    table = pyarrow.csv.read_csv(
        io.BytesIO(content),
        read_options=pyarrow.csv.ReadOptions(
            column_names=names, use_threads=False, block_size=min(len(content) + 1, _BLOCK)
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=layout.delimiter,
            newlines_in_values=True,
            invalid_row_handler=note,
            ignore_empty_lines=len(names) > 1,  # of one column, an empty line is an empty cell
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=False
        ),
    )
    if ragged:
        line = _ragged_line(rows, layout, len(names))
        raise DataError(
            f"{'A line' if line is None else f'Line {above + line}'} of {path} has {ragged[0]} "
            f"value{'' if ragged[0] == 1 else 's'}, and there are {len(names)} columns.",
            "as many values in each line as there are columns",
            "Correct the line, or leave it out; put quotation marks around a value with a "
            "delimiter in it.",
        )
    if len(set(names)) < len(names):
        return table  # which is refused
    columns = [_without_empty(column) for column in table.columns]
    fields = [pa.field(name, pa.string(), metadata=WRITTEN) for name in names]
    return pa.table(columns, schema=pa.schema(fields))


def _without_empty(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    is_empty = pc.equal(pc.utf8_trim_whitespace(cells), "")
    return pc.if_else(is_empty, pa.scalar(None, pa.string()), cells)


def _check_quotes(path: Path, rows: str, layout: Layout, width: int, above: int) -> None:
    """Check that no quotation mark swallows rows.

    A value may go on over several lines. If it ends within a value, or if a line inside it looks
    like a row, then a quotation mark is missing, and the rows between would be lost.

    Args:
        path: What messages call it.
        rows: The lines below the names.
        layout: How they are to be read.
        width: How many columns there are.
        above: How many lines there are before these.

    Raises:
        DataError: One does.
    """
    lines: list[str] = []

    def noted() -> Iterator[str]:
        for line in io.StringIO(rows, newline=""):
            lines.append(line)
            yield line

    first, before = 1, csv.field_size_limit(LARGEST)
    try:
        for _ in csv.reader(noted(), delimiter=layout.delimiter):
            if len(lines) > 1 and _swallows(lines, layout.delimiter, width):
                last = above + first + len(lines) - 1
                raise DataError(
                    f"A quotation mark in line {above + first} of {path} makes one value of all "
                    f"lines to line {last}, which look like {len(lines):,} rows.",
                    "an even number of quotation marks in each row",
                    f"Remove the quotation mark in line {above + first}, or close it there; a "
                    "value that is meant to hold such lines can be kept in a Parquet file.",
                )
            first += len(lines)
            lines.clear()
    finally:
        csv.field_size_limit(before)


def _swallows(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether lines that were read as one row are several."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    inner = list(csv.reader(lines[1:-1], delimiter=delimiter))
    return width > 1 and bool(inner) and all(len(row) == width for row in inner)


def _ragged_line(rows: str, layout: Layout, width: int) -> int | None:
    """The line, from 1, on which the first row with another number of values begins."""
    reader = csv.reader(io.StringIO(rows, newline=""), delimiter=layout.delimiter)
    begins = 1
    try:
        for row in reader:
            if row and len(row) != width:
                return begins
            begins = reader.line_num + 1
    except csv.Error:  # a value that is too long to be looked at
        pass
    return None


def _unpacked(path: Path, raw: bytes) -> bytes:
    """The content, unpacked, as long as that is not enormous."""
    if raw[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(wbits=31)
        raw = unpacker.decompress(raw, LARGEST + 1)
        if not unpacker.eof and len(raw) <= LARGEST:
            raise EOFError("its compressed data end too early")
    if len(raw) > LARGEST:
        raise DataError(
            f"{path} holds more than {LARGEST >> 30} GiB of text.",
            "a smaller table",
            "Save it as Parquet, or take a part of its rows.",
        )
    return raw


def _decoded(raw: bytes) -> str:
    """As text: UTF-8, UTF-16 with its mark, or else the encoding of western Windows."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return raw.decode(encoding)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _layout(text: str, *, tabs: bool) -> Layout:
    """What parts the columns: that which gives the first lines most columns, all alike."""
    lines = text[:_SAMPLE].splitlines()
    lines = lines[:-1] if len(text) > _SAMPLE and len(lines) > 1 else lines

    def rows(delimiter: str) -> list[list[str]]:
        return [row for row in csv.reader(lines[:100], delimiter=delimiter) if row]

    def agreement(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in rows(delimiter))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        return (count / max(1, widths.total()) if width > 1 else 0.0, width)

    delimiter = "\t" if tabs else max(_DELIMITERS, key=agreement)
    first, *rest = rows(delimiter) or [[]]
    again = sum(
        any(cell == row[place] for row in rest if place < len(row))
        for place, cell in enumerate(first)
    )  # a name does not stand among its column's values
    has_names = not any(map(is_number, first)) and 2 * again < max(1, len(first))
    return Layout(delimiter, has_names)


def _names(text: str, layout: Layout) -> tuple[list[str], str]:
    """The columns' names, and the text behind the line that names them, if there is one."""
    file = io.StringIO(text, newline="")
    first = next(row for row in csv.reader(file, delimiter=layout.delimiter) if row)
    if not layout.has_names:
        return [f"column {place}" for place in range(1, len(first) + 1)], text
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(first, 1)]
    return names, text[file.tell() :]


def is_number(cell: str) -> bool:
    """Whether a cell of text is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
