"""What is wrong with a training while it still runs, as soon as the recorded losses leave no doubt.

Nothing is computed but figures of what was recorded, and nothing ends a training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from downslope.numerals import rounded
from downslope.runs.finding import Finding
from downslope.runs.outcome import unfinished
from downslope.runs.trace import Trace
from downslope.runs.verdicts import FEW_MEASUREMENTS, Baseline, Course

HIGH = 5.0  # times the loss of the best constant: so high no plateau is
LATE = 50  # steps that are looked at for it
WAITED = 0.2  # of all steps; until then nothing need be learnt
LONG_ENOUGH = 200  # steps, before which nothing need be learnt either
FALLS = 0.02  # of the training loss: while it falls by more, something may come of it
SAME = 1e-6  # of a loss: as near to each other are losses of weights that do not move


@dataclass(frozen=True)
class Watch:
    """Looks at a training between two chunks of its steps.

    Attributes:
        loss: Name of the loss.
        baseline: The best constant prediction on the validation part; None where there is none.
        steps: Steps in all.
    """

    loss: str
    baseline: Baseline | None
    steps: int

    def findings(self, trace: Trace) -> tuple[Finding, ...]:
        """What is certain by now, most important first; the causes are those of the verdicts."""
        looks = (self._diverges, self._stuck, self._baseline, self._overfits)
        found = (one for look in looks for one in look(trace))
        return tuple(found)[:1]  # what is wrong first explains the rest

    def _diverges(self, trace: Trace) -> Iterator[Finding]:
        losses = trace.batch_loss[-LATE:]
        if self.baseline is None or len(losses) < LATE or not np.isfinite(losses).all():
            return
        usual, low = abs(self.baseline.loss), float(losses.min())
        if usual > 0 and low > HIGH * usual and losses.mean() > trace.batch_loss[0]:
            yield Finding(
                "loss_explodes",
                "fault",
                f"step {len(trace.batch_loss):,}",
                f"In the last {LATE} steps the loss of a batch was at least {rounded(low)}; the "
                f"best constant prediction has {rounded(usual)}.",
                "The steps overshoot: a tenth of the learning rate is worth a try.",
            )

    def _stuck(self, trace: Trace) -> Iterator[Finding]:
        losses = trace.train_loss
        few = losses[-FEW_MEASUREMENTS:]
        if len(few) < FEW_MEASUREMENTS or not np.isfinite(few).all() or self.baseline is None:
            return
        moves = np.ptp(few) > SAME * max(abs(float(few.mean())), 1e-12)
        if not moves and few[-1] > 0.5 * abs(self.baseline.loss):
            epochs = trace.epochs["epoch"]
            yield Finding(
                "nothing_changes",
                "fault",
                f"since epoch {epochs[-len(few)]:,}",
                f"The training loss has been {rounded(float(few[-1]))} since epoch "
                f"{epochs[-len(few)]:,}, to the last digits.",
                "No gradient reaches the weights, or the learning rate is far too low.",
            )

    def _course(self, trace: Trace) -> Course | None:
        losses = trace.validation_loss
        if len(losses) < FEW_MEASUREMENTS or not np.isfinite(losses).all():
            return None
        ended = unfinished(int(trace.epochs["epoch"][-1]), len(trace.batch_loss))
        return Course(trace.epochs, self.loss, ended, self.baseline)

    def _baseline(self, trace: Trace) -> Iterator[Finding]:
        course, done = self._course(trace), len(trace.batch_loss)
        if course is None or self.baseline is None:
            return
        if done < max(WAITED * self.steps, LONG_ENOUGH):
            return
        rows = range(len(trace.validation_loss))
        if any(course.is_better_at(row) for row in rows):
            return
        train = trace.train_loss
        before = float(train[: max(1, len(train) // 2)].min())
        if float(train[-max(1, len(train) // 5) :].min()) < (1 - FALLS) * before:
            return  # it is learning something
        yield Finding(
            "no_better_than_baseline",
            "warning",
            f"epoch {trace.epochs['epoch'][-1]:,}",
            f"After {trace.epochs['epoch'][-1]:,} epochs the validation loss is "
            f"{rounded(float(trace.validation_loss[-1]))}; the best constant prediction has "
            f"{rounded(self.baseline.loss)}.",
            "So far it predicts no better than if it ignored its inputs.",
        )

    def _overfits(self, trace: Trace) -> Iterator[Finding]:
        course = self._course(trace)
        rise = None if course is None else course.rise
        if course is None or rise is None or self.baseline is None:
            return
        lowest, rose = rise
        least, epochs = float(trace.validation_loss[lowest]), trace.epochs["epoch"]
        since = len(trace.validation_loss) - 1 - lowest
        gained = abs(self.baseline.loss - least)
        if since < FEW_MEASUREMENTS or rose < 0.25 * gained or not course.is_better_at(lowest):
            return
        if course.fell(lowest) is False:
            return  # it becomes surer, of wrong predictions too: no more is lost
        yield Finding(
            "overfits",
            "warning",
            f"since epoch {epochs[lowest]:,}",
            f"The validation loss was lowest in epoch {epochs[lowest]:,} ({rounded(least)}) and "
            f"is {rounded(course.tail(trace.validation_loss))} now.",
            "It memorises its training samples.",
        )
