"""The settings of a training: enough, with the data, to repeat it exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from downslope.engine.augment import Augment, augment_from
from downslope.engine.optimizers import (
    Optimizer,
    Schedule,
    check_learning_rate,
    optimizer_of,
    schedule_of,
)
from downslope.errors import Faults, SettingError, quoted
from downslope.names import look_up
from downslope.nn.losses import resolve
from downslope.nn.own_parts import Own

BatchSize = int | Literal["full"]
SmoothToward = Literal["uniform", "frequencies"]
LARGEST_WHOLE = 2**31 - 1  # what steps and samples are counted with
LARGEST_SEED = 2**32 - 1  # JAX would ignore what is above, and two seeds would be one


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python, which can be written to a file."""
    return value.item() if isinstance(value, np.generic) else value


def _is_no_integer(value: object) -> bool:
    return not isinstance(value, int) or isinstance(value, bool)


def whole(name: str, value: Any, least: int, advice: str) -> None:
    """Check that a value is a whole number, not less than `least`.

    Raises:
        SettingError: It is not.
    """
    if _is_no_integer(value) or not least <= value <= LARGEST_WHOLE:
        is_large = not _is_no_integer(value) and value > LARGEST_WHOLE
        bound = f"at most {LARGEST_WHOLE:,}" if is_large else f"at least {least}"
        raise SettingError(f"The {name} is {quoted(value)}.", f"a whole number of {bound}", advice)


@dataclass(frozen=True)
class Record:
    """What is recorded of a training while it runs.

    Attributes:
        samples: At the end of an epoch, training and validation loss are evaluated at the same
            weights, on at most this many samples of each part.
        every: Evaluate after every so many epochs, and after the last one. None evaluates as often
            as costs at most about a twentieth of the time, in short trainings on fewer samples for
            the same reason. Where `Stop` needs the validation loss, None is every epoch, and the
            interval is never longer than its patience.

    Raises:
        SettingError: A value is out of range.

    Example:
        >>> record = ds.Record(every=1)
        >>> options = ds.TrainOptions(epochs=500, record=record)
        >>> options.record.samples
        2048
    """

    samples: int = 2048
    every: int | None = None

    def __post_init__(self) -> None:
        faults = Faults()
        with faults.check():
            if self.every is not None:
                whole("number of epochs between two measurements", self.every, 1, "Try 1.")
        with faults.check():
            whole("number of recorded samples", self.samples, 1, "2048 is the default.")
        faults.tell()


@dataclass(frozen=True)
class Stop:
    """When to end before the last epoch (early stopping).

    Attributes:
        target_loss: End when the validation loss is at most this; None for never.
        patience: End when the validation loss has not fallen for this many epochs; None for
            never.
        tolerance: A fall by this much or less, in units of the loss, counts as none.
        keep: Which weights a training leaves: "last", or "best" for those with the lowest
            validation loss that was recorded. With a patience they are always the best.

    Raises:
        SettingError: A value is out of range.

    Example:
        >>> stop = ds.Stop(patience=5, target_loss=0.1)
        >>> options = ds.TrainOptions(epochs=500, stop=stop)
        >>> stop.watches  # the validation loss decides when to end
        True
        >>> ds.Stop(keep="best").patience is None  # all epochs, then the best weights
        True
    """

    target_loss: float | None = None
    patience: int | None = None
    tolerance: float = 0.0
    keep: Literal["best", "last"] = "last"

    def __post_init__(self) -> None:
        faults = Faults()
        with faults.check():
            if self.keep not in ("best", "last"):
                raise SettingError(
                    f"The weights to keep are {quoted(self.keep)}.", "best or last", 'Try "best".'
                )
        with faults.check():
            if self.patience is not None:
                whole("patience", self.patience, 1, "5 to 20 epochs are usual.")
        with faults.check():
            if not 0 <= self.tolerance < math.inf:
                raise SettingError(
                    f"The tolerance is {self.tolerance!r}.",
                    "a number of at least 0",
                    "0.0001 is usual.",
                )
        faults.tell()

    @property
    def watches(self) -> bool:
        """Whether the validation loss decides when to end, or which weights are kept."""
        return self.keeps_best or self.target_loss is not None

    @property
    def keeps_best(self) -> bool:
        """Whether the weights with the lowest validation loss are kept."""
        return self.keep == "best" or self.patience is not None


@dataclass(frozen=True)
class Settings:
    """Everything that decides how a network is trained, apart from the data and the network.

    Names become values: `Settings("huber", optimizer="adam").optimizer` is an `Optimizer`.

    Attributes:
        loss: Name of the loss; of a `Loss` or a function, its name is kept.
        optimizer: The optimizer, or its name.
        learning_rate: The (highest) learning rate; the optimizer's usual rate if left out.
        schedule: How the rate changes over the steps, or its name.
        batch_size: Samples per step: a number, or "full" for all of them.
        epochs: How often all training samples are seen.
        seed: Seed of the first weights, of the order of samples and of all other chance.
        shuffle: Whether the order of the samples, and so which are in a batch together, is drawn
            anew in each epoch; else all epochs see them in the order of the data.
        class_weights: How much each class counts in the loss; empty for all the same.
        label_smoothing: Fraction of each class target that is spread over all classes, in training
            alone (Szegedy et al., 2016); 0 for none.
        smooth_toward: How it is spread: "uniform", evenly; or "frequencies", as the classes are in
            the training part, each seen once more.
        augment: Random changes of the training images, or their notation; None for none.
        freeze: How many of the first layers keep their weights, and compute in training what they
            do elsewhere: without dropout, and with the running statistics of batch normalisation.
        record: What is recorded.
        stop: When to end early.

    Raises:
        SettingError: A value is out of range.

    Example:
        >>> settings = ds.Settings("cross_entropy", optimizer="adam")
        >>> settings.learning_rate
        0.001
        >>> settings.samples_per_step(560)
        32
    """

    loss: str
    optimizer: Optimizer = field(default_factory=Optimizer)
    learning_rate: float = None  # pyright: ignore[reportAssignmentType] - set below
    schedule: Schedule = field(default_factory=Schedule)
    batch_size: BatchSize = 32
    epochs: int = 20
    seed: int = 0
    shuffle: bool = True
    class_weights: tuple[float, ...] = ()
    label_smoothing: float = 0.0
    smooth_toward: SmoothToward = "uniform"
    augment: Augment | None = None
    freeze: int = 0
    record: Record = field(default_factory=Record)
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        for name in ("learning_rate", "batch_size", "epochs", "seed", "shuffle", "label_smoothing"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        read = {
            "loss": lambda loss: loss if isinstance(loss, str) else resolve(loss).name,
            "optimizer": optimizer_of,
            "schedule": schedule_of,
            "augment": lambda one: augment_from(one) if isinstance(one, str) else one,
            "class_weights": lambda weights: tuple(map(_plain, weights)),
        }
        faults = Faults()
        for name, value_of in read.items():
            with faults.check():
                object.__setattr__(self, name, value_of(getattr(self, name)))
        if self.learning_rate is None and isinstance(self.optimizer, Optimizer):
            object.__setattr__(self, "learning_rate", self.optimizer.learning_rate)
        checks = (
            self._check_rate,
            lambda: whole("number of epochs", self.epochs, 1, "Try 20."),
            self._check_seed,
            self._check_shuffle,
            self._check_smoothing,
            lambda: whole("number of frozen layers", self.freeze, 0, "0 freezes none."),
            self._check_batch_size,
        )
        for check in checks:
            with faults.check():
                check()
        faults.tell()

    def _check_rate(self) -> None:
        if self.learning_rate is not None:  # else of an optimizer that is told already
            check_learning_rate(self.learning_rate)

    def _check_seed(self) -> None:
        if _is_no_integer(self.seed) or not 0 <= self.seed <= LARGEST_SEED:
            raise SettingError(
                f"The seed is {self.seed!r}.", f"a whole number from 0 to {LARGEST_SEED}", "Try 0."
            )

    def _check_shuffle(self) -> None:
        if not isinstance(self.shuffle, bool):
            raise SettingError(
                f"The setting shuffle is {quoted(self.shuffle)}.",
                "True or False",
                "True is usual: the samples are reshuffled in each epoch.",
            )

    def _check_smoothing(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise SettingError(
                f"The label smoothing is {self.label_smoothing!r}.",
                "a fraction of at least 0 and below 1",
                "0.1 is usual.",
            )
        ways = dict.fromkeys(get_args(SmoothToward), True)
        look_up(str(self.smooth_toward), ways, "way of smoothing", SettingError)

    def _check_batch_size(self) -> None:
        if self.batch_size != "full":
            whole("batch size", self.batch_size, 1, 'Try 32, or "full" for all samples.')

    @property
    def mirrors(self) -> bool:
        """Whether the outputs for each image and for its mirror image are averaged."""
        return self.augment is not None and self.augment.average

    @property
    def stored(self) -> Settings:
        """The part that a run folder stores; parts of your own are code."""
        return replace(self, optimizer=self.optimizer.stored, schedule=self.schedule.stored)

    def with_parts(self, own: Own) -> Settings:
        """The settings with the parts of your own that they name."""
        optimizer, schedule = self.optimizer, self.schedule
        if optimizer.is_own:
            given = own["optimizers"][optimizer.name]
            given = given.transformation if isinstance(given, Optimizer) else given
            optimizer = replace(optimizer, transformation=given)
        if schedule.is_own:
            given = own["schedules"][schedule.kind]
            given = given.function if isinstance(given, Schedule) else given
            schedule = replace(schedule, function=given)
        return replace(self, optimizer=optimizer, schedule=schedule)

    def samples_per_step(self, samples: int) -> int:
        """The batch size as a number, for `samples` training samples.

        Raises:
            SettingError: The batch is larger than the data.
        """
        if self.batch_size == "full":
            return samples
        if self.batch_size > samples:
            raise SettingError(
                f"The batch size is {self.batch_size}, and there are {samples} training samples.",
                f"at most {samples}",
                'Choose a smaller batch, or "full" for all samples.',
            )
        return self.batch_size
