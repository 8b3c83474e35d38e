"""Units behind a relu are 0 for all samples, so that no gradient reaches their weights."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import with_hidden_activation

MOST = 0.6  # of a layer's units


def look(evidence: Evidence) -> Symptom | None:
    """Looks for units that are 0 for all probed samples."""
    dead = [one for one in evidence.layers if one.dead > MOST]
    if not dead:
        return None
    worst = max(dead, key=lambda one: one.dead)
    before = {one.index: one.dead for one in evidence.layers_at_start}.get(worst.index, 0.0)
    seen = (
        f"{worst.dead:.0%} of the units of layer {worst.name} are 0 for all of "
        f"{len(evidence.probe[0])} training samples ({before:.0%} before the first step)."
    )
    rate = evidence.run.settings.learning_rate
    changes = (
        {"learning_rate": float(f"{rate / 10:.3g}")},
        {"learning_rate": float(f"{rate / 100:.3g}")},
        {"network": with_hidden_activation(evidence.run.network, "leaky_relu")},
    )
    if before > MOST:
        changes = changes[::-1]
    strength = 0.8 if worst.dead == 1 else 0.65
    return Symptom(strength if evidence.is_suspicious else 0.25, seen, worst.name, changes)


CAUSE = Cause(
    "dead_relus",
    "Their gradient is 0: they stay as they are, whatever the samples.",
    look,
    explains=("unchanged_layer", "constant_predictions", "vanishing_gradients", "too_small"),
    source="Maas et al., Rectifier nonlinearities improve neural network acoustic models, 2013",
)
