"""Normal: the task is hard, and simple methods do no better."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at what simple methods reach on the validation part."""
    if evidence.is_no_better or not 0.02 < evidence.score < 0.9:
        return None
    simple = evidence.simple_score
    if not simple > 0 or evidence.is_behind or evidence.train_score > evidence.score + 0.2:
        return None
    seen = (
        f"The network is {evidence.score:.0%} better than the best constant on the validation "
        f"part; simple methods reach {simple:.0%}."
    )
    return Symptom(0.5, seen)


CAUSE = Cause(
    "hard_task",
    "Nothing that was tried does better: perhaps the inputs tell no more of the targets.",
    look,
    level="normal",
)
