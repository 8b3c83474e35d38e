"""The network predicts the same for all samples."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence

LEAST = 0.01  # of the spread of what is wanted


def look(evidence: Evidence) -> Symptom | None:
    """Looks at how much the outputs differ from sample to sample."""
    outputs = evidence.outputs
    if len(outputs) < 2 or not evidence.is_no_better:
        return None
    spread = float(np.sqrt(outputs.var(axis=0).mean()))
    if evidence.task in ("classification", "multilabel"):
        usual = 1.0  # of logits
    else:
        usual = float(np.asarray(evidence.dataset.train.targets, np.float64).std()) or 1.0
    if not spread <= LEAST * usual:
        return None
    seen = f"The outputs differ by {spread:.2g} from sample to sample."
    return Symptom(0.5, seen, "predictions")


CAUSE = Cause(
    "constant_predictions",
    "It ignores its inputs: something on the way through the network lets nothing pass.",
    look,
    level="warning",
    source="Glorot and Bengio, Understanding the difficulty of training deep networks, 2010",
)
