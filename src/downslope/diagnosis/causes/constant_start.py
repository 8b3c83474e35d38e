"""The first weights of a layer are all the same, so that its units stay the same."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import with_usual_start
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the spread of the first weights."""
    for one in evidence.layers_at_start:
        if one.weight_std < 1e-12 and one.fan_in > 0:
            value = 0.0 if one.weight_length == 0 else one.weight_length
            seen = f"The first weights of layer {one.name} are all " + (
                "0." if value == 0 else f"the same (length {rounded(value)})."
            )
            # the last layer may start at 0: then only its own gradient is 0 for a step
            is_last = one.index == evidence.layers_at_start[-1].index
            if is_last and not evidence.is_suspicious:
                continue
            change = {"network": with_usual_start(evidence.run.network)}
            return Symptom(0.3 if is_last else 0.9, seen, one.name, (change,))
    return None


CAUSE = Cause(
    "constant_start",
    "Units that begin alike get the same gradient and stay alike: the layer is worth one unit.",
    look,
    explains=("unchanged_layer", "vanishing_gradients", "dead_relus", "start_wrongly_scaled",
              "constant_predictions", "too_small", "too_few_steps"),
    source="Goodfellow et al., Deep Learning, 2016, section 8.4",
)  # fmt: skip
