"""Nearly all samples are of one class, and the network predicts nothing else."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

MOST = 0.85


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the classes of the targets and of the predictions."""
    targets = evidence.dataset.train.targets
    if evidence.task != "classification" or targets.ndim > 1:
        return None
    names = evidence.dataset.class_names
    counts = np.bincount(targets, minlength=len(names))
    most = int(counts.argmax())
    fraction = counts[most] / counts.sum()
    part = evidence.dataset.validation
    predicted = evidence.run.predict(part.inputs)
    if not MOST <= fraction < 1:  # where the others are missing, that is the cause
        return None
    right = (predicted == part.targets).mean()
    if (predicted == most).mean() < 0.99 and right >= (part.targets == most).mean():
        return None
    if (part.targets == most).all():
        return None
    weights = tuple(
        float(f"{one:.3g}") for one in counts.sum() / (len(names) * np.maximum(counts, 1))
    )
    seen = (
        f"{fraction:.1%} of the training samples are {names[most]}, and so are "
        f"{(predicted == most).mean():.1%} of the predictions."
    )
    return Symptom(0.75, seen, f"class {names[most]}", ({"class_weights": weights},))


CAUSE = Cause(
    "dominating_class",
    "Always predicting the frequent class is nearly always right, so the rare ones count little in "
    "the loss; accuracy hides it.",
    look,
    explains=("constant_predictions", "nothing_to_learn", "too_few_steps"),
    source="Japkowicz and Stephen, The class imbalance problem, 2002",
)
