"""Normal: the loss rose in the first steps, and fell after them."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded

FIRST = 0.2  # of all steps
WINDOW = 3  # steps that are averaged


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the smoothed batch losses of a training that ended well."""
    losses = evidence.train_losses
    if evidence.is_no_better or len(losses) < 10 * WINDOW or not np.isfinite(losses).all():
        return None
    smooth = np.convolve(losses, np.ones(WINDOW) / WINDOW, "valid")
    early = smooth[: max(2, int(FIRST * len(smooth)))]
    highest = int(early.argmax())
    # how far batches of that time lie from each other by chance
    noise = 1.05 * float(np.median(np.abs(np.diff(losses[1 : len(early) + WINDOW]))))
    rise = float(early[highest] - losses[0])
    ended = float(smooth[-max(1, len(smooth) // 10) :].mean())
    if rise < max(0.15 * abs(float(losses[0])), 4 * noise) or ended > 0.8 * losses[0]:
        return None
    seen = (
        f"The loss of a batch rose from {rounded(float(losses[0]))} to "
        f"{rounded(float(early[highest]))} about step {highest + WINDOW // 2 + 1:,}, and ended at "
        f"{rounded(ended)}."
    )
    return Symptom(0.6, seen, f"step {highest + WINDOW // 2 + 1:,}")


CAUSE = Cause(
    "rise_in_first_steps",
    "The first steps of an optimizer are its largest beside what the weights then are; once it has "
    "settled the loss falls. A rate that begins low (--schedule one-cycle) makes them smaller.",
    look,
    level="normal",
    source="Goyal et al., Accurate, large minibatch SGD, 2017, section 2.2",
)
