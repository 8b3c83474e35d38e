"""Columns that give the target away, and columns whose values are groups of rows.

A column gives the target away if rows with like values have like targets nearly always. Rows are
put in order of the column, those of one value by chance; then each is compared with the next. Of
numbers to learn, half the mean square of these differences estimates the variance that the column
leaves unexplained (Rice, Bandwidth choice for nonparametric regression, 1984). Of classes, it is
counted how often the class changes beyond the changes that there must be. Only the training and
validation parts are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from downslope.data.checks.views import TRAIN, View, Views

LEAST_ROWS = 50
UNEXPLAINED = 0.005  # of the variance
WRONG = 0.01  # of the rows,
WRONG_OF_USUAL = 0.05  # and of the mistakes of always answering the most frequent class
LEAST_GROUPS = 10
LEAST_NUMBERED_GROUPS = 20  # a whole number of fewer values is rather a grade
LEAST_SIZE = 1.5  # rows per group on average
SHARING = 0.95  # of the pairs of rows in one group
_MOST_VALUES = 20  # or 3 per class: a category with more is a key to rows
_KEY_WORDS = {
    "id", "ids", "key", "uid", "uuid", "patient", "subject", "person", "participant", "user",
    "customer", "client", "session", "household", "group", "family", "device", "machine", "site",
}  # fmt: skip


@dataclass(frozen=True)
class Leak:
    """A column that gives the target away.

    Attributes:
        name: The column.
        fraction: Of classes the fraction of rows that it tells rightly; of numbers the fraction of
            the variance that it explains.
        target: Which target it gives away, of several the one that it tells best; from 0.
    """

    name: str
    fraction: float
    target: int = 0


@dataclass(frozen=True)
class Group:
    """A column whose rows of one value belong together.

    Attributes:
        name: The column.
        values: How many groups there are.
        fraction: How often two rows of one group have the same target, or how much of the variance
            of the target is between groups.
        divided: How many held out rows have a training row of their group.
        target: Which target is meant, of several the first that they share; from 0.
    """

    name: str
    values: int
    fraction: float
    divided: int
    target: int = 0


def leaking_columns(views: Views) -> tuple[Leak, ...]:
    """The columns that a network sees and that give the target away."""
    rows = views.seen
    inputs = [one for one in views.inputs if one.column.kind != "date"]
    if len(rows) < LEAST_ROWS or len(inputs) < 2:  # the only column is what is to be learnt from
        return ()
    found = (_leak(one, views, rows) for one in inputs)
    return tuple(one for one in found if one is not None)


def _leak(view: View, views: Views, rows: np.ndarray) -> Leak | None:
    """What a column tells of a target, if that is nearly all."""
    targets = views.targets[rows]
    order = _in_order(view, rows)
    if targets.ndim > 1:
        if view.numbers is None and _values(view, rows) > _MOST_VALUES:
            return None
        values = targets.reshape(len(rows), -1).astype(np.float64)
        variance = values.var(axis=0)
        left = (np.diff(values[order], axis=0) ** 2).mean(axis=0) / 2
        fraction = left / np.maximum(variance, 1e-300)  # of a target without variance 0
        best = int(fraction.argmin())
        return (
            Leak(view.name, float(1 - fraction[best]), best)
            if fraction[best] <= UNEXPLAINED
            else None
        )
    classes = len(np.unique(targets))
    if view.numbers is None:
        if _values(view, rows) > max(_MOST_VALUES, 3 * classes):
            return None
        wrong = len(rows) - _of_majority(view.labels[rows], targets)
    else:
        changes = int((np.diff(targets[order]) != 0).sum())
        needed = min(_values(view, rows), classes) if _values(view, rows) < classes else classes
        wrong = max(0, changes - (needed - 1)) / 2  # one row among others changes it twice
    usual = len(rows) - np.bincount(targets).max()
    most = int(min(WRONG * len(rows), WRONG_OF_USUAL * usual))
    return Leak(view.name, 1 - wrong / len(rows)) if wrong <= most and usual else None


def _in_order(view: View, rows: np.ndarray) -> np.ndarray:
    """The order of rows by their values, of one value by chance; missing ones last."""
    by_chance = np.random.default_rng(0).permutation(len(rows))
    values = view.labels if view.numbers is None else view.numbers
    return by_chance[np.argsort(values[rows][by_chance], kind="stable")]


def _values(view: View, rows: np.ndarray) -> int:
    return len(np.unique(view.codes[rows]))


def _of_majority(labels: np.ndarray, classes: np.ndarray) -> int:
    """How many rows have the class that most rows with their value have."""
    counts = np.zeros((labels.max() + 1, classes.max() + 1), np.int64)
    np.add.at(counts, (labels, classes), 1)
    return int(counts.max(axis=1).sum())


def divided_groups(views: Views) -> tuple[Group, ...]:
    """The columns whose groups share their target and are in training and outside of it."""
    found = []
    for one in views.columns:
        if one.name == views.group or not _may_be_key(one):
            continue
        group = _as_group(one, views)
        if group is not None:
            found.append(group)
    return tuple(found)


def _may_be_key(view: View) -> bool:
    if view.column.kind in ("date", "yes/no"):
        return False
    is_key = view.numbers is None or view.is_whole
    return is_key and view.column.distinct >= LEAST_GROUPS


def _as_group(view: View, views: Views) -> Group | None:
    rows = views.seen
    rows = rows[view.codes[rows] != -1]
    labels = view.labels[rows]
    sizes = np.bincount(labels)
    count = int((sizes > 0).sum())
    classes = len(np.unique(views.targets)) if views.targets.ndim == 1 else 1
    if count < max(LEAST_GROUPS, 3 * classes) or len(rows) < LEAST_SIZE * count:
        return None
    numbers = None if _is_named_key(view.name) else view.numbers
    if numbers is not None and count < LEAST_NUMBERED_GROUPS:
        return None
    targets = views.targets[rows]
    each = [targets] if targets.ndim == 1 else np.hsplit(targets, targets.shape[1])
    for index, one in enumerate(each):
        fraction, usual = _sharing(labels, one)
        if fraction < SHARING or 1 - fraction > 0.2 * (1 - usual):
            continue
        among = 0.0 if numbers is None else _sharing_of_neighbours(numbers[rows], one)
        if 1 - among < 0.5 * (1 - usual):
            continue  # a measure: like values, like targets
        divided = _divided(view, views)
        return Group(view.name, count, fraction, divided, index) if divided else None
    return None


def _is_named_key(name: str) -> bool:
    return bool(set(name.lower().replace("-", "_").replace(" ", "_").split("_")) & _KEY_WORDS)


def _sharing(labels: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """How often two rows of one group have the same target; how often any two rows do.

    Of numbers: the fraction of the variance that is between groups; 0.
    """
    sizes = np.bincount(labels).astype(np.float64)
    pairs = (sizes * (sizes - 1)).sum()
    if not pairs:
        return 0.0, 0.0
    if targets.ndim > 1:
        values = targets[:, 0].astype(np.float64)
        means = np.bincount(labels, values) / np.maximum(sizes, 1)
        inside = ((values - means[labels]) ** 2).sum() / max(1.0, len(labels) - (sizes > 0).sum())
        return 1 - inside / max(values.var(), 1e-300), 0.0
    width = int(targets.max()) + 1
    both = np.bincount(labels * width + targets).astype(np.float64)
    of_class = np.bincount(targets) / len(targets)
    return float((both * (both - 1)).sum() / pairs), float((of_class**2).sum())


def _sharing_of_neighbours(numbers: np.ndarray, targets: np.ndarray) -> float:
    """The same for a row and one with the next larger number.

    A number counts by its rows, so that a few rare ones do not decide.
    """
    _, group, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    weights = np.minimum(sizes[1:], sizes[:-1])
    if targets.ndim > 1:
        values = targets[:, 0].astype(np.float64)
        means = np.bincount(group, values) / sizes
        return float(1 - np.average(np.diff(means) ** 2, weights=weights) / 2 / (values.var() or 1))
    pairs, counts = np.unique(np.stack([group, targets]), axis=1, return_counts=True)
    order = np.lexsort((counts, pairs[0]))  # the most frequent class of each number comes last
    classes = pairs[1][order][np.cumsum(np.bincount(pairs[0])) - 1]
    return float(np.average(np.diff(classes) == 0, weights=weights))


def _divided(view: View, views: Views) -> int:
    in_training = np.unique(view.codes[views.part == TRAIN])
    outside = view.codes[views.part > TRAIN]
    return int((np.isin(outside, in_training) & (outside != -1)).sum())
