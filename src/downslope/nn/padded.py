"""Networks for images of several sizes in one array: padding has no influence.

A photo has the same outputs whatever stands beside it in the array: those that it has alone, but
for rounding. Layers that see a neighbourhood find zeros beyond the photo, as beyond the border of
an array; those that see the whole photo leave padding out. The loss is that of the photo's cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.nn.activations import identity
from downslope.nn.layer import Layer, Padded, Parameters, Shape
from downslope.nn.losses import Loss
from downslope.nn.network import Network


@dataclass(frozen=True)
class _WithinImages(Layer):
    """A layer that leaves the padding of its inputs out.

    Attributes:
        layer: The layer.
    """

    layer: Layer
    word: ClassVar[str] = "within"

    @property
    def is_random(self) -> bool:
        """Whether the layer is."""
        return self.layer.is_random

    @property
    def mixes_batch(self) -> bool:
        """Whether the layer does."""
        return self.layer.mixes_batch

    def output_shape(self, input_shape: Shape) -> Shape:
        """That of the layer."""
        return self.layer.output_shape(input_shape)

    def init(self, key: Array, input_shape: Shape) -> Parameters:
        """Those of the layer."""
        return self.layer.init(key, input_shape)

    def weighted_sum(self, parameters: Parameters, inputs: Any, key: Array | None = None) -> Any:
        """The layer's, of `Padded` inputs or of flat ones."""
        if isinstance(inputs, Padded):
            return self.layer.padded_sum(parameters, inputs, key)
        return self.layer.weighted_sum(parameters, inputs, key)

    def activate(self, pre_activations: Any) -> Any:
        """The layer's."""
        if isinstance(pre_activations, Padded):
            return Padded(self.layer.activate(pre_activations.values), pre_activations.sizes)
        return self.layer.activate(pre_activations)


@lru_cache(maxsize=64)
def without_padding(network: Network) -> Network:
    """The same network for `Padded` inputs, with the same parameters."""
    return Network([_WithinImages(layer) for layer in network.layers])


@lru_cache(maxsize=64)
def loss_without_padding(loss: Loss) -> Loss:
    """The same loss for outputs that may be `Padded`: the mean over each image's own cells.

    A loss of the user's own gets zeros for padding, in outputs and targets alike.
    """
    return replace(loss, per_sample=partial(_per_sample, loss))


def _per_sample(loss: Loss, outputs: Any, targets: Array) -> Float[Array, " n"]:
    if not isinstance(outputs, Padded):
        return loss.per_sample(outputs, targets)
    if not loss.built_in:
        return loss.per_sample(outputs.cut, targets * outputs.mask)
    count = len(outputs.values)
    each = loss.per_sample(outputs.cut.reshape(-1, 1), targets.reshape(-1, 1)).reshape(count, -1)
    inside = jnp.broadcast_to(outputs.mask, outputs.values.shape).reshape(count, -1)
    return (each * inside).sum(axis=1) / inside.sum(axis=1)


def filled(outputs: Any, loss: Loss) -> Float[Array, "n ..."]:
    """Outputs as an array, with what stands for nobody where an image has padding."""
    if not isinstance(outputs, Padded):
        return outputs
    return jnp.where(outputs.mask > 0, outputs.values, nothing(loss))


def nothing(loss: Loss) -> float:
    """The output whose answer is 0: of logarithms that is minus infinity."""
    return 0.0 if loss.link is identity else -jnp.inf
