"""Weight decay pulls the weights to 0 faster than the gradient can move them."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the lengths of the weights at start and end."""
    decay = evidence.run.settings.optimizer.weight_decay
    if not decay or not evidence.layers_at_start or not evidence.is_suspicious:
        return None
    pairs = list(zip(evidence.layers_at_start, evidence.layers, strict=True))
    shrunk = min(end.weight_length / max(first.weight_length, 1e-12) for first, end in pairs)
    if shrunk > 0.7 and decay < 0.1:
        return None
    seen = (
        f"With a weight decay of {rounded(decay)} the weights of a layer shrank to {shrunk:.0%} of "
        "their first length."
    )
    return Symptom(0.8 if shrunk < 0.4 else 0.45, seen, "", ({"weight_decay": 0.0},))


CAUSE = Cause(
    "weight_decay_too_strong",
    "The pull to 0 is stronger than what the samples ask for.",
    look,
    explains=("vanishing_gradients", "constant_predictions", "too_few_steps", "dead_relus",
              "learning_rate_too_low", "too_small"),
    source="Krogh and Hertz, A simple weight decay can improve generalization, 1992",
)  # fmt: skip
