"""The loss surface over a plane of weight space: as a map with the path on it, and as a relief."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from mpl_toolkits.mplot3d.axes3d import Axes3D

from downslope.insight.surface import Surface, Walked
from downslope.plots import style

LEVELS = 16
LOG_RATIO = 5.0  # losses that span more than this are shown by their logarithm
ABOVE = 3.0  # times the highest loss of the path: what is higher has one colour
# dark valleys, light heights
HEIGHTS = LinearSegmentedColormap.from_list(
    "heights", ["#0B2F4A", style.BLUE, style.SKY, "#CFE6F4", "#F7F3E8", "#F6D9A8"]
)
_HALO = [patheffects.withStroke(linewidth=2.6, foreground=style.PAPER)]
ToHeight = Callable[[Any], Any]  # from losses to heights: themselves, or their logarithms
_ROOM = np.array([0.26, 0.09])  # of the axes, for each name of a point
_APART = 0.06  # of the axes, at least, between two points that are named


def surface_map(found: Surface, *, sentences: bool = True) -> Figure:
    """Draw training and validation loss over the plane as two maps, with the path on both.

    Args:
        found: The result of `insight.surface`.
        sentences: Whether the subtitle says what was found; if not, what is drawn.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.surface(ds.open_run("runs/moons-1"), points=5)
        >>> figure = ds.plots.surface_map(found)
    """
    title = f"The loss surface of {found.data}"
    drawn = "The loss on a plane through weight space. Star: the weights of the run."
    subtitle = _subtitle(found) if sentences else drawn
    figure = style.new_figure(title, subtitle, height=4.6)
    panels = figure.subplots(1, 2, sharey=True)
    filled, walked = None, found.walked
    parts = (("training", found.train_loss), ("validation", found.validation_loss))
    heights_of_path = [] if walked is None else [walked.train_loss, walked.validation_loss]
    norm, levels = _scale([one for _, one in parts], heights_of_path)
    for axes, (part, heights) in zip(panels, parts, strict=True):
        style.dress(axes, title=f"{part} loss", x=found.plane.names[0])
        axes.grid(False)
        shown = _bounded(heights, norm)
        filled = axes.contourf(found.a, found.b, shown, levels=levels, cmap=HEIGHTS, norm=norm)
        axes.contour(
            found.a, found.b, shown, levels=levels, colors=style.PAPER, linewidths=0.4, alpha=0.55
        )
        axes.set_xlim(found.a[0], found.a[-1])
        axes.set_ylim(found.b[0], found.b[-1])
        axes.xaxis.set_major_locator(MaxNLocator(6))
        if found.walked is not None:
            _draw_path(axes, found.walked)
        _mark(axes, 0.0, 0.0, "*", 13, "the run's weights" if found.walked is None else "")
    panels[0].set_ylabel(found.plane.names[1], size=style.TEXT_SIZE, color=style.INK)
    assert filled is not None  # there are two panels
    bar = figure.colorbar(filled, ax=panels, pad=0.015, fraction=0.045, aspect=30)
    bar.set_label(found.loss.replace("_", " "), size=style.TEXT_SIZE, color=style.INK)
    bar.ax.tick_params(colors=style.MUTED, labelsize=style.SMALL_SIZE, length=3)
    bar.ax.yaxis.set_major_locator(FixedLocator(_ticks(levels).tolist()))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 2)))
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue] - a spine, which can be hidden
    return figure


def surface_relief(found: Surface) -> Figure:
    """Draw the training loss over the plane as a landscape, with the path at its own heights.

    Args:
        found: The result of `insight.surface`.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.surface(ds.open_run("runs/moons-1"), points=5)
        >>> figure = ds.plots.surface_relief(found)
    """
    title = f"Down the loss surface of {found.data}"
    figure = style.new_figure(title, _subtitle(found), height=5.2, width=7.6)
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    assert isinstance(axes, Axes3D)
    norm, levels = _scale(
        [found.train_loss], [] if found.walked is None else [found.walked.train_loss]
    )
    is_log = isinstance(norm, LogNorm)
    to_height = np.log10 if is_log else np.asarray
    heights = _bounded(found.train_loss, norm)
    a, b = np.meshgrid(found.a, found.b)
    axes.plot_surface(
        a,
        b,
        to_height(heights),
        facecolors=HEIGHTS(norm(heights)),
        rstride=1,
        cstride=1,
        linewidth=0,
        antialiased=False,  # else every cell has a light edge
        shade=False,
        zorder=1,
    )
    axes.contour(
        a, b, to_height(heights), levels=to_height(levels),
        colors=style.INK, linewidths=0.4, alpha=0.5,
        linestyles="solid", zorder=2,
    )  # fmt: skip
    if found.walked is not None:
        _draw_path_above(axes, found.walked, to_height, norm)
    else:
        height = to_height(_bounded(np.array([found.here[0]]), norm))
        _mark_above(
            axes, 0.0, 0.0, float(height[0]), "*", 13.0, "the run's weights", norm, to_height
        )
    _dress_relief(axes, found, found.loss, levels, to_height)
    return figure


def _subtitle(found: Surface) -> str:
    beyond = "" if found.walked is None else " Losses on the path are measured at its true weights."
    return f"{found.summary}{beyond}"


def _scale(heights: list[np.ndarray], of_path: list[np.ndarray]) -> tuple[Normalize, np.ndarray]:
    """The colours' scale and the lines' levels, one for all heights."""
    values = np.concatenate([one.ravel() for one in [*heights, *of_path]]).astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        values = np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    known = np.concatenate(of_path) if of_path else np.array([np.nan])
    known = known[np.isfinite(known)]
    if len(known):
        high = min(high, ABOVE * float(known.max()))
    elif high > ABOVE * low > 0:
        high = min(high, float(np.quantile(values, 0.9)))
    high = high if high > low else low + 1.0
    if low > 0 and high / low > LOG_RATIO:
        return LogNorm(low, high), np.geomspace(low, high, LEVELS + 1)
    return Normalize(low, high), np.linspace(low, high, LEVELS + 1)


def _bounded(heights: Float[np.ndarray, "rows columns"], norm: Normalize) -> np.ndarray:
    """Heights within the scale; what is higher, or no number, is as high as it goes."""
    assert norm.vmin is not None
    assert norm.vmax is not None
    known = np.where(np.isfinite(heights), heights, norm.vmax).astype(np.float64)
    return np.clip(known, norm.vmin, norm.vmax)


def _ticks(levels: np.ndarray) -> np.ndarray:
    return levels[:: max(1, len(levels) // 6)]


def _draw_path(axes: Axes, walked: Walked) -> None:
    axes.plot(
        walked.a, walked.b, color=style.VERMILLION, linewidth=1.8, zorder=4, path_effects=_HALO
    )
    axes.plot(
        walked.a,
        walked.b,
        "o",
        color=style.VERMILLION,
        markersize=3.6,
        mec=style.PAPER,
        mew=0.6,
        zorder=5,
    )
    _mark(axes, walked.a[0], walked.b[0], "o", 8, "")
    _name_points(axes, walked)


def _name_points(axes: Axes, walked: Walked) -> None:
    """Write the epoch beside points that lie far enough from those that have been named."""
    size = np.array([np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())])
    corner = np.array([axes.get_xlim()[0], axes.get_ylim()[0]])
    positions = (np.stack([walked.a, walked.b], axis=1) - corner) / size
    last = len(walked.path) - 1
    named: list[np.ndarray] = []  # where names are
    told: list[np.ndarray] = []  # and the points that have them
    for point in [0, last, *range(1, last)]:
        before, after = positions[max(point - 1, 0)], positions[min(point + 1, last)]
        x, y = after - before
        beside = np.array([-y, x]) / max(float(np.hypot(x, y)), 1e-9)
        side, where = _beside(positions[point], beside)
        if not 0 <= where[0] - _ROOM[0] / 2 <= 1 - _ROOM[0]:  # the other side of the path
            beside = -beside
            side, where = _beside(positions[point], beside)
        if any((np.abs(where - one) < _ROOM).all() for one in named) or any(
            float(np.hypot(*(positions[point] - one))) < _APART for one in told
        ):
            continue
        named.append(where)
        told.append(positions[point])
        text = "start" if point == 0 else f"epoch {style.short(walked.path.epochs[point], 2)}"
        axes.annotate(
            text,
            (walked.a[point], walked.b[point]),
            tuple(12 * beside),
            textcoords="offset points",
            ha={0: "center", 1: "left", -1: "right"}[side],
            va="center",
            size=style.SMALL_SIZE,
            color=style.INK,
            zorder=6,
            path_effects=_HALO,
        )


def _beside(point: np.ndarray, beside: np.ndarray) -> tuple[int, np.ndarray]:
    """On which side of a point a name goes on (-1, 0 or 1), and where its middle is, in axes."""
    side = 0 if abs(beside[0]) < 0.25 else int(np.sign(beside[0]))
    return side, point + 0.05 * beside + np.array([side * _ROOM[0] / 2, 0])


def _mark(axes: Axes, a: float, b: float, marker: str, size: float, text: str) -> None:
    axes.plot(a, b, marker, color=style.AMBER, markersize=size, mec=style.INK, mew=0.9, zorder=7)
    if text:
        axes.annotate(
            text,
            (a, b),
            (8, 8),
            textcoords="offset points",
            size=style.SMALL_SIZE,
            color=style.INK,
            zorder=8,
            path_effects=_HALO,
        )


def _draw_path_above(axes: Axes3D, walked: Walked, to_height: ToHeight, norm: Normalize) -> None:
    """Draw the path a little above the ground, so that it is not hidden in it."""
    own = _bounded(walked.train_loss, norm)
    lift = 0.012 * float(to_height(norm.vmax) - to_height(norm.vmin))
    height = to_height(own) + lift
    axes.plot(
        walked.a, walked.b, height, color=style.VERMILLION, linewidth=2.0, zorder=5,
        marker="o", markersize=3.2, mec=style.PAPER, mew=0.4,
    )  # fmt: skip
    kept = walked.path.kept
    end = f"epoch {style.short(walked.path.epochs[kept], 3)}"
    for point, marker, size, text in ((0, "o", 7.0, "start"), (kept, "*", 13.0, end)):
        at = walked.a[point], walked.b[point], float(height[point])
        _mark_above(axes, *at, marker, size, text, norm, to_height)


def _mark_above(
    axes: Axes3D, a: float, b: float, height: float, marker: str, size: float, text: str,
    norm: Normalize, to_height,
) -> None:  # fmt: skip
    """A marker with its name above it."""
    axes.plot(
        [a], [b], [height], marker, color=style.AMBER, markersize=size, mec=style.INK, mew=0.9,
        zorder=6,
    )  # fmt: skip
    up = 0.06 * float(to_height(norm.vmax) - to_height(norm.vmin))
    axes.text(
        a, b, height + up, text, size=style.SMALL_SIZE, color=style.INK, ha="center", zorder=7,
        path_effects=_HALO,
    )  # fmt: skip


def _dress_relief(
    axes: Axes3D, found: Surface, loss: str, levels: np.ndarray, to_height: ToHeight
) -> None:
    axes.view_init(elev=32, azim=-58)
    axes.set_box_aspect((1.25, 1.0, 0.72))
    for axis in "xyz":
        own: Any = getattr(axes, f"{axis}axis")  # matplotlib does not say what axes of three have
        own.pane.set_facecolor(style.PAPER)
        own.pane.set_edgecolor(style.GRID)
        own._axinfo["grid"]["color"] = style.GRID  # there is no public way
    axes.tick_params(colors=style.MUTED, labelsize=style.SMALL_SIZE - 1, pad=1)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    first, second = found.plane.names
    axes.set_xlabel(first, size=style.SMALL_SIZE, color=style.INK, labelpad=4)
    axes.set_ylabel(second, size=style.SMALL_SIZE, color=style.INK, labelpad=4)
    ticks = _ticks(levels)
    upwards: Any = axes
    upwards.tick_params(axis="z", pad=6)
    upwards.set_zticks(to_height(ticks), [style.short(tick, 2) for tick in ticks])
    label = f"training {loss.replace('_', ' ')}"
    upwards.set_zlabel(label, size=style.SMALL_SIZE, color=style.INK, labelpad=12)
