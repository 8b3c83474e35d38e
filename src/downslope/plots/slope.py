"""A function of one number with its tangents."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from downslope.insight.slope import Slope, Tangent
from downslope.plots import style

_REACH = 0.16  # of the picture's width, that a tangent is drawn to each side of its point
_FEW = 2  # up to so many slopes are told in sentences as well
_COLOURS = (style.VERMILLION, style.GREEN, style.PURPLE, style.AMBER, style.SKY)


def tangents(found: Slope) -> Figure:
    """Draw a function of one number, and its tangent at each point.

    Args:
        found: The result of `insight.slope`.

    Returns:
        The figure.

    Example:
        >>> figure = ds.plots.tangents(ds.insight.slope("x**2 - 3*x", at=(0, 2)))
    """
    few = found.told(digits=6) if len(found.tangents) <= _FEW else ()
    subtitle = " ".join((*few, found.note)).strip()
    figure = style.new_figure(f"The slope of {found.title}", subtitle, height=4.3)
    axes = style.dress(figure.subplots(), x=_axis(found), y=_values(found))
    style.equation(axes, found.equation.mathtext)
    axes.plot(found.x, found.y, color=style.BLUE, linewidth=2.2)
    axes.set_xlim(found.x[0], found.x[-1])
    axes.set_ylim(*_limits(found))
    if found.target is not None and found.x[0] <= found.target <= found.x[-1]:
        _mark_target(axes, found.target)
    handles = []
    for index, one in enumerate(found.tangents):
        reach = _REACH * (found.x[-1] - found.x[0])
        ends = np.array([one.at - reach, one.at + reach])
        look: dict[str, Any] = {
            "color": _COLOURS[index % len(_COLOURS)],
            "marker": style.MARKERS[index % len(style.MARKERS)],
        }
        _draw_tangent(axes, one, ends, look["color"])
        axes.plot(one.at, one.value, markersize=7.5, mec=style.PAPER, mew=0.8, zorder=4, **look)
        text = (
            f"{found.variable} = {style.short(one.at, 6)}\n"
            f"{found.result} = {style.short(one.value, 6)}\n"
            f"{_slopes(one)}"
        )
        handles.append(Line2D([], [], linewidth=1.6, markersize=7.5, label=text, **look))
    style.legend_beside(
        axes,
        handles=handles,
        labelspacing=1.1,
    )
    return figure


def _draw_tangent(axes: Axes, one: Tangent, ends: np.ndarray, colour: str) -> None:
    """A line through the point; at a kink one half for each slope, at a jump none."""
    if one.jump is not None:
        return
    left, right = one.kink or (one.slope, one.slope)
    heights = [
        one.value + left * (ends[0] - one.at),
        one.value,
        one.value + right * (ends[1] - one.at),
    ]
    axes.plot([ends[0], one.at, ends[1]], heights, color=colour, linewidth=1.6, zorder=3)


def _slopes(one: Tangent) -> str:
    if one.jump is not None:
        return f"jumps from {style.short(one.jump[0], 6)}\nto {style.short(one.jump[1], 6)}"
    if one.kink is not None:
        left, right = (style.short(each, 6) for each in one.kink)
        return f"kink: slope {left} left,\n{right} right"
    return f"slope {style.short(one.slope, 6)}"


def _axis(found: Slope) -> str:
    names = {"y": "the prediction", "z": "the pre-activation", "x": ""}
    return f"{found.variable}  ({names[found.variable]})" if names[found.variable] else "x"


def _values(found: Slope) -> str:
    words = {"L": f"L  ({found.name.replace('_', ' ')})", "a": "a  (the activation)"}
    return words.get(found.result, "f(x)")


def _limits(found: Slope) -> tuple[float, float]:
    values = found.y[np.isfinite(found.y)]
    values = np.append(values, [one.value for one in found.tangents])
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or max(0.1, 0.1 * abs(high))
    return low - room, high + room


def _mark_target(axes: Axes, target: float) -> None:
    """A fine line at the truth, named above the axes."""
    axes.axvline(target, color=style.MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    axes.annotate(
        f"target {style.short(target, 6)}",
        (target, 1),
        (0, 3),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha="center",
        size=style.SMALL_SIZE,
        color=style.MUTED,
    )
