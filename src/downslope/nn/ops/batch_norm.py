"""Standardising over a batch, with a gradient that goes through the batch's mean and variance.

Written out by hand: what XLA derives keeps more arrays of the signals' size and takes twice the
time. ReLU, where it follows, is done in the same pass.

Source: Ioffe and Szegedy, Batch normalization, 2015.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


class Moments(NamedTuple):
    """Mean and variance of each channel over a batch; `seen` numbers were seen of each."""

    mean: Float[Array, " channels"]
    variance: Float[Array, " channels"]
    seen: Array | int


def moments(x: Float[Array, "... channels"]) -> Moments:
    """Those of signals, over all axes but the last."""
    rows = x.reshape(-1, x.shape[-1])
    mean = rows.mean(0)
    return Moments(mean, jnp.square(rows - mean).mean(0), len(rows))


@partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def normalize_batch(
    x: Float[Array, "... channels"],
    scale: Float[Array, " channels"],
    offset: Float[Array, " channels"],
    epsilon: float,
    rectify: bool,
) -> tuple[Float[Array, "... channels"], Moments]:
    """Standardise over a batch: scale (x - mean) / sqrt(variance + epsilon) + offset.

    The batch's moments come along; no gradient goes through these.

    Args:
        x: Signals.
        scale: What each channel is multiplied by.
        offset: What is added to it.
        epsilon: Keeps the division finite.
        rectify: Replace what is less than 0 in the end by 0.
    """
    return _forward(x, scale, offset, epsilon, rectify)[0]


def _forward(x: Array, scale: Array, offset: Array, epsilon: float, rectify: bool) -> tuple:
    found = moments(x)
    spread = 1 / jnp.sqrt(found.variance + epsilon)
    outputs = (x - found.mean) * (spread * scale) + offset
    outputs = jax.nn.relu(outputs) if rectify else outputs
    return (outputs, found), (x, scale, offset, found.mean, spread)


def _backward(epsilon: float, rectify: bool, kept: tuple, slopes: tuple) -> tuple:
    x, scale, offset, mean, spread = kept
    slope, axes = slopes[0], tuple(range(x.ndim - 1))
    away = x - mean
    if rectify:  # asked again: the outputs need not be kept
        slope = jnp.where(away * (spread * scale) + offset > 0, slope, 0)
    by_scale = (slope * away).sum(axes) * spread
    by_offset = slope.sum(axes)
    count = x.size // x.shape[-1]
    along = away * (spread * by_scale / count)
    return (slope - by_offset / count - along) * (spread * scale), by_scale, by_offset


normalize_batch.defvjp(_forward, _backward)


@jax.custom_vjp
def following(outputs: Array, running: dict[str, Array], drift: dict[str, Array]) -> Array:
    """The outputs; walking back gives the running statistics `drift` for a gradient.

    A running statistic is not learned by the loss's gradient: it follows the batches' statistics.
    What is to be subtracted from it after the step comes back where its gradient would, through
    layers inside of layers and for networks side by side.
    """
    return outputs


following.defvjp(
    lambda outputs, running, drift: (outputs, drift),
    lambda drift, slope: (slope, drift, jax.tree.map(jnp.zeros_like, drift)),
)
