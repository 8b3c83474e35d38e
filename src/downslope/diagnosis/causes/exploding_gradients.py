"""The gradient grows from layer to layer."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import with_usual_start
from downslope.numerals import rounded

MOST = 100.0


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the gradient with respect to the pre-activations, before the first step."""
    layers = evidence.layers_at_start
    if len(layers) < 3 or not layers[-1].delta or not evidence.is_suspicious:
        return None
    times = layers[0].delta / layers[-1].delta
    if not times > MOST:
        return None
    seen = (
        f"Before the first step the gradient at layer {layers[0].name} is {rounded(times)} times "
        f"that at layer {layers[-1].name}."
    )
    changes = (
        {"network": with_usual_start(evidence.run.network)},
        {"clip_norm": 1.0},
    )
    return Symptom(0.6, seen, layers[0].name, changes)


CAUSE = Cause(
    "exploding_gradients",
    "Each layer makes the gradient larger, so that steps that suit the last layers are far too "
    "long for the first ones.",
    look,
    explains=("learning_rate_too_high",),
    source="Pascanu et al., On the difficulty of training recurrent neural networks, 2013",
)
