"""The activation of the last layer cannot give what the loss needs."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import weighted, with_last_identity
from downslope.nn.dense import Activate
from downslope.nn.layer import activation_of
from downslope.numerals import rounded

RANGES = {
    "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "softmax": (0.0, 1.0), "relu": (0.0, np.inf),
    "softplus": (0.0, np.inf),
}  # fmt: skip


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the range of the last activation, beside the targets."""
    network = evidence.run.network
    at = weighted(network)
    if not at:
        return None
    last = network.layers[at[-1]]
    name = activation_of(last).name
    after = [one for one in network.layers[at[-1] + 1 :] if isinstance(one, Activate)]
    if after:
        name = activation_of(after[-1]).name
    where = network.layer_name(at[-1])
    change = ({"network": with_last_identity(network)},)
    if name == "identity" or name not in RANGES:
        return None
    outputs = network.shapes(evidence.dataset.input_shape)[-1]
    if name == "softmax" and int(np.prod(outputs)) == 1:
        return Symptom(0.97, "A softmax over one unit is always 1.", where, change)
    if evidence.run.loss.takes_classes:
        seen = (
            f"The last layer ends with {name}, and {evidence.run.settings.loss} needs logits of "
            "any size and sign."
        )
        return Symptom(0.85, seen, where, change)
    wanted = evidence.wanted_outputs
    if evidence.run.settings.loss == "poisson":
        return Symptom(
            0.7, f"poisson needs logarithms, and the last layer ends with {name}.", where, change
        )
    low, high = RANGES[name]
    outside = float(((wanted < low) | (wanted > high)).mean())
    if name == "softmax":
        sums = wanted.sum(axis=1)
        outside = max(outside, float((np.abs(sums - 1) > 0.05).mean()))
    if outside < 0.02:
        return None
    reach = f"from {low:g} to {high:g}" if np.isfinite(high) else f"of at least {low:g}"
    scaled = " in the network's units" if evidence.dataset.is_scaled else ""
    seen = (
        f"The last layer ends with {name}, whose outputs are numbers {reach}, and {outside:.0%} of "
        f"the targets lie outside (they go from {rounded(float(wanted.min()))} to "
        f"{rounded(float(wanted.max()))}{scaled})."
    )
    return Symptom(0.95 if outside > 0.2 else 0.8, seen, where, change)


CAUSE = Cause(
    "wrong_last_activation",
    "The outputs cannot reach the targets, whatever the weights: leave the last activation out.",
    look,
    explains=("too_few_steps", "learning_rate_too_low", "learning_rate_too_high", "too_small",
              "vanishing_gradients", "constant_predictions", "dead_relus", "wrong_loss",
              "saturated_activations", "no_hidden_activation"),
    source="Bishop, Neural networks for pattern recognition, 1995, chapter 6",
)  # fmt: skip
