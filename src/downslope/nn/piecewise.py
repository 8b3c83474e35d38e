"""Ranks of numbers, spread over inputs of their own: a piecewise-linear encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.nn.dense import positive
from downslope.nn.forms import Spot, TorchModule
from downslope.nn.layer import Layer, Misfit, Parameters, Shape
from downslope.nn.network import Network

_PIECEWISE = '''\
class Piecewise(nn.Module):
    """The first inputs, ranks of 0 to bins, spread over bins numbers each."""

    def __init__(self, bins, columns):
        super().__init__()
        self.bins, self.columns = bins, columns

    def forward(self, x):
        ranks = x[:, : self.columns, None] - torch.arange(self.bins)
        spread = ranks.clamp(0, 1).flatten(1) / self.bins**0.5
        return torch.cat([spread, x[:, self.columns :]], dim=1)'''


@dataclass(frozen=True)
class Piecewise(Layer):
    """Spread the first inputs, ranks of numbers among their quantiles, over several each.

        r -> (clip(r), clip(r - 1), ..., clip(r - bins + 1)) / sqrt(bins)
        clip(z) = min(max(z, 0), 1)

    A weighted sum of these is any continuous function of the number that is linear between two
    quantiles, so a skewed column needs no transform. Divided by the root, the inputs of a column
    together are no longer than 1: a step of learning changes what follows from the rank about as
    much as what follows from the number itself. Tables whose network begins with this layer
    have the ranks as their first inputs. It has no weights.

    Source: Gorishniy et al., On embeddings for numerical features in tabular deep learning, 2022.

    Attributes:
        bins: The largest rank.
        columns: How many inputs are ranks; 0 for all of a table's, found when it is trained.

    Raises:
        NetworkError: `bins` is no positive whole number.

    Example:
        >>> layer = ds.Piecewise(bins=4, columns=1)
        >>> layer.forward({}, np.array([[2.5, 7.0]])).tolist()
        [[0.5, 0.5, 0.25, 0.0, 7.0]]
    """

    bins: int
    columns: int = 0
    word: ClassVar[str] = "piecewise"

    def __post_init__(self) -> None:
        positive("bins", self.bins, "Piecewise")
        if self.columns != 0:
            positive("columns", self.columns, "Piecewise")

    def output_shape(self, input_shape: Shape) -> Shape:
        """(features,) to (columns * bins + features - columns,)."""
        if len(input_shape) != 1 or input_shape[0] < self.columns:
            raise Misfit(
                f"a flat list of at least {self.columns} numbers", "Put it before all other layers."
            )
        return (input_shape[0] + self.columns * (self.bins - 1),)

    def weighted_sum(
        self, parameters: Parameters, inputs: Float[Array, "n features"], key: Array | None = None
    ) -> Float[Array, "n outputs"]:
        """The ranks spread, before the other inputs."""
        ranks = inputs[:, : self.columns, None] - jnp.arange(self.bins)
        spread = jnp.clip(ranks, 0, 1).reshape(len(inputs), -1) / self.bins**0.5
        return jnp.concatenate([spread, inputs[:, self.columns :]], axis=1)

    def to_numpy(self, spot: Spot) -> list[str]:
        """A clipped difference."""
        return [f"x = piecewise(x, {self.bins}, {self.columns})"]

    def to_torch(self, spot: Spot) -> list[TorchModule]:
        """A module that clips differences."""
        return [TorchModule(f"Piecewise({self.bins}, {self.columns})", definition=_PIECEWISE)]

    def to_keras(self, spot: Spot) -> list[str]:
        """A clipped difference between two changes of shape."""
        size = self.bins * self.columns
        ranks = f"x[:, :{self.columns}, None] - keras.ops.arange({self.bins}, dtype=x.dtype)"
        clipped = f"keras.ops.clip({ranks}, 0, 1) / {self.bins**0.5!r}"
        spread = f"keras.ops.reshape({clipped}, (-1, {size}))"
        if spot.shape == (self.columns,):
            return [f"x = {spread}"]
        return [f"x = layers.Concatenate()([{spread}, x[:, {self.columns}:]])"]

    def to_onnx(self, spot: Spot, graph: Any, x: str) -> str:
        """A clipped difference between two changes of shape."""
        column = graph.constant(np.array([-1, self.columns, 1]), "ranks")
        ranks = graph.node("Reshape", graph.columns(x, 0, self.columns), column)
        steps = graph.constant(np.arange(self.bins, dtype=np.float32), "bins")
        spread = graph.node(
            "Clip", graph.node("Sub", ranks, steps), graph.scalar(0.0), graph.scalar(1.0)
        )
        spread = graph.node("Div", spread, graph.scalar(self.bins**0.5))
        flat = graph.constant(np.array([-1, self.columns * self.bins]), "spread")
        spread = graph.node("Reshape", spread, flat)
        if spot.shape == (self.columns,):
            return spread
        return graph.node("Concat", spread, graph.columns(x, self.columns, spot.shape[0]), axis=1)


def bins_of(network: Network) -> int:
    """The bins of a network that begins with `Piecewise`; 0 for any other."""
    first = network.layers[0]
    return first.bins if isinstance(first, Piecewise) else 0
