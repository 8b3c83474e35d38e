"""The loss does not suit the targets."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.text import amount


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the targets beside what the loss is for."""
    run, failure = evidence.run, evidence.run.outcome.failure
    if failure is not None and not run.loss.built_in and "loss" in (failure.what, failure.cause):
        of = "its value" if failure.what == "loss" else "its slope"
        seen = (
            f"The loss {run.loss.name} is no loss of Downslope's, and {of} was {failure.value} "
            f"for finite outputs, after {amount(run.outcome.step, 'step')}."
        )
        return Symptom(0.9, seen, f"step {run.outcome.step + 1:,}")
    if evidence.task != "regression":
        return None
    targets = np.asarray(evidence.dataset.train.targets)
    change = ({"loss": "squared_error"},)
    if run.settings.loss == "poisson":
        if (targets == np.round(targets)).all():
            return None
        return Symptom(
            0.8, "The loss is poisson, and the targets are no whole numbers.", "", change
        )
    if run.settings.loss == "absolute_error" and evidence.is_suspicious:
        values = len(np.unique(targets))
        if values <= 2:
            seen = "The loss is absolute_error, and the targets have two values."
            return Symptom(0.5, seen, "", change)
        return Symptom(0.25, "The loss is absolute_error.", "", change)
    return None


CAUSE = Cause(
    "wrong_loss",
    "Its minimum is not where the targets are best met, or its gradient does not tell how far; a "
    "logarithm, a root or a quotient in it may have no value: keep what goes in away from 0.",
    look,
    explains=("too_few_steps", "learning_rate_too_low", "learning_rate_too_high"),
    source="Goodfellow et al., Deep Learning, 2016, section 6.2",
)
