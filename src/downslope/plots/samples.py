"""Some samples with what is known of each: images in tiles, photos of crowds in larger ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from downslope.plots import style

_PER_ROW, _PHOTOS_PER_ROW = 6, 3
_PHOTO_SIDE = 48  # pixels, above which an image gets a larger tile


def sample_tiles(
    images: np.ndarray, captions: Sequence[str], *, title: str, subtitle: str = ""
) -> Figure:
    """Draw a few images, each under its caption.

    Args:
        images: Shape (N, height, width, 1 or 3), of any numbers.
        captions: One per image.
        title: The heading.
        subtitle: A sentence below it.

    Returns:
        The figure.

    Example:
        >>> images = ds.load("digits").train.inputs[:3].reshape(-1, 8, 8, 1)
        >>> figure = ds.plots.sample_tiles(images, ["a", "b", "c"], title="Digits")
    """
    per_row = _PER_ROW if max(images.shape[1:3]) <= _PHOTO_SIDE else _PHOTOS_PER_ROW
    rows = -(-len(images) // per_row)
    tile = style.WIDTH / per_row * min(1.6, images.shape[1] / images.shape[2])
    figure = style.new_figure(title, subtitle, height=rows * (0.9 * tile + 0.3) + 0.1)
    show = shower_of(images)
    grid = figure.subplots(rows, per_row, squeeze=False)
    for axes, image, caption in zip(grid.flat, images, captions, strict=False):
        show(axes, image)
        text = style.plain(caption, 20 if per_row == _PER_ROW else 40)
        axes.set_title(text, loc="center", size=style.TEXT_SIZE, color=style.INK, pad=4)
    for axes in grid.flat[len(images) :]:
        axes.set_axis_off()
    return figure


SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#7A2F00", style.VERMILLION, "#F6C7A6", "#FFFFFF", "#A9D3EE", style.BLUE, "#003A5C"]
)
_BACKGROUND = 0.4  # fraction of pixels at the lowest value that tells a drawing from a photo


def shower_of(images: np.ndarray) -> Callable[[Axes, np.ndarray], None]:
    """A function that shows one of the images (N, h, w, 1 or 3), as bright as it is among them."""
    low, high = float(images.min()), float(images.max())
    span = max(high - low, 1e-9)
    is_drawn = images.shape[-1] == 1 and float((images == low).mean()) > _BACKGROUND

    def show(axes: Axes, image: np.ndarray) -> None:
        if image.shape[-1] == 1:  # strokes on an empty ground are shown dark on bright
            colours = "gray_r" if is_drawn else "gray"
            axes.imshow(image[..., 0], cmap=colours, vmin=low, vmax=low + span)
        else:
            axes.imshow(image if image.dtype == np.uint8 else (image - low) / span)
        style.bare(axes)

    return show


def show_image(axes: Axes, image: np.ndarray, like: np.ndarray, *, title: str = "") -> None:
    """Show one image, (h, w, 1 or 3), as bright as the images (N, h, w, ...) that it is one of."""
    shower_of(like)(axes, image)
    style.bare(axes, title=title)


def show_signed(axes: Axes, values: np.ndarray, largest: float, *, title: str = "") -> None:
    """Show numbers (h, w): blue above 0, orange below, white at 0, full at `largest`."""
    largest = largest if np.isfinite(largest) and largest > 0 else 1.0
    axes.imshow(values, cmap=SIGNED, vmin=-largest, vmax=largest, interpolation="nearest")
    style.bare(axes, title=title)
