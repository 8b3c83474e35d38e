"""The slope of the loss at one weight, measured: the loss on both sides of it, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Array

from downslope.engine.compilation import QUICKLY_COMPILED, compiled
from downslope.insight.weight import Weight
from downslope.nn.losses import Loss
from downslope.nn.network import Network, NetworkParameters

STEP = 2.0**-18  # about the cube root of float64's rounding, where central differences are best
CORNER = 1e-2  # slopes that differ by more than this fraction of themselves


@dataclass(frozen=True)
class Difference:
    """A measured slope.

    Attributes:
        value: The central difference, (L(w + h) - L(w - h)) / 2h.
        left: (L(w) - L(w - h)) / h.
        right: (L(w + h) - L(w)) / h.
        step: h.
    """

    value: float
    left: float
    right: float
    step: float

    @property
    def is_at_corner(self) -> bool:
        """Whether the loss has a corner there, as ReLU has at 0: then there is no one slope."""
        largest = max(abs(self.left), abs(self.right))
        return abs(self.left - self.right) > CORNER * largest and largest > 1e-9


def difference_at(
    network: Network,
    parameters: NetworkParameters,
    inputs: Array | np.ndarray,
    targets: Array | np.ndarray,
    loss: Loss,
    weight: Weight,
) -> Difference:
    """Measure how the mean loss over some samples moves with one weight, in float64.

    Args:
        network: The network, without dropout that is not held.
        parameters: Its weights and biases.
        inputs: (N, *input_shape), as the network takes them.
        targets: What the loss compares with, (N, ...).
        loss: The loss.
        weight: Which weight.
    """
    with jax.enable_x64(True):
        precise = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), parameters)
        signals = np.asarray(inputs, np.float64)
        wanted = np.asarray(targets)
        wanted = wanted if wanted.dtype.kind in "iu" else wanted.astype(np.float64)
        middle = weight.of(precise)
        step = STEP * max(1.0, abs(middle))
        arguments = (precise, signals, wanted)
        loss_at = compiled(_loss, (network, loss), *arguments, options=(QUICKLY_COMPILED,))
        below, here, above = (
            float(loss_at(weight.with_value(precise, middle + shift), signals, wanted))
            for shift in (-step, 0.0, step)
        )
    return Difference(
        (above - below) / (2 * step), (here - below) / step, (above - here) / step, step
    )


def _loss(
    program: tuple[Network, Loss], parameters: NetworkParameters, inputs: Array, targets: Array
) -> Array:
    network, loss = program
    return loss.mean(network.forward(parameters, inputs), targets)
