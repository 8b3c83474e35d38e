"""Each target belongs to the sample before or after its own."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

LEAST = 0.2  # of what there is to predict


def look(evidence: Evidence) -> Symptom | None:
    """Looks whether simple methods learn the targets of the neighbours in the order of the data."""
    own = evidence.simple_score_within
    if not (evidence.score < 0.3 and own < LEAST):
        return None
    scores = {by: evidence.simple_score_shifted(by) for by in (1, -1, 2, -2)}
    by = max(scores, key=lambda one: scores[one])
    if not scores[by] > max(0.0, own) + LEAST:
        return None
    which = ("the next sample" if abs(by) == 1 else "the sample after the next") if by > 0 else (
        "the sample before" if abs(by) == 1 else "the second sample before"
    )  # fmt: skip
    seen = (
        "Simple methods, learnt from a part of the training samples, "
        f"explain {max(0.0, own):.0%} of the targets of the others, and {scores[by]:.0%} if each "
        f"gets the target of {which}."
    )
    return Symptom(0.95, seen, "targets")


CAUSE = Cause(
    "labels_shifted",
    "Inputs and targets are out of step: a row was lost or added in one of the two before they "
    "were put together.",
    look,
    explains=("nothing_to_learn", "overfits", "overfitting", "too_few_steps", "too_small",
              "learning_rate_too_low", "constant_predictions", "noisy_labels"),
    source="Northcutt et al., Pervasive label errors in test sets, 2021",
)  # fmt: skip
