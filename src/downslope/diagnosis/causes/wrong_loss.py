"""The loss does not suit the targets."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the targets beside what the loss is for."""
    run = evidence.run
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
    "Its minimum is not where the targets are best met, or its gradient does not tell how far.",
    look,
    explains=("too_few_steps", "learning_rate_too_low"),
    source="Goodfellow et al., Deep Learning, 2016, section 6.2",
)
