"""A curve with a local and a global minimum, and where descent from many starts ended on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from downslope.insight.escape import HILL, A, B, Escape, Walkers, mean_curve, sample_curve, tilts
from downslope.plots import style

_CURVE_HEIGHT, _STRIP_HEIGHT = 2.5, 0.72  # inches, about
_SHOWN_TILTS = (-1.5, -0.9, -0.3, 0.3, 0.9, 1.5)  # of batches that are drawn, in their deviations
_COLOURS = (style.BLUE, style.GREEN, style.VERMILLION, style.PURPLE, style.AMBER)
_BINS = 90
_ENDS = (-3.0, 12.0)  # of the picture


def endings(found: Escape) -> Figure:
    """Draw the curve with its two minima, and below it where all starts ended, per batch size.

    Args:
        found: The result of `insight.escape`.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.escape(starts=10, batch_sizes=("full",))
        >>> figure = ds.plots.endings(found)
    """
    rows = len(found.walkers)
    figure = style.new_figure(
        "A local minimum, and how descent leaves it",
        f"{found.setting} {found.summary}",
        height=_CURVE_HEIGHT + 0.9 + rows * _STRIP_HEIGHT,
    )
    ratios = [_CURVE_HEIGHT, *([_STRIP_HEIGHT] * (rows + 1))]
    panels = figure.subplots(rows + 2, 1, sharex=True, height_ratios=ratios)
    low, high = _ENDS
    _draw_curve(panels[0], found)
    strips = [("where all began", found.starts, "", style.MUTED)]
    for position, one in enumerate(found.walkers):
        strips.append((one.name, one.ends, _told(one), _colour(position)))
    for axes, strip in zip(panels[1:], strips, strict=True):
        _draw_strip(axes, *strip, low, high)
    panels[0].set_xlim(low, high)
    panels[-1].set_xlabel("weight w", size=style.TEXT_SIZE, color=style.INK)
    panels[-1].tick_params(labelbottom=True)
    return figure


def _told(one: Walkers) -> str:
    said = f"ended in A: {one.ended_in_a} of {len(one.ends)}"
    beyond = int(((one.ends < _ENDS[0]) | (one.ends > _ENDS[1])).sum())
    return said + (f"\n{beyond} ended beyond this picture" if beyond else "")


def _draw_curve(axes: Axes, found: Escape) -> None:
    """The loss of all samples, and of a few batches of each size."""
    style.dress(axes, y="loss")
    w = np.linspace(*_ENDS, 400)
    axes.plot(w, mean_curve(w), color=style.INK, linewidth=2.2, zorder=3, label="all samples")
    for position, one in enumerate(found.walkers):
        if isinstance(one.batch_size, int) and one.batch_size < found.samples:
            spread = float(np.std(tilts())) / one.batch_size**0.5
            look: dict[str, Any] = {"color": _colour(position), "linewidth": 0.7, "zorder": 2}
            curves = [sample_curve(w, fraction * spread) for fraction in _SHOWN_TILTS]
            axes.plot(w, curves[0], label=f"some {one.name}", **look)
            axes.plot(w, np.stack(curves[1:], axis=1), **look)
    axes.set_ylim(-0.9, 2 * float(mean_curve(HILL)))
    for name, position, words in (("A", A, "global minimum"), ("B", B, "local minimum")):
        value = float(mean_curve(position))
        axes.plot(position, value, "o", color=style.INK, markersize=7, mec=style.PAPER, zorder=4)
        axes.annotate(
            f"{name}: {words}", (position, value), (0, -14), textcoords="offset points",
            ha="center", size=style.TEXT_SIZE, color=style.INK, weight="bold", zorder=5,
            bbox={"facecolor": style.PAPER, "alpha": 0.85, "lw": 0, "pad": 1.0},
        )  # fmt: skip
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
        frameon=False,
        fontsize=style.SMALL_SIZE,
        labelcolor=style.INK,
    )


def _colour(position: int) -> str:
    return _COLOURS[position % len(_COLOURS)]


def _draw_strip(
    axes: Axes, name: str, positions: np.ndarray, told: str, colour: str, low: float, high: float
) -> None:
    """How many lie where, as bars; and in words beside them."""
    style.dress(axes)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    counts, edges = np.histogram(positions, _BINS, (low, high))
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=colour, lw=0)
    axes.set_ylim(0, max(1, counts.max()) * 1.15)
    for position in (A, B):
        axes.axvline(position, color=style.FAINT, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0)
    axes.text(1.012, 0.78, name, transform=axes.transAxes, size=style.TEXT_SIZE, color=style.INK,
              va="center", weight="bold")  # fmt: skip
    axes.text(1.012, 0.32, told, transform=axes.transAxes, size=style.SMALL_SIZE, va="center",
              color=style.MUTED)  # fmt: skip
