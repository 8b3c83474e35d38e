"""The network memorises its training samples."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the verdict on the course of the losses."""
    verdict = evidence.verdicts.get("overfits")
    if verdict is None or verdict.level != "warning":
        return None
    return Symptom(0.8, verdict.seen, verdict.where, ({"patience": 10},))


CAUSE = Cause(
    "overfitting",
    "From there on it memorised its training samples instead of what holds for all: end "
    "earlier, or give it more data, dropout or weight decay.",
    look,
    level="warning",
    explains=("too_few_steps", "learning_rate_too_low"),
    source="Prechelt, Early stopping - but when?, 1998",
)
