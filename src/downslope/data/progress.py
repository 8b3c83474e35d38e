"""How long tasks report how far they are."""

from __future__ import annotations

from collections.abc import Callable

OnProgress = Callable[[int, int], object]
"""Called with (done so far, in all), from the thread that waits."""
