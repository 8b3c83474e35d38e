"""How good predictions are: error, log loss, calibration error."""

from __future__ import annotations

import math

import numpy as np

from downslope.engine.class_metrics import calibration_error

LEAST = 1e-6  # a probability of 0 for what happened would be infinitely wrong


def scores(predictions: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """The error, and for classes also log loss and expected calibration error.

    Args:
        predictions: Numbers (N,), or the probability of each class (N, classes).
        targets: Numbers or classes, (N,).

    Returns:
        "error": root mean square over the standard deviation of the targets, or the fraction of
        wrong classes. "interval": half the width of its 95 % interval, from its standard error.
    """
    if predictions.ndim == 1:
        squares = (predictions - targets) ** 2
        error = math.sqrt(squares.mean()) / targets.std()
        half = 1.96 * squares.std() / math.sqrt(len(squares)) / (2 * squares.mean()) * error
        return {"error": float(error), "interval": float(half)}
    wrong = float((predictions.argmax(axis=1) != targets).mean())
    own = predictions[np.arange(len(targets)), targets.astype(int)]
    return {
        "error": wrong,
        "interval": 1.96 * math.sqrt(wrong * (1 - wrong) / len(targets)),
        "log_loss": float(-np.log(np.clip(own, LEAST, 1)).mean()),
        "calibration_error": calibration_error(predictions, targets.astype(int)) or 0.0,
    }
