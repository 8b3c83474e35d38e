"""Curves as text: each character is a field of 2 by 4 braille dots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

BLANK = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of a character
STEEP = 10  # losses that differ by more than this factor are drawn by their logarithms


class Scale:
    """What the height of a curve means.

    Attributes:
        low: The value at the bottom.
        high: The value at the top.
        is_log: Whether equal heights are equal factors.
    """

    def __init__(self, *series: np.ndarray) -> None:
        values = np.concatenate([np.empty(0), *series])
        values = values[np.isfinite(values)]
        self.low = float(values.min()) if len(values) else 0.0
        self.high = float(values.max()) if len(values) else 1.0
        self.is_log = self.low > 0 and self.high > STEEP * self.low

    def height(self, values: np.ndarray) -> np.ndarray:
        """Heights from 0 to 1; not a number where the value is none."""
        low, high = self.low, self.high
        if self.is_log:
            low, high = math.log(low), math.log(high)
            values = np.log(np.where(values > 0, values, np.nan))
        if high == low:
            return np.where(np.isfinite(values), 0.5, np.nan)
        return np.where(np.isfinite(values), (values - low) / (high - low), np.nan)


def draw(
    positions: Sequence[float] | np.ndarray, values: np.ndarray, scale: Scale, width: int, rows: int
) -> list[str]:
    """Draw a curve.

    Args:
        positions: Where each value stands, from 0 (left) to 1 (right), rising.
        values: As many values.
        scale: What their height means.
        width: Characters per line.
        rows: Lines.

    Returns:
        The lines, the topmost first.
    """
    cells = np.full((rows, width), BLANK)
    known = np.isfinite(values)
    if known.any():
        x, y = np.asarray(positions)[known], scale.height(np.asarray(values)[known])
        columns = np.arange(2 * width)
        first, last = (round(float(position) * (2 * width - 1)) for position in (x[0], x[-1]))
        inside = columns[first : last + 1]
        heights = np.interp(inside / max(1, 2 * width - 1), x, y)
        dots = np.rint((1 - heights) * (4 * rows - 1)).astype(int)
        before = dots[0]
        for column, dot in zip(inside, dots, strict=True):
            # join with the dot before, so that a steep fall is a line as well
            start = dot if abs(dot - before) <= 1 else before + (1 if dot > before else -1)
            for one in range(min(start, dot), max(start, dot) + 1):
                cells[one // 4, column // 2] |= DOTS[one % 4][column % 2]
            before = dot
    return ["".join(map(chr, row)) for row in cells.tolist()]
