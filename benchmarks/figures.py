"""From seconds to figures: medians, spreads, ratios round by round."""

from __future__ import annotations

from statistics import median
from typing import NamedTuple

from benchmarks.catalogue import Role
from benchmarks.results import Contest, Row


class Spread(NamedTuple):
    """The median, the least and the most of some times."""

    median: float
    least: float
    most: float


def spread(contest: Contest, row: Row) -> Spread:
    """A contender's seconds per unit."""
    per_unit = [seconds / contest.units for seconds in row.seconds]
    return Spread(median(per_unit), min(per_unit), max(per_unit))


def ratio(row: Row, other: Row) -> float:
    """How many times longer `other` takes than `row`.

    It is taken in each round by itself, where both met the same state of the machine, and the
    median of the rounds is told.
    """
    return median(theirs / own for own, theirs in zip(row.seconds, other.seconds, strict=True))


def present(contest: Contest, *roles: Role) -> list[Row]:
    """The contenders of these roles that came to the end, in their order."""
    return [row for row in contest.rows if row.role in roles and not row.absent]


def best(contest: Contest, role: Role) -> Row | None:
    """The contender of a role with the lowest median; None where none took part."""
    rows = present(contest, role)
    return min(rows, key=lambda row: median(row.seconds)) if rows else None


def compiling(row: Row) -> float:
    """Seconds that came once: building, and what the first block took beyond the others."""
    return row.preparing + max(0.0, row.first - median(row.seconds))


def fraction_of_ceiling(contest: Contest, row: Row) -> float | None:
    """The rate of a contender's matrix products as a share of the best measured beside it."""
    ceilings = present(contest, "ceiling")
    if not ceilings or not contest.operations:
        return None
    highest = [max(rates) for rates in zip(*(one.figures["rate"] for one in ceilings), strict=True)]
    return median(
        contest.operations / seconds / rate
        for seconds, rate in zip(row.seconds, highest, strict=True)
    )


def losses_far_apart(contest: Contest, tolerance: float) -> list[str]:
    """Who ends the first block with a loss that differs by more than `tolerance` of the median.

    The first weights differ from library to library, and so do the losses, a little; one that
    differs much has done something else.
    """
    losses = {row.label: row.loss for row in contest.rows if row.loss is not None}
    if not losses:
        return []
    middle = median(losses.values())
    return [
        f"{label}: loss {loss:.3g}, where the median is {middle:.3g}"
        for label, loss in losses.items()
        if not abs(loss - middle) <= tolerance * middle
    ]
