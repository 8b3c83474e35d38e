"""A class has no samples to learn from, or none to measure with."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at how many samples of each class the parts have."""
    data = evidence.dataset
    if evidence.task != "classification" or data.train.targets.ndim > 1:
        return None
    counts = [
        np.bincount(part.targets, minlength=len(data.class_names))
        for part in (data.train, data.validation, data.test)
    ]
    for part, strength, name in ((0, 0.9, "training"), (1, 0.6, "validation")):
        missing = np.flatnonzero(counts[part] == 0)
        if len(missing) == 0:
            continue
        names = ", ".join([data.class_names[one] for one in missing[:5]])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        held = int(sum(own[missing].sum() for own in counts))
        seen = (
            f"The {name} part has no sample of class {names}{more}; the other parts have {held:,}."
        )
        return Symptom(strength, seen, f"{name} part")
    return None


CAUSE = Cause(
    "missing_class",
    "What was never seen is never predicted, and what is not measured may be wrong unseen: split "
    "anew (--split-seed), add samples, or leave the class out.",
    look,
    level="warning",
    source="He and Garcia, Learning from imbalanced data, 2009",
)
