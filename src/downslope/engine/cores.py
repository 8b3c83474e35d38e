"""How many of the processor's cores may be used."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """How many processor cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
