"""A layer has the weights that it began with."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Change, Symptom
from downslope.diagnosis.evidence import Evidence

STILL, MOVED = 1e-6, 1e-3  # of the length of the weights


def look(evidence: Evidence) -> Symptom | None:
    """Looks at how far each layer's weights went."""
    moved, network = evidence.moved, evidence.run.network
    still = [index for index, one in moved.items() if one < STILL]
    freeze = evidence.run.settings.freeze
    frozen = [one.index for one in evidence.layers if one.index < freeze]
    if not frozen and (not still or max(moved.values()) < MOVED):
        return None
    which = frozen or still
    names = ", ".join([network.layer_name(index) for index in which])
    seen = f"The weights of layer {names} are what they were before the first step"
    change: Change = {}
    if frozen:
        seen += (
            ": the first layer is frozen."
            if freeze == 1
            else f": the first {freeze} layers are frozen."
        )
        change = {"freeze": 0}
    else:
        seen += ", and those of other layers have changed."
    strength = 0.7 if evidence.is_suspicious else 0.2
    return Symptom(strength, seen, network.layer_name(which[0]), (change,) if change else ())


CAUSE = Cause(
    "unchanged_layer",
    "It passes on what its first weights happen to make: freeze only layers that have learnt, and "
    "see that a gradient reaches the others.",
    look,
    explains=("too_few_steps", "too_small", "learning_rate_too_low"),
    source="Yosinski et al., How transferable are features in deep neural networks?, 2014",
)
