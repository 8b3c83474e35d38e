"""The network memorises its training samples."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

LEARNABLE = 0.05  # of the validation part, by simple methods: there is something to learn
FITS = 0.8  # of what there is to explain of the training targets


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the verdict on the course of the losses."""
    verdict = evidence.verdicts.get("overfits")
    if verdict is None and evidence.is_no_better and evidence.simple_score > LEARNABLE:
        fits = evidence.train_score
        if fits > FITS and evidence.run.outcome.kept_step == evidence.run.outcome.step:
            seen = (
                f"The network explains {fits:.0%} of its training targets and nothing of the "
                "validation part, of which simple methods explain "
                f"{evidence.simple_score:.0%}."
            )
            return Symptom(0.6, seen, "", ({"patience": 10},))
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
