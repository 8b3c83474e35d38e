"""The mean of learnt vectors: of the words of a message, however many it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.nn.dense import positive
from downslope.nn.embedding import FIRST_SPREAD, MOST_VALUES
from downslope.nn.forms import Spot, TorchModule
from downslope.nn.layer import Layer, Misfit, Parameters, Shape


@dataclass(frozen=True)
class EmbeddingBag(Layer):
    """Replace the last inputs, the indices of a message's words, by the mean of learnt vectors.

        (others, i_1, ..., i_size) -> (m, others),  m = sum_k W[i_k] / K

    over the K indices that are not 0: 0 fills up what a message has less than `size` words, and
    the mean of none is 0. It computes the same as a dense layer without biases on the fractions of
    all words, without all the zeros. The vectors are put before the other inputs. For several
    columns of texts, use one such layer after the other: the last column comes first. An index
    that is not finite gives NaN.

    Source: Joulin et al., Bag of tricks for efficient text classification, 2017.

    Attributes:
        values: Number of vectors, that of index 0 included. Indices run from 0 to values - 1;
            others are rounded to the nearest of these.
        numbers: Length of each vector.
        size: How many of the last inputs are indices.

    Raises:
        NetworkError: A number is no positive whole number.

    Example:
        >>> layer = ds.EmbeddingBag(values=1000, numbers=16, size=40)
        >>> layer.output_shape((42,))  # 2 other inputs and 40 indices
        (18,)
    """

    values: int
    numbers: int
    size: int
    word: ClassVar[str] = "embed_bag"

    def __post_init__(self) -> None:
        positive("values", self.values, "EmbeddingBag", MOST_VALUES)
        positive("numbers", self.numbers, "EmbeddingBag")
        positive("size", self.size, "EmbeddingBag")

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) to (numbers + features - size,)."""
        if len(input_shape) != 1 or input_shape[0] < self.size:
            raise Misfit(
                f"a flat list of at least {self.size} numbers", "Put it before all other layers."
            )
        return (self.numbers + input_shape[0] - self.size,)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Weights (values, numbers), normal; those of index 0, for no word, are zero."""
        weights = FIRST_SPREAD * jax.random.normal(key, (self.values, self.numbers))
        return {"weights": weights.at[0].set(0)}

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n outputs"]:
        """The mean of the vectors of all indices but 0, before the other inputs."""
        others, indices = inputs[:, : -self.size], inputs[:, -self.size :]
        nearest = jnp.clip(jnp.round(indices), 0, self.values - 1).astype(jnp.int32)
        is_word = (nearest > 0)[..., None]
        total = jnp.where(is_word, parameters["weights"][nearest], 0).sum(axis=1)
        mean = total / jnp.maximum(is_word.sum(axis=1), 1)
        mean = jnp.where(jnp.isfinite(indices).all(axis=1, keepdims=True), mean, jnp.nan)
        return jnp.concatenate([mean, others.astype(mean.dtype)], axis=1)

    keras_names: ClassVar[Mapping[str, str]] = {"weights": "embeddings"}

    def to_numpy(self, spot: Spot) -> list[str]:
        """A mean of rows."""
        return [f"x = embed_bag(x, {spot.array('weights')}, {self.size})"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """An embedding bag of the last inputs."""
        text = f"EmbedBag({self.values}, {self.numbers}, {self.size})"
        weights = {"weight": spot.parameters["weights"]}
        return [TorchModule(text, weights, definition=_EMBED_BAG)]

    def to_keras(self, spot: Spot) -> list[str]:
        """An embedding layer, and the mean of its rows."""
        ops, made = "keras.ops", f"layers.Embedding({self.values}, {self.numbers}, "
        last = f"{ops}.clip({ops}.round(x[:, -{self.size}:]), 0, {self.values - 1})"
        found = [
            f'indices = {ops}.cast({last}, "int32")',
            f'is_word = {ops}.cast(indices > 0, "float32")[..., None]',
            f"words = {made}{spot.keras_name})(indices) * is_word",
            f"count = {ops}.maximum({ops}.sum(is_word, axis=1), 1)",
        ]
        mean = f"{ops}.sum(words, axis=1) / count"
        if spot.shape == (self.size,):  # there are no others
            return [*found, f"x = {mean}"]
        return [*found, f"x = layers.Concatenate()([{mean}, x[:, :-{self.size}]])"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A look-up of the nearest indices, and the mean of what is found."""
        axis = graph.constant(np.array([1]), "axis")
        width = spot.shape[0]
        most = graph.scalar(float(self.values - 1))
        rounded = graph.node("Round", graph.columns(x, width - self.size, width))
        nearest = graph.node("Clip", rounded, graph.scalar(0.0), most)
        weights = graph.constant(spot.parameters["weights"], f"{spot.number}.weights")
        found = graph.node("Gather", weights, graph.cast(nearest, "int64"), axis=0)
        is_word = graph.node("Min", nearest, graph.scalar(1.0))
        last = graph.constant(np.array([2]), "vector axis")
        total = graph.node(
            "ReduceSum",
            graph.node("Mul", found, graph.node("Unsqueeze", is_word, last)),
            axis,
            keepdims=0,
        )
        count = graph.node("Max", graph.node("ReduceSum", is_word, axis), graph.scalar(1.0))
        mean = graph.node("Div", total, count)
        if width == self.size:  # there are no others
            return mean
        return graph.node("Concat", mean, graph.columns(x, 0, width - self.size), axis=1)


_EMBED_BAG = '''\
class EmbedBag(nn.EmbeddingBag):
    """The mean of the rows that the last inputs name, put in front of the others; 0 is none."""

    def __init__(self, values, numbers, size):
        super().__init__(values, numbers, mode="mean", padding_idx=0)
        self.size = size

    def forward(self, x):
        indices = x[:, -self.size :].round().clamp(0, self.num_embeddings - 1).long()
        return torch.cat([super().forward(indices), x[:, : -self.size]], dim=1)'''
