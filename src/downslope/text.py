"""Text in columns: lines wrapped between words, and tables as values that every door lays out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from downslope.errors import printable

LEAST_CELL = 16  # columns that the last cell of a table keeps


def amount(count: int, what: str) -> str:
    """A number of things: 1 epoch, 2 epochs."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes; letters of East Asia take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # not loaded for what answers at once

    return cell_len(text)


def wrapped(line: str, width: int) -> list[str]:
    """A line as lines of at most so many columns, broken between words.

    A word that is longer has a line of its own. What stands in single quotes, such as a path of a
    shell command, is one word. A letter of Chinese takes two columns.
    """
    lines, room, gap = [""], width, ""
    for word in re.findall(r"(?:(?<!\w)'[^'\n]*'|\S)+|\s+", line):
        if word.isspace():
            gap = word
            continue
        size = columns_of(gap) + columns_of(word)
        if lines[-1] and size > room:
            lines.append("")
            room, gap, size = width, "", columns_of(word)
        lines[-1] += gap + word
        room, gap = room - size, ""
    return lines


@dataclass(frozen=True)
class Table:
    """Cells under the names of their columns.

    Attributes:
        head: The columns' names.
        rows: The cells.
        numeric: Indices of the columns that are aligned to the right.
        indent: What stands before each line.
        caption: What it shows, above it on a page.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[int] = ()
    indent: str = ""
    caption: str = ""

    def __str__(self) -> str:
        """Return its lines, as long as they are."""
        return "\n".join(self.lines())

    def lines(self, width: int | None = None) -> list[str]:
        """Its lines, the names first; a long text in the last column is wrapped to `width`."""
        table = [[printable(cell) for cell in row] for row in (self.head, *self.rows)]
        last = len(self.head) - 1
        widths = [max(columns_of(row[index]) for row in table) for index in range(len(self.head))]
        before = len(self.indent) + sum(widths[:-1]) + 2 * last
        room = None if width is None else max(LEAST_CELL, width - before)
        found = []
        for row in table:
            first, *more = [row[last]]
            if room is not None and last not in self.numeric:
                first, *more = wrapped(row[last], room)
            cells = []
            for index, cell in enumerate([*row[:last], first]):
                blanks = " " * (widths[index] - columns_of(cell))
                cells.append(blanks + cell if index in self.numeric else cell + blanks)
            found.append(f"{self.indent}{'  '.join(cells)}".rstrip())
            found += [f"{' ' * before}{one}" for one in more]
        return found
