"""What a trained network predicts for any number of inputs, in pieces of one fixed length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.data.limits import in_gib
from downslope.engine.compilation import compiled
from downslope.engine.scales import Scales, Units
from downslope.errors import NetworkError
from downslope.nn import fusion
from downslope.nn.layer import Padded
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters
from downslope.storage.files import free_bytes

WIDTHS = (2048, 256, 32, 4)  # samples predicted at a time
MOST_PRODUCTS = 1 << 25  # that they take: about a millisecond, which a single one takes as well
PER_WEIGHT = 32  # samples for which each weight is read once, which takes as long
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
    mirrors: bool = False,
) -> Float[np.ndarray, "n ..."]:
    """Logits in float32; numbers and density maps in the units of the targets, in float64.

    Args:
        network: The network.
        parameters: Its weights and biases.
        units: How inputs are scaled and outputs scaled back.
        inputs: Raw inputs of shape (N, *input_shape).
        sizes: Height and width of photos within their array, (N, 2); None where they fill it.
        outside: The outputs beyond a photo.
        mirrors: Whether the outputs for each image and for its mirror image are averaged.
    """
    width, scales = _width(network, inputs.shape[1:]), units.scales(inputs)

    def predicted(start: int) -> Array:
        own = None if sizes is None else _piece(sizes, start, width)
        arguments = (parameters, units.seen(_piece(inputs, start, width)), scales, own)
        return compiled(_prediction, (network, outside, mirrors), *arguments)(*arguments)

    return units.predictions_of(_joined(predicted, len(inputs), width))


def linked(loss: Loss, outputs: np.ndarray) -> np.ndarray:
    """The loss's link of outputs (N, ...), float32: probabilities of logits, people of maps."""
    outputs = outputs.astype(np.float32)
    width = WIDTHS[0] if outputs.ndim == 2 else 1

    def predicted(start: int) -> Array:
        piece = _piece(outputs, start, width)
        return compiled(_link, loss, piece)(piece)

    return _joined(predicted, len(outputs), width)


def _link(loss: Loss, outputs: Array) -> Array:
    return loss.link(outputs)


def _joined(made: Callable[[int], Array], count: int, width: int) -> np.ndarray:
    """The results for `count` samples of pieces of a width, given where each piece begins."""
    outputs: list[Any] = []
    starts = _starts(count, width)
    for start in starts:
        outputs.append(made(start))
        if len(outputs) > IN_FLIGHT:  # the others are computed while this one is waited for
            outputs[-IN_FLIGHT - 1] = np.asarray(outputs[-IN_FLIGHT - 1])
    arrays = [np.asarray(one) for one in outputs]
    if len(arrays) == 1:
        return arrays[0][:count]
    arrays[-1] = arrays[-1][starts[-2] + width - starts[-1] :]  # what was there already
    return np.concatenate(arrays)


def _prediction(
    program: tuple[Network, float, bool],
    parameters: NetworkParameters,
    inputs: Array,
    scales: Scales,
    sizes: Array | None,
) -> Float[Array, "n ..."]:
    network, outside, mirrors = program
    scaled = scales.scale_inputs(inputs)
    outputs = fusion.outputs_of(network, parameters, scaled, sizes, mirrors)
    if not isinstance(outputs, Padded):
        return outputs
    return jnp.where(outputs.mask > 0, outputs.values, outside)


def _width(network: Network, shape: tuple[int, ...]) -> int:
    """How many samples are predicted at a time: of a network always as many.

    So a sample's prediction has the same bits alone and among others: how a product is added up
    depends on how many rows it has, and not on which row it is.
    """
    widest = max(network.signal_sizes(shape))
    wanted = BYTES * widest  # of a single sample, coming out of one layer and into the next
    if widest > MOST_NUMBERS and wanted > free_bytes():
        raise NetworkError(
            f"The network makes {widest:,} numbers of one sample, which takes {in_gib(wanted)}.",
            f"at most the {in_gib(free_bytes())} of memory that are free",
            "Close other programs, or use a smaller network.",
        )
    products = network.multiplications(shape)
    most = max(MOST_PRODUCTS, PER_WEIGHT * network.count_weights(shape))
    fits = [width for width in WIDTHS if width * widest <= MOST_NUMBERS]
    return next((width for width in fits if width * products <= most), (1, *fits)[-1])


def _starts(count: int, width: int) -> list[int]:
    """Where pieces of a width begin; the last one reaches back to be full."""
    starts = list(range(0, max(count, 1), width))
    if count > width:
        starts[-1] = count - width
    return starts


def _piece(inputs: np.ndarray, start: int, width: int) -> np.ndarray:
    """The samples of a span, filled up with the first one where there are not so many."""
    piece = inputs[start : start + width]
    short = width - len(piece)
    return np.concatenate([piece, np.repeat(piece[:1], short, axis=0)]) if short else piece
