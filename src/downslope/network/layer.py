"""What every layer is: a frozen value that says how signals pass, and holds no weights.

The weights travel beside the layer as `Parameters`, so the same layer can be drawn, trained and
compared many times. A layer's work has two halves, as a neuron's has: the weighted sum of the
inputs, then the activation of that sum.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Array, Float

Shape = tuple[int, ...]
Parameters = dict[str, Any]  # names to arrays; composite layers nest


class Misfit(Exception):
    """A layer cannot take inputs of this shape; the network adds which layer it was.

    Args:
        needs: What the layer needs, as a noun phrase.
        advice: What to do, as a full sentence.
    """

    def __init__(self, needs: str, advice: str) -> None:
        self.needs = needs
        self.advice = advice
        super().__init__(needs)


@dataclass(frozen=True)
class Layer(abc.ABC):
    """Abstract base of all layers."""

    word: ClassVar[str]  # its name in the notation of networks, such as "dense"

    @property
    def is_random(self) -> bool:
        """Whether `weighted_sum` draws from its key in training."""
        return False

    @abc.abstractmethod
    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output for one input of `input_shape`, both without the sample axis.

        Raises:
            Misfit: Inputs of this shape cannot be taken.
        """

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Draw this layer's parameters from the random `key`; none unless it says otherwise."""
        return {}

    @abc.abstractmethod
    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """The signals before the activation.

        Args:
            parameters: What `init` returned, or what training made of it.
            inputs: Shape (N, *input_shape).
            key: The random key of a training step, or None outside of training.
        """

    def activate(self, sums: Float[Array, "n ..."]) -> Float[Array, "n ..."]:
        """The signals that leave the layer; the sums themselves unless it has an activation."""
        return sums

    def forward(
        self, parameters: Parameters, inputs: Float[Array, "n ..."], key: Array | None = None
    ) -> Float[Array, "n ..."]:
        """Both halves: weighted sum, then activation."""
        return self.activate(self.weighted_sum(parameters, inputs, key))
