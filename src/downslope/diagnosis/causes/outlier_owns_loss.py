"""A few targets far from all others make up most of the loss."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded

FAR = 8  # standard deviations as the quartiles tell them


def look(evidence: Evidence) -> Symptom | None:
    """Looks at how the squared distances to the mean are spread over the samples."""
    if evidence.task != "regression" or evidence.run.settings.loss != "squared_error":
        return None
    targets = np.asarray(evidence.dataset.train.targets, np.float64).reshape(
        len(evidence.dataset.train), -1
    )
    middle = np.median(targets, axis=0)
    quartiles = np.subtract(*np.percentile(targets, [75, 25], axis=0)) / 1.349
    far = (np.abs(targets - middle) > FAR * np.maximum(quartiles, 1e-300)).any(axis=1)
    squares = ((targets - targets.mean(axis=0)) ** 2).sum(axis=1)
    if not far.any() or (quartiles == 0).any() or far.mean() > 0.02:
        return None
    owned = float(squares[far].sum() / squares.sum())
    if owned < 0.5:
        return None
    index = int(np.abs(targets - middle).max(axis=1).argmax())
    worst = float(targets[index][np.abs(targets[index] - middle).argmax()])
    seen = (
        f"{int(far.sum())} of {len(targets):,} training targets (such as {rounded(worst)} of "
        f"sample {index}; the median is {rounded(float(middle[0]))}) make up {owned:.0%} of the "
        "squared error around the mean."
    )
    changes = ({"loss": "absolute_error"}, {"loss": "huber"})
    return Symptom(0.85, seen, f"sample {index} of the training part", changes)


CAUSE = Cause(
    "outlier_owns_loss",
    "The squared error is nearly all theirs, so the network fits them and not the rest: check "
    "these targets, or choose a loss that grows with the distance and not with its square.",
    look,
    explains=("nothing_to_learn", "targets_not_scaled", "learning_rate_too_high", "too_few_steps"),
    source="Huber, Robust estimation of a location parameter, 1964",
)
