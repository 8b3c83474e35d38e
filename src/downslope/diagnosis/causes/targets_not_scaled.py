"""Targets far from size 1 are to be reached by a network that starts near 0."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the targets as the loss takes them."""
    if evidence.dataset.is_scaled or evidence.task != "regression":
        return None
    wanted = evidence.wanted_outputs
    size = float(np.sqrt((wanted**2).mean()))
    if 0.05 <= size <= 10:
        return None
    seen = (
        f"The targets go from {rounded(float(wanted.min()))} to {rounded(float(wanted.max()))} "
        f"(root mean square {rounded(size)}), and scaling is none."
    )
    strength = 0.85 if size > 50 or size < 0.01 else 0.6
    return Symptom(strength, seen, "targets", ({"scaling": "standard"},))


CAUSE = Cause(
    "targets_not_scaled",
    "The outputs start near 0 and have far to go; the squares of such errors make huge gradients.",
    look,
    explains=("exploding_gradients", "learning_rate_too_high", "learning_rate_too_low",
              "too_few_steps", "dead_relus", "constant_predictions"),
    source="Bishop, Neural networks for pattern recognition, 1995, section 8.2",
)  # fmt: skip
