"""The bowl-shaped loss of two weights: as a surface, and as a map with the ways down."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from downslope.insight.bowl import LOWEST, Bowl, Descent, loss_at
from downslope.plots import style

_COLOURS = (style.SKY, style.GREEN, style.VERMILLION, style.PURPLE, style.AMBER)
_GROUND = LinearSegmentedColormap.from_list("ground", ["#DCEAF5", "#F7F8FA"])
_ARROW = 0.22  # of the map's width, as long as the gradient is drawn
_ROOM = 0.7  # around what is shown
_FARTHEST = 7.0  # from the lowest point; a descent that leaves is shown as far as this
_POINTS = 121


def descents(found: Bowl) -> Figure:
    """Draw the bowl as a surface and as a map, with every descent and the gradient at the start.

    Args:
        found: The result of `insight.bowl`.

    Returns:
        The figure.

    Example:
        >>> figure = ds.plots.descents(ds.insight.bowl(rates=(0.05, 0.6)))
    """
    figure = style.new_figure("Down a bowl of two weights", found.summary, height=5.0)
    grid = figure.add_gridspec(1, 2, width_ratios=[1, 1.12])
    low, high = _extent(found)
    # drawn in the order that is asked for, so that no way vanishes below the surface
    surface = figure.add_subplot(grid[0], projection="3d", computed_zorder=False)
    _draw_surface(surface, found, low, high)
    plane = style.dress(figure.add_subplot(grid[1]), x="weight w1", y="weight w2")
    _draw_map(plane, found, low, high)
    handles, labels = plane.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=1,
        frameon=False,
        fontsize=style.TEXT_SIZE,
        labelcolor=style.INK,
    )
    return figure


def _extent(found: Bowl) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a square around the lowest point with all ways, as far as they are near."""
    points = np.concatenate([one.weights for one in found.descents])
    far = np.abs(points - LOWEST).max(axis=1)
    reach = _ROOM + float(far[far <= _FARTHEST].max(initial=1.0))
    uphill, start = np.abs(found.gradient), np.abs(np.array(found.start) - LOWEST)
    if uphill.any() and start.max() <= _FARTHEST:  # so that the arrow lies inside
        arrow = 2 * _ARROW * uphill / np.hypot(*uphill)
        reach = max(reach, _ROOM / 2 + float((start / (1 - arrow)).max()))
    return np.array(LOWEST) - reach, np.array(LOWEST) + reach


def _grid(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(*(np.linspace(low[axis], high[axis], _POINTS) for axis in (0, 1)))
    return x, y


def _label(one: Descent) -> str:
    return f"rate {style.short(one.rate, 6)}: {one.summary} (loss {style.short(one.losses[-1], 3)})"


def _draw_surface(axes: Any, found: Bowl, low: np.ndarray, high: np.ndarray) -> None:
    x, y = _grid(low, high)
    axes.plot_surface(
        x, y, loss_at(x, y), cmap=_GROUND.reversed(), alpha=0.85, rcount=26, ccount=26,
        linewidth=0.3, edgecolor=style.FAINT, antialiased=True, zorder=1,
    )  # fmt: skip
    for index, one in enumerate(found.descents):
        inside = one.weights[_inside(one.weights, low, high)]
        losses = loss_at(*inside.T)
        colour = _COLOURS[index % len(_COLOURS)]
        axes.plot(*inside.T, losses + 0.5, color=colour, linewidth=1.5, zorder=5)
        axes.scatter(*inside.T, losses + 0.5, color=colour, s=9, depthshade=False, zorder=6)
    axes.scatter(*LOWEST, 0.5, marker="*", s=90, color=style.INK, depthshade=False, zorder=7)
    axes.view_init(elev=42, azim=-60)
    axes.set_box_aspect((1, 1, 0.62), zoom=1.0)
    axes.set_xlabel("w1", size=style.TEXT_SIZE, color=style.INK, labelpad=-4)
    axes.set_ylabel("w2", size=style.TEXT_SIZE, color=style.INK, labelpad=-4)
    axes.set_zlabel("loss", size=style.TEXT_SIZE, color=style.INK, labelpad=1)
    axes.tick_params(colors=style.MUTED, labelsize=style.SMALL_SIZE, pad=-1)
    axes.grid(False)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(style.FAINT)


def _inside(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.all((points >= low) & (points <= high), axis=1)


def _draw_map(axes: Axes, found: Bowl, low: np.ndarray, high: np.ndarray) -> None:
    axes.grid(False)
    x, y = _grid(low, high)
    losses = loss_at(x, y)
    levels = np.linspace(0, np.sqrt(losses.max()), 12)[1:] ** 2  # evenly apart along the ground
    axes.contour(x, y, losses, levels=levels, colors=style.FAINT, linewidths=0.8)
    for index, one in enumerate(found.descents):
        look: dict[str, Any] = {"color": _COLOURS[index % len(_COLOURS)], "label": _label(one)}
        marker = style.MARKERS[index % len(style.MARKERS)]
        axes.plot(*one.weights.T, marker=marker, markersize=4.2, linewidth=1.4, zorder=3, **look)
    axes.plot(*LOWEST, "*", color=style.INK, markersize=13, mec=style.PAPER, zorder=5)
    _name(
        axes,
        LOWEST,
        f"lowest point ({style.short(LOWEST[0], 6)}, {style.short(LOWEST[1], 6)})",
        (8, 10),
    )
    if any(found.gradient):
        _draw_gradient(axes, found, high[0] - low[0])
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_aspect("equal", adjustable="box")


def _draw_gradient(axes: Axes, found: Bowl, width: float) -> None:
    """An arrow uphill from the start, of one length whatever the gradient is."""
    start, uphill = np.array(found.start), np.array(found.gradient)
    end = start + uphill * (_ARROW * width / float(np.hypot(*uphill)))
    arrow = {"arrowstyle": "-|>", "color": style.INK, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", tuple(end), found.start, arrowprops=arrow, zorder=6)
    _name(axes, tuple((start + end) / 2), "gradient: uphill", (8, -4))


def _name(axes: Axes, point: tuple, text: str, offset: tuple[int, int]) -> None:
    axes.annotate(
        text, point, offset, textcoords="offset points", size=style.SMALL_SIZE, color=style.INK,
        bbox={"facecolor": style.PAPER, "alpha": 0.8, "lw": 0, "pad": 1.2}, zorder=7,
    )  # fmt: skip
