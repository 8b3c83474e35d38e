"""What a trained network answers to any number of inputs, in pieces of a few fixed lengths."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.data.limits import in_gib
from downslope.engine.compilation import compiled
from downslope.engine.scales import Scales, Units
from downslope.errors import NetworkError
from downslope.nn.fusion import fuse
from downslope.nn.layer import Padded
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.padded import without_padding
from downslope.storage.files import free_bytes

WIDTHS = (2048, 256, 32, 4, 1)  # samples answered at a time: few shapes, few compilations
FEWEST_FULL = 256  # with fewer, one call for more samples than there are takes less time
BYTES = 8  # of a number, before and behind a layer
MOST_NUMBERS = 1 << 23  # of the widest signal, to bound the memory
IN_FLIGHT = 4  # pieces that are worked on at once


def outputs_of(
    network: Network,
    parameters: NetworkParameters,
    units: Units,
    inputs: np.ndarray,
    sizes: np.ndarray | None = None,
    outside: float = 0.0,
) -> Float[np.ndarray, "n ..."]:
    """Logits in float32; numbers and density maps in the units of the targets, in float64.

    Args:
        network: The network.
        parameters: Its weights and biases.
        units: How inputs are scaled and outputs scaled back.
        inputs: Raw inputs of shape (N, *input_shape).
        sizes: Height and width of photos within their array, (N, 2); None where they fill it.
        outside: The outputs beyond a photo.
    """
    outputs: list[Any] = []
    spans, scales = _spans(inputs, network), units.scales(inputs)
    for start, width in spans:
        own = None if sizes is None else _piece(sizes, start, width)
        arguments = (parameters, units.seen(_piece(inputs, start, width)), scales, own)
        answer = compiled(_answer, (network, outside), *arguments)
        outputs.append(answer(*arguments))
        if len(outputs) > IN_FLIGHT:  # the others are computed while this one is waited for
            outputs[-IN_FLIGHT - 1] = np.asarray(outputs[-IN_FLIGHT - 1])
    arrays = [np.asarray(one) for one in outputs]
    if len(arrays) == 1:
        return units.answers_of(arrays[0][: len(inputs)])
    arrays[-1] = arrays[-1][spans[-2][0] + spans[-2][1] - spans[-1][0] :]  # what was there already
    return units.answers_of(np.concatenate(arrays))


def _answer(
    program: tuple[Network, float],
    parameters: NetworkParameters,
    inputs: Array,
    scales: Scales,
    sizes: Array | None,
) -> Float[Array, "n ..."]:
    (network, outside), inputs = program, scales.scale_inputs(inputs)
    if sizes is None:
        return fuse(network).forward(parameters, inputs)
    padded: Any = Padded(inputs, sizes)
    outputs: Any = without_padding(fuse(network)).forward(parameters, padded)
    if not isinstance(outputs, Padded):
        return outputs
    return jnp.where(outputs.mask > 0, outputs.values, outside)


def _spans(inputs: np.ndarray, network: Network) -> list[tuple[int, int]]:
    """Start and width of pieces of a few fixed widths; the last one reaches back to be full."""
    samples = max(1, len(inputs))
    widest = max(network.signal_sizes(inputs.shape[1:]))
    most = max(1, MOST_NUMBERS // widest)
    wanted = BYTES * widest  # of a single sample, coming out of one layer and into the next
    if widest > MOST_NUMBERS and wanted > free_bytes():
        raise NetworkError(
            f"The network makes {widest:,} numbers of one sample, which takes {in_gib(wanted)}.",
            f"at most the {in_gib(free_bytes())} of memory that are free",
            "Close other programs, or use a smaller network.",
        )
    widths = [width for width in WIDTHS if width <= most]
    width = next((one for one in widths if FEWEST_FULL <= one <= samples), None)
    if width is None:  # one short piece, or several where the memory asks for it
        width = min((one for one in widths if one >= samples), default=widths[0])
    starts = list(range(0, samples, width))
    if samples > width:
        starts[-1] = samples - width
    return [(start, width) for start in starts]


def _piece(inputs: np.ndarray, start: int, width: int) -> np.ndarray:
    """The samples of a span, filled up with the first one where there are not so many."""
    piece = inputs[start : start + width]
    short = width - len(piece)
    return np.concatenate([piece, np.repeat(piece[:1], short, axis=0)]) if short else piece
