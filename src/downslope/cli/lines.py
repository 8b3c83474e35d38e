"""Printing on standard output: JSON objects and tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import click


def print_json(value: Any) -> None:
    """Print one JSON object; see `plain_json`."""
    click.echo(plain_json(value))


def plain_json(value: Any) -> str:
    """The text of a JSON object; what is not finite becomes null, as JSON has no such number."""
    return json.dumps(_finite(value), allow_nan=False, ensure_ascii=False)


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
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(head))]
    for number, row in enumerate(table):
        cells = [
            cell.rjust(width) if place in numeric else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        line = "  ".join(cells).rstrip()
        click.echo(click.style(line, bold=True) if number == 0 else line)
