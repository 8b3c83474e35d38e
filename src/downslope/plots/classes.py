"""Which classes are taken for which: the confusion matrix."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from downslope.plots import style
from downslope.text import amount

MOST_NUMBERED = 24  # with more classes the cells are too small for numbers
MOST_NAMED = 40  # and with more than these, not every class is named
_MATRIX_WIDTH = 5.6  # inches, about


def count_pairs(
    truth: Int[np.ndarray, " n"], predictions: Int[np.ndarray, " n"], classes: int
) -> Int[np.ndarray, "classes classes"]:
    """How often each class (row) was answered as each (column)."""
    pairs = np.asarray(truth, np.int64) * classes + np.asarray(predictions, np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def confusion_matrix(
    truth: Int[np.ndarray, " n"],
    predictions: Int[np.ndarray, " n"],
    class_names: tuple[str, ...],
    *,
    name: str = "",
) -> Figure:
    """Draw the confusion matrix: how often each class was predicted for each true class.

    Colours are fractions of the true class (rows), so that rare classes are visible as well;
    numbers are samples. Correct predictions are blue, mistakes orange. The recall of each class is
    at the side.

    Args:
        truth: Indices of the true classes, (N,).
        predictions: Indices of the predicted classes, (N,).
        class_names: One per class; a class need not occur in `truth`.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> truth, predicted = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
        >>> figure = ds.plots.confusion_matrix(truth, predicted, ("upper", "lower"), name="moons")
    """
    classes = len(class_names)
    counts = count_pairs(truth, predictions, classes)
    right, total = int(np.trace(counts)), int(counts.sum())
    title = f"Confusion matrix: {name}" if name else "Confusion matrix"
    fraction = min(100 * right / max(total, 1), 100.0 if right == total else 99.9)
    subtitle = (
        f"{right:,} of {amount(total, 'test sample')} classified correctly ({fraction:.1f} "
        "%). Numbers: samples. Stronger colour: larger fraction of the true class."
    )
    height = classes * float(np.clip(4.8 / classes, 0.29, 0.7)) if classes <= MOST_NUMBERED else 7.0
    names = [style.plain(text, 18) for text in class_names]
    cell = _MATRIX_WIDTH / classes
    slanted = max(map(len, names)) * 0.085 > cell
    below = 0.5 + (min(1.3, 0.07 * max(map(len, names))) if slanted else 0.2)
    figure = style.new_figure(title, subtitle, height=height + below + 0.3)
    matrix, fractions = figure.subplots(1, 2, sharey=True, width_ratios=[_MATRIX_WIDTH, 1.8])
    _draw_cells(matrix, counts)
    _name_classes(matrix, names, slanted)
    _draw_fractions(fractions, counts)
    return figure


def _draw_cells(axes: Axes, counts: np.ndarray) -> None:
    classes = len(counts)
    rows = counts.sum(axis=1, keepdims=True)
    fractions = counts / np.maximum(rows, 1)
    # a few mistakes among many must be seen: their colour grows with the root of the fraction
    colours = np.where(
        np.eye(classes, dtype=bool)[..., None], style.RIGHT(fractions), style.WRONG(fractions**0.5)
    )
    colours[counts == 0] = (0.5, 0.53, 0.58, 0.05)
    axes.imshow(colours, aspect="auto", interpolation="nearest")
    edges = np.arange(1, classes) - 0.5
    if classes <= MOST_NUMBERED:
        axes.hlines(edges, -0.5, classes - 0.5, color=style.PAPER, linewidth=1.5)
        axes.vlines(edges, -0.5, classes - 0.5, color=style.PAPER, linewidth=1.5)
        size = float(np.clip(105 / classes, 6.5, 13.0))
        for row, column in np.argwhere(counts).tolist():
            dark = fractions[row, column] if row == column else fractions[row, column] ** 0.5
            axes.text(
                column,
                row,
                f"{counts[row, column]:,}",
                ha="center",
                va="center",
                size=size if counts.max() < 10_000 else min(size, 7.0),
                weight="bold" if row == column else "normal",
                color=style.BRIGHT if dark > (0.75 if row == column else 0.6) else style.INK,
            )
    for row in np.flatnonzero(rows[:, 0] == 0):
        stripe = Rectangle((-0.5, row - 0.5), classes, 1, hatch="////", fill=False, lw=0)
        stripe.set_edgecolor(style.FAINT)
        axes.add_patch(stripe)


def _name_classes(axes: Axes, names: list[str], slanted: bool) -> None:
    every = -(-len(names) // MOST_NAMED)
    positions = range(0, len(names), every)
    shown = names[::every]
    size = style.TEXT_SIZE if len(names) <= 12 else 7.5
    axes.set_yticks(positions, shown)
    turn = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(positions, shown, **turn)
    axes.tick_params(length=0, labelsize=size, labelcolor=style.INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("predicted class", size=style.TEXT_SIZE, color=style.MUTED, labelpad=6)
    axes.set_ylabel("true class", size=style.TEXT_SIZE, color=style.MUTED, labelpad=6)


def _draw_fractions(axes: Axes, counts: np.ndarray) -> None:
    """The fraction of each class that was recognised, in line with its row."""
    rows = counts.sum(axis=1)
    fractions = np.diag(counts) / np.maximum(rows, 1)
    positions = range(len(rows))
    style.entitle(axes, "recall")
    axes.barh(positions, np.where(rows > 0, 1.0, 0.0), height=0.14, color=style.GRID)
    axes.barh(positions, fractions, height=0.14, color=style.BLUE)
    axes.set_xlim(0, 1.75)
    if len(rows) <= MOST_NAMED:
        for index, fraction, row in zip(positions, fractions, rows, strict=True):
            text = f"{style.percent(fraction)} of {row:,}" if row else "none in the test"
            axes.text(
                1.06 if row else 0.0,
                index,
                text,
                va="center",
                size=style.SMALL_SIZE if len(rows) <= 12 else 7.0,
                color=style.MUTED,
            )
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    axes.tick_params(length=0, labelleft=False)
