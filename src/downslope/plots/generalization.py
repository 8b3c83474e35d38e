"""Overfitting in pictures: the gap over the epochs, and the loss over growing training sizes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from downslope.insight.generalization import WIDE, Generalization
from downslope.insight.learning_curve import LearningCurve
from downslope.plots import style
from downslope.plots.curves import spread
from downslope.plots.samples import sample_tiles

_LOSSES, _GAP = 2.6, 1.8  # inches of the two panels, about


def generalization_figures(found: Generalization) -> dict[str, Callable[[], Figure]]:
    """The gap, and the learning curve where there is one."""
    drawn: dict[str, Callable[[], Figure]] = {"generalization": lambda: gap_curves(found)}
    if found.images is not None and found.examples is not None:
        drawn["seen-unseen"] = lambda: seen_and_unseen(found)
    curve = found.learning_curve
    if curve is not None:
        drawn["learning-curve"] = lambda: learning_curves(curve)
    return drawn


def gap_curves(found: Generalization, *, sentences: bool = True) -> Figure:
    """Draw both losses over the epochs, and the gap between them with its uncertainty.

    Bands are two standard errors to each side: how far another choice of samples would move them.

    Args:
        found: What `generalization` returned.
        sentences: Whether what was found is told below the title; if not, what is drawn.
    """
    title = f"Training and validation loss: {found.data}"
    drawn = "Both losses at the same weights. Bands: 95 % interval for another choice of samples."
    subtitle = found.summary.replace("\n", " ") if sentences else drawn
    figure = style.new_figure(title, subtitle, height=5.0)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[_LOSSES, _GAP])
    style.dress(top, y=found.loss.replace("_", " "))
    style.dress(bottom, x="epoch", y="gap: validation\nminus training")
    labels, shown = [], [found.train_loss, found.validation_loss]
    for values, errors, word, colour in (
        (found.train_loss, found.train_error, "training", style.BLUE),
        (found.validation_loss, found.validation_error, "validation", style.VERMILLION),
    ):
        _band(top, found.epochs, values, errors, colour)
        labels.append((float(values[-1]), f"{word} {style.short(values[-1], 3)}", colour))
    if found.test is not None and found.test_interval:
        labels.append(
            (found.test["loss"], f"test {style.short(found.test['loss'], 3)}", style.PURPLE)
        )
        x, loss = found.kept_epoch, found.test["loss"]
        shown.append(np.array(found.test_interval["loss"]))
        ends = np.abs(np.array(found.test_interval["loss"]) - loss)[:, None]
        top.errorbar(x, loss, ends, fmt="D", color=style.PURPLE, ms=5, capsize=3, zorder=6)
    values = np.concatenate(shown)
    spread(top, values[np.isfinite(values)])
    low, high = top.get_ylim()
    top.set_ylim(low, high * 1.12 if top.get_yscale() == "linear" else high)
    top.set_xlim(0, found.epochs[-1] * 1.005)
    style.label_ends(top, labels, _LOSSES)
    _band(bottom, found.epochs, found.gaps, found.gap_errors, style.INK)
    bottom.axhline(0, color=style.MUTED, linewidth=0.9)
    bottom.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _mark(top, bottom, found)
    return figure


def seen_and_unseen(found: Generalization) -> Figure:
    """Draw samples that the network learnt from above samples that it has not seen.

    Args:
        found: What `generalization` returned, of images.
    """
    assert found.images is not None
    assert found.examples is not None
    captions = [one.prediction for part in found.examples for one in part]
    return sample_tiles(
        found.images,
        captions,
        title=f"Seen and unseen samples: {found.data}",
        subtitle="Above each sample: what is predicted. First those that the network learnt from, "
        "then those of the validation part.",
    )


def _band(axes: Axes, x: np.ndarray, values: np.ndarray, errors: np.ndarray, colour: str) -> None:
    known = np.isfinite(values) & np.isfinite(errors)
    x, values, far = x[known], values[known], WIDE * errors[known]
    axes.fill_between(x, values - far, values + far, color=colour, alpha=0.15, linewidth=0)
    axes.plot(x, values, color=colour, linewidth=1.8, marker="o" if len(x) < 12 else "", ms=4)


def _mark(top: Axes, bottom: Axes, found: Generalization) -> None:
    """The epochs that are named in the words, as fine lines with their names above the axes."""
    marks = [
        (bottom, found.opens_at, "gap opens in epoch"),
        (top, found.lowest_at, f"lowest of {len(found.epochs)} epochs measured here: epoch"),
    ]
    if found.rises_at is not None:
        marks[1] = (top, found.rises_at, f"above its minimum (epoch {found.lowest_at}) from epoch")
    for axes, epoch, words in marks:
        if epoch is None:
            continue
        style.named_line(axes, epoch, f"{words} {epoch}", epoch / found.epochs[-1])


def learning_curves(found: LearningCurve) -> Figure:
    """Draw training and validation loss over the number of samples that are learnt from.

    Dots are single trainings, lines their means.

    Args:
        found: What `learning_curve` returned.
    """
    title = f"Learning curve: {found.data}"
    figure = style.new_figure(title, found.summary, height=3.6)
    axes = figure.subplots()
    style.dress(axes, x="training samples (logarithmic)", y=found.loss.replace("_", " "))
    axes.set_xscale("log")
    labels = []
    for rows, word, colour, marker in (
        (found.train_loss, "training", style.BLUE, "o"),
        (found.validation_loss, "validation", style.VERMILLION, "s"),
    ):
        for column in rows.T:
            axes.plot(found.sizes, column, marker, color=colour, ms=4, alpha=0.55, mew=0)
        mean = rows.mean(axis=1)
        axes.plot(found.sizes, mean, color=colour, linewidth=1.8)
        labels.append((float(mean[-1]), f"{word} {style.short(mean[-1], 3)}", colour))
    axes.set_xticks(found.sizes)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(found.sizes[0] / 1.12, found.sizes[-1] * 1.12)
    values = np.concatenate([found.train_loss.ravel(), found.validation_loss.ravel()])
    spread(axes, values[np.isfinite(values)])
    style.label_ends(axes, labels, 3.0)
    return figure
