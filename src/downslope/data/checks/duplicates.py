"""Rows of the validation and test parts that are in the training part as well.

Two rows are copies if all their columns are alike, the target too; near copies if their numbers
differ by less than a hundredth of their column's spread (the distance between its quartiles, or
its standard deviation where that is smaller or the quartiles are the same), and fall into the
same cell of that width. Rows are compared by a hash of 64 bits, so that a table of any length is
sorted a few times and no two rows are compared.

Rows can be alike by chance, where few values are possible. Then there are many rows that are alike
but for one column. From these is estimated how many would agree in that column as well: a column
in which a fraction p of all pairs agree turns M pairs that differ in it alone into M p / (1 - p)
that differ in nothing. Copies are told only where there are five times as many as the column with
the highest estimate explains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from downslope.data.checks.views import TRAIN, View, Views

LEAST_SHARE = 0.01  # of the rows that are held out: fewer move no figure
LEAST_COUNT = 4
MOST_BY_CHANCE = 0.2  # of the pairs
CELLS = 100  # per spread, for near copies
MOST_COLUMNS = 40  # more are hashed together in blocks


class Copies(NamedTuple):
    """Held out rows with a training row that is alike, int64 (K,) each."""

    held_out: np.ndarray
    training: np.ndarray


def copied_rows(views: Views) -> tuple[Copies, Copies]:
    """The copies, and besides them the near copies; none where chance may have made them."""
    inputs = [one for one in views.inputs if not _is_own_number(one)]
    none = Copies(np.empty(0, np.int64), np.empty(0, np.int64))
    if len(inputs) < 2:  # one number alone may come again
        return none, none
    target = _target_codes(views, 0)
    exact = _found([*(one.codes for one in inputs), target], views.part)
    if all(one.numbers is None or one.is_whole for one in inputs):
        return exact, none
    near = _found(
        [*(_cells(one) for one in inputs), _target_codes(views, CELLS)],
        views.part,
        known=exact.held_out,
    )
    return exact, near


def _is_own_number(view: View) -> bool:
    """Whether each row has another whole number or text, as copies with new numbers have."""
    if view.numbers is not None and not view.is_whole:
        return False
    return view.column.distinct == len(view.codes)


def _target_codes(views: Views, cells: int) -> np.ndarray:
    if views.targets.ndim == 1 or not cells:
        return views.target_labels
    each = [_rounded(one) for one in views.targets.astype(np.float64).T]
    return np.unique(np.stack(each), axis=1, return_inverse=True)[1].reshape(-1)


def _cells(view: View) -> np.ndarray:
    if view.numbers is None or view.is_whole:
        return view.codes
    return _rounded(view.numbers)


def _rounded(numbers: np.ndarray) -> np.ndarray:
    known = numbers[~np.isnan(numbers)]
    quartiles = np.quantile(known, [0.25, 0.75]) if len(known) else np.zeros(2)
    std = known.std() if len(known) else 0.0
    width = min(std, np.ptp(quartiles) or std) / CELLS
    if not width:
        return np.zeros(len(numbers), np.int64)
    # round numbers shall not lie between two cells
    cells = np.where(np.isnan(numbers), -(2.0**40), np.floor(numbers / width + 0.2718))
    return cells.astype(np.int64)


def _found(columns: Sequence[np.ndarray], part: np.ndarray, known: np.ndarray | None = None):
    hashes = _hashes(columns)
    rows = _total(hashes)
    training, held_out = np.flatnonzero(part == TRAIN), np.flatnonzero(part > TRAIN)
    order = training[np.argsort(rows[training], kind="stable")]
    index = np.searchsorted(rows[order], rows[held_out])
    twin = order[np.minimum(index, len(order) - 1)]
    alike = rows[twin] == rows[held_out]
    if known is not None:
        alike &= ~np.isin(held_out, known)
    found = Copies(held_out[alike], twin[alike])
    few = len(found.held_out) < max(LEAST_COUNT, LEAST_SHARE * len(held_out))
    if few or _by_chance(hashes) > MOST_BY_CHANCE * _pairs(rows):
        return Copies(np.empty(0, np.int64), np.empty(0, np.int64))
    return found


def _hashes(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A hash for each value of each column, or of each block of them: uint64 (N,)."""
    hashes = [_mixed(one, number) for number, one in enumerate(columns)]
    if len(hashes) <= MOST_COLUMNS:
        return hashes
    *inputs, target = hashes
    blocks = np.array_split(np.arange(len(inputs)), MOST_COLUMNS - 1)
    return [*(_total([inputs[index] for index in block]) for block in blocks), target]


def _mixed(codes: np.ndarray, salt: int) -> np.ndarray:
    """Spread codes over 64 bits. Source: Steele, Lea, Flood, Fast splittable generators, 2014."""
    golden, first, second = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
    mixed = codes.astype(np.uint64) ^ np.uint64((salt + 1) * golden % 2**64)
    for shift, factor in ((30, first), (27, second)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _total(hashes: Sequence[np.ndarray]) -> np.ndarray:
    total = np.zeros_like(hashes[0])
    for one in hashes:
        total += one
    return total


def _runs(values: np.ndarray) -> np.ndarray:
    """How often each different value occurs."""
    values = np.sort(values)
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    return np.diff(ends, prepend=-1)


def _pairs(values: np.ndarray) -> float:
    """How many pairs of rows have the same value."""
    runs = _runs(values).astype(np.float64)
    return float((runs * (runs - 1)).sum() / 2)


def _by_chance(hashes: list[np.ndarray]) -> float:
    """How many pairs of rows that are alike chance explains."""
    rows = _total(hashes)
    _, first = np.unique(rows, return_index=True)
    if 2 * len(first) >= len(rows):  # copies themselves must not tell what is usual
        hashes, rows = [one[first] for one in hashes], rows[first]
    every = len(rows) * (len(rows) - 1) / 2
    agreeing = [_pairs(one) / every for one in hashes]
    key = _key(hashes, agreeing, len(first))
    together = _total([hashes[index] for index in key])
    alike = _pairs(together)
    most = 0.0
    for index in key:
        but_for_one = _pairs(together - hashes[index]) - alike
        surely = max(0.0, but_for_one - 2 * but_for_one**0.5)
        agrees = min(agreeing[index], 0.99)
        most = max(most, surely * agrees / (1 - agrees))
    return most


def _key(hashes: list[np.ndarray], agreeing: list[float], different: int) -> list[int]:
    """Columns that tell all rows apart that differ: those of few values first, none needless."""
    total = np.zeros_like(hashes[0])
    key: list[int] = []
    found = 1
    for index in sorted(range(len(hashes)), key=lambda one: -agreeing[one]):
        count = len(_runs(total + hashes[index]))
        if count > found or (found == different and len(key) < 2):
            key.append(index)
            total, found = total + hashes[index], count
        if found == different and len(key) > 1:
            break
    return key
