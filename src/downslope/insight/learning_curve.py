"""How the loss on unseen samples falls with the number of samples that are learnt from.

Each size is trained with several seeds, which draw the samples as well, over as many steps as the
run itself had: so sizes differ in what there is to see and not in how long they look.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Task
from downslope.data.progress import OnProgress
from downslope.engine.settings import Record, Stop
from downslope.errors import DataError, SettingError
from downslope.insight.significance import Difference, difference
from downslope.insight.solutions import some_of
from downslope.numerals import rounded
from downslope.result import Part, Result
from downslope.runs.progress import Progress
from downslope.runs.run import Run
from downslope.runs.train import train
from downslope.runs.train_options import TrainOptions
from downslope.text import Table

FEWEST = 16  # samples that are learnt from
SIZES = 5  # each twice the one before, up to all
MOST_SAMPLES = 2048  # that are measured of each part


@dataclass(frozen=True, eq=False)
class LearningCurve(Result):
    """The losses over growing fractions of the training part.

    Attributes:
        data: Name of the data set.
        task: The task.
        loss: Name of the loss.
        sizes: Numbers of training samples, rising, (sizes,).
        epochs: How often they were seen, so that the number of steps is the same, (sizes,).
        steps: How many steps each training had, up to those of an epoch.
        train_loss: The loss on the samples that were trained on, (sizes, seeds).
        validation_loss: The validation loss, (sizes, seeds).
        last: How much the last size changes the validation loss of the one before; its interval is
            that of `difference`.
        is_interrupted: Whether sizes are missing because it was stopped.
    """

    data: str
    task: Task
    loss: str
    sizes: np.ndarray
    epochs: np.ndarray
    steps: int
    train_loss: Float[np.ndarray, "sizes seeds"]
    validation_loss: Float[np.ndarray, "sizes seeds"]
    last: Difference
    is_interrupted: bool = False

    @property
    def summary(self) -> str:
        """What more samples would do, as far as the figures tell."""
        before, now = self.sizes[-2], self.sizes[-1]
        change = f"From {before:,} to {now:,} training samples the validation loss "
        last = self.last
        between = f"(95 % interval {rounded(last.low, 2)} to {rounded(last.high, 2)})"
        trained = f"Each size was trained for about {self.steps:,} steps, whatever its epochs."
        if last.high < 0:
            between = f"(95 % interval {rounded(-last.high, 2)} to {rounded(-last.low, 2)})"
            return (
                f"{change}fell by {rounded(-last.mean, 2)} {between}: more samples are likely to "
                f"help. {trained}"
            )
        if last.low > 0:
            return f"{change}rose by {rounded(last.mean, 2)} {between}. {trained}"
        return (
            f"{change}changed by {rounded(last.mean, 2)} {between}, which chance can explain: no "
            f"sign that more samples would help. {trained}"
        )

    def parts(self) -> Iterator[Part]:
        """A row for each size, and the summary."""
        rows = [
            (
                f"{size:,}",
                f"{epochs:,}",
                rounded(own.mean()),
                rounded(others.mean()),
                f"{rounded(others.min())} - {rounded(others.max())}",
            )
            for size, epochs, own, others in zip(
                self.sizes, self.epochs, self.train_loss, self.validation_loss, strict=True
            )
        ]
        head = ("samples", "epochs", "training loss", "validation loss", "from - to")
        yield Table(head, rows, numeric=range(5))
        yield ""
        yield self.summary
        if self.is_interrupted:
            yield "Stopped on request: only the sizes that were finished are shown."


def learning_curve(
    run: Run, *, seeds: int = 3, on_progress: OnProgress | None = None
) -> LearningCurve:
    """Train like a run on growing fractions of its training part: 1/16, 1/8, ... and all of it.

    Args:
        run: The run; its data is loaded if it is not in memory, and its test part is not used.
        seeds: Number of trainings of each size: with the seeds 0, 1, ..., each on samples that
            are drawn anew.
        on_progress: Called with (done, in all), in thousandths of the work.

    Returns:
        The curve. Ctrl-C ends early and returns the sizes that were finished.

    Raises:
        DataError: The data is missing or has changed, or has too few samples for two sizes.
        SettingError: The number of seeds is no whole number of at least 2.
        KeyboardInterrupt: It was stopped before two sizes were finished.

    Example:
        >>> X = np.random.default_rng(0).normal(size=(60, 2))
        >>> run = ds.train("dense 2", (X, X[:, 0] > 0), epochs=2)
        >>> found = ds.insight.learning_curve(run, seeds=2)
        >>> found.validation_loss.shape == (len(found.sizes), 2)
        True
    """
    check_seeds(seeds)
    run = run.with_data()
    dataset = run.dataset
    assert dataset is not None
    sizes, rows, is_interrupted = sizes_of(len(dataset.train)), [], False
    tell = _Telling(on_progress, len(sizes) * seeds)
    try:
        for size in sizes:
            rows.append([_trained(run, size, seed, tell) for seed in range(seeds)])
    except KeyboardInterrupt:
        if len(rows) < 2:
            raise
        is_interrupted = True
    weights = some_of(dataset.validation, MOST_SAMPLES).weights
    values = [np.stack([one.validation for one in row]) for row in rows]
    return LearningCurve(
        data=run.data.name,
        task=run.data.task,
        loss=run.loss.name,
        sizes=np.array(sizes[: len(rows)]),
        epochs=np.array([row[0].epochs for row in rows]),
        steps=run.settings.epochs * _steps_per_epoch(run, len(dataset.train)),
        train_loss=np.array([[one.train_loss for one in row] for row in rows]),
        validation_loss=np.array([np.average(one, axis=1, weights=weights) for one in values]),
        last=difference(values[-2], values[-1], weights),
        is_interrupted=is_interrupted,
    )


def check_seeds(seeds: int) -> None:
    """Check that there are enough trainings of each size to tell chance.

    Raises:
        SettingError: There are not.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 2:
        raise SettingError(
            f"The number of seeds is {seeds!r}.", "a whole number of at least 2", "Try 3."
        )


def sizes_of(samples: int) -> list[int]:
    """Sizes that double up to all samples.

    Raises:
        DataError: There are too few for two of them.
    """
    sizes = [samples // 2**halvings for halvings in reversed(range(SIZES))]
    sizes = [one for one in sizes if one >= FEWEST]
    if len(sizes) < 2:
        raise DataError(
            f"There are {samples} training samples.",
            f"at least {2 * FEWEST} for a learning curve",
            "Add samples.",
        )
    return sizes


class _Telling:
    """Progress over trainings of the same length."""

    def __init__(self, tell: OnProgress | None, trainings: int) -> None:
        self.tell, self.trainings, self.done = tell, trainings, 0

    def __call__(self, progress: Progress) -> None:
        fraction = progress.step / progress.steps
        if self.tell is not None:
            self.tell(int(1000 * (self.done + fraction) / self.trainings), 1000)
        self.done += progress.step == progress.steps


class _Ended(NamedTuple):
    """One training: its epochs, its training loss, the loss of each validation sample."""

    epochs: int
    train_loss: float
    validation: np.ndarray


def _trained(run: Run, size: int, seed: int, tell: _Telling) -> _Ended:
    """Train like the run on some of its samples.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    dataset, settings = run.dataset, run.settings
    assert dataset is not None
    chosen = np.random.default_rng((seed, len(dataset.train))).permutation(len(dataset.train))
    some = replace(dataset, train=dataset.train.take(np.sort(chosen[:size])))
    steps = settings.epochs * _steps_per_epoch(run, len(dataset.train))
    batch = min(settings.samples_per_step(len(dataset.train)), size)
    found = train(
        None,
        some,
        options=TrainOptions.of(run.network, run.loss, settings),
        batch_size=batch,
        epochs=max(1, round(steps / -(-size // batch))),
        seed=seed,
        record=Record(samples=1),  # all that is needed is measured below
        stop=Stop(),
        on_chunk=tell,
    )
    if found.outcome.reason == "interrupted":
        raise KeyboardInterrupt
    train_part, validation = (some_of(one, MOST_SAMPLES) for one in (some.train, some.validation))
    return _Ended(
        found.settings.epochs,
        float(np.average(found.model.losses(train_part), weights=train_part.weights)),
        found.model.losses(validation),
    )


def _steps_per_epoch(run: Run, samples: int) -> int:
    return -(-samples // run.settings.samples_per_step(samples))
