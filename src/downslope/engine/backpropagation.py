"""Backpropagation, explicit: one layer at a time, from the last to the first.

How the first layer's weights affect the loss cannot be known before it is known how the second
layer's do, and so on to the last. So the forward pass keeps, for each half of each layer, the
pullback that turns the gradient at its output into the gradients at its inputs; the backward pass
then hands the gradient of the loss from each layer to the one before.

Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.nn.layer import map_by_kind
from downslope.nn.losses import Loss, PerSample, resolve
from downslope.nn.network import Network, NetworkParameters


class Backpropagation(NamedTuple):
    """The result of one forward and one backward pass.

    Attributes:
        loss: The mean loss over the samples, shape ().
        gradients: d loss / d parameters, in the shape of the parameters.
        deltas: d loss / d pre-activations of each layer, first layer first, each (N, ...).
        slopes: d loss / d activations of each layer, likewise.
        drift: What is subtracted from the running statistics after the step, in the shape of the
            parameters; 0 for all that is learned.

    Example:
        >>> network = ds.parse_network("dense 3 tanh, dense 1")
        >>> inputs, targets = np.ones((5, 2)), np.zeros((5, 1))
        >>> found = ds.backpropagate(
        ...     network, network.init((2,)), inputs, targets, loss="squared_error"
        ... )
        >>> [delta.shape for delta in found.deltas]
        [(5, 3), (5, 1)]
    """

    loss: Float[Array, ""]
    gradients: NetworkParameters
    deltas: tuple[Float[Array, "n ..."], ...]
    slopes: tuple[Float[Array, "n ..."], ...]
    drift: NetworkParameters


def backpropagate(
    network: Network,
    parameters: NetworkParameters,
    inputs: Float[Array, "n ..."],
    targets: Array,
    *,
    loss: str | PerSample | Loss,
    weights: Float[Array, " n"] | None = None,
    total: Float[Array, ""] | None = None,
    key: Array | None = None,
) -> Backpropagation:
    """Find the gradient of the mean loss with respect to every weight and bias.

        L = sum_n w_n l(y_n, t_n) / total

    One forward pass, then one backward pass with the chain rule, layer by layer.

    Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors,
    1986.

    Args:
        network: The network.
        parameters: Its parameters, from `network.init` or a run.
        inputs: Shape (N, *input_shape).
        targets: The targets as the loss takes them, (N, ...).
        loss: The name of a loss, a function or a `Loss`.
        weights: How much each sample counts, (N,); None for all the same.
        total: The divisor of the weighted sum of losses; None for the sum of the weights.
        key: The random key of a training step (for dropout), or None.

    Returns:
        The loss, the gradients, and of each layer the delta and the slope. With a key, batch
        normalisation uses the batch's statistics, and the gradients go through them.

    Raises:
        SettingError: There is no loss of that name.

    Example:
        >>> network = ds.parse_network("dense 3 tanh, dense 1")
        >>> parameters = network.init((2,))
        >>> inputs, targets = np.ones((5, 2)), np.zeros((5, 1))
        >>> found = ds.backpropagate(network, parameters, inputs, targets, loss="squared_error")
        >>> found.gradients[0]["weights"].shape
        (2, 3)
    """
    loss, activations, pullbacks = resolve(loss), inputs, []
    for index, layer in enumerate(network.layers):  # forward
        weighted_sum = partial(layer.weighted_sum, key=network.layer_key(key, index))
        sums, to_inputs = jax.vjp(weighted_sum, parameters[index], activations)
        activations, to_sums = jax.vjp(layer.activate, sums)
        pullbacks.append((to_sums, to_inputs))
    value, to_outputs = jax.vjp(lambda y: loss.mean(y, targets, weights, total), activations)

    (slope,) = to_outputs(jnp.ones_like(value))
    found = []
    for to_sums, to_inputs in reversed(pullbacks):  # backward
        (delta,) = to_sums(slope)
        gradient, before = to_inputs(delta)
        found.append((gradient, delta, slope))
        slope = before
    gradients, deltas, slopes = zip(*reversed(found), strict=True)
    drift = map_by_kind(jnp.zeros_like, lambda one: one, gradients)
    gradients = map_by_kind(lambda one: one, jnp.zeros_like, gradients)
    return Backpropagation(value, gradients, deltas, slopes, drift)


def stepped(
    parameters: NetworkParameters, direction: NetworkParameters, rate: Array, drift: Any
) -> NetworkParameters:
    """The parameters after a step: w - rate * direction, and running - drift."""
    return map_by_kind(
        lambda old, uphill, _: old - rate * uphill,
        lambda old, _, drifted: old - drifted,
        parameters,
        direction,
        drift,
    )
