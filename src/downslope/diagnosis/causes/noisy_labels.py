"""Many labels are wrong: even samples that lie among their like have another class."""

from __future__ import annotations

import math

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

LEAST_SAMPLES = 150
LEAST, MOST = 0.05, 0.4  # of the surest predictions that are wrong
KNOWN, LITTLE = 0.6, 0.72  # of the mistakes of always guessing: more, and little is known
# of all mistakes' frequency: classes that overlap have theirs where nothing is sure
EVEN, EVEN_OF_LITTLE = 0.6, 0.8


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the mistakes of simple methods on samples that they did not learn from."""
    votes = evidence.votes
    if votes is None or len(votes.wrong) < LEAST_SAMPLES:
        return None
    surest = np.argsort(-votes.margin, kind="stable")[: len(votes.wrong) // 2]
    among, overall = float(votes.wrong[surest].mean()), float(votes.wrong.mean())
    usual = votes.usual_wrong
    even = EVEN if overall <= KNOWN * usual else EVEN_OF_LITTLE
    if not LEAST < among < MOST or overall > LITTLE * usual or among < even * overall:
        return None
    # where the network is right more often, these methods are wrong, and not the labels
    accuracy, samples = evidence.metrics["accuracy"], len(evidence.dataset.validation)
    if accuracy > 1 - overall + math.sqrt(overall * (1 - overall) / samples):
        return None
    seen = (
        "Of the half of the training samples whose class is clearest by simple methods "
        f"{among:.0%} have another label; of all {overall:.0%}."
    )
    return Symptom(0.6, seen, "targets")


CAUSE = Cause(
    "noisy_labels",
    "Where classes overlap, mistakes lie where they meet; these lie everywhere, as wrong labels "
    "do. Look through samples that the network is surely wrong about.",
    look,
    level="warning",
    explains=(
        "overfitting", "overfits", "learning_rate_too_high", "too_small", "too_few_steps",
    ),
    source="Northcutt et al., Confident learning, 2021",
)  # fmt: skip
