"""Normal: the validation part does a little better than the training part, by chance."""

from __future__ import annotations

import math

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at both losses beside how far a mean over so few samples is from the true one."""
    run, part = evidence.run, evidence.dataset.validation
    if evidence.is_no_better or run.network.is_random:
        return None
    found, train = evidence.metrics["loss"], evidence.train_metrics["loss"]
    if not found < train:
        return None
    with np.errstate(all="ignore"):
        each = run.model.values(part)[:, 0]
    error = float(np.std(each)) / math.sqrt(len(part))
    if len(part) < 2 or train - found > 4 * max(error, 1e-12):
        return None
    seen = (
        f"The validation loss is {rounded(found)}, and the training loss {rounded(train)}; of "
        f"{len(part):,} samples the mean is off by about {rounded(error)} by chance."
    )
    return Symptom(0.6, seen)


CAUSE = Cause(
    "better_on_validation_by_chance",
    "The network does not memorise its training samples, and the few others happen to be easier: "
    "with another split it may be the other way round.",
    look,
    level="normal",
    source="Hastie et al., The elements of statistical learning, 2009, section 7.10",
)
