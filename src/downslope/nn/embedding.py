"""Learnt numbers for each value of a category: an embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.nn.dense import positive
from downslope.nn.layer import Layer, Misfit, Parameters, Shape

MOST_VALUES = 1 << 24  # larger places have no neighbours among 32-bit floats
FIRST_SPREAD = 0.05  # standard deviation of the first numbers: small beside scaled inputs


@dataclass(frozen=True)
class Embedding(Layer):
    """The last input, the place of a value, becomes learnt numbers in front of the other inputs.

    From (place, others) to (W[place], others), W of shape (values, numbers): the same as a dense
    layer without biases on one input per value, without all the zeros. A column after the other:
    the next such layer finds its own place last. A place that is not finite gives NaN.

    Source: Guo and Berkhahn, Entity Embeddings of Categorical Variables, 2016.

    Attributes:
        values: How many values there are; places are 0 to values - 1, others are taken as the
            nearest of these.
        numbers: How many numbers each becomes.
    """

    values: int
    numbers: int
    word: ClassVar[str] = "embed"

    def __post_init__(self) -> None:
        positive("values", self.values, "Embedding", MOST_VALUES)
        positive("numbers", self.numbers, "Embedding")

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) to (numbers + features - 1,)."""
        if len(input_shape) != 1:
            raise Misfit("a flat list of numbers, (features,)", "Put it before all other layers.")
        return (self.numbers + input_shape[0] - 1,)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Weights (values, numbers), normal; those of place 0, values never seen, are zero."""
        weights = FIRST_SPREAD * jax.random.normal(key, (self.values, self.numbers))
        return {"weights": weights.at[0].set(0)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n outputs"]:
        """Look the last input up, and put what is found before the others."""
        places = jnp.clip(jnp.round(inputs[:, -1]), 0, self.values - 1).astype(jnp.int32)
        found = jnp.where(jnp.isfinite(inputs[:, -1:]), parameters["weights"][places], jnp.nan)
        return jnp.concatenate([found, inputs[:, :-1].astype(found.dtype)], axis=1)
