"""Overfitting: how much better a network is on the samples that it learnt from than on others.

Training and validation loss are compared at the same weights. Two moments are named: the epoch
from which on the gap between them is more than the choice of samples explains, and the epoch from
which on the validation loss lies measurably above its lowest, which is where learning does harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Samples, Task
from downslope.data.progress import OnProgress
from downslope.engine.metrics import MEASURES
from downslope.errors import RunError
from downslope.insight.learning_curve import LearningCurve
from downslope.insight.network import prediction_in_words, truth_in_words
from downslope.insight.pixels import image_shape
from downslope.insight.significance import Difference, squared_error_of_mean
from downslope.insight.solutions import some_of
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, OfParts, Part, Result
from downslope.runs.replay import replay
from downslope.runs.run import Run
from downslope.text import Table

NEARLY_EVERY = 0.9  # a loss may jump back for an epoch
POINTS = 40  # epochs that are looked at
MOST_SAMPLES = 2048  # of each part
WIDE = 1.96  # standard errors: 95 %
EXAMPLES = 6  # samples of each part that are shown one by one
LEAST_RISE = 0.05  # of the lowest loss: what is less does no harm, whether it is chance or not


@dataclass(frozen=True)
class Example:
    """One sample with its prediction at the kept weights.

    Attributes:
        index: Its index in its part, from 0.
        truth: Its target, in words.
        prediction: What is predicted, in words.
        loss: Its loss.
    """

    index: int
    truth: str
    prediction: str
    loss: float


@dataclass(frozen=True, eq=False)
class Generalization(Result):
    """The losses of a run on training and validation samples, over its epochs.

    Attributes:
        data: Name of the data set.
        task: The task.
        loss: Name of the loss.
        samples: How many training and validation samples were evaluated.
        epochs: The recorded epochs, (epochs,).
        train_loss: The training loss after each, (epochs,).
        validation_loss: Likewise, at the same weights.
        train_error: The standard error of each training loss, (epochs,).
        validation_error: Likewise.
        kept_epoch: The epoch whose weights the run has.
        gap: Validation minus training loss at those weights, with its 95 % interval.
        opens_at: The first epoch from which on the gap is larger than chance explains, in nearly
            every recorded epoch and in the last; None where it never is.
        lowest_at: The epoch with the lowest validation loss.
        rises_at: The first epoch from which on the validation loss is a twentieth above its
            lowest, in nearly every recorded epoch and in the last; None where chance explains its
            rise.
        rise: How far it is above the lowest after the last epoch, with the 95 % interval of the
            samples' own differences.
        test: The metrics on the test part; None while it is sealed.
        test_interval: The 95 % interval of each.
        test_evaluations: How often the run was evaluated on its test part so far.
        learning_curve: The losses over growing training parts, where these were trained.
        metrics: The metrics of the training and of the validation part at the kept weights.
        examples: Some samples of both parts, spread evenly over each, with their predictions.
        images: These samples as images, (examples, height, width, channels), first those of the
            training part; None where they are no images.
    """

    data: str
    task: Task
    loss: str
    samples: OfParts
    epochs: np.ndarray
    train_loss: Float[np.ndarray, " epochs"]
    validation_loss: Float[np.ndarray, " epochs"]
    train_error: Float[np.ndarray, " epochs"]
    validation_error: Float[np.ndarray, " epochs"]
    kept_epoch: int
    gap: Difference
    opens_at: int | None
    lowest_at: int
    rises_at: int | None
    rise: Difference
    test: Mapping[str, float] | None = None
    test_interval: Mapping[str, tuple[float, float]] | None = None
    test_evaluations: int = 0
    learning_curve: LearningCurve | None = None
    metrics: OfParts | None = None
    examples: OfParts | None = None
    images: np.ndarray | None = field(default=None, metadata=PROGRAM_ONLY)

    _also: ClassVar[tuple[str, ...]] = ("gaps", "gap_errors")

    @property
    def gaps(self) -> Float[np.ndarray, " epochs"]:
        """Validation minus training loss after each epoch."""
        return self.validation_loss - self.train_loss

    @property
    def gap_errors(self) -> Float[np.ndarray, " epochs"]:
        """The standard error of each gap: the two parts are independent samples."""
        return np.hypot(self.train_error, self.validation_error)

    @property
    def kept(self) -> int:
        """The index of the kept epoch among those that were looked at."""
        return int(np.abs(self.epochs - self.kept_epoch).argmin())

    @property
    def is_interrupted(self) -> bool:
        """Whether the learning curve lacks sizes because it was stopped."""
        return self.learning_curve is not None and self.learning_curve.is_interrupted

    @property
    def summary(self) -> str:
        """How large the gap is, since when, and at what cost: a line for each."""
        return "\n".join([_gap(self), _harm(self), *([] if self.test is None else [_test(self)])])

    def parts(self) -> Iterator[Part]:
        """The summary, what was measured, and the learning curve."""
        yield self.summary
        train, validation = self.samples
        yield f"Measured on {train:,} training and {validation:,} validation samples."
        if self.examples is not None:
            yield ""
            yield "Samples that it learnt from, and samples that it has not seen:"
            rows = [
                (word, f"{one.index:,}", one.truth, one.prediction, rounded(one.loss))
                for word, part in zip(("seen", "unseen"), self.examples, strict=True)
                for one in part
            ]
            yield Table(("", "sample", "target", "prediction", "loss"), rows, numeric=(1, 4))
            yield _seen_and_unseen(self)
        if self.learning_curve is not None:
            yield ""
            yield from self.learning_curve.parts()


def generalization(
    run: Run, *, test: bool = False, on_progress: OnProgress | None = None
) -> Generalization:
    """Compare the training and validation loss of a run over its epochs: does it overfit?

    The training is replayed to evaluate both losses at the same weights, after up to 40 epochs, on
    up to 2,048 samples of each part.

    Args:
        run: The run; its data is loaded if it is not in memory.
        test: Whether to evaluate on the test part as well, which is counted.
        on_progress: Called with (steps done, steps in all).

    Returns:
        The losses and their gap, with intervals, and the epoch after which the run overfits, if
        any.

    Raises:
        DataError: The data is missing or has changed.
        RunError: It ended before its first epoch did, or cannot be repeated exactly here.

    Example:
        >>> found = ds.insight.generalization(ds.open_run("runs/moons-1"))
        >>> found.gaps.shape  # validation loss - training loss, per epoch
        (2,)
    """
    run = run.with_data()
    assert run.dataset is not None
    if not run.epochs:
        raise RunError(
            f"The run ended at step {run.outcome.step}, within its first epoch.",
            "a run of at least one epoch",
            "Train it for longer.",
        )
    parts = [some_of(one, MOST_SAMPLES) for one in (run.dataset.train, run.dataset.validation)]
    per_epoch = replay(run).steps_per_epoch
    epochs = epochs_of(run)
    kept = _kept_epoch(run)
    states = replay(run).states([epoch * per_epoch for epoch in epochs], on_progress)
    train, validation = (
        np.array(rows)
        for rows in zip(
            *(
                [run.model.at(state.parameters).losses(part) for part in parts]
                for _, state in states
            ),
            strict=True,
        )
    )
    figures = run.measure(run.dataset.test) if test else None
    found = compared(
        np.array(epochs),
        train,
        validation,
        *(one.weights for one in parts),
        kept_epoch=kept,
        data=run.data.name,
        task=run.data.task,
        loss=run.loss.name,
        test=figures,
        test_interval=run.intervals(run.dataset.test) if test else None,
        test_evaluations=run.test_evaluations,
    )
    examples = [_examples(run, one) for one in (run.dataset.train, run.dataset.validation)]
    inputs = np.concatenate([few.inputs for few, _ in examples])
    shape = image_shape(inputs.shape[1:], run.data.input_names)
    return replace(
        found,
        metrics=OfParts(*(run.measure(part) for part in parts)),
        examples=OfParts(*(rows for _, rows in examples)),
        images=None if shape is None else inputs.reshape(-1, *shape),
    )


def _examples(run: Run, part: Samples) -> tuple[Samples, tuple[Example, ...]]:
    """Some samples, spread evenly over a part, with what is predicted for each."""
    indices = np.unique(np.linspace(0, len(part) - 1, EXAMPLES).round().astype(int))
    few = part.take(indices)
    losses, rows = run.losses(few), []
    for row, index in enumerate(indices.tolist()):
        one = few.take(np.array([row]))
        rows.append(
            Example(
                index, truth_in_words(run, one), prediction_in_words(run, one), float(losses[row])
            )
        )
    return few, tuple(rows)


def epochs_of(run: Run) -> list[int]:
    """The epochs at which a run is looked at, rising; none where it ended in its first."""
    return sorted({*some_epochs(run.epochs, POINTS), _kept_epoch(run)}) if run.epochs else []


def _kept_epoch(run: Run) -> int:
    return max(1, run.outcome.kept_step // replay(run).steps_per_epoch)


def some_epochs(finished: int, most: int) -> list[int]:
    """At most so many of the epochs 1 to `finished`: half evenly, half denser at the start.

    The first and the last are always among them.
    """
    evenly = np.linspace(1, finished, most // 2)
    denser = np.geomspace(1, finished, most - most // 2)
    return np.unique(np.rint(np.concatenate([evenly, denser])).astype(int)).tolist()


def compared(
    epochs: np.ndarray,
    train: Float[np.ndarray, "epochs n"],
    validation: Float[np.ndarray, "epochs m"],
    train_weights: np.ndarray | None = None,
    validation_weights: np.ndarray | None = None,
    *,
    kept_epoch: int | None = None,
    **told,
) -> Generalization:
    """The gap, and where it opens and does harm, from the loss of each sample behind each epoch.

    Args:
        epochs: Numbers of epochs, rising, (epochs,).
        train: The losses of training samples.
        validation: The losses of validation samples.
        train_weights: How much each training sample counts, or None.
        validation_weights: Likewise.
        kept_epoch: One of the epochs; the last if left out.
        told: The other attributes of `Generalization`.
    """
    fractions = [
        np.full(one.shape[1], 1 / one.shape[1]) if weights is None else weights / weights.sum()
        for one, weights in ((train, train_weights), (validation, validation_weights))
    ]
    means = [one @ fraction for one, fraction in zip((train, validation), fractions, strict=True)]
    errors = [
        np.array([_error(row, fraction) for row in one])
        for one, fraction in zip((train, validation), fractions, strict=True)
    ]
    gaps, gap_errors = means[1] - means[0], np.hypot(*errors)
    lowest = int(np.nanargmin(means[1]))
    rise = _apart(validation[-1], validation[lowest], fractions[1])
    least = LEAST_RISE * abs(means[1][lowest])
    is_above = (means[1] - means[1][lowest] > least) & (epochs > epochs[lowest])
    kept = len(epochs) - 1 if kept_epoch is None else int(np.flatnonzero(epochs == kept_epoch)[0])
    far = WIDE * gap_errors[kept]
    return Generalization(
        samples=OfParts(train.shape[1], validation.shape[1]),
        epochs=epochs,
        train_loss=means[0],
        validation_loss=means[1],
        train_error=errors[0],
        validation_error=errors[1],
        kept_epoch=int(epochs[kept]),
        gap=Difference(float(gaps[kept]), float(gaps[kept] - far), float(gaps[kept] + far)),
        opens_at=_since(epochs, gaps - WIDE * gap_errors > 0),
        lowest_at=int(epochs[lowest]),
        rises_at=_since(epochs, is_above) if rise.low > 0 else None,
        rise=rise,
        **told,
    )


def _error(values: np.ndarray, fractions: np.ndarray) -> float:
    return squared_error_of_mean(values, fractions) ** 0.5 if len(values) > 1 else np.inf


def _apart(values: np.ndarray, lowest: np.ndarray, fractions: np.ndarray) -> Difference:
    """How far the same samples' losses lie above others, by their own differences."""
    own = values - lowest
    mean, far = float(own @ fractions), WIDE * _error(own, fractions)
    return Difference(mean, mean - far, mean + far)


def _since(epochs: np.ndarray, holds: np.ndarray) -> int | None:
    """The first epoch from which on something holds at nearly every look, the last included."""
    if not holds[-1]:
        return None
    later = np.cumsum(holds[::-1])[::-1] / np.arange(len(holds), 0, -1)
    return int(epochs[np.flatnonzero(holds & (later >= NEARLY_EVERY))[0]])


def _gap(found: Generalization) -> str:
    gap, index = found.gap, found.kept
    start = (
        f"At the weights of epoch {found.kept_epoch} the training loss is "
        f"{rounded(found.train_loss[index], 3)} and the validation loss "
        f"{rounded(found.validation_loss[index], 3)}: a gap of {rounded(gap.mean, 2)} "
        f"(95 % interval {rounded(gap.low, 2)} to {rounded(gap.high, 2)}), "
    )
    if not gap.is_told or gap.mean < 0:
        return start + "which chance can explain."
    if found.opens_at is None:  # told at the kept epoch, and not at the end
        return start + "more than chance explains."
    if found.opens_at == found.epochs[0]:
        return start + f"clear from epoch {found.opens_at} on, the first that was measured."
    return start + f"clear from epoch {found.opens_at} on."


def _seen_and_unseen(found: Generalization) -> str:
    """The metric of both parts, side by side."""
    assert found.metrics is not None
    name = MEASURES[found.task][0]
    train, validation = (
        f"{rounded(100 * one[name], 3)} %" if "accuracy" in name else rounded(one[name])
        for one in found.metrics
    )
    word = "MAE" if name == "mae" else name.replace("_", " ")
    return f"Over all that were measured, {word}: {train} on seen, {validation} on unseen samples."


def _harm(found: Generalization) -> str:
    rise, last = found.rise, int(found.epochs[-1])
    start = f"The validation loss was lowest in epoch {found.lowest_at}"
    if found.lowest_at == last:
        return f"{start}, the last: no harmful overfitting."
    by, low, high = (rounded(one, 2) for one in (rise.mean, rise.low, rise.high))
    between = f"95 % interval {low} to {high}"
    if found.rises_at is None:
        how = "slightly higher" if rise.low > 0 else "no clear difference"
        return f"{start}; {how} at the end ({_signed(rise.mean)}; {between})."
    return (
        f"{start}, and is clearly higher from epoch {found.rises_at} on, by {by} at the end "
        f"({between}): harmful overfitting. Stop earlier (patience), or try more samples, "
        "dropout or a smaller network."
    )


def _signed(value: float) -> str:
    return (
        f"+{rounded(value, 2)}" if value > 0 else rounded(value, 2).replace("-", "\N{MINUS SIGN}")
    )


def _test(found: Generalization) -> str:
    assert found.test is not None
    looks = (
        "the first test evaluation"
        if found.test_evaluations <= 1
        else f"test evaluation {found.test_evaluations}"
    )
    if not found.test_interval:
        return (
            f"The loss on the test part ({looks}) is {rounded(found.test['loss'], 3)}, of fewer "
            "than 10 samples: too few for an interval."
        )
    low, high = found.test_interval["loss"]
    loss, error = found.validation_loss[found.kept], found.validation_error[found.kept]
    apart = (
        "agrees with"
        if low <= loss + 1.96 * error and high >= loss - 1.96 * error
        else "differs from"
    )
    return (
        f"The loss on the test part ({looks}) is {rounded(found.test['loss'], 3)} (95 % interval "
        f"{rounded(low, 3)} to {rounded(high, 3)}), which {apart} the validation loss."
    )
