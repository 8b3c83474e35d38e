"""How far an axis reaches when some answers are absurd, as after a training that diverged."""

from __future__ import annotations

import numpy as np

from downslope.numerals import rounded

_BEYOND = 1.0  # an axis reaches at most this many ranges of the truth beyond the truth


def answer_range(truth: np.ndarray, answers: np.ndarray) -> tuple[float, float, str]:
    """The part of an axis that shows all of the truth and all answers that are not far from it.

    Args:
        truth: True values, at least one.
        answers: The network's answers; they may be infinite or no numbers.

    Returns:
        The lowest and the highest value, and a sentence on the answers that are left out; empty
        if there are none.
    """
    truth, answers = (np.asarray(values, np.float64) for values in (truth, answers))
    low, high = float(truth.min()), float(truth.max())
    reach = _BEYOND * (high - low or abs(high) or 1.0)
    inside = (answers >= low - reach) & (answers <= high + reach)
    low = min([low, *answers[inside].tolist()])
    high = max([high, *answers[inside].tolist()])
    outside = int((~inside).sum())
    if not outside:
        return low, high, ""
    lie = "prediction lies" if outside == 1 else "predictions lie"
    return low, high, f" {outside:,} {lie} outside of the picture."


def mean_distance(truth: np.ndarray, answers: np.ndarray, unit: str = "") -> str:
    """The mean absolute error in words, such as "MAE 2.5 people"."""
    distance = np.abs(np.asarray(answers, np.float64) - np.asarray(truth, np.float64)).mean()
    if not np.isfinite(distance):
        return "MAE beyond measure"
    number = f"{distance:.1f}" if unit and distance < 1e6 else f"{rounded(distance, 3)}"
    return f"MAE {number}{unit and ' '}{unit}"
