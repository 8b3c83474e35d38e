"""Convolution in JAX alone, whose gradients stay fast inside compiled loops.

On the CPU, XLA turns the gradients it derives for a convolution in a loop body into scalar code,
10 to 50 times slower than outside the loop. Here both gradients are written out in the layouts for
which XLA has fast routines, and several equivalent forms are chosen between by shape.

Reverse mode, reverse over reverse and forward over reverse work; plain forward mode
(`jax.jvp`, `jax.linearize`) does not, as for every `jax.custom_vjp`.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

_LAYOUT = ("NHWC", "HWIO", "NHWC")
_BLOCK = 16  # output channels per weight-gradient convolution: with more, XLA uses only one core

Pads = tuple[tuple[int, int], tuple[int, int]]  # zeros above and below, to the left and right


def convolve(x: jax.Array, w: jax.Array, stride: int, dilation: int, pads: Pads) -> jax.Array:
    """Correlate pictures (N, H, W, C) with a kernel (kh, kw, C, K) to (N, H', W', K)."""
    return _convolve(x, w, stride, dilation, pads)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _convolve(x: jax.Array, w: jax.Array, stride: int, dilation: int, pads: Pads) -> jax.Array:
    return _correlate(x, w, stride, dilation, pads)


def _forward(x, w, stride, dilation, pads):
    return _correlate(x, w, stride, dilation, pads), (x, w)


def _backward(stride, dilation, pads, saved, g):
    # Nothing ties the two gradients together, so that XLA can drop one that nobody uses.
    x, w = saved
    return _inputs_gradient(x, w, g, stride, dilation, pads), _kernel_gradient(
        x, w, g, stride, dilation, pads
    )


_convolve.defvjp(_forward, _backward)


def _form(pixels: int, kernel: tuple[int, ...], stride: int, gradient: bool) -> str:
    """Choose how to compute a convolution, or the gradient of its kernel, on the CPU.

    Measured on two cores with 256-bit vectors. XLA's own convolution runs mostly on one core and
    packs its input by channels; matrix products use all cores but need copies of shifted pictures.
    """
    kh, kw, channels, outputs = kernel
    if kh == kw == 1 and stride == 1:
        return "product"  # nothing to shift, so nothing to copy
    if stride > 1:
        return "columns" if gradient else "native"
    if gradient:
        # A picture becomes the kernel of a convolution here: this pays only for large ones.
        return "native" if pixels >= 2048 else "columns"
    if channels <= 4 and outputs <= 16:
        return "wide"  # too few channels for packing with vector instructions
    if channels >= 32 and outputs >= 64:
        return "rows"  # enough arithmetic per copied number, and all cores
    return "native"


def _correlate(x, w, stride, dilation, pads):
    kh, kw, channels, outputs = w.shape
    form = _form(x.shape[1] * x.shape[2], w.shape, stride, gradient=False)
    if form == "product":
        return jnp.dot(_pad(x, pads), w[0, 0])
    if form == "native":
        return _native(x, w, stride, dilation, pads)
    # The kernel's columns side by side as channels, which leaves a kernel of one column.
    x = _pad(x, pads)
    width = x.shape[2] - (kw - 1) * dilation
    shifted = [x[:, :, j * dilation : j * dilation + width] for j in range(kw)]
    w = w.reshape(kh, 1, kw * channels, outputs)
    if form == "wide":
        spare = -(kw * channels) % 8  # whole vectors of channels
        shifted.append(jnp.zeros((*x.shape[:2], width, spare), x.dtype))
        w = jnp.pad(w, ((0, 0), (0, 0), (0, spare), (0, 0)))
    x = lax.optimization_barrier(jnp.concatenate(shifted, axis=3))  # built once, not per row
    if form == "wide":
        return _native(x, w, 1, (dilation, 1), ((0, 0), (0, 0)))
    height = x.shape[1] - (kh - 1) * dilation
    rows = [x[:, i * dilation : i * dilation + height] for i in range(kh)]
    return sum(
        (jnp.dot(row, w[i, 0]) for i, row in enumerate(rows[1:], start=1)),
        start=jnp.dot(rows[0], w[0, 0]),
    )


def _inputs_gradient(x, w, g, stride, dilation, pads):
    """Correlate the output's gradient with the kernel turned by 180 degrees."""
    if stride > 1:  # the outputs that a stride leaves out have no gradient
        g = lax.pad(g, jnp.zeros((), g.dtype), [(0, 0, 0), *[(0, 0, stride - 1)] * 2, (0, 0, 0)])
    outer = []
    for axis in (0, 1):
        low = (w.shape[axis] - 1) * dilation - pads[axis][0]
        outer.append((low, x.shape[axis + 1] - g.shape[axis + 1] + pads[axis][0]))
    # Without the barrier XLA folds the turn back into the convolution, into its slow form.
    turned = lax.optimization_barrier(w[::-1, ::-1].swapaxes(2, 3))
    return _correlate(g, turned, 1, dilation, tuple(outer))


def _kernel_gradient(x, w, g, stride, dilation, pads):
    """Correlate the inputs with the output's gradient, over pictures and pixels."""
    kh, kw, channels, outputs = w.shape
    x = _pad(x, pads)  # also for the native form, which handles its own padding slowly here
    height, width = g.shape[1:3]
    form = _form(height * width, w.shape, stride, gradient=True)
    if form == "product":
        return _contract(x, g)[None, None]
    if form == "native":
        # Pictures take the place of channels: (C, H, W, N) with (H', W', N, K) to (C, kh, kw, K).
        # The barriers keep XLA from folding the transposes into the convolution.
        pictures = lax.optimization_barrier(x.transpose(3, 1, 2, 0))
        blocks = []
        for start in range(0, outputs, _BLOCK):
            block = g[..., start : start + _BLOCK].transpose(1, 2, 0, 3)
            block = lax.optimization_barrier(block)
            blocks.append(_native(pictures, block, dilation, 1, ((0, 0), (0, 0))))
        gradient = lax.optimization_barrier(jnp.concatenate(blocks, axis=3))
        return gradient.transpose(1, 2, 0, 3)
    rows = [i * dilation for i in range(kh)]
    reach = (height - 1) * stride + 1, (width - 1) * stride + 1
    columns = []
    for left in (j * dilation for j in range(kw)):
        taps = [
            x[:, top : top + reach[0] : stride, left : left + reach[1] : stride] for top in rows
        ]
        taps = lax.optimization_barrier(jnp.concatenate(taps, axis=3))
        columns.append(_contract(taps, g).reshape(kh, channels, outputs))
    return jnp.stack(columns, axis=1)


def _native(x, w, stride, dilation, pads):
    steps = dilation if isinstance(dilation, tuple) else (dilation, dilation)
    return lax.conv_general_dilated(
        x, w, (stride, stride), pads, rhs_dilation=steps, dimension_numbers=_LAYOUT
    )


def _pad(x, pads):
    return jnp.pad(x, ((0, 0), *pads, (0, 0)))


def _contract(x, g):
    """Sum over all but the channels: (N, H, W, C) with (N, H, W, K) to (C, K)."""
    return lax.dot_general(
        x.reshape(-1, x.shape[3]), g.reshape(-1, g.shape[3]), (((0,), (0,)), ((), ()))
    )
