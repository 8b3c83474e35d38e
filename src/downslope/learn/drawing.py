"""Pictures that several chapters share: one curve or several, with named points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from downslope.plots import style

Line = tuple[np.ndarray, np.ndarray, str]  # x, y and a name
Point = tuple[float, float, str]  # x, y and a name


def curves(
    title: str,
    subtitle: str,
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    points: Sequence[Point] = (),
    is_log: bool = False,
) -> Figure:
    """Draw curves over one axis, and points on them.

    Args:
        title: The heading.
        subtitle: What the picture says, in a sentence or two.
        lines: The curves; one without a name has no entry in the legend.
        x: What the horizontal axis shows.
        y: What the vertical axis shows.
        points: Points with their names.
        is_log: Whether equal heights are equal factors.
    """
    figure = style.new_figure(title, subtitle, height=3.8)
    axes = style.dress(figure.subplots(), x=x, y=y)
    if is_log:
        axes.set_yscale("log")
    for index, (at, values, name) in enumerate(lines):
        axes.plot(at, values, color=style.PALETTE[index], linewidth=2, label=name or None)
    for index, (at, value, name) in enumerate(points):
        number = len(lines) + index
        colour, marker = style.PALETTE[number % 8], style.MARKERS[number % 8]
        axes.plot(
            at, value, linestyle="", markersize=8, label=name, zorder=4, color=colour,
            marker=marker,
        )  # fmt: skip
    if points or any(name for _, _, name in lines):
        style.legend_beside(axes)
    return figure


def scattered(
    title: str, subtitle: str, line: Line, clouds: Sequence[Line], *, x: str, y: str
) -> Figure:
    """Draw a curve and the points that it should pass through.

    Args:
        title: The heading.
        subtitle: What the picture says.
        line: The curve.
        clouds: Points, each group with its name.
        x: What the horizontal axis shows.
        y: What the vertical axis shows.
    """
    figure = style.new_figure(title, subtitle, height=3.8)
    axes = style.dress(figure.subplots(), x=x, y=y)
    looks = ((style.FAINT, 14), (style.VERMILLION, 42))
    for (at, values, name), (colour, size) in zip(clouds, looks, strict=True):
        axes.scatter(at, values, s=size, color=colour, label=name, zorder=3)
    axes.plot(line[0], line[1], color=style.BLUE, linewidth=2, label=line[2], zorder=2)
    style.legend_beside(axes)
    return figure


def bars(
    title: str,
    subtitle: str,
    heights: np.ndarray,
    level: float,
    chosen: int,
    *,
    x: str,
    y: str,
) -> Figure:
    """Draw bars, one of them chosen, and a level beside them.

    Args:
        title: The heading.
        subtitle: What the picture says.
        heights: One for each bar.
        level: Where a line is drawn.
        chosen: The index of the chosen bar.
        x: What the bars are.
        y: What their heights are.
    """
    figure = style.new_figure(title, subtitle, height=3.4)
    axes = style.dress(figure.subplots(), x=x, y=y)
    colours = [style.VERMILLION if one == chosen else style.SKY for one in range(len(heights))]
    axes.bar(np.arange(1, len(heights) + 1), heights, color=colours)
    axes.axhline(level, color=style.INK, linewidth=1.2, linestyle=(0, (3, 2)))
    low, high = min(level, float(heights.min())), max(level, float(heights.max()))
    axes.set_ylim(max(0.0, low - (high - low) - 1), high + 1)
    return figure
