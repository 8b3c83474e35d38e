"""Convolution by the native kernel, through JAX's foreign-function interface.

The kernel is C++ (the folder `native`), compiled when Downslope is installed if there is a
compiler. Bias, ReLU and maximum pooling are done in the same pass; one call gives the gradients of
kernel and biases, another that of the inputs, so that XLA leaves out the one that nobody uses.

Its calls work inside loops and under `vmap` (one after another). Derivatives of derivatives are
not worth a kernel: they are taken of the same function written with XLA's own convolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from downslope.nn.ops.convolution_pure import Pads
from downslope.nn.ops.native_calls import call, floats, with_derivatives
from downslope.nn.ops.pooling import scatter


@dataclass(frozen=True)
class Form:
    """How a convolution goes over its inputs, and what follows it.

    Attributes:
        stride: Step between neighbouring sums.
        dilation: Distance between neighbouring kernel taps.
        pads: Zeros around the picture.
        pool: Size of the windows of which only the maximum is kept.
        rectify: Whether ReLU ends it.
    """

    stride: int
    dilation: int
    pads: Pads
    pool: int
    rectify: bool

    def sums(self, inputs: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, int]:
        """Height and width of what the convolution itself gives."""
        high, wide = (
            (side + sum(pad) - (taps - 1) * self.dilation - 1) // self.stride + 1
            for side, pad, taps in zip(inputs[1:3], self.pads, kernel[:2], strict=True)
        )
        return high, wide

    def attributes(self, inputs: tuple[int, ...], kernel: tuple[int, ...]) -> dict[str, np.int64]:
        """What a call is told beside its arrays."""
        high, wide = self.sums(inputs, kernel)
        numbers = {
            "stride": self.stride,
            "dilation": self.dilation,
            "top": self.pads[0][0],
            "left": self.pads[1][0],
            "sums_high": high,
            "sums_wide": wide,
            "pool": self.pool,
            "rectify": self.rectify,
        }
        return {name: np.int64(number) for name, number in numbers.items()}


def convolve(x: jax.Array, w: jax.Array, b: jax.Array | None, form: Form) -> jax.Array:
    """Pictures (N, H, W, C), kernel (kh, kw, C, K), biases (K,) to what `form` makes of them."""
    return _convolve(x, w, jnp.zeros(w.shape[3], w.dtype) if b is None else b, form)


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def _convolve(x: jax.Array, w: jax.Array, b: jax.Array, form: Form) -> jax.Array:
    return _forward(x, w, b, form)[0]


def _keep(x: jax.Array, w: jax.Array, b: jax.Array, form: Form) -> tuple:
    outputs, where = _forward(x, w, b, form)
    return outputs, (x, w, outputs if form.rectify else None, where)


def _walk_back(form: Form, kept: tuple, slopes: jax.Array) -> tuple:
    x, w, outputs, where = kept
    outputs = slopes if outputs is None else outputs  # an argument that is not looked at
    by_kernel, by_biases = _kernel_gradient(x, outputs, where, slopes, form, w.shape)
    return _inputs_gradient(w, outputs, where, slopes, form, x.shape), by_kernel, by_biases


_convolve.defvjp(_keep, _walk_back)


def _call(name: str, results: Any, attributes: dict[str, np.int64], *arrays: jax.Array) -> Any:
    return call(name, results, *arrays, vmap_method="sequential", **attributes)


def _call_forward(x: jax.Array, w: jax.Array, b: jax.Array, form: Form) -> tuple:
    high, wide = (side // form.pool for side in form.sums(x.shape, w.shape))
    outputs = (x.shape[0], high, wide, w.shape[3])
    indices = jax.ShapeDtypeStruct(outputs if form.pool > 1 else (0,), jnp.uint8)
    return _call("forward", (floats(*outputs), indices), form.attributes(x.shape, w.shape), x, w, b)


def _call_kernel_gradient(
    x: jax.Array,
    outputs: jax.Array,
    where: jax.Array,
    slopes: jax.Array,
    form: Form,
    shape: tuple[int, ...],
) -> tuple:
    results = floats(*shape), floats(shape[3])
    attributes = form.attributes(x.shape, shape)
    return _call("kernel_gradient", results, attributes, x, outputs, where, slopes)


def _call_inputs_gradient(
    w: jax.Array,
    outputs: jax.Array,
    where: jax.Array,
    slopes: jax.Array,
    form: Form,
    shape: tuple[int, ...],
) -> jax.Array:
    attributes = form.attributes(shape, w.shape)
    return _call("inputs_gradient", floats(*shape), attributes, w, outputs, where, slopes)


# The same three in XLA's own operations, which have derivatives of every order.


def _sums(x: jax.Array, w: jax.Array, form: Form) -> jax.Array:
    return lax.conv_general_dilated(
        x,
        w,
        (form.stride, form.stride),
        form.pads,
        rhs_dilation=(form.dilation, form.dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _plain_forward(x: jax.Array, w: jax.Array, b: jax.Array, form: Form) -> tuple:
    sums = _sums(x, w, form)
    where = jnp.zeros((0,), jnp.uint8)
    if form.pool > 1:
        pictures, high, wide, channels = sums.shape
        high, wide = high // form.pool, wide // form.pool
        windows = sums[:, : high * form.pool, : wide * form.pool].reshape(
            pictures, high, form.pool, wide, form.pool, channels
        )
        windows = windows.transpose(0, 1, 3, 2, 4, 5).reshape(pictures, high, wide, -1, channels)
        index = jnp.argmax(windows, axis=3, keepdims=True)
        sums = jnp.take_along_axis(windows, index, axis=3)[:, :, :, 0]
        where = index[:, :, :, 0].astype(jnp.uint8)
    sums = sums + b
    return (jax.nn.relu(sums) if form.rectify else sums), where


def _plain_by_sums(
    outputs: jax.Array, where: jax.Array, slopes: jax.Array, form: Form, sums: tuple[int, int]
) -> jax.Array:
    if form.rectify:
        slopes = jnp.where(outputs > 0, slopes, 0)
    return scatter(slopes, where, form.pool, sums) if form.pool > 1 else slopes


def _plain_kernel_gradient(
    x: jax.Array,
    outputs: jax.Array,
    where: jax.Array,
    slopes: jax.Array,
    form: Form,
    shape: tuple[int, ...],
) -> tuple:
    by_sums = _plain_by_sums(outputs, where, slopes, form, form.sums(x.shape, shape))
    _, back = jax.vjp(lambda w: _sums(x, w, form), jnp.zeros(shape, x.dtype))
    return back(by_sums)[0], by_sums.sum((0, 1, 2))


def _plain_inputs_gradient(
    w: jax.Array,
    outputs: jax.Array,
    where: jax.Array,
    slopes: jax.Array,
    form: Form,
    shape: tuple[int, ...],
) -> jax.Array:
    by_sums = _plain_by_sums(outputs, where, slopes, form, form.sums(shape, w.shape))
    _, back = jax.vjp(lambda x: _sums(x, w, form), jnp.zeros(shape, w.dtype))
    return back(by_sums)[0]


_forward = with_derivatives((3,))(_call_forward, _plain_forward)
_kernel_gradient = with_derivatives((4, 5))(_call_kernel_gradient, _plain_kernel_gradient)
_inputs_gradient = with_derivatives((4, 5))(_call_inputs_gradient, _plain_inputs_gradient)
