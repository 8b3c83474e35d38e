"""Layers follow each other without an activation between them: together they are linear."""

from __future__ import annotations

from itertools import pairwise

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import weighted, with_activations
from downslope.nn.dense import Activate, Dropout, Flatten
from downslope.nn.layer import activation_of


def look(evidence: Evidence) -> Symptom | None:
    """Looks for a hidden layer after which nothing is bent before the next."""
    network = evidence.run.network
    at = weighted(network)
    flat = []
    for one, other in pairwise(at):
        between = network.layers[one + 1 : other]
        is_bent = any(not isinstance(layer, Dropout | Flatten) for layer in between)
        if activation_of(network.layers[one]).name == "identity" and not is_bent:
            flat.append(one)
    if not flat:
        return None
    names = ", ".join(network.layer_name(index) for index in flat)
    all_flat = len(flat) == len(at) - 1 and not any(
        isinstance(layer, Activate) for layer in network.layers
    )
    seen = f"Layer {names} has no activation before the next layer." if len(flat) == 1 else (
        f"Layers {names} have no activation before the next layer."
    )  # fmt: skip
    # a linear task needs none: then a simple linear fit is as good, and nothing is suspicious
    strength = (0.75 if all_flat else 0.5) if evidence.is_suspicious else 0.45
    change = {"network": with_activations(network, dict.fromkeys(flat, "relu"))}
    return Symptom(strength, seen, network.layer_name(flat[0]), (change,))


CAUSE = Cause(
    "no_hidden_activation",
    "Linear layers one after another are one linear layer: nothing bent can be learnt.",
    look,
    explains=("too_small", "too_few_steps", "learning_rate_too_low", "learning_rate_too_high"),
    source="Goodfellow et al., Deep Learning, 2016, section 6.1",
)
