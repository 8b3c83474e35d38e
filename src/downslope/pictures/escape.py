"""A curve with a local and a global minimum, and where descent from many starts ended on it."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from downslope.insight.escape import HILL, A, B, Escape, Walkers, mean_curve, sample_curve, tilts
from downslope.pictures import style

_CURVE_HEIGHT, _STRIP_HEIGHT = 2.5, 0.72  # inches, about
_SHOWN_TILTS = 8  # single samples whose curves are drawn
_COLOURS = (style.BLUE, style.GREEN, style.VERMILLION, style.PURPLE, style.AMBER)
_BINS = 90


def endings(found: Escape) -> Figure:
    """Draw the curve with its two minima, and below it where all starts ended, per batch size.

    Args:
        found: What `insight.escape` returned.
    """
    rows = len(found.walkers)
    figure = style.new_figure(
        "A local minimum, and how descent leaves it",
        found.conclusion,
        height=_CURVE_HEIGHT + 0.9 + rows * _STRIP_HEIGHT,
    )
    ratios = [_CURVE_HEIGHT, *([_STRIP_HEIGHT] * (rows + 1))]
    panels = figure.subplots(rows + 2, 1, sharex=True, height_ratios=ratios)
    ends = np.concatenate([one.ends for one in found.walkers])
    low, high = min(-0.6, float(ends.min()) - 0.3), max(9.6, float(ends.max()) + 0.3)
    low, high = max(low, -3.0), min(high, 12.0)
    _draw_curve(panels[0], low, high)
    strips = [("where all began", found.starts, "", style.MUTED)]
    for place, one in enumerate(found.walkers):
        strips.append((one.name, one.ends, _told(one), _COLOURS[place % len(_COLOURS)]))
    for axes, strip in zip(panels[1:], strips, strict=True):
        _draw_strip(axes, *strip, low, high)
    panels[0].set_xlim(low, high)
    panels[-1].set_xlabel("weight w", size=style.TEXT_SIZE, color=style.INK)
    panels[-1].tick_params(labelbottom=True)
    return figure


def _told(one: Walkers) -> str:
    return f"ended in A: {one.in_a} of {len(one.ends)}"


def _draw_curve(axes: Axes, low: float, high: float) -> None:
    style.dress(axes, y="loss")
    w = np.linspace(low, high, 400)
    some = tilts()[:: len(tilts()) // _SHOWN_TILTS]
    for tilt in some:
        axes.plot(w, sample_curve(w, tilt), color=style.FAINT, linewidth=0.8, zorder=1)
    axes.plot(w, mean_curve(w), color=style.INK, linewidth=2.2, zorder=3)
    top = float(mean_curve(np.array([HILL]))[0])
    axes.set_ylim(-0.9, 2.0 * top)
    for name, place, words in (("A", A, "global minimum"), ("B", B, "local minimum")):
        value = float(mean_curve(place))
        axes.plot(place, value, "o", color=style.INK, markersize=7, mec=style.PAPER, zorder=4)
        axes.annotate(
            f"{name}: {words}", (place, value), (0, -14), textcoords="offset points",
            ha="center", size=style.TEXT_SIZE, color=style.INK, weight="bold", zorder=5,
            bbox={"facecolor": style.PAPER, "alpha": 0.85, "lw": 0, "pad": 1.0},
        )  # fmt: skip
    for words, place, colour in (
        ("all samples", (8.95, 1.8 * top), style.INK),
        ("single samples", (6.15, 1.8 * top), style.MUTED),
    ):
        axes.text(*place, words, size=style.TEXT_SIZE, color=colour, va="center")


def _draw_strip(
    axes: Axes, name: str, places: np.ndarray, told: str, colour: str, low: float, high: float
) -> None:
    """How many lie where, as bars; and in words beside them."""
    style.dress(axes)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    counts, edges = np.histogram(places.clip(low, high), _BINS, (low, high))
    axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=colour, lw=0)
    axes.set_ylim(0, max(1, counts.max()) * 1.15)
    for place in (A, B):
        axes.axvline(place, color=style.FAINT, linewidth=0.9, linestyle=(0, (2, 2)), zorder=0)
    axes.text(1.012, 0.78, name, transform=axes.transAxes, size=style.TEXT_SIZE, color=style.INK,
              va="center", weight="bold")  # fmt: skip
    axes.text(1.012, 0.32, told, transform=axes.transAxes, size=style.SMALL_SIZE, va="center",
              color=style.MUTED)  # fmt: skip
