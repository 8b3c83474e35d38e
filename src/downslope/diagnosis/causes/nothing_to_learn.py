"""The inputs tell nothing of the targets: labels are shuffled, or noise."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks whether anything at all predicts the validation part better than a constant."""
    simple = evidence.simple_score
    if not evidence.is_no_better or not simple <= 0.05 or evidence.score > 0.1:
        return None
    if evidence.run.outcome.reason == "non_finite" or evidence.simple_score_within > 0.03:
        return None
    fits = evidence.train_score
    seen = (
        "On samples that were not fitted neither the network nor a linear fit nor the nearest "
        "neighbours predict better than a constant"
        + (
            f", though the network fits {fits:.0%} of its training samples' excess."
            if fits > 0.3
            else "."
        )
    )
    return Symptom(0.7 if fits > 0.3 else 0.55, seen, "targets")


CAUSE = Cause(
    "nothing_to_learn",
    "Perhaps the targets are noise, shuffled, or shifted against the inputs: check by eye for some "
    "samples that target and input belong together.",
    look,
    explains=("overfits", "too_few_steps", "constant_predictions", "too_small"),
    source="Zhang et al., Understanding deep learning requires rethinking generalization, 2017",
)
