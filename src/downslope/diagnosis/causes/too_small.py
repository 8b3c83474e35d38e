"""The network has too few units for what there is to learn."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import weighted, wider
from downslope.nn.dense import Dense
from downslope.text import amount

FEW = 8  # units


def look(evidence: Evidence) -> Symptom | None:
    """Looks for a narrow layer where even the training samples are not fitted."""
    network = evidence.run.network
    if evidence.run.outcome.reason == "non_finite":
        return None
    hidden = [network.layers[index] for index in weighted(network)[:-1]]
    units = [one.units for one in hidden if isinstance(one, Dense)]
    if not units or min(units) > FEW or not evidence.is_suspicious or evidence.train_score > 0.9:
        return None
    narrow = min(units)
    seen = (
        f"A hidden layer has {amount(narrow, 'unit')}, and the network explains "
        f"{max(0, evidence.train_score):.0%} of its training targets."
    )
    strength = 0.55 if narrow <= 2 or evidence.is_behind else 0.35
    return Symptom(strength, seen, "", ({"network": wider(network, 32)},))


CAUSE = Cause(
    "too_small",
    "What passes through so few units is too little to tell the samples apart.",
    look,
    explains=("too_few_steps",),
    source="Goodfellow et al., Deep Learning, 2016, section 5.2",
)
