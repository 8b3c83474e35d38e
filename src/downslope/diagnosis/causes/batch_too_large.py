"""Batches hold so many samples that there are too few steps."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the number of steps in an epoch and in all."""
    run, samples = evidence.run, len(evidence.dataset.train)
    size = run.settings.samples_per_step(samples)
    if size < 64 or evidence.steps_per_epoch > 4 or not evidence.is_suspicious:
        return None
    if run.outcome.reason == "non_finite" or run.outcome.step > 2000:
        return None
    seen = (
        f"A batch has {size:,} of {samples:,} samples, so that {run.settings.epochs:,} epochs are "
        f"{run.outcome.step:,} steps."
    )
    return Symptom(0.45, seen, "", ({"batch_size": 32},))


CAUSE = Cause(
    "batch_too_large",
    "Each epoch makes only a few steps: smaller batches make more of them at the same cost.",
    look,
    explains=("too_few_steps",),
    source="Masters and Luschi, Revisiting small batch training, 2018",
)
