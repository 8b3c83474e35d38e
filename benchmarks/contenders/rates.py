"""The learning rates of the sweep."""

from __future__ import annotations

import numpy as np

from benchmarks.rungs import RATES


def learning_rates() -> list[float]:
    """From much too small to large, evenly in ratio."""
    return np.geomspace(0.001, 0.5, RATES).tolist()
