"""The learning rate is too high: steps overshoot, and the loss leaps, rises or overflows."""

from __future__ import annotations

import numpy as np

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence
from downslope.numerals import rounded

STILL = 0.02  # of the length of the weights
ENOUGH = 16  # samples whose mean loss tells how high it is
RISE = 1.1  # times its lowest value
OF_UPDATES = ("direction", "state", "change", "weight")
OF_STEPS = ("sum", "activation", "loss", "gradient", *OF_UPDATES)


def look(evidence: Evidence) -> Symptom | None:
    """Looks at where the batch losses went, and at what was not finite."""
    losses, rate = evidence.train_losses, evidence.run.settings.learning_rate
    rates = [float(f"{rate * by:.3g}") for by in (0.1, 0.01, 1e-3, 1e-4)]
    usual = evidence.run.settings.optimizer.learning_rate
    if rates[-1] > usual:
        rates.append(usual)
    changes = tuple({"learning_rate": one} for one in rates)
    failure = evidence.run.outcome.failure
    if evidence.run.outcome.reason == "non_finite":
        # before the first step no rate has done anything yet
        done = OF_STEPS if evidence.run.outcome.step else OF_UPDATES
        if failure is not None and failure.what not in done:
            return None
        seen = (
            f"After {evidence.run.outcome.step:,} steps at a learning rate of {rounded(rate)} the "
            "numbers were not finite any more."
        )
        return Symptom(0.8, seen, f"step {evidence.run.outcome.step + 1:,}", changes)
    if len(losses) < 4 or 0 < max(evidence.moved.values(), default=0.0) < STILL:
        return None  # what leaps while the weights stay are the batches
    # one sample's loss may be small by chance: what is usual is that of the best constant
    size = evidence.run.settings.samples_per_step(len(evidence.dataset.train))
    few, more = ENOUGH // size, min(evidence.steps_per_epoch, len(losses) // 20)
    begin = min(abs(float(losses[: max(1, steps)].mean())) for steps in (few, more))
    first = max(begin, abs(evidence.baseline["loss"]))
    wide = min(max(1, ENOUGH // size), len(losses) // 4)  # a sample alone may be far off
    losses = np.convolve(losses, np.full(wide, 1 / wide), "valid")
    late = losses[len(losses) // 2 :]
    rose = float(np.median(late)) > 1.2 * first and evidence.is_no_better
    leapt = float(losses.max()) > 5 * first
    if leapt or rose:
        at = int(losses.argmax()) + 1
        seen = (
            f"The loss of a batch rose to {rounded(float(losses.max()))} "
            f"(step {at:,}) at a learning rate of {rounded(rate)}."
        )
        return Symptom(0.75 if evidence.is_suspicious else 0.3, seen, f"step {at:,}", changes)
    told = evidence.run.trace.train_loss
    if evidence.is_suspicious and len(told) > 4 and told[-1] > RISE * told.min():
        at = int(told.argmin())
        if at < len(told) / 4:  # and not after long: samples that are known by heart stay known
            low, end = rounded(float(told[at])), rounded(float(told[-1]))
            seen = (
                f"The training loss was lowest ({low}) at measurement {at + 1} of {len(told)}, and "
                f"ended at {end}, at a learning rate of {rounded(rate)}."
            )
            return Symptom(0.55, seen, "", changes)
    if evidence.is_suspicious:
        jumps = float(np.abs(np.diff(late)).mean() / max(abs(float(late.mean())), 1e-12))
        seen = f"From step to step the loss changed by {jumps:.0%} at a rate of {rounded(rate)}."
        return Symptom(0.3, seen, "", changes[:2])
    return None


CAUSE = Cause(
    "learning_rate_too_high",
    "Each step goes too far: it overshoots the minimum, and the next one overshoots it further.",
    look,
    explains=("dead_relus", "exploding_gradients", "constant_predictions", "saturated_activations"),
    source="LeCun et al., Efficient backprop, 1998, section 4.7",
)
