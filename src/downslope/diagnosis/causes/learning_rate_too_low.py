"""The learning rate is too low: the weights hardly leave their start."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded

LITTLE = 0.1  # of what there is to learn, in the training part
MOVED = 0.02  # of their length: less, and the first weights are still what they were


def look(evidence: Evidence) -> Symptom | None:
    """Looks at how far the weights went, and whether the loss still falls."""
    if not evidence.is_suspicious or evidence.run.outcome.reason == "non_finite":
        return None
    rate = evidence.run.settings.learning_rate
    changes = tuple({"learning_rate": float(f"{rate * by:.3g}")} for by in (10, 100, 1e3, 1e4, 1e5))
    if not evidence.moved:
        return None
    most = max(evidence.moved.values())
    seen = (
        f"In {evidence.run.outcome.step:,} steps at a learning rate of {rounded(rate)} the weights "
        f"moved by {most:.2%} of their length."
    )
    is_still = most < MOVED
    strength = 0.8 if most < MOVED / 10 else 0.6 if is_still else 0.3
    if not is_still and evidence.falls_steadily:
        strength = 0.5
        seen += " The training loss falls at the end as fast as at the start."
    most_tried = len(changes) if is_still else 1 if evidence.train_score > LITTLE else 3
    return Symptom(strength, seen, "", changes[:most_tried])


CAUSE = Cause(
    "learning_rate_too_low",
    "The steps are so small that the weights stay near their start.",
    look,
    explains=("too_few_steps", "constant_predictions", "vanishing_gradients"),
    source="Bengio, Practical recommendations for gradient-based training, 2012",
)
