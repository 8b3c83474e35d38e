"""Batch normalisation predicts with running statistics that have not come to what they follow."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded
from downslope.text import amount

TIMES = 2.0
MOST_STEPS = 500  # after which they have come to it


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the loss of the batches beside that of the same samples with the statistics."""
    run = evidence.run
    losses, told, steps = evidence.train_losses, run.trace.train_loss, run.outcome.step
    if not run.network.mixes_batch or len(losses) < 2 or not len(told) or steps > MOST_STEPS:
        return None
    if run.outcome.reason == "non_finite":
        return None
    batches = float(np.mean(losses[-max(1, min(len(losses) // 4, evidence.steps_per_epoch)) :]))
    if not float(told[-1]) > TIMES * batches:
        return None
    seen = (
        f"The last batches had a loss of {rounded(batches)} by their own means and variances, and "
        f"the training samples have {rounded(float(told[-1]))} by the running ones, after "
        f"{amount(steps, 'step')}."
    )
    changes = ({"epochs": 4 * run.settings.epochs}, {"epochs": 16 * run.settings.epochs})
    return Symptom(0.75, seen, "batch normalisation", changes)


CAUSE = Cause(
    "running_statistics_behind",
    "In training each batch is normalised by its own mean and variance, and in predictions by "
    "running ones, which start at 0 and 1 and follow a little in each step: more steps, or scaled "
    "inputs, bring them there.",
    look,
    explains=("too_few_steps", "overfitting", "overfits", "dropout_too_strong"),
    source="Ioffe and Szegedy, Batch normalization, 2015",
)
