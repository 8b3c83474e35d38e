"""Which samples are for training, which for validation, which for the test.

The three parts never overlap and together hold every sample, except the few frames of a video
that are left out on purpose between two parts. A split is a pure function of its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from downslope.errors import DataError, SettingError, quoted

TEST = 0.2
VALIDATION = 0.1
LONGEST_GAP = 20
_OWN_STREAM = 0x5B117


@dataclass(frozen=True, eq=False)
class Parts:
    """Indices of the samples of each part, int64 of shape (K,), ascending."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class Division:
    """How samples are divided, where it is not the usual way.

    Attributes:
        validation: Fraction of the samples that is kept for validation.
        test: Likewise for the test.
        assigned: Of each sample, int (N,): 0 for training, 1 for validation, 2 for the test, -1
            for one that the fractions divide.
    """

    validation: float
    test: float
    assigned: np.ndarray

    def parts(self, labels: np.ndarray, seed: int) -> Parts:
        """The parts, stratified by the labels (N,).

        Raises:
            DataError: There are too few samples for each part to have one.
            SettingError: A fraction makes no sense.
        """
        free = np.flatnonzero(self.assigned < 0)
        own = split_by_class(labels[free], seed, test=self.test, validation=self.validation)
        divided = (own.train, own.validation, own.test)
        return Parts(
            *(
                np.sort(np.concatenate([np.flatnonzero(self.assigned == number), free[one]]))
                for number, one in enumerate(divided)
            )
        )


def split_by_class(
    labels: np.ndarray, seed: int, *, test: float = TEST, validation: float = VALIDATION
) -> Parts:
    """Split at random within each class, so that each part has the same mix (stratified).

    A class of 3 samples or more is in every part. A smaller class is in the training part at
    least: what was never trained on cannot be recognised.

    Args:
        labels: The class of each sample, shape (N,).
        seed: Any integer of 0 or more; the same labels and seed give the same parts.
        test: Fraction of all samples that is kept for the test; 0 for no test part.
        validation: Fraction of all samples that is kept for validation; 0 for none.

    Raises:
        DataError: There are too few samples for each part to have one.
        SettingError: A fraction is negative, or nothing would be left to train on.
    """
    check_fractions(len(labels), test, validation)
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    order = shuffled(len(labels), seed)
    part = np.zeros(len(labels), np.int8)
    fractions = zip(_of_each_class(sizes, validation), _of_each_class(sizes, test), strict=True)
    for number, (for_validation, for_test) in enumerate(fractions):
        members = order[classes[order] == number]
        while for_validation + for_test >= len(members):  # training comes first
            if for_validation >= for_test:
                for_validation -= 1
            else:
                for_test -= 1
        part[members[:for_test]] = 2
        part[members[for_test : for_test + for_validation]] = 1
    parts = Parts(*(np.flatnonzero(part == number) for number in range(3)))
    if (validation and not len(parts.validation)) or (test and not len(parts.test)):
        raise DataError(
            f"There are {len(labels)} samples in {len(sizes)} classes, too few to split.",
            "at least 3 samples of a class",
            "Add samples.",
        )
    return parts


def split_in_time(
    count: int,
    *,
    test: float = TEST,
    validation: float = VALIDATION,
    longest_gap: int = LONGEST_GAP,
) -> Parts:
    """Split the frames of one video into blocks of time: training, then validation, then test.

    Neighbouring frames show the same people in almost the same places. At random, each test frame
    would have a near copy in training, and the test would measure memory. So each part is one
    block, the test is the latest (as in use: learn from the past, count in the future), and
    between two blocks `count // 40` frames, at most `longest_gap`, are left out. In the Mall
    video the count's correlation with itself is 0.96 one frame later and 0.50 after 20 frames.

    Args:
        count: How many frames there are, in order of time.
        test: Fraction of all frames that is kept for the test; 0 for no test part.
        validation: Fraction of all frames that is kept for validation; 0 for none.
        longest_gap: The most frames to leave out between two blocks.

    Raises:
        DataError: There are fewer frames than parts.
        SettingError: A fraction is negative, or nothing would be left to train on.
    """
    check_fractions(count, test, validation)
    gap = min(longest_gap, count // 40)
    blocks = []
    end = count
    for fraction in (test, validation):
        length = max(1, round(count * fraction)) if fraction else 0
        blocks.append(np.arange(end - length, end))
        end -= length + (gap if length else 0)
    return Parts(np.arange(max(1, end)), blocks[1], blocks[0])


def bands(values: np.ndarray, count: int = 10) -> np.ndarray:
    """Number the samples from 0 to `count` - 1, from the smallest values to the largest.

    As labels for `split_by_class` they give each part the same mix of small and large values:
    a handful of very full photos would otherwise fall into one part by chance.

    Args:
        values: Shape (N,).
        count: How many bands; each holds the same number of samples, give or take one.
    """
    count = max(1, min(count, len(values) // 10))  # a band of 10 has one sample for validation
    rank = np.empty(len(values), np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * count // max(1, len(values))


def check_fractions(count: int, test: float, validation: float) -> None:
    """Check that so many samples can be split into such fractions.

    Raises:
        DataError: There are fewer samples than parts.
        SettingError: A fraction is negative, or nothing would be left to train on.
    """
    if min(test, validation) < 0 or test + validation >= 1:
        raise SettingError(
            f"The fractions are {test:g} for the test and {validation:g} for validation.",
            "two fractions of at least 0 whose sum is less than 1",
            "Use 0.2 and 0.1 to begin with.",
        )
    parts = 1 + bool(test) + bool(validation)
    if count < parts:
        raise DataError(
            f"The number of samples is {count}.",
            f"at least {parts}, one for each part",
            "Add samples.",
        )


def shuffled(count: int, seed: int) -> np.ndarray:
    """Return 0 to count - 1 in random order, shape (count,).

    NumPy promises that the raw stream of PCG64 never changes, and promises nothing for
    `Generator.permutation`: so the split of today is the split of any later version. The seed
    is joined with a number of this module's own: generated data drawn from the same plain seed
    would otherwise be sorted by their own values into the parts.

    Raises:
        SettingError: The seed is not a whole number of 0 or more.
    """
    is_whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_whole or seed < 0:
        raise SettingError(
            f"The seed of the split is {quoted(seed)}.", "a whole number of at least 0", "Try 0."
        )
    stream = np.random.PCG64([_OWN_STREAM, seed])
    return np.argsort(stream.random_raw(count), kind="stable")


def _of_each_class(sizes: np.ndarray, fraction: float) -> list[int]:
    """Say how many samples of each class go into a part, by the largest remainders."""
    ideal = sizes * fraction
    taken = np.floor(ideal).astype(np.int64)
    missing = round(float(ideal.sum())) - int(taken.sum())
    taken[np.argsort(taken - ideal, kind="stable")[:missing]] += 1
    if fraction:
        taken[(taken == 0) & (sizes >= 3)] = 1
    return taken.tolist()
