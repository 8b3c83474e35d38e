"""From the positions of heads to a density map whose sum is the number of heads."""

from __future__ import annotations

import numpy as np

from downslope.errors import SettingError

STRIDE = 8
SIGMA = 0.75


def density_map(
    heads: np.ndarray, height: int, width: int, *, stride: int = STRIDE, sigma: float = SIGMA
) -> np.ndarray:
    """Spread each head as a Gaussian whose whole mass stays in the picture.

    Density maps for counting: Lempitsky and Zisserman, "Learning to count objects in images",
    2010. There a Gaussian at the border loses what falls outside. Here the mass of each cell is
    the integral of the Gaussian over the cell, divided by the integral over the picture, so each
    head adds exactly 1. A Gaussian is a product of one factor for the row and one for the
    column: all heads together are one product of two matrices.

    Args:
        heads: Shape (K, 2), the (x, y) of each head in pixels from the top left corner. A head
            outside of the picture is moved to the border and still counted.
        height: Height of the picture in pixels, a multiple of `stride`.
        width: Width of the picture in pixels, a multiple of `stride`.
        stride: Pixels per cell, along each side.
        sigma: Standard deviation of the Gaussian, in cells.

    Returns:
        float32 of shape (height / stride, width / stride, 1); its sum is K, to rounding.

    Raises:
        SettingError: The stride does not divide the sides, or sigma is not positive.

    Example:
        >>> heads = np.array([[12.0, 20.0], [40.0, 33.0]])
        >>> density = ds.data.density_map(heads, height=48, width=64)
        >>> density.shape, round(float(density.sum()), 3)
        ((6, 8, 1), 2.0)
    """
    if stride < 1 or height % stride or width % stride:
        raise SettingError(
            f"The picture is {width} by {height} pixels and the stride is {stride}.",
            "a stride that divides both sides",
            "Use a stride of 1, 2, 4 or 8.",
        )
    if not sigma > 0:
        raise SettingError(
            f"Sigma is {sigma:g} cells.", "a number above 0", f"Use {SIGMA:g} to begin with."
        )
    points = np.asarray(heads, np.float64).reshape(-1, 2) / stride
    columns = _masses(points[:, 0], width // stride, sigma)
    rows = _masses(points[:, 1], height // stride, sigma)
    # not a BLAS product: its threads would fight with those that read the photos
    return np.einsum("kh,kw->hw", rows, columns).astype(np.float32)[:, :, None]


def _masses(centres: np.ndarray, cells: int, sigma: float) -> np.ndarray:
    """Return the mass of each cell along one axis, shape (K, cells); each row sums to 1."""
    from scipy.special import erf

    centres = centres.clip(0, cells)
    edges = (np.arange(cells + 1) - centres[:, None]) / (sigma * np.sqrt(2))
    masses = np.diff(erf(edges), axis=1)
    return masses / masses.sum(axis=1, keepdims=True)
