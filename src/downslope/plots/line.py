"""The loss on the straight line between two solutions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from downslope.insight.line import Line
from downslope.plots import style

_HEIGHT = 3.4


def line_between(found: Line) -> Figure:
    """Draw training and validation loss on the line between two runs.

    Args:
        found: The result of `insight.line`.

    Returns:
        The figure.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> other = ds.train("dense 8 tanh, dense 2", "moons", epochs=2, seed=1)
        >>> figure = ds.plots.line_between(ds.insight.line(run, other, points=11))
    """
    title = f"Between two solutions of {found.data}"
    figure = style.new_figure(title, found.summary, height=_HEIGHT)
    axes = style.dress(
        figure.subplots(),
        x="fraction of the way from the first run to the second",
        y=found.loss.replace("_", " "),
    )
    labels, highest = [], 0.0
    for part, losses, colour in (
        ("training", found.train_loss, style.BLUE),
        ("validation", found.validation_loss, style.VERMILLION),
    ):
        values = np.where(np.isfinite(losses), losses, np.nan).astype(np.float64)
        axes.plot(found.along, values, color=colour, linewidth=2)
        axes.plot([0, 1], values[[0, -1]], color=colour, linewidth=1, linestyle=(0, (3, 3)))
        axes.plot([0, 1], values[[0, -1]], "o", color=colour, markersize=6, clip_on=False)
        highest = max(highest, float(np.nanmax(values)))
        labels.append((float(values[-1]), f"{part} {style.short(values[-1], 3)}", colour))
    axes.set_xlim(0, 1)
    lowest = float(np.nanmin([found.train_loss.min(), found.validation_loss.min()]))
    axes.set_ylim(min(0.0, 1.05 * lowest), 1.06 * highest if highest > 0 else 1.0)
    style.label_ends(axes, labels, _HEIGHT - 0.7)
    return figure
