"""What many starts found, in words: the best is the best found, and is not called more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from downslope.engine.metrics import MEASURES
from downslope.numerals import rounded

if TYPE_CHECKING:
    from downslope.insight.minima import Minima


def said_of(found: Minima) -> tuple[str, ...]:
    """A sentence or two for each question: how low, how different, what lies between."""
    return (_lowest(found), _results(found), _answers(found), _lines(found), *_limits(found))


def _lowest(found: Minima) -> str:
    low, high = found.train_loss[0], found.train_loss[-1]
    return (
        f"Of {len(found)} starts, seed {found.seeds[0]} ended lowest, at a training loss of "
        f"{rounded(low, 3)} (highest: {rounded(high, 3)}; the best constant prediction: "
        f"{rounded(found.baseline, 3)}). It is the lowest found; there may be lower ones."
    )


def _results(found: Minima) -> str:
    loss, figure = found.validation_loss, found.validation_figure
    rank = 1 + int((loss < loss[0]).sum())
    name = MEASURES[found.task][0]
    if name == "accuracy":
        ends = f"accuracy {100 * figure.min():.1f} to {100 * figure.max():.1f} %"
    else:
        ends = f"MAE {rounded(figure.min(), 3)} to {rounded(figure.max(), 3)}"
    return (
        f"With the seed alone, the validation loss varies from {rounded(loss.min(), 3)} to "
        f"{rounded(loss.max(), 3)} (mean {rounded(loss.mean(), 3)}, standard deviation "
        f"{rounded(loss.std(ddof=1), 2)}; {ends}). The start with the lowest training loss has "
        f"rank {rank} of {len(found)} by validation loss."
    )


def _answers(found: Minima) -> str:
    pairs = found.pairs_differ
    if found.task == "classification":
        return (
            f"Two of the networks predict different classes for {100 * pairs.mean():.1f} % of the "
            f"validation samples on average ({100 * pairs.min():.1f} to {100 * pairs.max():.1f} %)."
        )
    unit = " people" if found.task == "counting" else ""
    return (
        f"The predictions of two of the networks differ by {rounded(pairs.mean(), 3)}{unit} on "
        f"average ({rounded(pairs.min(), 3)} to {rounded(pairs.max(), 3)}; root mean square over "
        "the validation samples)."
    )


def _lines(found: Minima) -> str:
    walls = found.barriers
    said = (
        "On the straight line from the lowest to each other one, the training loss has a barrier "
        f"of {rounded(np.median(walls), 2)} (median; {rounded(walls.min(), 2)} to "
        f"{rounded(walls.max(), 2)})"
    )
    matched = found.matched_barriers
    if matched is None:
        return said + "."
    less = np.median(matched)
    said += f"; with the hidden units reordered to match, {rounded(less, 2)}"
    if np.median(walls) > 0 and less < np.median(walls) / 2:
        share = 1 - less / np.median(walls)
        return (
            said + f": {100 * share:.0f} % of the barrier comes from the order of the units alone."
        )
    return said + ": they differ by more than the order of their units."


def _limits(found: Minima) -> list[str]:
    said = []
    if found.diverged:
        said.append(f"{found.diverged} of {len(found) + found.diverged} starts diverged.")
    if found.still_falling:
        said.append(
            f"The validation loss of {found.still_falling} was still falling: more epochs may "
            "change these results."
        )
    if found.is_interrupted:
        said.append(f"Stopped on request in epoch {found.epochs + 1}: all are shown as they were.")
    return said
