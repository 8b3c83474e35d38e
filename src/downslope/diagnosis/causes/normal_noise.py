"""Normal: the loss leaps from step to step, because few samples are in a batch."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.text import amount


def look(evidence: Evidence) -> Symptom | None:
    """Looks at the leaps of the batch losses of a training that goes well."""
    size = evidence.run.settings.samples_per_step(len(evidence.dataset.train))
    losses = evidence.train_losses[len(evidence.train_losses) // 2 :]
    if size > 4 or evidence.is_no_better or len(losses) < 50:
        return None
    spread = float(losses.std() / max(abs(float(losses.mean())), 1e-12))
    if spread < 0.3:
        return None
    seen = (
        f"The loss of the steps varies by {spread:.0%} of its mean, with "
        f"{amount(size, 'sample')} in a batch."
    )
    return Symptom(0.6, seen)


CAUSE = Cause(
    "noisy_loss_of_small_batches",
    "Each step's loss is that of its own few samples; the losses over whole parts are smooth.",
    look,
    level="normal",
    source="Bottou, Large-scale machine learning with stochastic gradient descent, 2010",
)
