"""The training was ended before the loss had stopped falling."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

FEW = 200  # steps in which hardly any network learns much
HARDLY_ANY = 20  # so few are worth a try whatever was learnt


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the end of the losses, and at the number of steps."""
    run = evidence.run
    if run.outcome.reason == "non_finite" or run.outcome.kept_step < run.outcome.step:
        return None
    verdict = evidence.verdicts.get("still_falling")
    losses, steps = run.trace.train_loss, run.outcome.step
    epochs = run.settings.epochs
    changes = ({"epochs": 4 * epochs},) if steps * 4 > 1000 else (
        {"epochs": 4 * epochs}, {"epochs": min(1000, 16 * epochs)}
    )  # fmt: skip
    falls = len(losses) > 2 and losses[-1] <= losses.min() and losses[-1] < 0.98 * losses[0]
    if verdict is not None and verdict.level == "warning":
        return Symptom(0.6, verdict.seen, "", changes)
    if steps < HARDLY_ANY or (steps < FEW and evidence.is_suspicious):
        seen = f"The whole training had {steps:,} steps."
        return Symptom(0.6 if falls or len(losses) < 3 else 0.4, seen, "", changes)
    if evidence.is_suspicious and falls:
        return Symptom(0.35, "The training loss was lowest at the end.", "", changes)
    return None


CAUSE = Cause(
    "too_few_steps",
    "It was on its way: with more epochs it would learn more.",
    look,
    level="fault",
    source="Bengio, Practical recommendations for gradient-based training, 2012",
)
