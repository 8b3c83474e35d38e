"""The formats of table files whose columns have types, such as Parquet: one file each.

A file in this folder with a `FORMAT` is all that a format needs: it is found by its name's ending
wherever a table may stand. What it reads with is imported when a table is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # whoever reads no table needs no library for tables
    import pyarrow as pa


class TableFormat(NamedTuple):
    """A format of table files.

    Attributes:
        name: What messages call it.
        suffixes: The endings of its files' names, in small letters, such as ".parquet".
        read: Reads a file. It refuses what would take too much memory (see `check_unpacked` and
            `check_table`) with a DataError; a ValueError, an OSError or an ArrowException is told
            as a file that cannot be read.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], pa.Table]


@cache
def formats() -> tuple[TableFormat, ...]:
    """All formats, by the names of their files."""
    names = sorted(one.name for one in iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").FORMAT for name in names)


def format_of(suffix: str) -> TableFormat | None:
    """The format of the files whose names end so; None where there is none."""
    return next((one for one in formats() if suffix in one.suffixes), None)
