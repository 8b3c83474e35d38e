"""Small images side by side: samples as they are, and numbers around 0 in two colours."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from downslope.plots import style

SIGNED = LinearSegmentedColormap.from_list(
    "signed", ["#7A2F00", style.VERMILLION, "#F6C7A6", "#FFFFFF", "#A9D3EE", style.BLUE, "#003A5C"]
)
_BACKGROUND = 0.4  # share of pixels at the lowest value that tells a drawing from a photo


def show_image(axes: Axes, image: np.ndarray, like: np.ndarray, *, title: str = "") -> None:
    """Show one image, (h, w, 1 or 3), as bright as the images (N, h, w, ...) that it is one of."""
    low, high = float(like.min()), float(like.max())
    if image.shape[-1] == 1:
        is_drawn = float((like == low).mean()) > _BACKGROUND  # strokes on an empty ground
        colours = "gray_r" if is_drawn else "gray"
        axes.imshow(image[..., 0], cmap=colours, vmin=low, vmax=max(high, low + 1e-9))
    elif image.dtype == np.uint8:
        axes.imshow(image)
    else:
        axes.imshow(((image - low) / max(high - low, 1e-9)).astype(np.float32))
    style.bare(axes, title=title)


def show_signed(axes: Axes, values: np.ndarray, largest: float, *, title: str = "") -> None:
    """Show numbers (h, w): blue above 0, orange below, white at 0, full at `largest`."""
    largest = largest if np.isfinite(largest) and largest > 0 else 1.0
    axes.imshow(values, cmap=SIGNED, vmin=-largest, vmax=largest, interpolation="nearest")
    style.bare(axes, title=title)
