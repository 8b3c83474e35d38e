"""Normal: the loss stood for a while before it fell."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded

LEAST = 0.1  # of all steps
NEAR = 0.07  # of the loss of the plateau


def look(evidence: Evidence) -> Symptom | None:
    """Looks for a stretch in which the loss stays nearly the same, and a fall after it."""
    trace = evidence.run.trace
    losses, steps = trace.train_loss, trace.epochs["step"]
    if evidence.is_no_better or len(losses) < 8 or not np.isfinite(losses).all():
        return None
    ended = losses[-max(1, len(losses) // 10) :].mean()
    for first in range(len(losses) // 2):
        level = losses[first]
        away = np.flatnonzero(np.abs(losses[first:] - level) > NEAR * abs(level))
        if not len(away):
            return None
        last = first + int(away[0]) - 1
        lasted = (steps[last] - steps[first]) / steps[-1]
        # as steep as the plateau the fall would have been too small to see
        if last - first >= 2 and lasted >= LEAST and ended < 0.6 * level:
            seen = (
                f"From step {steps[first]:,} to {steps[last]:,} the training loss stayed about "
                f"{rounded(level)}, and then fell to {rounded(ended)}."
            )
            return Symptom(0.6, seen, f"steps {steps[first]:,} to {steps[last]:,}")
    return None


CAUSE = Cause(
    "plateau_before_fall",
    "Near a saddle gradients are small in all directions but few: the weights leave it slowly and "
    "then quickly. Wait, and judge by the end.",
    look,
    level="normal",
    source="Dauphin et al., Identifying and attacking the saddle point problem, 2014",
)
