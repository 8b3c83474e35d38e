"""The product of signals and weights, with a slope that small networks get faster.

The weights' slope is x^T d: a product along the first axis of both. XLA hands products along the
last axis of the one and the first of the other to a library that is several times faster for
small matrices, and it moves an explicit transpose back into the product unless a barrier keeps
them apart.
"""

from __future__ import annotations

import jax
from jax import lax
from jaxtyping import Array, Float

LARGEST = 1 << 15  # numbers in x; with more, the product outweighs what the transpose saves


@jax.custom_vjp
def _product(
    inputs: Float[Array, "n features"], weights: Float[Array, "features units"]
) -> Float[Array, "n units"]:
    return inputs @ weights


def _forward(inputs: Array, weights: Array) -> tuple[Array, tuple[Array, Array]]:
    return inputs @ weights, (inputs, weights)


def _backward(kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    inputs, weights = kept
    return slope @ weights.T, lax.optimization_barrier(inputs.T) @ slope


_product.defvjp(_forward, _backward)


def product(
    inputs: Float[Array, "n features"], weights: Float[Array, "features units"]
) -> Float[Array, "n units"]:
    """Inputs times weights; has no derivative in forward mode where it is small."""
    return _product(inputs, weights) if inputs.size <= LARGEST else inputs @ weights
