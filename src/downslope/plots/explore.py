"""A hidden loss, once it is shown: the points that were guessed, and the way downhill."""

from __future__ import annotations

from matplotlib.figure import Figure

from downslope.insight.explore import Exploration
from downslope.plots import style
from downslope.text import amount


def explored(found: Exploration) -> Figure:
    """Draw the loss that was hidden, the points at which it was computed, and the descent.

    Args:
        found: The result of `insight.explore`.

    Returns:
        The figure.

    Example:
        >>> figure = ds.plots.explored(ds.insight.explore((2, 5, 8), seed=3))
    """
    figure = style.new_figure("The loss that was hidden", found.summary, height=4.2)
    axes = style.dress(figure.subplots(), x="weight w", y="loss L")
    axes.plot(found.x, found.y, color=style.BLUE, linewidth=2, zorder=2)
    reach = 0.4
    for w, loss, slope in zip(found.points, found.losses, found.slopes, strict=True):
        ends = (w - reach, w + reach)
        heights = (loss - reach * slope, loss + reach * slope)
        axes.plot(ends, heights, color=style.AMBER, linewidth=1.4, zorder=3)
    axes.plot(
        found.points, found.losses, "s", color=style.AMBER, markersize=7, zorder=4,
        label="points that were looked at, with their slopes",
    )  # fmt: skip
    axes.plot(
        found.path, found.path_losses, "o-", color=style.VERMILLION, markersize=4, linewidth=1,
        zorder=5, label=f"{amount(len(found.path) - 1, 'step')} downhill from the best point",
    )  # fmt: skip
    axes.plot(
        found.lowest, found.lowest_loss, "*", color=style.GREEN, markersize=14, zorder=4,
        mec=style.PAPER, label="lowest point of the curve",
    )  # fmt: skip
    room = 0.08 * (found.y.max() - found.y.min())
    axes.set_ylim(found.y.min() - room, found.y.max() + room)
    axes.legend(frameon=False, fontsize=style.TEXT_SIZE, labelcolor=style.INK, loc="best")
    return figure
