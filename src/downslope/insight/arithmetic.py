"""How much arithmetic a network asks for, counted from its shapes: the same on every machine."""

from __future__ import annotations

import math

import jax

from downslope.nn.network import Network


def multiplications(network: Network, input_shape: tuple[int, ...]) -> int:
    """How many multiplications one sample's answer takes, in products of weights and signals.

    Each number of a layer's matrices or kernels is used once for every place of the layer's
    output: once in a dense layer, for each pixel in a convolution.

    Args:
        network: The network.
        input_shape: Shape of one input.

    Raises:
        NetworkError: A layer does not fit.
    """
    shapes = network.shapes(input_shape)
    drawn = jax.eval_shape(lambda: network.init(input_shape))
    total = 0
    for own, shape in zip(drawn, shapes, strict=True):
        weights = sum(math.prod(one.shape) for one in jax.tree.leaves(own) if len(one.shape) > 1)
        total += weights * math.prod(shape[:-1])
    return total
