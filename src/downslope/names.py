"""Looking a value up by its name, with a helpful message when there is none."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from downslope.errors import DownslopeError

Value = TypeVar("Value")


def look_up(name: str, table: Mapping[str, Value], kind: str, error: type[DownslopeError]) -> Value:
    """Return `table[name]`.

    Args:
        name: What the user asked for.
        table: The values by their names.
        kind: What the table holds, in the singular, such as "loss".
        error: The class of error to raise.

    Raises:
        error: The name is not in the table; the nearest name is suggested.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), list(table), n=1)
    advice = f"Did you mean {near[0]!r}?" if near else "Choose one of them."
    raise error(f"There is no {kind} called {name!r}.", "one of " + ", ".join(table), advice)
