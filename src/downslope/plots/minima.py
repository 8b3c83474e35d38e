"""Where many starts ended: a map of their predictions, their losses in order, the walls between."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from downslope.insight.minima import Minima
from downslope.plots import style
from downslope.plots.curves import spread

_COLOURS = LinearSegmentedColormap.from_list(  # darker is higher, also in print
    "ended", ["#FBD98B", style.AMBER, style.VERMILLION, "#7A1F4B", "#2B0A3D"]
)
_APART = {
    "classification": "mean difference of the probabilities",
    "multilabel": "root mean square difference of the probabilities",
    "regression": "root mean square difference of the predictions",
    "counting": "root mean square difference of the counts",
}


def minima_map(found: Minima) -> Figure:
    """Draw where the starts ended.

    Left, each is a dot: dots lie as far from each other as their predictions for the validation
    samples differ, as well as a plane can show it, and the lowest training loss is ringed. Right,
    the losses of each, from the lowest training loss to the highest. Below, the training loss on
    the straight lines through weight space from the lowest to each other.

    Args:
        found: What `minima` returned.
    """
    title = f"Where {len(found)} starts on {found.data} ended"
    figure = style.new_figure(title, " ".join(found.summary.split("\n")[:2]), height=6.6)
    grid = figure.add_gridspec(2, 2, height_ratios=[3.3, 2.8], width_ratios=[1.12, 1])
    _draw_map(figure, figure.add_subplot(grid[0, 0]), found)
    _draw_losses(figure.add_subplot(grid[0, 1]), found)
    _draw_lines(figure.add_subplot(grid[1, :]), found)
    return figure


def _draw_map(figure: Figure, axes: Axes, found: Minima) -> None:
    x, y = found.map.T
    loss = found.validation_loss
    norm = Normalize(loss.min(), loss.max() if loss.max() > loss.min() else loss.min() + 1)
    axes.scatter(
        x, y, c=loss, cmap=_COLOURS, norm=norm, s=42, linewidths=0.6, edgecolors=style.PAPER
    )
    axes.plot(x[0], y[0], "o", markersize=12, mfc="none", mec=style.INK, mew=1.3)
    fraction = (x[0] - x.min()) / (np.ptp(x) or 1)
    axes.annotate(
        "lowest training loss",
        (x[0], y[0]),
        (0, 9),
        textcoords="offset points",
        ha="left" if fraction < 0.3 else "right" if fraction > 0.7 else "center",
        size=style.SMALL_SIZE,
        color=style.INK,
    )
    style.dress(
        axes,
        title=f"Map of the predictions ({style.percent(found.map_fraction)} shown)",
        x=_APART[found.task],
        y=_APART[found.task],
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.14)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    bar = figure.colorbar(ScalarMappable(norm, _COLOURS), ax=axes, pad=0.02, aspect=28)
    bar.set_label("validation loss", size=style.TEXT_SIZE, color=style.INK)
    bar.ax.tick_params(labelsize=style.SMALL_SIZE, colors=style.MUTED, length=3)
    bar.outline.set_visible(False)


def _draw_losses(axes: Axes, found: Minima) -> None:
    order = np.arange(1, len(found) + 1)
    axes.plot(order, found.validation_loss, "s", color=style.VERMILLION, markersize=4.5)
    axes.plot(order, found.train_loss, "o", color=style.BLUE, markersize=4.5)
    style.dress(
        axes,
        title="Losses of each start",
        x="rank by training loss",
        y=found.loss.replace("_", " "),
    )
    values = np.concatenate([found.validation_loss, found.train_loss])
    spread(axes, values[np.isfinite(values)])
    axes.set_xlim(0, len(found) + 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    ends = [
        (float(np.median(found.train_loss)), "training", style.BLUE),
        (float(np.median(found.validation_loss)), "validation", style.VERMILLION),
    ]
    style.label_ends(axes, ends, 2.3)


def _draw_lines(axes: Axes, found: Minima) -> None:
    fraction = np.linspace(0, 1, found.line_losses.shape[1])
    sets = [(found.line_losses, style.VERMILLION, "as trained")]
    if found.matched_line_losses is not None:
        sets.append((found.matched_line_losses, style.BLUE, "hidden units\nmatched"))
    for lines, colour, _ in sets:
        axes.plot(fraction, lines.T, color=colour, linewidth=0.9, alpha=0.35)
        axes.plot(fraction, np.median(lines, axis=0), color=colour, linewidth=2)
    style.dress(
        axes,
        title="On straight lines from the lowest to each other start (bold: median)",
        x="fraction of the way",
        y=f"training {found.loss.replace('_', ' ')}",
    )
    values = np.concatenate([lines.ravel() for lines, _, _ in sets])
    spread(axes, values[np.isfinite(values)])
    axes.set_xlim(0, 1)
    middle = len(fraction) // 2
    labels = [
        (float(np.median(lines, axis=0)[middle]), name, colour) for lines, colour, name in sets
    ]
    style.label_ends(axes, labels, 1.6)
