"""Every gradient is longer than what clipping allows, so that clipping is the learning rate."""

from __future__ import annotations

import math

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the lengths of the gradients at start and end."""
    most = evidence.run.settings.optimizer.clip_norm
    if most is None or not evidence.layers_at_start or not evidence.is_suspicious:
        return None
    if evidence.run.settings.optimizer.name.startswith("ada"):
        return None  # which divides by the length of the gradients anyway
    lengths = [
        math.sqrt(sum(one.gradient**2 for one in layers))
        for layers in (evidence.layers_at_start, evidence.layers)
    ]
    if min(lengths) < 3 * most:
        return None
    seen = (
        f"Gradients are shortened to {rounded(most)}, and they are {rounded(lengths[0])} long at "
        f"the start and {rounded(lengths[1])} at the end."
    )
    return Symptom(0.7, seen, "", ({"clip_norm": None}, {"clip_norm": 10 * most}))


CAUSE = Cause(
    "clipping_always_on",
    "All steps have the same, short length: clipping is meant for a few, not for every one.",
    look,
    explains=("learning_rate_too_low", "too_few_steps"),
    source="Pascanu et al., On the difficulty of training recurrent neural networks, 2013",
)
