"""Dense layers with the samples along the last axis, (features, N): faster where rows are short.

A row of ten logits fills no vector of the processor, ten columns of a thousand samples do. This
serves whoever wants many losses rather than the steps of a training, whose batches are small.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.nn.activations import activation
from downslope.nn.dense import Dense, Dropout
from downslope.nn.layer import Layer, Parameters
from downslope.nn.losses import Loss, cross_entropy

FEW_CLASSES = 32  # with more, a program that goes through them one by one becomes long


def fits_columns(layers: Sequence[Layer]) -> bool:
    """Whether `forward_columns` can go through these layers."""
    return all(
        type(layer) is Dropout
        or (type(layer) is Dense and activation(layer.activation).is_elementwise)
        for layer in layers
    )


def forward_columns(
    layers: Sequence[Layer], parameters: Sequence[Parameters], signals: Float[Array, "features n"]
) -> Float[Array, "outputs n"]:
    """What `Network.forward` gives, turned.

    Args:
        layers: Layers that `fits_columns` agrees to.
        parameters: Theirs.
        signals: What goes into the first of them, turned.
    """
    for layer, own in zip(layers, parameters, strict=True):
        if type(layer) is Dense:
            sums = own["weights"].T @ signals + own["biases"][:, None]
            signals = layer.activate(sums)
    return signals


def losses_of_columns(
    loss: Loss, outputs: Float[Array, "outputs n"], targets: Array
) -> Float[Array, " n"]:
    """What `loss.per_sample` gives for the outputs turned back."""
    is_short = len(outputs) <= FEW_CLASSES
    if loss.per_sample is not cross_entropy or targets.size != outputs.shape[1] or not is_short:
        return loss.per_sample(outputs.T, targets)
    largest = reduce(jnp.maximum, outputs)
    total = reduce(jnp.add, [jnp.exp(one - largest) for one in outputs])
    classes = targets.reshape(-1)
    of_class = reduce(jnp.add, [jnp.where(classes == k, z, 0) for k, z in enumerate(outputs)])
    return largest + jnp.log(total) - of_class
