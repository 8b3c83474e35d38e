"""Dropout takes away so much that what is left tells too little."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import without_dropout
from downslope.nn.dense import Dropout


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the rates, and whether the training samples are fitted."""
    network = evidence.run.network
    rates = [one.rate for one in network.layers if isinstance(one, Dropout)]
    if not rates or max(rates) < 0.4 or not evidence.is_suspicious or evidence.train_score > 0.9:
        return None
    kept = 1.0
    for rate in rates:
        kept *= 1 - rate
    seen = (
        f"Dropout of {', '.join(f'{rate:g}' for rate in rates)} leaves {kept:.1%} of all paths in "
        "a step, and the network explains "
        f"{max(0, evidence.train_score):.0%} of its training targets."
    )
    strength = 0.75 if max(rates) >= 0.8 else 0.55 if kept < 0.3 else 0.35
    at = next(
        index for index, one in enumerate(network.layers)
        if isinstance(one, Dropout) and one.rate == max(rates)
    )  # fmt: skip
    changes = ({"network": without_dropout(network)},)
    return Symptom(strength, seen, network.layer_name(at), changes)


CAUSE = Cause(
    "dropout_too_strong",
    "The network underfits: dropout is against memorising, and it has not even learnt its training "
    "samples.",
    look,
    explains=("too_few_steps", "too_small", "learning_rate_too_low"),
    source="Srivastava et al., Dropout, 2014",
)
