"""Two runs over their steps: their losses, and how far apart they lie once they have parted."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from downslope.insight.diff import RunDiff, Side
from downslope.plots import style
from downslope.plots.curves import spread

_LOSSES, _APART = 2.9, 1.7  # inches of the two panels, about
# A is drawn wide and B fine upon it, so that both are seen where they are the same
_SIDES = (("A", style.BLUE, 3.4), ("B", style.VERMILLION, 1.5))
_MOST_DOTS = 1500  # more steps than this are thinned out evenly
_LEAST = 1e-8  # of a loss: about half of the last bit of a float32


def two_courses(found: RunDiff) -> Figure:
    """Draw the losses of two runs over their steps, and mark the first step that differs.

    Below, the distance of their batch losses at each step, where both saw the same samples.

    Args:
        found: The result of `insight.diff`.

    Returns:
        The figure.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> other = ds.train("dense 8 tanh, dense 2", "moons", epochs=2, seed=1)
        >>> figure = ds.plots.two_courses(ds.insight.diff(run, other))
    """
    names = [one.folder.name if one.folder else one.data for one in (found.a, found.b)]
    title = f"{names[0]} (A) and {names[1]} (B)"
    has_both = found.largest_ratio is not None and found.largest_ratio[0] > 1
    height = 5.4 if has_both else 3.6
    figure = style.new_figure(title, _subtitle(found), height=height)
    if has_both:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[_LOSSES, _APART])
        _draw_apart(bottom, found)
    else:
        top = figure.subplots()
        style.dress(top, x="step")
    _draw_losses(top, found, x="" if has_both else "step")
    return figure


def _subtitle(found: RunDiff) -> str:
    drawn = "Solid: validation loss; dashed: training loss; dots: single batches."
    if found.cause in ("data", "loss"):
        return f"Different data or loss functions: the losses cannot be compared. {drawn}"
    if found.differs_from is None:
        return f"Bit-identical at all {found.steps:,} steps that both have. {drawn}"
    if not found.equal_steps:
        return f"Different from the first step on. {drawn}"
    return f"Bit-identical up to step {found.equal_steps:,}. {drawn}"


def _draw_losses(axes: Axes, found: RunDiff, x: str) -> None:
    sides = (found.a, found.b)
    losses = {side.loss.replace("_", " ") for side in sides}
    style.dress(axes, x=x, y=losses.pop() if len(losses) == 1 else "loss")
    labels, shown = [], []
    for (name, colour, width), side in zip(_SIDES, sides, strict=True):
        shown += _draw_side(axes, side, colour, width)
        _label(labels, shown, name, colour)
    values = np.concatenate(shown) if shown else np.empty(0)
    spread(axes, values[np.isfinite(values)])
    axes.set_xlim(0, max(1, *(side.steps for side in sides)) * 1.005)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    style.label_ends(axes, labels, _LOSSES)
    if found.differs_from is not None and found.equal_steps:
        _mark(axes, found.differs_from, f"first difference at step {found.differs_from:,}")


def _draw_side(axes: Axes, side: Side, colour: str, width: float) -> list[np.ndarray]:
    """Draw one run; returns its batch, training and validation losses."""
    batches = np.asarray(side.trace.batch_loss, np.float64)
    every = max(1, -(-len(batches) // _MOST_DOTS))
    x, y = np.arange(1, len(batches) + 1)[::every], _finite(batches[::every])
    size, alpha = (2.4, 0.22) if len(batches) > 100 else (6.0, 0.6)
    axes.plot(x, y, ".", color=colour, ms=size, alpha=alpha, mew=0)
    shown = [y]
    steps = side.trace.epochs["step"]
    marker = "o" if len(steps) < 12 else ""
    for part, line in (("train", (0, (3, 2))), ("validation", "-")):
        values = _finite(side.trace.epochs[f"{part}_loss"])
        axes.plot(
            steps, values, color=colour, linewidth=width, linestyle=line, marker=marker,
            ms=width + 2.5,
        )  # fmt: skip
        shown.append(values)
    return shown


def _label(
    labels: list[tuple[float, str, str]], shown: list[np.ndarray], name: str, colour: str
) -> None:
    """Name a run at its last validation loss; at its last batch if none was measured."""
    batches, _, validation = (one[np.isfinite(one)] for one in shown[-3:])
    if len(validation):
        labels.append((float(validation[-1]), f"{name} {style.short(validation[-1], 3)}", colour))
    elif len(batches):
        labels.append((float(batches[-1]), name, colour))


def _draw_apart(axes: Axes, found: RunDiff) -> None:
    """How far the batch losses lie apart: 0 where they are the same bits, so nothing is drawn."""
    style.dress(axes, x="step", y="relative difference\nof batch losses")
    apart = found.ratios - 1
    steps = np.flatnonzero(np.isfinite(apart) & (apart > 0)) + 1
    every = max(1, -(-len(steps) // _MOST_DOTS))
    steps = steps[::every]
    values = np.maximum(apart[steps - 1], _LEAST)
    axes.plot(steps, values, ".", color=style.INK, ms=3 if len(steps) > 100 else 5, mew=0)
    axes.set_yscale("log")
    low, high = float(values.min()), float(values.max())
    axes.set_ylim(low / 3, max(high, 10 * low) * 3)
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 6)))
    if found.equal_steps:
        last = found.equal_steps
        axes.axvspan(0, last, color=style.GREEN, alpha=0.12, linewidth=0)
        _mark(axes, last + 1, "")
        wide = last / max(found.a.steps, found.b.steps)
        if wide > 0.14:
            axes.text(
                last / 2,
                0.5,
                "bit-identical",
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="center",
                size=style.SMALL_SIZE,
                color=style.INK,
            )


def _mark(axes: Axes, step: int, words: str) -> None:
    style.named_line(axes, step, words, step / axes.get_xlim()[1], near=0.3)


def _finite(values: np.ndarray) -> np.ndarray:
    """As float64, with gaps (NaN) where a value is infinite."""
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values), values, np.nan)
