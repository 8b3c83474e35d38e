"""Verdicts on a training that has ended, from what it recorded: how good, and where it was going.

Nothing is computed again: the losses and metrics are those of the trace, beside the best constant
prediction.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from downslope.numerals import rounded
from downslope.runs.finding import Finding, Level
from downslope.runs.outcome import STILL_FALLING, Outcome

LIKELIER = math.log(20)  # nats: how much likelier unseen targets have to be than by the baseline
FEW_SAMPLES = 30  # of the validation part
FEW_MEASUREMENTS = 5
LITTLE_LEFT = 0.1  # of what the best constant gets wrong: what still falls there is a detail
LIKELIHOODS = ("cross_entropy", "binary_cross_entropy", "poisson")  # losses that are nats


@dataclass(frozen=True)
class Baseline:
    """The best constant prediction on the validation part.

    Attributes:
        loss: Its mean loss.
        interval: The 95 % interval of that mean, by how much the samples differ.
        accuracy: How often it is right; None where nothing is classified.
        samples: The number of validation samples.
        outputs: How many numbers the loss of a sample is the mean of.
    """

    loss: float
    interval: tuple[float, float]
    accuracy: float | None
    samples: int
    outputs: int

    @staticmethod
    def of(
        values: np.ndarray, weights: np.ndarray | None, is_classes: bool, outputs: int
    ) -> Baseline:
        """From the loss and the metrics of each sample, (N, metrics), and its weight, (N,)."""
        losses = values[:, 0]
        margin = 1.96 * float(losses.std()) / math.sqrt(len(losses))
        counts = weights if weights is not None and weights.any() else None
        mean = float(np.average(losses, weights=counts))
        accuracy = float(values[:, 1].mean()) if is_classes else None
        return Baseline(mean, (mean - margin, mean + margin), accuracy, len(losses), outputs)


@dataclass(frozen=True)
class Course:
    """What a training recorded, as the verdicts need it.

    Attributes:
        epochs: The columns of the measured epochs; see `Trace`.
        loss: Name of the loss.
        outcome: How it ended.
        baseline: The best constant prediction; None where it could not be measured.
    """

    epochs: Mapping[str, np.ndarray]
    loss: str
    outcome: Outcome
    baseline: Baseline | None

    @property
    def is_restored(self) -> bool:
        """Whether the weights that were kept are earlier ones than the last."""
        return self.outcome.kept_step < self.outcome.step

    @property
    def kept(self) -> int:
        """The row of the weights that were kept."""
        at = np.searchsorted(self.epochs["step"], self.outcome.kept_step, side="right") - 1
        return int(max(0, at))

    def validation(self, metric: str = "loss") -> np.ndarray:
        """A metric on the validation part, (epochs,)."""
        return self.epochs[f"validation_{metric}"]

    def train(self, metric: str = "loss") -> np.ndarray:
        """Likewise on the training part."""
        return self.epochs[f"train_{metric}"]

    def tail(self, values: np.ndarray, fraction: float = 0.1) -> float:
        """The mean over the last measurements."""
        return float(values[-max(1, int(len(values) * fraction)) :].mean())

    def nats(self, row: int) -> float:
        """How much likelier the validation targets were than by the baseline, as a logarithm.

        Of losses that are no likelihood, that of the distribution whose likelihood they would be,
        with the spread that the residuals have.
        """
        assert self.baseline is not None
        size = self.baseline.samples * self.baseline.outputs
        found, usual = float(self.validation()[row]), self.baseline.loss
        if not math.isfinite(found):
            return -math.inf
        if self.loss in LIKELIHOODS:
            return size * (usual - found)
        if usual <= 0 or found < 0:
            return math.inf if found < usual else 0.0
        if found == 0:
            return math.inf
        return size * math.log(usual / found) * (1.0 if self.loss == "absolute_error" else 0.5)

    def is_better_at(self, row: int) -> bool:
        """Whether the validation samples told at a measurement that something was learnt."""
        base = self.baseline
        if base is None or self.nats(row) >= LIKELIER:
            return True
        if float(self.validation()[row]) < base.loss / 2:
            return True
        if base.accuracy is None:
            return False
        spread = math.sqrt(base.accuracy * (1 - base.accuracy) / base.samples)
        return float(self.validation("accuracy")[row]) > base.accuracy + max(
            2.5 * spread, 1 / base.samples
        )

    @property
    def is_better_than_baseline(self) -> bool:
        """Whether the validation samples tell that something was learnt."""
        return self.is_better_at(self.kept)

    def fell(self, since: int) -> bool | None:
        """Whether the accuracy after the lowest loss fell by more than chance; None without one.

        A measurement alone may be high by luck: those beside it count as well.
        """
        accuracy = self.epochs.get("validation_accuracy")
        if accuracy is None:
            return None
        beside = max(1, len(accuracy) // 20)
        before = float(accuracy[max(0, since - beside) : since + beside + 1].mean())
        samples = FEW_SAMPLES if self.baseline is None else self.baseline.samples
        error = math.sqrt(max(before * (1 - before), 0.0) / samples)
        return before - self.tail(accuracy) > error

    def is_right_at_end(self) -> bool:
        """Whether the last classes are right more often than those of the best constant."""
        base = self.baseline
        if base is None or base.accuracy is None:
            return False
        spread = math.sqrt(base.accuracy * (1 - base.accuracy) / base.samples)
        return self.tail(self.validation("accuracy")) > base.accuracy + 2.5 * spread

    @property
    def has_little_left(self) -> bool:
        """Whether less than a tenth of the best constant's loss or wrong classes is left."""
        base = self.baseline
        if base is None:
            return False
        if float(self.validation()[-1]) < LITTLE_LEFT * base.loss:
            return True
        if base.accuracy is None:
            return False
        return 1 - self.tail(self.validation("accuracy")) < LITTLE_LEFT * (1 - base.accuracy)

    @property
    def rise(self) -> tuple[int, float] | None:
        """Where the validation loss was lowest, and by how much it rose; None where it did not.

        What chance alone would do counts as none.
        """
        losses = self.validation()
        if len(losses) < FEW_MEASUREMENTS or not np.isfinite(losses).all():
            return None
        lowest = int(losses.argmin())
        noise = 1.4826 * float(np.median(np.abs(np.diff(losses)))) / math.sqrt(2)
        rose = self.tail(losses) - float(losses[lowest])
        gained = (self.baseline.loss if self.baseline else float(losses[0])) - float(losses[lowest])
        enough = max(4 * noise, 0.05 * abs(gained), 1e-12)
        fits_on = self.tail(self.train()) < float(self.train()[lowest])
        return (lowest, rose) if rose > enough and fits_on else None


def verdicts(course: Course) -> tuple[Finding, ...]:
    """What the recorded losses say, most important first."""
    ended = course.outcome
    if ended.reason == "non_finite":
        step = f"step {ended.step + 1:,}"
        return (Finding("non_finite", "fault", step, ended.message, ended.advice),)
    if not len(course.validation()) or not np.isfinite(course.validation()[course.kept]):
        return ()
    looks = (_baseline, _overfits, _gap, _still_falling, _metric, _few_samples)
    return tuple(found for look in looks for found in look(course))


def advised(ended: Outcome, findings: tuple[Finding, ...]) -> Outcome:
    """The outcome with its verdicts; its advice is never against the first of them."""
    ended = replace(ended, findings=findings)
    deciding = next(
        (one for one in findings if one.cause in ("no_better_than_baseline", "overfits")), None
    )
    if deciding is None or ended.reason not in ("epochs", "no_improvement"):
        return ended
    if deciding.cause == "overfits" and ended.reason == "no_improvement":
        return ended
    return replace(ended, advice=str(deciding))


def told_beside(ended: Outcome) -> tuple[str, ...]:
    """The verdicts that the outcome's own sentences do not tell, in a line each."""
    own = str(ended)
    return tuple(
        f"{one.title}: {one}"
        for one in ended.findings
        if one.means not in own and one.level != "fault"
    )


def _baseline(course: Course) -> Iterator[Finding]:
    base = course.baseline
    if base is None or course.is_better_than_baseline:
        return
    if course.rise is not None and course.is_better_at(course.rise[0]):
        return  # what it had learnt it lost again: that is told as overfitting
    found, train = float(course.validation()[course.kept]), float(course.train()[course.kept])
    low, high = (rounded(one) for one in base.interval)
    seen = (
        f"The validation loss is {rounded(found)}; the best constant prediction has "
        f"{rounded(base.loss)} (95 %: {low} to {high})."
    )
    if base.accuracy is not None:
        accuracy = float(course.validation("accuracy")[course.kept])
        seen += f" Accuracy: {accuracy:.1%}, of the constant prediction {base.accuracy:.1%}."
    fits = train < 0.7 * base.loss and base.loss > 0
    means = (
        "It fits its training samples, and what it learnt does not hold for others."
        if fits
        else "It predicts no better than if it ignored its inputs."
    )
    if base.samples < FEW_SAMPLES:
        means = f"{means} With {base.samples} validation samples, that may be chance."
    yield Finding("no_better_than_baseline", "warning", "", seen, means)


def _overfits(course: Course) -> Iterator[Finding]:
    if course.rise is None:
        return
    if not (course.is_better_at(course.rise[0]) or course.is_better_than_baseline):
        return  # nothing was learnt that could be lost
    lowest, rose = course.rise
    losses, epochs = course.validation(), course.epochs["epoch"]
    least, base = float(losses[lowest]), course.baseline
    accuracy = course.epochs.get("validation_accuracy")
    if accuracy is not None and course.fell(lowest) is False and course.is_right_at_end():
        yield Finding(
            "surer_when_wrong",
            "normal",
            f"since epoch {epochs[lowest]}",
            f"The validation loss rose from {rounded(least)} in epoch {epochs[lowest]} to "
            f"{rounded(course.tail(losses))}, and the accuracy did not fall by more than chance "
            f"({accuracy[lowest]:.1%} to {course.tail(accuracy):.1%}).",
            "The network becomes surer, also of its few wrong predictions: their probabilities are "
            "not to be trusted, its classes are.",
            {"patience": 10},
        )
        return
    lost = rose / max(abs((base.loss if base else float(losses[0])) - least), 1e-12)
    level: Level = "warning" if lost > 0.25 and not course.is_restored else "note"
    kept = " These weights were restored." if course.is_restored else ""
    yield Finding(
        "overfits",
        level,
        f"since epoch {epochs[lowest]}",
        f"The validation loss was lowest in epoch {epochs[lowest]} ({rounded(least)}) and rose to "
        f"{rounded(course.tail(losses))}, while the training loss fell to "
        f"{rounded(course.tail(course.train()))}.{kept}",
        "It memorises its training samples: end earlier (--patience), or give it more data or "
        "dropout.",
        {} if course.is_restored else {"patience": 10},
        source="Prechelt, Early stopping - but when?, 1998",
    )


def _gap(course: Course) -> Iterator[Finding]:
    found, train = float(course.validation()[course.kept]), float(course.train()[course.kept])
    base = course.baseline
    if course.rise is not None or base is None or not course.is_better_than_baseline:
        return
    if 0 <= train < found / 2 and found - train > 0.1 * abs(base.loss):
        yield Finding(
            "large_gap",
            "note",
            "",
            f"The training loss is {rounded(train)}, the validation loss {rounded(found)}.",
            "It knows its training samples far better than others: more data, or dropout, would "
            "help more than more epochs.",
        )


def _still_falling(course: Course) -> Iterator[Finding]:
    losses = course.validation()
    count = len(losses)
    if count < FEW_MEASUREMENTS or course.is_restored or not course.is_better_than_baseline:
        return
    last = max(1, count // 10)
    if losses[-last:].min() >= losses[:-last].min() or course.rise is not None:
        return
    before = float(losses[-max(2, count // 5) - 1])
    gain, base = before - float(losses[-1]), course.baseline
    size = abs(base.loss if base else float(losses[0]))
    if gain > 0.01 * size:
        yield Finding(
            "still_falling",
            "warning" if gain > 0.05 * size and not course.has_little_left else "note",
            "",
            f"The validation loss fell from {rounded(before)} to {rounded(float(losses[-1]))} in "
            "the last fifth of the epochs.",
            STILL_FALLING.removeprefix("The validation loss was still falling: ").capitalize(),
            {"epochs": int(2 * course.epochs["epoch"][-1])},
        )


def _metric(course: Course) -> Iterator[Finding]:
    """The loss falls, and the accuracy stands."""
    accuracy = course.epochs.get("validation_accuracy")
    losses = course.validation()
    if accuracy is None or len(losses) < FEW_MEASUREMENTS or not course.is_better_than_baseline:
        return
    half = len(losses) // 2
    fell = float(losses[half]) - float(losses[-1]) > 0.03 * float(losses[half])
    if fell and np.ptp(accuracy[half:]) == 0:
        yield Finding(
            "accuracy_stands",
            "normal",
            "",
            f"In the second half the validation loss fell from {rounded(float(losses[half]))} to "
            f"{rounded(float(losses[-1]))}, and the accuracy stayed {accuracy[-1]:.1%}.",
            "The network becomes surer of the same classes; accuracy counts only which class has "
            "the largest probability.",
        )


def _few_samples(course: Course) -> Iterator[Finding]:
    base = course.baseline
    if base is not None and base.samples < FEW_SAMPLES:
        yield Finding(
            "few_validation_samples",
            "note",
            "validation part",
            f"The validation part has {base.samples} "
            f"sample{'s' if base.samples != 1 else ''}, each of which is {1 / base.samples:.0%} "
            "of every metric.",
            "So few hardly tell a good network from a bad one.",
        )
