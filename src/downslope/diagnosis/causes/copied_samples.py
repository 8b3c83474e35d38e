"""Samples of the validation or test part are in the training part as well."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

MOST = 0.02  # of the validation part: fewer change no metric by much


def look(evidence: Evidence) -> Symptom | None:
    """Looks at what the data checks found."""
    found = [one for one in evidence.data_findings if one.kind in ("copies", "near copies")]
    data = evidence.dataset
    if sum(one.count for one in found) <= MOST * (len(data.validation) + len(data.test)):
        return None
    rows = data.train.inputs.reshape(len(data.train), -1)
    # where training rows repeat each other as well there are but so many different inputs
    if len(np.unique(rows, axis=0)) < 0.7 * len(rows):
        return None
    return Symptom(0.9, " ".join(one.says for one in found), "validation and test part")


CAUSE = Cause(
    "copied_samples",
    "Their targets are known from the training: the metrics are those of a memory. Remove the "
    "copies, or keep them in one part (--group).",
    look,
    level="warning",
    source="Barz and Denzler, Do we train on test data?, 2020",
)
