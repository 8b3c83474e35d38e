"""Normal: the loss goes up and down in waves while it falls, as momentum makes it."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded

LEAST_WAVES = 3


def look(evidence: Evidence) -> Symptom | None:
    """Looks for rises of the training loss that go on for several steps, with momentum."""
    optimizer, losses = evidence.run.settings.optimizer, evidence.train_losses
    momentum = getattr(optimizer, "momentum", None) or 0.0
    if optimizer.is_own or optimizer.name not in ("momentum", "nesterov") or momentum < 0.8:
        return None
    if evidence.is_no_better or len(losses) < 40 or not np.isfinite(losses).all():
        return None
    width = evidence.steps_per_epoch  # over an epoch all batches are alike
    count = len(losses) // width
    means = losses[: count * width].reshape(count, width).mean(axis=1)
    if count < 20 or not means[-3:].mean() < 0.7 * means[0]:
        return None
    peaks = [
        at for at in range(2, count - 2)
        if means[at] == means[at - 2 : at + 3].max() and means[at] > 1.03 * means[:at].min()
    ]  # fmt: skip
    if len(peaks) < LEAST_WAVES:
        return None
    apart = float(np.median(np.diff(peaks)))
    seen = (
        f"The training loss has {len(peaks)} small peaks, about {apart:.0f} epochs apart, while it "
        f"fell from {rounded(float(means[0]))} to {rounded(float(means[-1]))} with a momentum of "
        f"{momentum:g}."
    )
    return Symptom(0.6, seen)


CAUSE = Cause(
    "waves_of_momentum",
    "With momentum the weights roll on past the bottom of a valley and back, like a ball: the "
    "waves become smaller by themselves.",
    look,
    level="normal",
    source="Sutskever et al., On the importance of initialization and momentum, 2013",
)
