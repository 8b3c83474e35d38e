"""Comparing values of one setting: several seeds each, at equal samples seen and in equal time.

All is judged on the validation part. The test part stays sealed unless it is asked for, and then
it is opened once, when nothing is left to train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from downslope.data.checks.check_data import checked
from downslope.data.dataset import Dataset, Samples
from downslope.data.progress import OnProgress
from downslope.engine import metrics
from downslope.engine.settings import Record
from downslope.errors import SettingError
from downslope.insight.comparison import Comparison, Course
from downslope.insight.significance import RULE
from downslope.insight.variants import (
    Variant,
    check_values,
    grouped,
    seconds_per_epoch,
    variants_of,
)
from downslope.nn.network import Network
from downslope.numerals import rounded
from downslope.runs.train_many import SideBySide, train_side_by_side
from downslope.runs.train_options import TrainOptions, options_from

MEASUREMENTS = 40  # points of a curve
EQUAL = 1.5  # times that differ by a smaller factor are taken as equal
BESIDE_OTHERS = 0.5  # of the time that a training takes alone; images use all cores as it is
PACING = 100  # thousandths of the progress that stand for measuring the pace
SEALED = "The test part stays sealed: ask for it when nothing is left to choose."
OPENED = (
    "The test part was opened once, after everything was trained: if anything is chosen by its "
    "score, it is too optimistic."
)


def compare(
    network: Network | str | None,
    data: Any,
    *,
    vary: Mapping[str, Sequence[Any]],
    seeds: int = 5,
    seconds: float | None = None,
    test: bool = False,
    options: TrainOptions | None = None,
    on_progress: OnProgress | None = None,
    **settings: Any,
) -> Comparison:
    """Compare the values of one setting by training with each of them, over several seeds.

    Args:
        network: A `Network` or its notation; None for the recipe's.
        data: A `Dataset`, or whatever `load` takes.
        vary: One setting of `train` and its values, such as {"batch_size": ["full", 1, 32]}.
        seeds: Number of trainings with each value: with the seeds 0, 1, ...
        seconds: About how long all trainings may take, in seconds: epochs are reduced, for all
            values alike, until they do. None to train all epochs.
        test: Whether to evaluate on the test part, once, when everything is trained.
        options: All options as one value, as for `train`; its seed has no effect.
        on_progress: Called with (done, in all), in thousandths of the work.
        settings: Changes of the options, by the arguments of `train`; without seed.

    Returns:
        The comparison. Ctrl-C ends early and returns the values that were finished.

    Raises:
        DataError: There are no samples to train on or to validate with.
        NetworkError: The network does not fit the data.
        SettingError: A setting is unknown or out of range, or not one setting is varied.
        KeyboardInterrupt: It was stopped before two values were finished.

    Example:
        >>> rates = {"learning_rate": [0.0001, 0.1]}
        >>> network = "dense 8 tanh, dense 2"
        >>> found = ds.insight.compare(network, "moons", vary=rates, seeds=2, epochs=2)
        >>> print(found.summary)
        At equal samples seen, learning rate 0.1 has the lowest validation loss, ...
    """
    if "seed" in settings:
        raise SettingError(
            f"The seed is set to {settings['seed']}.",
            "a number of seeds",
            "Leave seed out, and say with seeds how many trainings of each value there are.",
        )
    wanted = options_from(options, settings, network)
    dataset = wanted.suited(checked(data))
    setting, variants = variants_of(wanted, vary, dataset)
    return compare_variants(
        dataset,
        variants,
        setting=setting,
        seeds=seeds,
        seconds=seconds,
        test=test,
        on_progress=on_progress,
    )


def compare_variants(
    dataset: Dataset,
    variants: Sequence[Variant],
    *,
    setting: str,
    seeds: int = 5,
    seconds: float | None = None,
    test: bool = False,
    on_progress: OnProgress | None = None,
) -> Comparison:
    """As `compare`, for values whose options are complete already."""
    check_values(setting, [one.name for one in variants])
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise SettingError(
            f"The number of seeds is {seeds!r}.", "a whole number of at least 1", "Try 5."
        )
    comparable = setting not in ("loss", "class_weights")
    found = _Trainings(dataset, setting, seeds, on_progress or _silent)
    try:
        found.train(grouped(variants), seconds)
    except (_Stopped, KeyboardInterrupt):
        found.is_interrupted = True
        if found.equal_time.keys() != found.equal_samples.keys():
            found.equal_time = {}  # half of a comparison is none
    if len(found.equal_samples) < 2:
        raise KeyboardInterrupt
    opens = test and not found.is_interrupted
    courses = found.courses([one.name for one in variants], with_test=opens)
    return Comparison(
        setting=setting,
        data=dataset.name,
        task=dataset.task,
        metric="loss" if comparable else metrics.MEASURES[dataset.task][0],
        samples=len(dataset.train),
        equal_samples=courses[0],
        equal_time=courses[1],
        notes=(
            *found.notes,
            *_rates(variants, setting),
            *_of_several(dataset),
            RULE,
            OPENED if opens else SEALED,
        ),
        is_interrupted=found.is_interrupted,
    )


class _Stopped(Exception):
    """Ctrl-C was pressed while something was trained."""


def _silent(done: int, total: int) -> None:
    """Tell no one."""


def _of_several(dataset: Dataset) -> tuple[str, ...]:
    """What MAE and RMSE of several targets are."""
    if dataset.task != "regression" or len(dataset.target_names) < 2:
        return ()
    return (
        "MAE and RMSE are means over the targets, each in its own unit: the target with the "
        "largest numbers decides them. downslope test tells those of each.",
    )


def _rates(variants: Sequence[Variant], setting: str) -> list[str]:
    """What to know of the learning rate where something else is varied that it depends on."""
    rates = {one.learning_rate for one in variants}
    if setting not in ("batch_size", "optimizer", "network", "schedule"):
        return []
    if len(rates) > 1:
        return [
            "Each has a learning rate of its own: "
            + ", ".join(f"{one.name} {rounded(one.learning_rate, 6)}" for one in variants)
            + "."
        ]
    return [
        f"All have the learning rate {rounded(rates.pop())}. Another rate may suit some of them "
        "better, and change the order."
    ]


class _Trained(NamedTuple):
    """A course with the weights that it left."""

    course: Course
    found: SideBySide
    members: range


class _Trainings:
    """The trainings of a comparison while they are made; courses by the names of their values."""

    def __init__(self, dataset: Dataset, setting: str, seeds: int, tell: OnProgress) -> None:
        self.dataset, self.setting, self.seeds, self.tell = dataset, setting, seeds, tell
        self.equal_samples: dict[str, _Trained] = {}
        self.equal_time: dict[str, _Trained] = {}
        self.notes: list[str] = []
        self.is_interrupted = False
        self.done, self.work = 0.0, 1.0  # seconds, as they are expected

    def train(self, groups: list[list[Variant]], seconds: float | None) -> None:
        """Measure the pace, choose the epochs, train.

        Raises:
            _Stopped: Ctrl-C was pressed; what was finished is there.
        """
        paces = []
        for index, group in enumerate(groups):
            calmest = min(group, key=lambda one: one.learning_rate)
            pace = seconds_per_epoch(calmest, self.dataset)
            if pace is None:
                raise _Stopped
            paces.append(pace)
            self.tell(PACING * (index + 1) // len(groups), 1000)
        epochs = self._epochs(groups, paces, seconds)
        lasts = [one * pace for one, pace in zip(epochs, paces, strict=True)]
        longest = max(lasts)
        longer = [
            None if self.setting == "epochs" or longest < EQUAL * one else round(longest / pace)
            for one, pace in zip(lasts, paces, strict=True)
        ]
        self.work = self._cost(groups, lasts, longest, [one is not None for one in longer])
        for group, count, pace in zip(groups, epochs, paces, strict=True):
            self.equal_samples |= self._group(group, count, pace)
        if any(longer):
            for group, count, pace in zip(groups, longer, paces, strict=True):
                self.equal_time |= (
                    {one.name: self.equal_samples[one.name] for one in group}
                    if count is None
                    else self._group(group, count, pace)
                )
        self.tell(1000, 1000)

    def _cost(
        self, groups: list[list[Variant]], lasts: list[float], longest: float, again: list[bool]
    ) -> float:
        """About how many seconds all trainings take."""
        members = [self._beside(len(self._members(group))) for group in groups]
        first = sum(one * count for one, count in zip(lasts, members, strict=True))
        return first + sum(
            longest * count for count, is_again in zip(members, again, strict=True) if is_again
        )

    def _beside(self, members: int) -> float:
        """How much longer than one alone so many trainings take."""
        is_shared = members > 1 and len(self.dataset.input_shape) == 1
        return BESIDE_OTHERS * members if is_shared else members

    def _epochs(
        self, groups: list[list[Variant]], paces: list[float], seconds: float | None
    ) -> list[int]:
        """The epochs of each group: as they are, or so few that all fit into the time."""
        wanted = [group[0].epochs for group in groups]
        if seconds is None or self.setting == "epochs":
            return wanted
        lasts = [pace * count for pace, count in zip(paces, wanted, strict=True)]
        again = [max(lasts) >= EQUAL * one for one in lasts]
        cost = self._cost(groups, lasts, max(lasts), again)
        fewer = max(1, int(wanted[0] * seconds / cost))
        if fewer >= wanted[0]:
            return wanted
        self.notes.append(
            f"All were trained for {fewer} of {wanted[0]} epochs, so that together they take "
            f"about {seconds:.0f} s: give the epochs, or more seconds, for more."
        )
        return [fewer] * len(groups)

    def _members(self, group: list[Variant]) -> list[tuple[Variant, int]]:
        """Each training of a group: its value and its seed."""
        return [
            (one, seed)
            for one in group
            for seed in ([one.options.seed] if self.setting == "seed" else range(self.seeds))
        ]

    def _group(self, group: list[Variant], epochs: int, pace: float) -> dict[str, _Trained]:
        members = self._members(group)
        fraction = self._beside(len(members)) * epochs * pace
        options = group[0].options
        if options.record == Record():
            options = options.replace(record=Record(every=-(-epochs // MEASUREMENTS)))

        def tell(step: int, steps: int) -> None:
            done = min(1.0, (self.done + fraction * step / steps) / self.work)
            self.tell(PACING + int((1000 - PACING) * done), 1000)

        found = train_side_by_side(
            None,
            self.dataset,
            learning_rates=[one.learning_rate for one, _ in members],
            seeds=[seed for _, seed in members],
            options=options,
            epochs=epochs,
            on_progress=tell,
        )
        if any(one.reason == "interrupted" for one in found.outcomes):
            raise _Stopped
        self.done += fraction
        trained, start = {}, 0
        for one in group:
            count = sum(other is one for other, _ in members)
            indices = range(start, start + count)
            trained[one.name] = _Trained(self._course(one, found, indices, pace), found, indices)
            start += count
        return trained

    def _course(self, variant: Variant, found: SideBySide, indices: range, pace: float) -> Course:
        settings = found.settings[indices[0]]
        return Course(
            name=variant.name,
            seeds=tuple(found.settings[index].seed for index in indices),
            epochs=settings.epochs,
            seconds=pace * settings.epochs,
            traces=tuple(found.traces[index] for index in indices),
            outcomes=tuple(found.outcomes[index] for index in indices),
            values=self._values(found, indices, self.dataset.validation),
            weights=self.dataset.validation.weights,
        )

    def _values(self, found: SideBySide, indices: range, samples: Samples) -> np.ndarray:
        """The loss and the measures of each sample, (trainings, N, measures)."""
        return np.stack([found.model(one, self.dataset).values(samples) for one in indices])

    def courses(
        self, names: list[str], *, with_test: bool
    ) -> tuple[tuple[Course, ...], tuple[Course, ...]]:
        """At equal samples and in equal time, in the order of the names."""
        finish = self._tested if with_test else lambda one: one.course
        first = {
            name: finish(self.equal_samples[name]) for name in names if name in self.equal_samples
        }
        then = {
            name: first[name] if one is self.equal_samples[name] else finish(one)
            for name, one in self.equal_time.items()
        }
        return tuple(first.values()), tuple(then[name] for name in names if name in then)

    def _tested(self, one: _Trained) -> Course:
        task, test = self.dataset.task, self.dataset.test
        each = [
            metrics.average(task, values, test.weights)
            for values in self._values(one.found, one.members, test)
        ]
        figures = {name: np.array([own[name] for own in each]) for name in metrics.names(task)}
        return replace(one.course, test=figures)
