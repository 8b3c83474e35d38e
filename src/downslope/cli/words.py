"""Figures as people read them."""

from __future__ import annotations

import math

from downslope.runs.progress import Progress


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:34 or 1:02:03."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def amount(count: int, what: str) -> str:
    """A number of things: 1 epoch, 2 epochs."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def speed(progress: Progress, samples: int) -> str:
    """Training samples per second so far."""
    done = (progress.step - progress.first) / progress.steps * progress.epochs * samples
    return f"{done / max(progress.seconds, 1e-9):,.0f} samples/s"
