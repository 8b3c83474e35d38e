"""Labelled samples as they were read, before they are split."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace

import numpy as np

from downslope.data import split
from downslope.data.dataset import DataInfo, Dataset, Samples, Task
from downslope.data.scaling import Per, Scaling
from downslope.data.tables.split_columns import split_by_group, split_by_time
from downslope.errors import printable


@dataclass(frozen=True, eq=False)
class Unsplit(DataInfo):
    """Everything that a source holds.

    The attributes are those of `DataInfo` (`options` without the split's seed), and:

    Attributes:
        samples: All samples; without those of `test`, where the source has a test part.
        test: The source's own test part, or None where one has to be split off.
        per: What shares one mean and one standard deviation when inputs are scaled.
        in_time: Whether the samples are frames of one video, in order.
        groups: The group of each sample, int64 (N,), where groups are not to be divided; below
            0 where it has none.
        times: When each sample was, float64 (N,), where the latest are the test.
        strata: Whole numbers (N,), each of which is divided evenly between the parts; None for
            what the task says.
        notes: What a user should know about how it was read, a sentence each.
        division: How the samples are divided, where it is not the usual way.

    Example:
        >>> whole = ds.data.read("digits")
        >>> whole.samples.inputs.shape, whole.test is None
        ((1797, 64), True)
    """

    samples: Samples
    test: Samples | None = None
    per: Per = "feature"
    _: KW_ONLY
    in_time: bool = False
    groups: np.ndarray | None = None
    times: np.ndarray | None = None
    strata: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    division: split.Division | None = None

    def __post_init__(self) -> None:
        """A name is shown everywhere: it is what can be shown of the file's or the folder's."""
        object.__setattr__(self, "name", printable(self.name))

    @property
    def for_testing(self) -> Samples:
        """What a finished run can be tested on: the source's own test part, or else all."""
        return self.samples if self.test is None else self.test

    def as_counts(self) -> Unsplit:
        """The same photos to learn one number of: how many people there are, not where."""
        return replace(
            self,
            task="regression",
            strata=split.bands(self.samples.counts),  # the same parts
            samples=self.samples.as_counts(),
            test=None if self.test is None else self.test.as_counts(),
            options={**self.options, "task": "regression"},
        )

    def split(self, seed: int) -> Dataset:
        """Split off validation, and a test part where the source has none; learn the scaling.

        Args:
            seed: Seed of the split; blocks of time do not depend on it.

        Raises:
            DataError: There are too few samples to split.
        """
        parts = self._parts(seed)
        train = self.samples.take(parts.train)
        facts = self.facts
        facts["options"] = {"split_seed": seed, **self.options}
        return Dataset(
            **facts,
            train=train,
            validation=self.samples.take(parts.validation),
            test=self.samples.take(parts.test) if self.test is None else self.test,
            scaling=Scaling.learn(train.inputs, self.per),
            notes=self.notes,
        )

    def _parts(self, seed: int) -> split.Parts:
        test = split.TEST if self.test is None else 0.0
        if self.in_time:
            return split.split_in_time(len(self.samples), test=test)
        if self.groups is not None or self.times is not None:
            targets = self.samples.targets
            return parts_by_column(self.task, targets, seed, groups=self.groups, times=self.times)
        labels = np.zeros(len(self.samples), np.int32)
        if self.task == "classification":
            labels = self.samples.targets
        elif self.task == "counting":
            labels = split.bands(self.samples.counts)
        elif self.strata is not None:
            labels = self.strata
        if self.division is not None:
            return self.division.parts(labels, seed)
        return split.split_by_class(labels, seed, test=test)


def parts_by_column(
    task: Task,
    targets: np.ndarray,
    seed: int,
    *,
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> split.Parts:
    """The parts of samples whose groups are not to be divided, or whose latest are the test.

    Groups of numbers to learn are stratified by bands of these numbers.
    """
    if times is not None:
        return split_by_time(times)
    assert groups is not None
    labels = (
        targets
        if task == "classification"
        else split.bands(targets.reshape(len(targets), -1)[:, 0])
    )
    return split_by_group(groups, labels, seed)
