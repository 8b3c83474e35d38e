"""The gradient shrinks from layer to layer, and the first layers learn nothing."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import with_hidden_activation
from downslope.numerals import rounded

LEAST = 0.02  # of the last layer's delta, in the first layer
STRONG = 1e-3


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the gradient with respect to the pre-activations, before the first step."""
    layers = evidence.layers_at_start
    if len(layers) < 3 or not layers[-1].delta or not evidence.is_suspicious:
        return None
    fraction = layers[0].delta / layers[-1].delta
    if fraction > LEAST or layers[0].dead > 0.9:
        return None
    names = {one.activation.name for one in layers[:-1]}
    seen = (
        f"Before the first step the gradient at layer {layers[0].name} is {rounded(fraction)} of "
        f"that at layer {layers[-1].name} (root mean square by the pre-activations)."
    )
    other = "relu" if names & {"sigmoid", "tanh", "softmax"} else "leaky_relu"
    change = {"network": with_hidden_activation(evidence.run.network, other)}
    return Symptom(0.75 if fraction < STRONG else 0.6, seen, layers[0].name, (change,))


CAUSE = Cause(
    "vanishing_gradients",
    "Each layer multiplies the gradient by slopes below 1; what is left hardly moves the first "
    "layers.",
    look,
    explains=("unchanged_layer", "too_few_steps", "learning_rate_too_low", "constant_predictions"),
    source="Hochreiter, Untersuchungen zu dynamischen neuronalen Netzen, 1991; Glorot and Bengio, "
    "Understanding the difficulty of training deep networks, 2010",
)
