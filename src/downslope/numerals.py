"""Numbers as people read them: 23,560 rather than 2.356e+04."""

from __future__ import annotations

import math

LARGEST, SMALLEST = 1e15, 1e-4  # beyond these an exponent is easier to read than zeros


def rounded(value: float, digits: int = 4) -> str:
    """A number rounded to so many significant digits, with commas and without an exponent.

    Args:
        value: Any number; one that is not finite gives inf, -inf or nan.
        digits: Significant digits, at least 1; zeros at the end of a fraction are dropped.

    Returns:
        Such as "23,560", "0.02356", "-1,700,000,000" or "1.5e-07".

    Example:
        >>> rounded(23561.7), rounded(0.5), rounded(2.0, 2), rounded(1.5e-7)
        ('23,560', '0.5', '2', '1.5e-07')
    """
    if not math.isfinite(value):
        return str(float(value))
    near = float(f"{value:.{digits - 1}e}")
    if near == 0:
        return "0"
    if not SMALLEST <= abs(near) < LARGEST:
        return f"{value:.{digits}g}"
    if abs(near) >= 10**digits:
        return f"{near:,.0f}"
    return f"{near:,.{digits}g}"
