"""The chapters in their order. To add one, write a file into `chapters/`: it is found there."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from downslope.errors import SettingError
from downslope.learn import chapters as folder
from downslope.learn.chapter import Chapter


@cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters, the first one first."""
    names = [one.name for one in iter_modules(folder.__path__)]
    found = [import_module(f"{folder.__name__}.{name}").CHAPTER for name in names]
    return tuple(sorted(found, key=lambda one: one.number))


def find_chapter(number: int) -> Chapter:
    """The chapter of a number.

    Args:
        number: Its number, from 1.

    Raises:
        SettingError: There is none.
    """
    every = chapters()
    if not 1 <= number <= len(every):
        raise SettingError(
            f"Chapter {number} was asked for.",
            f"a number from 1 to {len(every)}",
            "All chapters: downslope learn --list",
        )
    return every[number - 1]
