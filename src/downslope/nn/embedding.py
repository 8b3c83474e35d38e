"""Learnt numbers for each value of a category: an embedding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.nn.dense import positive
from downslope.nn.forms import Spot, TorchModule
from downslope.nn.layer import Layer, Misfit, Parameters, Shape

MOST_VALUES = 1 << 24  # larger places have no neighbours among 32-bit floats
FIRST_SPREAD = 0.05  # standard deviation of the first numbers: small beside scaled inputs


@dataclass(frozen=True)
class Embedding(Layer):
    """Replace the last input, the index of a category, by a learned vector.

        (index, others) -> (W[index], others),  W of shape (values, numbers)

    It computes the same as a dense layer without biases on a one-hot input, without all the zeros.
    For several categorical columns, use one such layer after the other: each consumes the last
    input and puts its vector first. An index that is not finite gives NaN.

    Source: Guo and Berkhahn, Entity embeddings of categorical variables, 2016.

    Attributes:
        values: Number of categories. Indices run from 0 to values - 1; others are rounded to the
            nearest of these.
        numbers: Length of the vector.

    Raises:
        NetworkError: `values` or `numbers` is no positive whole number.

    Example:
        >>> layer = ds.Embedding(values=100, numbers=4)
        >>> layer.output_shape((7,))  # 6 other inputs and an index
        (10,)
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
        """Weights (values, numbers), normal; those of index 0, for unseen values, are zero."""
        weights = FIRST_SPREAD * jax.random.normal(key, (self.values, self.numbers))
        return {"weights": weights.at[0].set(0)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n outputs"]:
        """Look up the vector of the last input, and put it before the others."""
        indices = jnp.clip(jnp.round(inputs[:, -1]), 0, self.values - 1).astype(jnp.int32)
        found = jnp.where(jnp.isfinite(inputs[:, -1:]), parameters["weights"][indices], jnp.nan)
        return jnp.concatenate([found, inputs[:, :-1].astype(found.dtype)], axis=1)

    keras_names: ClassVar[Mapping[str, str]] = {"weights": "embeddings"}

    def to_numpy(self, spot: Spot) -> list[str]:
        """A look-up."""
        return [f"x = embed(x, {spot.array('weights')})"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """An embedding of the last input."""
        text = f"Embed({self.values}, {self.numbers})"
        weights = {"weight": spot.parameters["weights"]}
        return [TorchModule(text, weights, definition=_EMBED)]

    def to_keras(self, spot: Spot) -> list[str]:
        """An embedding layer on the last input."""
        made = f"layers.Embedding({self.values}, {self.numbers}, {spot.keras_name})"
        last = f"keras.ops.clip(keras.ops.round(x[:, -1]), 0, {self.values - 1})"
        found = [f"{made}(", f'    keras.ops.cast({last}, "int32")', ")"]
        if spot.shape == (1,):  # there are no others
            return [f"x = {found[0]}", *found[1:]]
        joined = "x = layers.Concatenate()([found, x[:, :-1]])"
        return [f"found = {found[0]}", *found[1:], joined]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A look-up of the nearest index."""
        last = graph.node("Gather", x, graph.constant(np.array([-1]), "last"), axis=1)
        last = graph.node("Squeeze", last, graph.constant(np.array([1]), "axis"))
        most = graph.scalar(float(self.values - 1))
        nearest = graph.node("Clip", graph.node("Round", last), graph.scalar(0.0), most)
        weights = graph.constant(spot.parameters["weights"], f"{spot.number}.weights")
        found = graph.node("Gather", weights, graph.cast(nearest, "int64"), axis=0)
        if spot.shape == (1,):  # there are no others
            return found
        return graph.node("Concat", found, graph.columns(x, 0, -1), axis=1)


_EMBED = '''\
class Embed(nn.Embedding):
    """The last input, the index of a value, looked up and put in front of the others."""

    def forward(self, x):
        places = x[:, -1].round().clamp(0, self.num_embeddings - 1).long()
        return torch.cat([super().forward(places), x[:, :-1]], dim=1)'''
