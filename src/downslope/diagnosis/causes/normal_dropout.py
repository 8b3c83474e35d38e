"""Normal: the validation part does better than the training part, because of dropout."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the losses of the steps beside those that are measured without dropout."""
    losses = evidence.run.trace.validation_loss
    if not evidence.run.network.is_random or evidence.is_no_better or not len(losses):
        return None
    per_epoch = evidence.steps_per_epoch
    steps, found = float(evidence.train_losses[-per_epoch:].mean()), float(losses[-1])
    if not found < steps:
        return None
    seen = (
        f"The mean loss of the last epoch's steps is {rounded(steps)}, and the validation loss "
        f"{rounded(found)}."
    )
    return Symptom(0.6, seen)


CAUSE = Cause(
    "better_on_validation_with_dropout",
    "Dropout is at work in the steps and not when losses are measured: compare with the training "
    "loss without it.",
    look,
    level="normal",
    source="Srivastava et al., Dropout, 2014",
)
