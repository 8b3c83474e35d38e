"""Everything that commands print passes here: lines, tables and JSON objects.

Names, classes, columns and messages may be a stranger's: what a terminal would obey instead of
show is written as its escape.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from downslope.errors import printable


def say(text: object = "", *, err: bool = False, heading: str = "") -> None:
    """Print lines.

    Args:
        text: One line, or several.
        err: Print on standard error.
        heading: What stands before it in bold letters; our own words.
    """
    shown = printable(str(text), keep="\n")
    click.echo(f"{click.style(heading, bold=True)} {shown}" if heading else shown, err=err)


def print_data(text: str) -> None:
    """Print a table for other programs as it is; only a terminal gets escapes."""
    click.echo(printable(text, keep="\n") if sys.stdout.isatty() else text, nl=False)


def print_json(value: Any) -> None:
    """Print one JSON object; see `plain_json`."""
    click.echo(plain_json(value))


def plain_json(value: Any) -> str:
    """The text of a JSON object, with the letters of all scripts and no control characters.

    What is not finite becomes null, as JSON has no such number.
    """
    text = json.dumps(_finite(value), allow_nan=False, ensure_ascii=False)
    return text if printable(text) == text else re.sub(r"[^ -~]", _json_escaped, text)


def _json_escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if printable(character) == character else json.dumps(character)[1:-1]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()
) -> None:
    """Print columns of text under their names.

    Args:
        head: The columns' names.
        rows: The cells.
        numeric: Places of the columns that are aligned to the right.
    """
    table = [[printable(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    for number, row in enumerate(table):
        cells = [
            cell.rjust(width) if place in numeric else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        click.echo(click.style(line, bold=True) if number == 0 else line)
