"""Everything that commands print passes here: lines, tables and JSON objects.

Names, classes, columns and messages may be a stranger's: what a terminal would obey instead of
show is written as its escape.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from downslope.errors import printable
from downslope.text import Table, wrapped

UNKNOWN_WIDTH = 80  # columns, where the output is no terminal and COLUMNS says nothing


def say(text: object = "", *, err: bool = False, heading: str = "", exact: bool = False) -> None:
    """Print lines, each wrapped between words.

    Args:
        text: One line, or several. Those that begin with a blank are printed as they are, such as
            commands to copy.
        err: Print on standard error.
        heading: What stands before it in bold letters; our own words.
        exact: Print all lines as they are: they hold a path or are made for other programs.
    """
    shown = printable(str(text), keep="\n")
    lines = f"{heading} {shown}".split("\n") if heading else shown.split("\n")
    if not exact:
        lines = [
            part
            for line in lines
            for part in ([line] if line.startswith(" ") else wrapped(line, line_width()))
        ]
    if heading:
        lines[0] = lines[0].replace(heading, click.style(heading, bold=True), 1)
    click.echo("\n".join(lines), err=err)


def ask_line(prompt: str) -> str:
    """What somebody types in answer to a prompt, without its line end.

    Raises:
        click.Abort: Ctrl-C, or the input has ended.
    """
    return click.prompt(prompt, default="", prompt_suffix="", show_default=False)


def line_width() -> int:
    """Columns in a line: those of the terminal, or of the variable COLUMNS, or 80."""
    return max(1, shutil.get_terminal_size((UNKNOWN_WIDTH, 24)).columns)


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
    """Print columns of text under their names; a long text in the last one is wrapped."""
    show_table(Table(head, tuple(rows), numeric))


def show_table(table: Table) -> None:
    """Print a table as wide as the terminal allows, its head in bold letters."""
    first, *rest = table.lines(line_width())
    click.echo("\n".join([click.style(first, bold=True), *rest]))
