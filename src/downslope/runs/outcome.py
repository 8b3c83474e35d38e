"""How a training ended: a value, with a sentence and what to try next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from downslope.numerals import rounded
from downslope.runs.failure import Failure
from downslope.runs.finding import Finding

Reason = Literal["epochs", "target", "no_improvement", "non_finite", "interrupted"]


STILL_FALLING = "The validation loss was still falling: more epochs may help."


@dataclass(frozen=True)
class Outcome:
    """Why a training ended.

    Attributes:
        reason: "epochs" (all epochs were done), "target" (the validation loss reached its target),
            "no_improvement" (the validation loss had stopped falling), "non_finite" (a loss,
            gradient or weight was infinite or not a number), or "interrupted".
        message: The reason in a sentence, with numbers.
        advice: What to try next, in a sentence.
        step: Steps done when it ended.
        kept_step: The step whose weights were kept.
        failure: What was not finite first, where that was found.
        findings: The verdicts on it, most important first; see `verdicts.py`.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> run.outcome.reason, run.outcome.step
        ('epochs', 36)
        >>> run.outcome.message
        'Trained for 2 epochs.'
    """

    reason: Reason
    message: str
    advice: str
    step: int
    kept_step: int
    failure: Failure | None = None
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"


@dataclass(frozen=True)
class Best:
    """The lowest validation loss that was measured; who asks for patience gets its weights.

    Attributes:
        loss: It, finite.
        epoch: The epoch at whose end it was measured, from 1.
        step: Steps done there.
    """

    loss: float
    epoch: int
    step: int

    def words(self) -> str:
        """That its weights came back, as a part of a sentence."""
        return (
            f"the weights of epoch {self.epoch}, where the validation loss was lowest "
            f"({rounded(self.loss)}), were restored"
        )


NEVER_FINITE = "the validation loss was never a finite number"
LOOK_AT_VALIDATION = "Look for huge or missing values in the validation samples, and at the loss."


def all_epochs(
    epochs: int,
    step: int,
    still_falling: bool | None,
    best: Best | None = None,
    *,
    is_finite: bool = True,
) -> Outcome:
    """Every epoch was done.

    Args:
        epochs: How many.
        step: Steps done.
        still_falling: Whether the validation loss was; None where too few epochs can tell.
        best: The lowest validation loss, where its weights were asked for.
        is_finite: Whether any validation loss was a finite number.
    """
    advice = {
        True: STILL_FALLING,
        False: "The validation loss had stopped falling: more epochs alone will hardly help.",
        None: "So few epochs do not tell where the loss is going: try more.",
    }[still_falling]
    message = f"Trained for {epochs} epoch{'s' if epochs != 1 else ''}"
    if not is_finite:
        message, advice = f"{message}; {NEVER_FINITE}", LOOK_AT_VALIDATION
    if best is not None and best.step < step:
        message = f"{message}; {best.words()}"
    return Outcome("epochs", f"{message}.", advice, step, step if best is None else best.step)


def target_reached(
    loss: float, target: float, epoch: int, step: int, best: Best | None = None
) -> Outcome:
    """The validation loss reached its target; `best` may be lower, from before the target."""
    message = (
        f"The validation loss reached {rounded(loss)} (target: {rounded(target)}) in epoch {epoch}"
    )
    if best is not None and best.step < step:
        message = f"{message}; {best.words()}"
    advice = "Look at the test figures before trusting it."
    return Outcome("target", f"{message}.", advice, step, step if best is None else best.step)


def no_improvement(patience: int, best: Best | None, step: int, tolerance: float = 0.0) -> Outcome:
    """The validation loss had stopped falling; the best weights came back, if there are any."""
    if best is None:
        message = f"In {patience} epochs {NEVER_FINITE}; the last weights were kept."
        return Outcome("no_improvement", message, LOOK_AT_VALIDATION, step, step)
    by = f" by more than {rounded(tolerance)}" if tolerance else ""
    message = (
        f"The validation loss had not fallen{by} for {patience} epochs; the weights of epoch "
        f"{best.epoch}, where it was {rounded(best.loss)}, were restored."
    )
    advice = "If training and validation loss lie far apart, more data or dropout may help."
    return Outcome("no_improvement", message, advice, step, best.step)


def non_finite(
    loss: float,
    epoch: int,
    step: int,
    failure: Failure | None = None,
    best: Best | None = None,
) -> Outcome:
    """A loss, a gradient, a changed weight or the optimizer state was not a finite number.

    Args:
        loss: The loss of the step that was not made.
        epoch: Its epoch, from 1.
        step: Steps done before.
        failure: What was not finite first; None if that is not known.
        best: The lowest validation loss, where its weights were asked for.
    """
    if failure is not None:
        what, advice = failure.message, failure.advice
    else:
        what = (
            f"a gradient or a changed weight was not finite (the loss was {rounded(loss)})"
            if math.isfinite(loss)
            else f"the loss was {loss}"
        )
        advice = (
            "Try a tenth of the learning rate, and look for missing or huge values in the data."
        )
    kept = "the weights before that step were kept" if best is None else best.words()
    message = f"At step {step + 1} (epoch {epoch}) {what}; {kept}."
    return Outcome(
        "non_finite", message, advice, step, step if best is None else best.step, failure
    )


def interrupted(epoch: int, step: int, goes_on: bool = False, best: Best | None = None) -> Outcome:
    """The user stopped it.

    Args:
        epoch: The epoch that it was in, from 1.
        step: Steps done.
        goes_on: Whether it can go on from its folder.
        best: The lowest validation loss, where its weights were asked for.
    """
    kept = "what was learnt is kept" if best is None or best.step == step else best.words()
    message = f"Stopped on request at step {step} (epoch {epoch}); {kept}."
    advice = (
        "Go on with: downslope resume RUN."
        if goes_on
        else "Train again without stopping to see all epochs."
    )
    return Outcome("interrupted", message, advice, step, step if best is None else best.step)


def unfinished_at_best(ended: Outcome, best: Best) -> Outcome:
    """The same of a training that keeps its best weights, which are taken."""
    if best.step == ended.step:
        return ended
    message = f"{ended.message.removesuffix('.')}; {best.words()}."
    return replace(ended, message=message, kept_step=best.step)


def unfinished(epoch: int, step: int) -> Outcome:
    """It runs still, or its process ended without a word: this is its last checkpoint."""
    message = f"The training has not ended; its last checkpoint is of step {step} (epoch {epoch})."
    advice = "If it does not run any more, go on with: downslope resume RUN."
    return Outcome("interrupted", message, advice, step, step)
