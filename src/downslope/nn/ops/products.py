"""The product of signals and weights with what follows it, and the one place that chooses how.

There are two paths to the same numbers, as for convolutions: the native kernel
(`dense_native.py`), and JAX alone, which serves every type and device. The kernel is faster for the
small products of small networks, and several times faster where there are few units, as in most
last layers.

In JAX alone the weights' slope is x^T d, a product along the first axis of both. XLA hands products
along the last axis of the one and the first of the other to a library that is several times faster
for small matrices, and it moves an explicit transpose back into the product unless a barrier keeps
them apart.
"""

from __future__ import annotations

import jax
from jax import lax
from jaxtyping import Array, Float

from downslope.nn.ops import dense_native, native_calls

LARGEST = 1 << 15  # numbers in x; with more, the product outweighs what the transpose saves
# Products of two numbers: with fewer, a call outweighs what the kernel saves; with more, there is
# work for several threads, which XLA divides with less delay. It is slow in layers of few units.
FEWEST, MOST, FEW_UNITS = 1 << 12, 1 << 20, 32


def dense_product(
    inputs: Float[Array, "n features"],
    weights: Float[Array, "features units"],
    biases: Float[Array, " units"],
    *,
    rectify: bool,
    is_first: bool,
) -> Float[Array, "n units"]:
    """Inputs times weights plus biases; has no derivative in forward mode where it is small.

    Args:
        inputs: Signals.
        weights: What they are multiplied by.
        biases: What is added to each unit's sum.
        rectify: Replace what is less than 0 in the end by 0.
        is_first: Whether the inputs are samples: networks side by side that see the same ones then
            share them in one large product.
    """
    units = weights.shape[1]
    is_worth_it = inputs.size * units >= FEWEST and (
        units <= FEW_UNITS or inputs.size * units <= MOST
    )
    if is_worth_it and native_calls.covers(inputs, weights, biases):
        return dense_native.dense(inputs, weights, biases, rectify)
    small = inputs.size <= LARGEST and not is_first
    sums = (product(inputs, weights) if small else inputs @ weights) + biases
    return jax.nn.relu(sums) if rectify else sums


@jax.custom_vjp
def product(
    inputs: Float[Array, "n features"], weights: Float[Array, "features units"]
) -> Float[Array, "n units"]:
    """Inputs times weights, with a slope that XLA computes faster where they are small."""
    return inputs @ weights


def _forward(inputs: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
    return inputs @ weights, (inputs, weights)


def _backward(kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    inputs, weights = kept
    return slope @ weights.T, lax.optimization_barrier(inputs.T) @ slope


product.defvjp(_forward, _backward)
