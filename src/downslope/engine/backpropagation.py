"""Backpropagation, explicit: one layer at a time, from the last to the first.

How the first layer's weights affect the loss cannot be known before it is known how the second
layer's do, and so on to the last. So the forward pass keeps, for each half of each layer, the
pullback that turns a slope at its output into slopes at its inputs; the walk back then hands the
slope of the loss from each layer to the one before.

Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
from jaxtyping import Array, Float

from downslope.nn.losses import Loss, PerSample, resolve
from downslope.nn.network import Network, NetworkParameters

Pullback = Callable[[Array], tuple]


class Pullbacks(NamedTuple):
    """One layer's way back: from its activations to its sums, from its sums to its inputs."""

    activation: Pullback  # d loss / d activations -> (d loss / d sums,)
    weighted_sum: Pullback  # d loss / d sums -> (d loss / d parameters, d loss / d inputs)


class Backpropagation(NamedTuple):
    """The result of one forward and one backward pass.

    Attributes:
        loss: The mean loss over the samples, shape ().
        gradients: d loss / d parameters, in the shape of the parameters.
        deltas: d loss / d pre-activations of each layer, first layer first, each (N, ...).

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


def run_forward(
    network: Network,
    parameters: NetworkParameters,
    inputs: Float[Array, "n ..."],
    key: Array | None = None,
) -> tuple[Float[Array, "n ..."], list[Pullbacks]]:
    """The network's answer, with each layer's pullbacks kept."""
    pullbacks = []
    for index, layer in enumerate(network.layers):
        own = network.layer_key(key, index)
        weighted_sum = partial(layer.weighted_sum, key=own)
        sums, from_sums = jax.vjp(weighted_sum, parameters[index], inputs)
        inputs, from_activations = jax.vjp(layer.activate, sums)
        pullbacks.append(Pullbacks(from_activations, from_sums))
    return inputs, pullbacks


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
        The loss, the gradients and the delta of each layer.

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
    loss = resolve(loss)
    outputs, pullbacks = run_forward(network, parameters, inputs, key)
    value, from_loss = jax.vjp(lambda y: loss.mean(y, targets, weights, total), outputs)
    (slope,) = from_loss(jax.numpy.ones_like(value))

    gradients, deltas = [], []
    for pullback in reversed(pullbacks):
        (delta,) = pullback.activation(slope)
        gradient, slope = pullback.weighted_sum(delta)
        gradients.append(gradient)
        deltas.append(delta)
    return Backpropagation(value, tuple(reversed(gradients)), tuple(reversed(deltas)))
