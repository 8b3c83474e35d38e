"""Splits that a column decides: rows of one group stay together, or the latest are the test.

Drawn at random, other rows of a test row's patient, or of its minute, would be in training, and
the test would measure memory.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from downslope.data.split import TEST, VALIDATION, Parts, check_fractions, shuffled
from downslope.errors import DataError

_TRAIN = 0


def split_by_group(
    groups: np.ndarray,
    labels: np.ndarray,
    seed: int,
    *,
    test: float = TEST,
    validation: float = VALIDATION,
) -> Parts:
    """Split so that all samples of a group are in one part, each class in proportion if possible.

    Groups are given out one by one, the larger ones first and by chance among those of like size,
    each to the part that it brings closest to its fraction of every class. Before that each class
    gets a group into training, so that none is met for the first time in the test.

    Args:
        groups: The group of each sample, int64 (N,); below 0: it belongs to none and is a group
            by itself.
        labels: The class of each sample, shape (N,).
        seed: Any integer of 0 or more; the same arguments give the same parts.
        test: Fraction of all samples that is kept for the test.
        validation: Fraction of all samples that is kept for validation.

    Raises:
        DataError: There are fewer groups than parts.
        SettingError: A fraction is negative, or nothing would be left to train on.
    """
    check_fractions(len(labels), test, validation)
    alone = np.flatnonzero(groups < 0)
    groups = groups.copy()
    groups[alone] = groups.max(initial=-1) + 1 + np.arange(len(alone))
    _, members = np.unique(groups, return_inverse=True)
    count = int(members.max(initial=-1)) + 1
    wanted = (1 - test - validation, validation, test)
    if count < 1 + bool(test) + bool(validation):
        what = "1 group" if count == 1 else f"{count} groups"
        raise DataError(
            f"All samples belong to {what}, and a group is not divided.",
            f"at least {1 + bool(test) + bool(validation)} groups, one for each part",
            "Name another column, or leave it out to split by chance.",
        )
    mixes = _mixes(members, labels, count)
    part = _given_out(mixes, _order(members, count, seed), wanted)
    of_sample = part[members]
    return Parts(*(np.flatnonzero(of_sample == number) for number in range(3)))


def split_by_time(
    times: np.ndarray, *, test: float = TEST, validation: float = VALIDATION
) -> Parts:
    """Split so that training is the earliest, then validation, and the test the latest.

    Samples of the same time are in one part; samples without a time are in none.

    Args:
        times: When each sample was, float64 (N,), NaN where that is not known.
        test: Fraction that is kept for the test.
        validation: Fraction that is kept for validation.

    Raises:
        DataError: There are fewer different times than parts.
        SettingError: A fraction is negative, or nothing would be left to train on.
    """
    known = np.sort(times[~np.isnan(times)])
    check_fractions(len(known), test, validation)
    moments = np.unique(known)
    parts = 1 + bool(test) + bool(validation)
    if len(moments) < parts:
        what = "the same time" if len(moments) == 1 else f"{len(moments)} different times"
        raise DataError(
            f"All samples are of {what}.",
            f"at least {parts} different times, one for each part",
            "Name another column, or leave it out to split by chance.",
        )
    before = np.searchsorted(known, moments)  # samples before each moment

    def start(fraction: float, first: int, last: int) -> int:
        """The moment, from `first` to before `last`, behind which `fraction` is nearest."""
        return first + int(np.abs(before[first:last] - len(known) * (1 - fraction)).argmin())

    of_test = start(test, 1 + bool(validation), len(moments)) if test else len(moments)
    of_validation = start(test + validation, 1, of_test) if validation else of_test
    moments = np.append(moments, np.inf)
    test_start, validation_start = moments[of_test], moments[of_validation]
    return Parts(
        np.flatnonzero(times < validation_start),
        np.flatnonzero((times >= validation_start) & (times < test_start)),
        np.flatnonzero(times >= test_start),
    )


Mix = list[tuple[int, int]]  # classes of a group, each with its number of samples


def _mixes(members: np.ndarray, labels: np.ndarray, count: int) -> list[Mix]:
    """The classes in each group."""
    names, classes = np.unique(labels, return_inverse=True)
    pairs, sizes = np.unique(members * len(names) + classes, return_counts=True)
    mixes: list[Mix] = [[] for _ in range(count)]
    for pair, size in zip(pairs.tolist(), sizes.tolist(), strict=True):
        mixes[pair // len(names)].append((pair % len(names), size))
    return mixes


def _order(members: np.ndarray, count: int, seed: int) -> np.ndarray:
    """The groups, the larger first; by chance among those that differ by less than twice."""
    by_chance = shuffled(count, seed)
    magnitude = np.log2(np.bincount(members, minlength=count)).astype(np.int64)
    return by_chance[np.argsort(-magnitude[by_chance], kind="stable")]


def _given_out(
    mixes: list[Mix], order: np.ndarray, wanted: tuple[float, float, float]
) -> np.ndarray:
    """The part of each group, int8 (groups,)."""
    total: defaultdict[int, int] = defaultdict(int)
    for mix in mixes:
        for label, size in mix:
            total[label] += size
    have = [dict.fromkeys(total, 0) for _ in wanted]
    open_parts = [number for number, fraction in enumerate(wanted) if fraction]
    part = np.full(len(mixes), -1, np.int8)

    def give(group: int, number: int) -> None:
        part[group] = number
        for label, size in mixes[group]:
            have[number][label] += size

    def cost(number: int, mix: Mix) -> float:
        """How much further from its fraction, by squares relative to it, the part comes."""
        fraction, own = wanted[number], have[number]
        return sum(
            size * (size + 2 * (own[label] - fraction * total[label])) / (fraction * total[label])
            for label, size in mix
        )

    _teach_each_class(mixes, order[::-1].tolist(), total, give, have[_TRAIN])
    for group in order.tolist():
        if part[group] < 0:
            mix = mixes[group]
            give(group, min(open_parts, key=lambda number: cost(number, mix)))
    _fill_empty(part, order[::-1], open_parts)
    return part


def _teach_each_class(mixes, smallest_first, total, give, in_training) -> None:
    """Give training a small group of each class, the rarest classes first."""
    holders: dict[int, int] = {}
    for group in smallest_first:
        for label, _ in mixes[group]:
            holders.setdefault(label, group)
    for label in sorted(total, key=lambda one: (total[one], one)):
        if not in_training[label]:
            give(holders[label], _TRAIN)


def _fill_empty(part: np.ndarray, smallest_first: np.ndarray, open_parts: list[int]) -> None:
    """Give a part that got nothing the smallest group of the part with most groups."""
    for number in open_parts:
        if not (part == number).any():
            richest = np.bincount(part, minlength=3).argmax()
            part[next(one for one in smallest_first if part[one] == richest)] = number
