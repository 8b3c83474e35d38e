"""Photos of crowds with their true and estimated density of people, and how far counts are off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from downslope.data.density import SIGMA
from downslope.plots import style
from downslope.plots.style import mean_distance, value_range
from downslope.text import amount

_BLOCKS_PER_ROW = 2
_HIGHEST = 3.2  # inches of a photo among samples, and twice that of a single one
_MARGIN, _GUTTER, _GAP, _ROOM = 0.12, 0.34, 0.07, 0.46  # inches between them
LONE_PERSON = 1 / (2 * np.pi * SIGMA**2)  # density where one person stands alone
_DIMMED = 0.45  # how much of a photo remains under its density


def choose_over_range(counts: Float[np.ndarray, " n"], most: int = 6) -> Int[np.ndarray, " k"]:
    """Choose up to `most` photos from the emptiest to the fullest, evenly by rank.

    Args:
        counts: True number of people in each photo, (N,).
        most: Number of photos to choose.

    Returns:
        Their indices, by rising count.

    Example:
        >>> ds.plots.choose_over_range(np.array([30.0, 10.0, 50.0, 20.0, 40.0]), most=3)
        array([1, 0, 2])
    """
    order = np.argsort(counts, kind="stable")
    picked = np.linspace(0, len(counts) - 1, min(most, len(counts))).round().astype(np.int64)
    return order[picked]


def crowd_samples(
    photos: UInt8[np.ndarray, "n height width 3"],
    truth: Float[np.ndarray, "n rows columns 1"],
    estimates: Float[np.ndarray, "n rows columns 1"],
    *,
    name: str = "",
    note: str = "",
) -> Figure:
    """Draw photos, each beside its true and its estimated density of people.

    Args:
        photos: The photos to draw, in this order, uint8 (N, height, width, 3).
        truth: Their true density maps, (N, rows, columns, 1); each sums to the number of people.
        estimates: Their estimated density maps, likewise.
        name: Name of the data set, for the title.
        note: A sentence for the subtitle, such as the source of the photos.

    Returns:
        The figure.

    Example:
        >>> photos = np.zeros((2, 32, 32, 3), np.uint8)
        >>> truth, estimates = np.full((2, 4, 4, 1), 0.5), np.full((2, 4, 4, 1), 0.4)
        >>> figure = ds.plots.crowd_samples(photos, truth, estimates, name="square")
    """
    title = f"Counting people: {name}" if name else "Counting people"
    subtitle = (
        "Test photos from the fewest people to the most, each with the true and the estimated "
        f"density of people. {note}"
    )
    shape = photos.shape[1] / photos.shape[2]
    block = (style.WIDTH - 2 * _MARGIN - _GUTTER) / _BLOCKS_PER_ROW
    wide = (block - _GAP + _GAP / (2 * shape)) / 1.5  # then two maps are as high as the photo
    wide = min(wide, _HIGHEST / shape)
    rows = -(-len(photos) // _BLOCKS_PER_ROW)
    pitch = wide * shape + _ROOM
    figure = style.new_figure(title, subtitle, height=rows * pitch)
    figure.set_layout_engine("none")  # photos and maps are set edge to edge by hand
    for number in range(len(photos)):
        row, column = divmod(number, _BLOCKS_PER_ROW)
        left = _MARGIN + column * (block + _GUTTER)
        bottom = (rows - 1 - row) * pitch + _MARGIN
        maps = truth[number, ..., 0], estimates[number, ..., 0]
        _draw_block(figure, (left, bottom, wide), photos[number], *maps)
    return figure


def _draw_block(
    figure: Figure,
    box: tuple[float, float, float],
    photo: np.ndarray,
    truth: np.ndarray,
    estimate: np.ndarray,
) -> None:
    """Draw one photo and its two maps; `box` is the photo's left, bottom and width in inches."""
    left, bottom, wide = box
    high = wide * photo.shape[0] / photo.shape[1]
    axes = style.bare(_axes(figure, left, bottom, wide, high))
    axes.imshow(_pixels(photo), aspect="auto", interpolation="lanczos")
    counts = truth.sum(dtype=np.float64), estimate.sum(dtype=np.float64)
    style.entitle(axes, f"true {counts[0]:.0f}, estimated {counts[1]:.1f}")
    small = (high - _GAP) / 2
    densest = max(float(truth.max()), LONE_PERSON)  # for both, so that they can be compared
    for row, (word, density) in enumerate((("estimated", estimate), ("true", truth))):
        corner = left + wide + _GAP, bottom + row * (small + _GAP)
        axes = style.bare(_axes(figure, *corner, small * wide / high, small))
        axes.imshow(
            _drawable(density),
            cmap=style.DENSITY,
            vmin=0,
            vmax=densest,
            aspect="auto",
            interpolation="bilinear",
        )
        label = axes.text(0.03, 0.95, word, transform=axes.transAxes, va="top", color=style.INK)
        label.set_fontsize(7.5)
        label.set_bbox({"facecolor": style.PAPER, "alpha": 0.75, "lw": 0, "pad": 1.5})


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def count_scatter(
    truth: Float[np.ndarray, " n"],
    estimates: Float[np.ndarray, " n"],
    *,
    baseline: float,
    name: str = "",
) -> Figure:
    """Draw estimated over true counts, with the diagonal and the constant baseline.

    Args:
        truth: True numbers of people, (N,).
        estimates: Estimated numbers of people, (N,).
        baseline: The training median, which the baseline always predicts.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> truth, estimates = np.array([120.0, 300.0, 80.0]), np.array([110.0, 340.0, 95.0])
        >>> figure = ds.plots.count_scatter(truth, estimates, baseline=120.0, name="square")
    """
    truth, estimates = np.asarray(truth, np.float64), np.asarray(estimates, np.float64)
    low, high, outside = value_range(np.append(truth, baseline), estimates)
    off = mean_distance(truth, estimates, "people")
    always = float(np.abs(baseline - truth).mean())
    subtitle = (
        f"{off} on {amount(len(truth), 'test photo')}; always predicting "
        f"the training median ({baseline:,.1f}): {always:,.1f}.{outside}"
    )
    title = f"Estimated and true counts: {name}" if name else "Estimated and true counts"
    figure = style.new_figure(title, subtitle, height=5.2)
    axes = style.dress(figure.subplots(), x="true number of people", y="estimated number of people")
    high = 1.05 * max(high, baseline, 1.0)
    low = min(1.05 * low, -0.015 * high)
    axes.plot([low, high], [low, high], color=style.FAINT, linewidth=1.2, zorder=1)
    axes.axhline(baseline, color=style.VERMILLION, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)
    drop_lines = {"color": style.SKY, "linewidth": 0.7, "alpha": 0.55, "zorder": 2}
    axes.vlines(truth, truth, estimates.clip(low, high), **drop_lines)
    axes.scatter(truth, estimates, s=22, color=style.BLUE, lw=0.5, edgecolor=style.PAPER, zorder=3)
    axes.set_xlim(low, 1.05 * float(truth.max()) if truth.max() > 0 else 1.0)
    axes.set_ylim(low, high)
    right = axes.get_xlim()[1]
    labels = [
        (min(right, high), "exact", style.MUTED),
        (baseline, "always the median", style.VERMILLION),
    ]
    style.label_ends(axes, labels, 4.6)
    return figure


def draw_count(
    photo: UInt8[np.ndarray, "height width 3"],
    density: Float[np.ndarray, "rows columns 1"],
    count: float,
    path: str | Path,
) -> Path:
    """Write a picture of a photo beside the same photo under its estimated density of people.

    Args:
        photo: The photo, uint8 (height, width, 3).
        density: Its estimated density map, (rows, columns, 1).
        count: The estimated number of people.
        path: The PNG file to write.

    Returns:
        The path.

    Raises:
        StorageError: The file cannot be written.

    Example:
        >>> photo, density = np.zeros((32, 32, 3), np.uint8), np.full((4, 4, 1), 0.5)
        >>> ds.plots.draw_count(photo, density, 8.0, "count.png").name
        'count.png'
    """
    shape = photo.shape[0] / photo.shape[1]
    width = max(5.0, min(style.WIDTH, 4 * _HIGHEST / shape))
    figure = style.new_figure(
        f"Estimated: {count:.1f} people",
        "Right: the estimated density of people; darker is denser.",
        height=min(width / 2 * shape, 2 * _HIGHEST) + 0.15,
        width=width,
    )
    left, right = figure.subplots(1, 2)
    style.bare(left).imshow(_pixels(photo))
    _overlay(style.bare(right), photo, density[..., 0])
    return style.save(figure, path)


def _pixels(photo: np.ndarray) -> np.ndarray:
    """A photo of bytes; one of more than 8 bits per value comes as floats of 0 to 255."""
    return np.rint(photo).clip(0, 255).astype(np.uint8)


def _overlay(axes: Axes, photo: np.ndarray, density: np.ndarray) -> None:
    """A pale photo under its density, which is the more opaque the denser it is."""
    height, width = photo.shape[:2]
    grey = photo.mean(axis=2, keepdims=True)
    pale = 255 - _DIMMED * (255 - grey) * np.ones(3)
    axes.imshow(pale.astype(np.uint8), extent=(0, width, height, 0))
    density = _drawable(density)
    fraction = density / max(float(density.max()), LONE_PERSON)
    colours = style.DENSITY(0.25 + 0.6 * fraction)
    colours[..., 3] = (1.6 * fraction).clip(0, 0.9)
    axes.imshow(colours, extent=(0, width, height, 0), interpolation="bilinear")


def _drawable(density: np.ndarray) -> np.ndarray:
    """A density without negative values and without what is no number."""
    return np.nan_to_num(density.astype(np.float64), nan=0.0, posinf=0.0).clip(0)
