"""Hidden sigmoids or tanhs sit on their flat ends, where no gradient passes."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.networks import with_hidden_activation

MOST = 0.6  # of a layer's activations


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the slopes of the hidden activations, at the start and at the end."""
    for layers, when in ((evidence.layers_at_start[:-1], "start"), (evidence.hidden, "end")):
        worst = max(
            (one for one in layers if one.saturated > MOST), key=lambda one: one.saturated,
            default=None,
        )  # fmt: skip
        if worst is not None:
            seen = (
                f"At the {when} of the training {worst.saturated:.0%} of the activations of layer "
                f"{worst.name} ({worst.activation.name}) lie where their slope is below a "
                "twentieth of the steepest."
            )
            strength = 0.65 if evidence.is_suspicious else 0.2
            rate = evidence.run.settings.learning_rate
            changes = (
                {"network": with_hidden_activation(evidence.run.network, "relu")},
                {"learning_rate": float(f"{rate / 10:.3g}")},
            )
            return Symptom(strength, seen, worst.name, changes)
    return None


CAUSE = Cause(
    "saturated_activations",
    "There the gradient is nearly 0, and the layers before learn nothing.",
    look,
    explains=("unchanged_layer", "vanishing_gradients", "too_few_steps", "learning_rate_too_low"),
    source="Glorot and Bengio, Understanding the difficulty of training deep networks, 2010",
)
