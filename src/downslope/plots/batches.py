"""Which samples the batches of some epochs have, by their class or target."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from downslope.insight.batches import Batches
from downslope.plots import style

MOST_BATCHES = 40  # that are drawn: the first of an epoch
MOST_CLASSES = 12  # that are named
_CLASSES = (*style.PALETTE, "#9B5DE5", "#8C564B", "#7F7F7F", "#17BECF")


def batch_members(found: Batches) -> Figure:
    """Draw the batches of each epoch as columns of samples, coloured by class or target.

    Args:
        found: The result of `insight.batches`.

    Returns:
        The figure.

    Example:
        >>> figure = ds.plots.batch_members(ds.insight.batches(ds.open_run("runs/moons-1")))
    """
    shown = min(found.steps_per_epoch, MOST_BATCHES)
    part = "" if shown == found.steps_per_epoch else f" The first {shown} batches are drawn."
    figure = style.new_figure(
        f"The batches of {found.data}",
        f"{found.summary} A column is a batch, a cell a sample; black marks: the samples that were "
        f"in batch {found.batch} of epoch {found.epochs[0]}.{part}",
        height=2.0 * len(found.epochs) + 0.5,
    )
    rows = np.atleast_1d(figure.subplots(len(found.epochs), 1))
    for index, axes in enumerate(rows):
        _draw_epoch(axes, found, index, shown)
    if found.class_names:
        names = found.class_names[:MOST_CLASSES]
        handles = [
            Patch(color=_CLASSES[index % len(_CLASSES)], label=style.plain(name, 16))
            for index, name in enumerate(names)
        ]
        figure.legend(
            handles=handles, loc="outside lower center", ncols=min(6, len(names)), frameon=False,
            fontsize=style.TEXT_SIZE, labelcolor=style.INK,
        )  # fmt: skip
    return figure


def _draw_epoch(axes: Axes, found: Batches, index: int, shown: int) -> None:
    """One epoch: column by column its batches, the first sample of a batch at the top."""
    order, size = found.orders[index], found.batch_size
    cells = np.full(found.steps_per_epoch * size, -1)
    cells[: len(order)] = order
    grid = cells.reshape(-1, size)[:shown].T
    values = np.where(grid >= 0, found.targets[np.maximum(grid, 0)], np.nan)
    look: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest"}
    extent = (0.5, shown + 0.5, size + 0.5, 0.5)
    if found.class_names:
        colours = ListedColormap(
            [_CLASSES[index % len(_CLASSES)] for index in range(len(found.class_names))]
        )
        axes.imshow(
            values, cmap=colours, vmin=-0.5, vmax=len(found.class_names) - 0.5, extent=extent,
            alpha=0.75, **look,
        )  # fmt: skip
    else:
        axes.imshow(values, cmap="viridis", extent=extent, **look)
    rows, columns = np.nonzero(np.isin(grid, found.members(0)))
    axes.plot(
        columns + 1, rows + 1, "s", color=style.INK, markersize=2.6, linestyle="none", zorder=3
    )
    for edge in range(1, shown):
        axes.axvline(edge + 0.5, color=style.PAPER, linewidth=1.2)
    style.dress(axes, title=f"Epoch {found.epochs[index]}", x="batch", y="sample in the batch")
    axes.grid(False)
    axes.set_ylim(size + 0.5, 0.5)
