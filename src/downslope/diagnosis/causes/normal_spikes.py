"""Normal: now and then the loss of a batch leaps, and comes back within a few steps."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded
from downslope.text import amount

TIMES = 8.0  # as far from the usual loss as batches usually differ
HIGH = 0.1  # of the loss of the best constant: less is not seen in a curve


def look(evidence: Evidence) -> Symptom | None:
    """Looks for single high losses in the later two thirds of a training that goes well."""
    losses, per_epoch = evidence.train_losses, evidence.steps_per_epoch
    samples = len(evidence.dataset.train)
    if evidence.is_no_better or len(losses) < 60 or not np.isfinite(losses).all():
        return None
    first, least = len(losses) // 3, HIGH * abs(evidence.baseline["loss"])
    late = losses[first:]
    usual = np.array([np.median(late[max(0, at - 10) : at + 11]) for at in range(len(late))])
    spread = 1.4826 * float(np.median(np.abs(late - usual)))
    high = np.flatnonzero(late - usual > np.maximum(TIMES * spread, np.maximum(usual, least)))
    if not 1 <= len(high) <= len(late) / 10:
        return None
    at = first + high
    worst = int(at[(late[high] - usual[high]).argmax()])
    seen = (
        f"{amount(len(high), 'batch').replace('batchs', 'batches')} had a loss far above those "
        f"beside {'it' if len(high) == 1 else 'them'}, such as {rounded(float(losses[worst]))} in "
        f"step {worst + 1:,} among {rounded(float(usual[worst - first]))}."
    )
    size = evidence.run.settings.samples_per_step(samples)
    is_last = (at % per_epoch == per_epoch - 1).mean() > 0.7
    if per_epoch > 1 and is_last and samples % size:
        seen += f" They are the last of their epochs, which have {samples % size} samples."
    return Symptom(0.6, seen, f"step {worst + 1:,}")


CAUSE = Cause(
    "spikes_that_pass",
    "A batch of unusual samples, or a short one, has a higher loss, and a step along a steep wall "
    "overshoots; the losses after it show that nothing was lost.",
    look,
    level="normal",
    source="Cohen et al., Gradient descent on neural networks typically occurs at the edge of "
    "stability, 2021",
)
