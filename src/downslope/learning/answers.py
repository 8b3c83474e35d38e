"""What a trained network answers to any number of inputs, in pieces of a few fixed lengths."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, Float

from downslope.learning.compiling import NO_FUSED_PRODUCTS, compiled
from downslope.learning.evaluation import Scales
from downslope.network.fusion import fuse
from downslope.network.network import Network, NetworkParameters

WIDTHS = (2048, 256, 32, 4, 1)  # samples answered at a time: few shapes, few compilations
MOST_NUMBERS = 1 << 23  # of the widest signal, to bound the memory
IN_FLIGHT = 4  # pieces that are worked on at once


def outputs_of(
    network: Network, parameters: NetworkParameters, scales: Scales, inputs: np.ndarray
) -> Float[np.ndarray, "n ..."]:
    """What the loss sees for raw inputs: logits, numbers, density maps.

    Args:
        network: The network.
        parameters: Its weights and biases.
        scales: How inputs are scaled and outputs scaled back.
        inputs: Shape (N, *input_shape).
    """
    # numbers of 64 bits become numbers of 32 here, where no engine warns of it
    inputs = inputs.astype(jax.dtypes.canonicalize_dtype(inputs.dtype), copy=False)
    outputs: list[Any] = []
    for piece in _pieces(inputs, network):
        arguments = (parameters, piece, scales)
        answer = compiled(_answer, network, *arguments, options=(NO_FUSED_PRODUCTS,))
        outputs.append(answer(*arguments))
        if len(outputs) > IN_FLIGHT:  # the others are computed while this one is waited for
            outputs[-IN_FLIGHT - 1] = np.asarray(outputs[-IN_FLIGHT - 1])
    arrays = [np.asarray(one) for one in outputs]
    whole = np.concatenate(arrays) if len(arrays) > 1 else arrays[0]
    return whole[: len(inputs)]


def _answer(
    network: Network, parameters: NetworkParameters, inputs: Array, scales: Scales
) -> Float[Array, "n ..."]:
    return scales.answers_of(fuse(network).forward(parameters, scales.scale_inputs(inputs)))


def _pieces(inputs: np.ndarray, network: Network) -> Iterator[np.ndarray]:
    """Inputs in pieces of a few fixed lengths; the last one is filled up with its first sample."""
    shapes = (inputs.shape[1:], *network.shapes(inputs.shape[1:]))
    most = max(1, MOST_NUMBERS // max(map(math.prod, shapes)))
    widths = [width for width in WIDTHS if width <= most]
    start = 0
    while start < max(1, len(inputs)):
        left = len(inputs) - start
        width = min((one for one in widths if one >= left), default=widths[0])
        piece = inputs[start : start + width]
        short = width - len(piece)
        yield np.concatenate([piece, np.repeat(piece[:1], short, axis=0)]) if short else piece
        start += width
