"""Tables from files: CSV and its relatives, Parquet, Arrow. Columns come out named.

What a text file does not say (how its letters are encoded, what parts its columns, whether its
first line names them) is found out from its beginning. Its cells stay texts, exactly as they are
written: what a column is, is decided later, and once (`kinds.decide`).
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
from pyarrow import compute

from downslope.data.limits import check_unpacked, most_bytes_unpacked, no_memory
from downslope.data.readers.file_names import ending
from downslope.data.readers.formats import format_of
from downslope.data.readers.frames import plain_table, refuse_same_names
from downslope.data.tables.column_types import WRITTEN
from downslope.errors import DataError

pc: Any = compute  # whose functions are made when it is imported
LARGEST = 2**31  # bytes of text
TEXT_RATIO = 20  # a packed text may unpack to so many times its own size
TEXT_COST = 6  # bytes in memory for each byte of a text while it is read
_CHUNK = 1 << 20
_BLOCK = 2**28  # bytes: a row must fit into it
_DELIMITERS = ",;\t|"
_COMMENTS = ("#", "%", "//")
_MOST_TITLES = 30  # lines above a table
_NOTES = b"downslope.notes"  # of a table: what a user should know of how it was read
_LEFT_OUT = b"downslope.left_out"  # of a table: how many rows of the file are not in it, and why
ROW_NAMES = "row names"
_SAMPLE = 1 << 16  # bytes of the beginning from which the layout is found


class Layout(NamedTuple):
    """How a text file is to be read.

    Attributes:
        delimiter: What separates the columns.
        names: Of the columns.
        rows: The text below the line of names.
        above: How many lines stand above that.
        notes: What a user should know, a sentence each.
    """

    delimiter: str
    names: list[str]
    rows: str
    above: int
    notes: tuple[str, ...] = ()


def read_table(path: Path, has_names: bool | None = None, known: Collection[str] = ()) -> pa.Table:
    """Read a table.

    Args:
        path: A text file with columns separated by a comma, semicolon, tab, bar or blanks, gzipped
            or not; or a file of one of the `formats`.
        has_names: Whether the first line of a text file names the columns; None to see it.
        known: Columns that are looked for: a line that holds them is one of names.

    Returns:
        Columns with names of their own; a text file without a line of names gets `column 1`, ...
        Those of a text file are texts (see `kinds.is_written`), null where a cell is empty.

    Raises:
        DataError: The file cannot be read as a table with at least one row.
    """
    form = format_of(ending(path))
    try:
        if form is None:
            return _checked(path, _read_text(path, path.read_bytes(), has_names, known))
        table = form.read(path)
        table.validate(
            full=True
        )  # what a forged file says of its own lengths is believed elsewhere
    except DataError:
        raise
    except MemoryError as problem:
        raise no_memory(path, "table") from problem
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException, ValueError) as problem:
        raise _unreadable(path, problem) from problem
    said = table.schema.metadata or {}  # our own marks would be forged
    others = {key: text for key, text in said.items() if not key.startswith(b"downslope.")}
    return plain_table(_checked(path, table.replace_schema_metadata(others)), str(path))


def read_table_text(raw: bytes, path: Path, known: Collection[str] = ()) -> pa.Table:
    """Read a table from the bytes of a text file.

    Args:
        raw: The bytes, gzipped or not.
        path: What messages call it.
        known: Columns that are looked for: a line that holds them is one of names.

    Raises:
        DataError: As for `read_table`.
    """
    try:
        return _checked(path, _read_text(path, raw, None, known))
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


def file_notes(table: pa.Table) -> tuple[str, ...]:
    """What a user should know of how a text file was read, a sentence each."""
    said = (table.schema.metadata or {}).get(_NOTES)
    return () if said is None else tuple(json.loads(said))


def left_out_of(table: pa.Table) -> dict[str, int]:
    """How many rows of its file are not in a table, by the reason: "that repeat the names"."""
    said = (table.schema.metadata or {}).get(_LEFT_OUT)
    return {} if said is None else json.loads(said)


def _read_text(path: Path, raw: bytes, has_names: bool | None, known: Collection[str]) -> pa.Table:
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
    layout = _layout(text, tabs=ending(path) in (".tsv", ".tab"), said=has_names, known=known)
    names, rows, above = layout.names, layout.rows, layout.above
    if not rows or (len(names) > 1 and not rows.strip()):
        raise _no_rows(path)
    if len(names) > 1:
        rows = _with_empty_lines(rows, layout.delimiter)
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
    whole = pa.table(columns, schema=pa.schema(fields))
    table, notes = _without_names_again(whole)
    again = whole.num_rows - table.num_rows
    left_out = {"that repeat the names of the columns": again} if again else {}
    said = {_NOTES: json.dumps([*layout.notes, *notes]), _LEFT_OUT: json.dumps(left_out)}
    return table.replace_schema_metadata(said)


def _without_names_again(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """The table without the rows that repeat the names, as files have that were joined."""
    again = np.ones(table.num_rows, bool)
    for name, cells in zip(table.column_names, table.columns, strict=True):
        if not again.any() or table.num_columns == 1:  # a value may be what its column is called
            return table, ()
        same = pc.equal(pc.utf8_trim_whitespace(cells), name).fill_null(False)
        again &= same.to_numpy(zero_copy_only=False)
    count, first = int(again.sum()), int(again.argmax()) + 1
    if not count:
        return table, ()
    lines = f"{count:,} lines repeat" if count > 1 else "1 line repeats"
    left = "are left out" if count > 1 else "is left out"
    note = f"{lines} the names of the columns, first as row {first:,}, and {left}."
    return table.filter(pa.array(~again)), (note,)


def _with_empty_lines(rows: str, delimiter: str) -> str:
    """The text with lines of nothing but blanks made empty, unless they stand in a value."""
    blank = re.compile(r"(?m)^[ \t]+$" if delimiter != "\t" else r"(?m)^ +$")
    kept, at, quotes = [], 0, 0
    for match in blank.finditer(rows):
        between = rows[at : match.start()]
        quotes += between.count('"')
        kept.append(between if quotes % 2 == 0 else between + match[0])
        at = match.end()
    return "".join([*kept, rows[at:]]) if kept else rows


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
        raw = unpacked_text(path, raw)
    if len(raw) > LARGEST:
        raise DataError(
            f"{path} holds more than {LARGEST >> 30} GiB of text.",
            "a smaller table",
            "Save it as Parquet, or take a part of its rows.",
        )
    return raw


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


def _decoded(raw: bytes) -> str:
    """As text: UTF-8, UTF-16 with its mark, or else the encoding of western Windows."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return raw.decode(encoding)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _layout(text: str, *, tabs: bool, said: bool | None, known: Collection[str]) -> Layout:
    """What separates the columns, what they are called, and where the rows begin.

    What separates them is that which gives the first lines most columns, all alike.
    """
    body, delimiter, notes = text.lstrip("\r\n"), "\t" if tabs else "", []
    if (match := re.match(r'(?i)"?sep=(.)"?[ \t]*\r?\n', body)) is not None:
        delimiter, body = match[1], body[match.end() :]
    lines = _first_lines(body)
    delimiter = delimiter or max(_DELIMITERS, key=lambda one: _agreement(_rows(lines, one)))
    if _agreement(_rows(lines, delimiter))[1] == 1 and _are_in_columns(lines):
        body, delimiter = _from_blanks(body), ","
        lines = _first_lines(body)
    rows = _rows(lines, delimiter)
    width = _agreement(rows)[1]
    body, skipped = _without_titles(body, delimiter, width)
    if skipped:
        shown = f"{skipped[0].strip()[:40]!r}"
        notes.append(
            f"The first line ({shown}) is no row of the table and is left out."
            if len(skipped) == 1
            else f"The first {len(skipped)} lines ({shown}, ...) are no rows of the table and are "
            "left out."
        )
    rows = _rows(_first_lines(body, above=True), delimiter)
    first, rest = (rows[0], rows[1:]) if rows else ([], [])
    cells = [cell.strip() for cell in first]
    if not _has_names(first, rest, said, known):
        names = [f"column {index}" for index in range(1, len(cells) + 1)]
        if _may_be_names(first, rest) and said is None:
            notes.append(
                f"The first line ({', '.join(cells[:3])}, ...) is taken for values: say --names "
                "yes if it names the columns."
            )
        return Layout(delimiter, names, body, _lines_before(text, body), tuple(notes))
    file = io.StringIO(body, newline="")
    whole = next(row for row in csv.reader(file, delimiter=delimiter) if _has_cells(row))
    cells = [cell.strip() for cell in whole]
    if len(cells) == width > 1:
        cells[0] = re.sub("^(#|%|//) *(?=[^ ])", "", cells[0])
    if rest and len(cells) == width - 1:
        cells = _with_row_names(cells, rest, notes)
    names = [cell or f"column {index}" for index, cell in enumerate(cells, 1)]
    below = body[file.tell() :]
    return Layout(delimiter, names, below, _lines_before(text, below), tuple(notes))


def _lines_before(text: str, rest: str) -> int:
    return text.count("\n") - rest.count("\n")


def _first_lines(text: str, *, above: bool = False) -> list[str]:
    """The first hundred lines; without comments above them, unless `above` or none are left."""
    lines = text[:_SAMPLE].splitlines()
    lines = lines[:-1] if len(text) > _SAMPLE and len(lines) > 1 else lines
    start = (
        0
        if above
        else next((row for row, one in enumerate(lines) if not one.startswith(_COMMENTS)), 0)
    )
    return lines[start : start + 100]


def _has_cells(row: list[str]) -> bool:
    return len(row) > 1 or bool(row and row[0].strip())


def _rows(lines: list[str], delimiter: str) -> list[list[str]]:
    return [row for row in csv.reader(lines, delimiter=delimiter) if _has_cells(row)]


def _agreement(rows: list[list[str]]) -> tuple[float, int]:
    """The fraction of rows that have the most frequent number of cells, and that number."""
    widths = Counter(len(row) for row in rows)
    width, count = widths.most_common(1)[0] if widths else (1, 0)
    return (count / max(1, widths.total()) if width > 1 else 0.0, width)


def _by_blanks(line: str) -> list[str]:
    """The cells of a line that are separated by blanks; quotation marks hold one together."""
    cells = re.findall(r'"[^"]*"|\S+', line)
    cells = cells[1:] if cells and cells[0] in _COMMENTS else cells
    return [cell[1:-1] if cell.startswith('"') and len(cell) > 1 else cell for cell in cells]


def _are_in_columns(lines: list[str]) -> bool:
    """Whether blanks give all lines as many cells, and numbers stand in one of the columns."""
    first, *rest = [cells for cells in map(_by_blanks, lines) if cells] or [[]]
    if len(rest) < 2 or len({len(row) for row in rest}) > 1:
        return False
    width = len(rest[0])
    numbers = any(all(is_number(row[index]) for row in rest) for index in range(width))
    return width > 1 and numbers and len(first) in (width, width - 1)


def _from_blanks(text: str) -> str:
    """A text whose columns are separated by blanks with commas, line by line."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    for line in text.splitlines():
        writer.writerow(_by_blanks(line))
    return made.getvalue()


def _without_titles(body: str, delimiter: str, width: int) -> tuple[str, list[str]]:
    """The text from its first row on, and the lines of comments and titles above that.

    A title has fewer cells than the rows have. One that has only one less may name the columns
    behind names of rows, if the next one names none. A comment may name the columns, too.
    """
    lines = [one for one in _first_lines(body, above=True) if one.strip()]
    if width == 1 or (lines and lines[-1].startswith(_COMMENTS)):  # tags such as #1
        return body, []
    file, above = io.StringIO(body, newline=""), []
    begins = 0
    while len(above) <= _MOST_TITLES:
        line = file.readline()
        cells = next(csv.reader([line], delimiter=delimiter), [])
        is_comment = line.startswith(_COMMENTS)
        if not line or (len(cells) == width and not is_comment):
            break
        is_whole = line.count('"') % 2 == 0  # and does not go on in the next line
        is_title = len(cells) < width and is_whole and not any(map(is_number, cells))
        if not is_comment and not is_title:
            return body, []
        if len(cells) == width - 1 + is_comment and not any(map(is_number, cells)):
            below = next((one for one in file if one.strip()), "")
            then = next(csv.reader([below], delimiter=delimiter), [])
            names_them = not below.startswith(_COMMENTS) and any(map(is_number, then))
            if len(then) == width and names_them:
                break
            file.seek(begins + len(line))
        begins += len(line)
        if line.strip():
            above.append(line)
    enough = 0 < len(above) <= _MOST_TITLES
    return (body[begins:], above) if enough else (body, [])


def _has_names(
    first: list[str], rest: list[list[str]], said: bool | None, known: Collection[str]
) -> bool:
    """Whether the first row names the columns."""
    cells = [cell.strip() for cell in first]
    if said is not None:
        return said
    if known and set(known) <= set(cells):
        return True
    if known and all(re.fullmatch("column [0-9]+", one) for one in known):
        return False
    rest = [row for row in rest if row != first]
    again = sum(
        any(cell == row[index] for row in rest if index < len(row))
        for index, cell in enumerate(first)
    )  # a name does not stand among its column's values
    if 2 * again >= max(1, len(first)):
        return False
    if not any(map(is_number, cells)):
        return True
    behind = len(max(rest, key=len, default=[])) - len(first)  # names of rows have no name
    return (
        _counts(cells)
        or _are_years(cells, rest)
        or any(
            cell and not is_number(cell) and _are_numbers(rest, index + behind)
            for index, cell in enumerate(cells)
        )
    )


def _counts(cells: list[str]) -> bool:
    """Whether these are 0, 1, 2, ..., as pandas calls columns without names."""
    own = cells[1:] if cells[:1] == [""] else cells
    return len(own) > 2 and own == [str(index) for index in range(len(own))]


def _are_years(cells: list[str], rest: list[list[str]]) -> bool:
    """Whether several columns are called 1960, 1961, ..., and no row counts like that."""

    def counts(row: list[str]) -> bool:
        years = [int(cell) for cell in row if re.fullmatch("(1[5-9]|2[01])[0-9]{2}", cell.strip())]
        steps = {later - year for year, later in pairwise(years)}
        return len(years) > 1 and len(steps) == 1 and 0 not in steps

    return counts(cells) and bool(rest) and not any(map(counts, rest))


def _are_numbers(rows: list[list[str]], index: int) -> bool:
    cells = [row[index].strip() for row in rows if index < len(row)]
    given = [cell for cell in cells if cell]
    return len(given) > 2 and all(map(is_number, given))


def _may_be_names(first: list[str], rest: list[list[str]]) -> bool:
    """Whether a row of numbers may be one of names: whole and all different, unlike others."""
    cells = [cell.strip() for cell in first]
    if len(cells) < 2 or len(set(cells)) < len(cells) or not all(one.isdigit() for one in cells):
        return False
    below = [cell.strip() for row in rest for cell in row]
    return bool(below) and not any(cell.isdigit() for cell in below)


def _with_row_names(cells: list[str], rest: list[list[str]], notes: list[str]) -> list[str]:
    """One more name where each row has one more cell: R writes names of rows without a name."""
    if all(not row[-1].strip() for row in rest):  # a delimiter at the end of each row
        return [*cells, ""]
    own = [row[0] for row in rest]
    if len(set(own)) < len(own):
        return cells
    notes.append(
        "The line of names has one less than there are columns: the first column holds names of "
        "rows."
    )
    return [ROW_NAMES if ROW_NAMES not in cells else f"{ROW_NAMES} (first column)", *cells]


def is_number(cell: str) -> bool:
    """Whether a cell of text is a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
