"""Batches hold so few samples that each step goes mostly by chance."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.text import amount


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the batch size where nothing was learnt."""
    samples = len(evidence.dataset.train)
    size = evidence.run.settings.samples_per_step(samples)
    if size > 4 or samples < 64 or not evidence.is_suspicious:
        return None
    seen = f"A batch has {amount(size, 'sample')}."
    return Symptom(0.35, seen, "", ({"batch_size": 32},))


CAUSE = Cause(
    "batch_too_small",
    "The gradient of so few samples points anywhere; a rate that suits larger batches is too high.",
    look,
    source="Bottou, Large-scale machine learning with stochastic gradient descent, 2010",
)
