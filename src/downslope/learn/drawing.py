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
    for place, (at, values, name) in enumerate(lines):
        axes.plot(at, values, color=style.PALETTE[place], linewidth=2, label=name or None)
    for place, (at, value, name) in enumerate(points):
        number = len(lines) + place
        look = {"color": style.PALETTE[number % 8], "marker": style.MARKERS[number % 8]}
        axes.plot(at, value, linestyle="", markersize=8, label=name, zorder=4, **look)
    if points or any(name for _, _, name in lines):
        axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            frameon=False,
            fontsize=style.TEXT_SIZE,
            labelcolor=style.INK,
        )
    return figure
