"""How a training ended: a value, with a sentence and what to try next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from downslope.learning.failure import Failure

Reason = Literal["epochs", "target", "no_improvement", "non_finite", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """Why a training ended.

    Attributes:
        reason: "epochs" (all were done), "target" (the validation loss got there),
            "no_improvement" (it had stopped falling), "non_finite" (a loss, gradient or weight
            was infinite or not a number), or "interrupted".
        message: The same in a sentence, with numbers.
        advice: What to try next, in a sentence.
        step: Steps done when it ended.
        kept_step: The step whose weights were kept.
        failure: What was not finite first, where that was found.
    """

    reason: Reason
    message: str
    advice: str
    step: int
    kept_step: int
    failure: Failure | None = None

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"


def all_epochs(epochs: int, step: int, still_falling: bool | None) -> Outcome:
    """Every epoch was done; `still_falling` is None where too few epochs can tell."""
    advice = {
        True: "The validation loss was still falling: more epochs may help.",
        False: "The validation loss had stopped falling: more epochs alone will hardly help.",
        None: "So few epochs do not tell where the loss is going: try more.",
    }[still_falling]
    plural = "s" if epochs != 1 else ""
    return Outcome("epochs", f"Trained for {epochs} epoch{plural}.", advice, step, step)


def target_reached(loss: float, target: float, epoch: int, step: int) -> Outcome:
    """The validation loss reached its target."""
    message = (
        f"The validation loss reached {loss:.4g}, the target being {target:.4g}, in epoch {epoch}."
    )
    return Outcome("target", message, "Look at the test figures before trusting it.", step, step)


def no_improvement(
    patience: int, best_loss: float, best_epoch: int, step: int, best: int, tolerance: float = 0.0
) -> Outcome:
    """The validation loss had stopped falling; the best weights came back."""
    by = f" by more than {tolerance:.4g}" if tolerance else ""
    message = (
        f"The validation loss had not fallen{by} for {patience} epochs; the weights of epoch "
        f"{best_epoch}, where it was {best_loss:.4g}, were restored."
    )
    advice = "If training and validation loss lie far apart, more data or dropout may help."
    return Outcome("no_improvement", message, advice, step, best)


def non_finite(loss: float, epoch: int, step: int, failure: Failure | None = None) -> Outcome:
    """A loss, a gradient or a changed weight was not a finite number.

    Args:
        loss: The loss of the step that was not made.
        epoch: Its epoch, from 1.
        step: Steps done before.
        failure: What was not finite first; None if that is not known.
    """
    if failure is not None:
        what, advice = failure.message, failure.advice
    else:
        what = (
            f"a gradient or a changed weight was not finite (the loss was {loss:.4g})"
            if math.isfinite(loss)
            else f"the loss was {loss}"
        )
        advice = (
            "Try a tenth of the learning rate, and look for missing or huge values in the data."
        )
    message = f"At step {step + 1} (epoch {epoch}) {what}; the weights before that step were kept."
    return Outcome("non_finite", message, advice, step, step, failure)


def interrupted(epoch: int, step: int, goes_on: bool = False) -> Outcome:
    """The user stopped it; `goes_on` says that it can go on from its folder."""
    message = f"Stopped on request at step {step} (epoch {epoch}); what was learnt is kept."
    advice = (
        "Go on with: downslope resume RUN."
        if goes_on
        else "Train again without stopping to see all epochs."
    )
    return Outcome("interrupted", message, advice, step, step)


def unfinished(epoch: int, step: int) -> Outcome:
    """It runs still, or its process ended without a word: this is its last checkpoint."""
    message = f"The training has not ended; its last checkpoint is of step {step} (epoch {epoch})."
    advice = "If it does not run any more, go on with: downslope resume RUN."
    return Outcome("interrupted", message, advice, step, step)
