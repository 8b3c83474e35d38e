"""Pooling and its opposite, over windows that touch but do not overlap.

XLA's gradient of a windowed maximum searches each window again and is slow on the CPU. Here the
forward pass notes in eight bits where the maximum was, and the backward pass only compares.
"""

from functools import partial

import jax
import jax.numpy as jnp

LARGEST_INDEXED = 16  # windows of 16 x 16 have as many places as fit eight bits


def max_pool(inputs: jax.Array, size: int) -> jax.Array:
    """Take the largest value of each window, (N, H, W, C) to (N, H // size, W // size, C).

    Rows and columns that do not fill a window are left out. Of equal values the first, row by
    row, gets the gradient. A window with a NaN gives NaN. Plain forward mode is not supported.
    """
    _check(inputs, size)
    if size > LARGEST_INDEXED:
        raise ValueError("windows larger than 16 do not fit an index of eight bits")
    return _max_pool(inputs, size)


def average_pool(inputs: jax.Array, size: int) -> jax.Array:
    """Take the mean of each window, (N, H, W, C) to (N, H // size, W // size, C).

    Rows and columns that do not fill a window are left out.
    """
    _check(inputs, size)
    pictures, height, width, channels = _cut(inputs, size).shape
    windows = (pictures, height // size, size, width // size, size, channels)
    return _cut(inputs, size).reshape(windows).mean(axis=(2, 4))


def upsample(inputs: jax.Array, factor: int) -> jax.Array:
    """Repeat each pixel `factor` times both ways, (N, H, W, C) to (N, H·factor, W·factor, C)."""
    if inputs.ndim != 4:
        raise ValueError(f"inputs need four axes, got {inputs.shape}")
    if factor < 1:
        raise ValueError("factor must be at least 1")
    pictures, height, width, channels = inputs.shape
    tiles = (pictures, height, factor, width, factor, channels)
    repeated = jnp.broadcast_to(inputs[:, :, None, :, None, :], tiles)
    return repeated.reshape(pictures, height * factor, width * factor, channels)


def _check(inputs: jax.Array, size: int) -> None:
    if inputs.ndim != 4:
        raise ValueError(f"inputs need four axes, got {inputs.shape}")
    if not 1 <= size <= min(inputs.shape[1:3]):
        raise ValueError(f"a window of {size} does not fit inputs of {inputs.shape[1:3]}")


def _cut(inputs: jax.Array, size: int) -> jax.Array:
    height, width = (length // size * size for length in inputs.shape[1:3])
    return inputs[:, :height, :width]


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_pool(inputs: jax.Array, size: int) -> jax.Array:
    return _search(inputs, size)[0]


def _search(inputs, size):
    inputs = _cut(inputs, size)
    if size > 4:  # too many places to write out one by one
        pictures, height, width, channels = inputs.shape
        windows = (pictures, height // size, size, width // size, size, channels)
        order = inputs.reshape(windows).transpose(0, 1, 3, 2, 4, 5)
        order = order.reshape(*order.shape[:3], size * size, channels)
        where = jnp.argmax(order, axis=3, keepdims=True)  # the first NaN, or the first maximum
        best = jnp.take_along_axis(order, where, axis=3)
        return best[:, :, :, 0], where[:, :, :, 0].astype(jnp.uint8)
    best = inputs[:, ::size, ::size]
    where = jnp.zeros(best.shape, jnp.uint8)
    for index in range(1, size * size):
        candidate = inputs[:, index // size :: size, index % size :: size]
        better = (candidate > best) | (candidate != candidate)  # NaN wins and stays
        best = jnp.where(better, candidate, best)
        where = jnp.where(better, jnp.uint8(index), where)
    return best, where


def _forward(inputs, size):
    best, where = _search(inputs, size)
    # An empty array carries the size of the inputs without keeping them.
    return best, (where, jnp.empty((*inputs.shape[1:3], 0), jnp.uint8))


def _backward(size, saved, gradient):
    where, extent = saved
    return (scatter(gradient, where, size, extent.shape[:2]),)


_max_pool.defvjp(_forward, _backward)


def scatter(gradient: jax.Array, where: jax.Array, size: int, extent: tuple[int, int]) -> jax.Array:
    """Put each window's number, (N, h, w, C), where its maximum was; zeros elsewhere.

    Args:
        gradient: One number per window and channel.
        where: The maximum's position in the window, row by row, of the same shape.
        size: Height and width of the windows.
        extent: Height and width of what was pooled.
    """
    pictures, height, width, channels = gradient.shape
    indices = jnp.arange(size * size, dtype=jnp.uint8).reshape(size, 1, size, 1)
    chosen = where[:, :, None, :, None, :] == indices
    spread = jnp.where(chosen, gradient[:, :, None, :, None, :], jnp.zeros((), gradient.dtype))
    spread = spread.reshape(pictures, height * size, width * size, channels)
    below, right = extent[0] - height * size, extent[1] - width * size
    return jnp.pad(spread, ((0, 0), (0, below), (0, right), (0, 0)))
