"""The first weights of a layer are far larger or smaller than its number of inputs asks for."""

from __future__ import annotations

import math

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import with_usual_start
from downslope.numerals import rounded

TIMES = 4.0
FEWEST = 16  # weights, whose spread tells that of the distribution that they were drawn from


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the spread of the first weights beside 1 / sqrt(inputs)."""
    if not evidence.is_suspicious:
        return None
    worst, most = None, 1.0
    for one in evidence.layers_at_start:
        usual = 1 / math.sqrt(max(1, one.fan_in))
        times = max(one.weight_std / usual, usual / max(one.weight_std, 1e-30))
        if one.weights < FEWEST:
            continue
        if one.weight_std > 1e-12 and times > max(most, TIMES):
            worst, most = one, times
    if worst is None:
        return None
    usual = 1 / math.sqrt(worst.fan_in)
    seen = (
        f"The first weights of layer {worst.name} have a standard deviation of "
        f"{rounded(worst.weight_std)}; for its {worst.fan_in:,} inputs about {rounded(usual)} is "
        "usual."
    )
    strength = 0.7 if most > 8 else 0.5
    change = {"network": with_usual_start(evidence.run.network)}
    return Symptom(strength, seen, worst.name, (change,))


CAUSE = Cause(
    "start_wrongly_scaled",
    "Activations and gradients then grow or shrink from layer to layer.",
    look,
    explains=("vanishing_gradients", "exploding_gradients", "saturated_activations", "dead_relus",
              "learning_rate_too_high", "too_few_steps"),
    source="Glorot and Bengio, Understanding the difficulty of training deep networks, 2010; He et "
    "al., Delving deep into rectifiers, 2015",
)  # fmt: skip
