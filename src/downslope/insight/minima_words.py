"""What many starts found, in words: the best is the best found, and is not called more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from downslope.learning.measures import MEASURES

if TYPE_CHECKING:
    from downslope.insight.minima import Minima


def said_of(found: Minima) -> tuple[str, ...]:
    """A sentence or two for each question: how low, how different, what lies between."""
    return (_lowest(found), _results(found), _answers(found), _lines(found), *_limits(found))


def _lowest(found: Minima) -> str:
    low, high = found.train_loss[0], found.train_loss[-1]
    return (
        f"Of {len(found)} starts the one of seed {found.seeds[0]} ended lowest, at a training loss "
        f"of {low:.3g} (the highest: {high:.3g}; always the same answer: {found.baseline:.3g}). It "
        "is the best found: nothing proves that there is nothing lower."
    )


def _results(found: Minima) -> str:
    loss, figure = found.validation_loss, found.validation_figure
    rank = 1 + int((loss < loss[0]).sum())
    name = MEASURES[found.task][0]
    if name == "accuracy":
        ends = f"{100 * figure.min():.1f} to {100 * figure.max():.1f} % right"
    else:
        ends = f"missing by {figure.min():.3g} to {figure.max():.3g}"
    return (
        f"Seeds alone move the validation loss from {loss.min():.3g} to {loss.max():.3g} (mean "
        f"{loss.mean():.3g}, standard deviation {loss.std(ddof=1):.2g}), {ends}. The start with "
        f"the lowest training loss is number {rank} of {len(found)} there."
    )


def _answers(found: Minima) -> str:
    pairs = found.pairs_differ
    if found.task == "classification":
        return (
            f"Two of them give different answers to {100 * pairs.mean():.1f} % of the validation "
            f"samples on average ({100 * pairs.min():.1f} to {100 * pairs.max():.1f} %)."
        )
    unit = " people" if found.task == "counting" else ""
    return (
        f"The answers of two of them differ by {pairs.mean():.3g}{unit} (root mean square over the "
        f"validation samples, on average; {pairs.min():.3g} to {pairs.max():.3g})."
    )


def _lines(found: Minima) -> str:
    walls = found.barriers
    said = (
        "On the straight line from the lowest to each other the training loss rises above its "
        f"ends by {np.median(walls):.2g} (median; {walls.min():.2g} to {walls.max():.2g})"
    )
    matched = found.matched_barriers
    if matched is None:
        return said + "."
    less = np.median(matched)
    said += f"; with the hidden units in the order that fits best by {less:.2g}"
    if np.median(walls) > 0 and less < np.median(walls) / 2:
        share = 1 - less / np.median(walls)
        return said + f": {100 * share:.0f} % of the wall is only the order of the units."
    return said + ": more than their order divides them."


def _limits(found: Minima) -> list[str]:
    said = []
    if found.diverged:
        said.append(f"{found.diverged} of {len(found) + found.diverged} starts diverged.")
    if found.still_falling:
        said.append(
            f"The validation loss of {found.still_falling} was still falling: they had not come "
            "to rest, and more epochs may change the picture."
        )
    if found.is_interrupted:
        said.append(f"Stopped on request in epoch {found.epochs + 1}: all are shown as they were.")
    return said
