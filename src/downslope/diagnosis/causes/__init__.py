"""The causes, one file each, found by listing this folder.

A file with a `CAUSE` is all that a cause needs, and its lines in `docs/diagnosis.md`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from downslope.diagnosis.cause import Cause


@cache
def causes() -> tuple[Cause, ...]:
    """All causes, by the names of their files."""
    names = sorted(one.name for one in iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").CAUSE for name in names)
