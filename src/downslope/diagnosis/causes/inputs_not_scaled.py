"""Inputs far from size 1 reach the network as they are."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the inputs as the network takes them."""
    if evidence.dataset.is_scaled:
        return None
    values = np.asarray(evidence.probe[0], np.float64)
    size, least = float(np.sqrt((values**2).mean())), float(values.std())
    each = values.reshape(len(values), -1).std(axis=0)
    each = each[each > 0]
    apart = float(each.max() / each.min()) if len(each) else 1.0
    if 0.1 <= size <= 5 and apart < 100:
        return None
    seen = (
        f"The inputs go from {rounded(float(values.min()))} to {rounded(float(values.max()))} "
        f"(root mean square {rounded(size)}, standard deviation {rounded(least)}), and scaling is "
        "none."
    )
    return Symptom(
        0.85 if size > 20 or size < 0.02 else 0.6, seen, "inputs", ({"scaling": "standard"},)
    )


CAUSE = Cause(
    "inputs_not_scaled",
    "Large inputs make large pre-activations and uneven gradients: no rate suits all weights.",
    look,
    explains=(
        "saturated_activations", "dead_relus", "exploding_gradients", "learning_rate_too_high",
        "constant_predictions", "targets_not_scaled",
    ),
    source="LeCun et al., Efficient backprop, 1998, section 4.3",
)  # fmt: skip
