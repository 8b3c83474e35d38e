"""A dense layer by the native kernel: product, bias and ReLU in one call, its slopes in two more.

Several networks side by side share a call. Derivatives of derivatives are taken of the same
function written with XLA's own products.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.nn.ops.native_calls import call, floats, with_derivatives


def dense(x: jax.Array, w: jax.Array, b: jax.Array, rectify: bool) -> jax.Array:
    """Inputs (N, F), weights (F, U), biases (U,) to outputs (N, U), behind ReLU if asked for."""
    return _dense(x, w, b, rectify)


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def _dense(x: jax.Array, w: jax.Array, b: jax.Array, rectify: bool) -> jax.Array:
    return _forward(x, w, b, rectify)


def _keep(x: jax.Array, w: jax.Array, b: jax.Array, rectify: bool) -> tuple:
    outputs = _forward(x, w, b, rectify)
    return outputs, (x, w, outputs if rectify else None)


def _walk_back(rectify: bool, kept: tuple, slopes: jax.Array) -> tuple:
    x, w, outputs = kept
    outputs = slopes if outputs is None else outputs  # an argument that is not looked at
    by_weights, by_biases = _weights_gradient(x, outputs, slopes, rectify)
    return _inputs_gradient(w, outputs, slopes, rectify), by_weights, by_biases


_dense.defvjp(_keep, _walk_back)


def _call(name: str, results: Any, rectify: bool, *arrays: jax.Array) -> Any:
    # members come as one more axis, of length 1 in arrays that they share
    told = {"rectify": np.int64(rectify)}
    return call(f"dense_{name}", results, *arrays, vmap_method="expand_dims", **told)


def _call_forward(x: jax.Array, w: jax.Array, b: jax.Array, rectify: bool) -> jax.Array:
    return _call("forward", floats(len(x), w.shape[1]), rectify, x, w, b)


def _call_weights_gradient(
    x: jax.Array, outputs: jax.Array, slopes: jax.Array, rectify: bool
) -> tuple:
    units = slopes.shape[1]
    results = floats(x.shape[1], units), floats(units)
    return _call("weights_gradient", results, rectify, x, outputs, slopes)


def _call_inputs_gradient(
    w: jax.Array, outputs: jax.Array, slopes: jax.Array, rectify: bool
) -> jax.Array:
    return _call("inputs_gradient", floats(len(slopes), len(w)), rectify, w, outputs, slopes)


# The same three in XLA's own operations, which have derivatives of every order.


def _plain_forward(x: jax.Array, w: jax.Array, b: jax.Array, rectify: bool) -> jax.Array:
    sums = x @ w + b
    return jax.nn.relu(sums) if rectify else sums


def _by_sums(outputs: jax.Array, slopes: jax.Array, rectify: bool) -> jax.Array:
    return jnp.where(outputs > 0, slopes, 0) if rectify else slopes


def _plain_weights_gradient(
    x: jax.Array, outputs: jax.Array, slopes: jax.Array, rectify: bool
) -> tuple:
    by_sums = _by_sums(outputs, slopes, rectify)
    return x.T @ by_sums, by_sums.sum(0)


def _plain_inputs_gradient(
    w: jax.Array, outputs: jax.Array, slopes: jax.Array, rectify: bool
) -> jax.Array:
    return _by_sums(outputs, slopes, rectify) @ w.T


_forward = with_derivatives((3,))(_call_forward, _plain_forward)
_weights_gradient = with_derivatives((3,))(_call_weights_gradient, _plain_weights_gradient)
_inputs_gradient = with_derivatives((3,))(_call_inputs_gradient, _plain_inputs_gradient)
