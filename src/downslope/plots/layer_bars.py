"""Layers side by side: how steep the loss is along each, and how far training moved it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from downslope.insight.first_step import LayerGradients
from downslope.plots import style
from downslope.text import amount

_BAR = 0.34  # inches per layer
_MOST = 24  # layers that are drawn


def layer_gradients(layers: Sequence[LayerGradients], *, name: str = "") -> Figure:
    """Draw the length of each layer's gradient, from the last layer to the first.

    Args:
        layers: First layer first, as `insight.first_step.beginning` returns them.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> from downslope.insight.first_step import beginning
        >>> found = beginning(ds.open_run("runs/moons-1"))
        >>> figure = ds.plots.layer_gradients(found.layers, name="moons")
    """
    values = [one.gradient for one in layers]
    subtitle = (
        "Length of the first batch's gradient with respect to each layer's weights, computed from "
        "the last layer back to the first."
    )
    title = "Gradients before the first step" + (f": {name}" if name else "")
    return _bars(layers, values, title, subtitle, "length of the gradient")


def layer_movement(layers: Sequence[LayerGradients], *, name: str = "") -> Figure:
    """Draw how far training moved each layer's weights, as a fraction of their first length.

        |w_end - w_start| / |w_start|

    Args:
        layers: First layer first, as `insight.first_step.beginning` returns them.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> from downslope.insight.first_step import beginning
        >>> found = beginning(ds.open_run("runs/moons-1"))
        >>> figure = ds.plots.layer_movement(found.layers, name="moons")
    """
    values = [100 * one.moved for one in layers]
    subtitle = (
        "Distance between each layer's final and initial weights, in percent of the length of the "
        "initial ones."
    )
    title = "Change of the weights over the training" + (f": {name}" if name else "")
    return _bars(layers, values, title, subtitle, "change (% of the initial length)")


def _bars(
    layers: Sequence[LayerGradients], values: list[float], title: str, subtitle: str, label: str
) -> Figure:
    """One bar per layer, the last layer on top, each with its number."""
    chosen = list(zip(layers, values, strict=True))[-_MOST:][::-1]
    if len(chosen) < len(layers):
        subtitle += f" The last {len(chosen)} of {len(layers)} layers are drawn."
    figure = style.new_figure(title, subtitle, height=0.75 + _BAR * len(chosen))
    axes = style.dress(figure.subplots(), x=label)
    axes.grid(False, axis="y")
    lengths = np.array([value for _, value in chosen])
    shown = np.where(np.isfinite(lengths), lengths, 0.0)
    positions = range(len(chosen))
    axes.barh(positions, shown, height=0.6, color=style.BLUE)
    axes.set_yticks(positions, [style.plain(one.name, 28) for one, _ in chosen])
    axes.tick_params(axis="y", labelcolor=style.INK, length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.16 * float(shown.max(initial=0.0)) or 1.0)
    for index, (one, value) in enumerate(chosen):
        _number(axes, index, shown[index], value, one.weights)
    return figure


def _number(axes: Axes, index: int, length: float, value: float, weights: int) -> None:
    text = style.short(value, 3) if np.isfinite(value) else "began at 0"
    axes.annotate(
        text, (length, index), (4, 0), textcoords="offset points", va="center",
        size=style.SMALL_SIZE, color=style.MUTED,
    )  # fmt: skip
    axes.text(
        1.012, index, amount(weights, "weight"), transform=axes.get_yaxis_transform(),
        va="center", size=style.SMALL_SIZE, color=style.MUTED,
    )  # fmt: skip
