"""An input or a target is not a finite number, or becomes so by scaling."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at what was not finite first in the failed step."""
    failure = evidence.run.outcome.failure
    if failure is None or failure.what not in ("input", "target"):
        return None
    where = failure.name or (
        "" if failure.sample is None else f"sample {failure.sample} of the training part"
    )
    return Symptom(0.99, f"{failure.message[:1].upper()}{failure.message[1:]}.", where)


CAUSE = Cause(
    "not_finite_data",
    "One such number spoils every sum that it enters: fill it in, or leave the sample out.",
    look,
    explains=("learning_rate_too_high", "exploding_gradients", "nothing_to_learn"),
)
