"""Two networks with their hidden units in the same order, as far as they have one.

Units of a hidden layer can change places without any prediction changing: two networks may be the
same function with weights far apart. The units of one are put in the order in which its weights
lie nearest to the other's.

Source: Ainsworth, Hayase and Srinivasa, Git Re-Basin, 2023 (weight matching).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from downslope.nn.dense import Dense, Dropout
from downslope.nn.network import Network, NetworkParameters

MOST_ROUNDS = 20  # over all layers; a few are enough


def hidden_layers(network: Network) -> tuple[int, ...] | None:
    """The indices of the dense layers, where each feeds the next; None for other networks.

    Layers without weights and with nothing of their own for a unit may stand between them, and any
    layers before the first.
    """
    dense = [index for index, one in enumerate(network.layers) if type(one) is Dense]
    if len(dense) < 2 or dense[-1] != len(network.layers) - 1:
        return None
    between = network.layers[dense[0] :]
    is_chain = all(type(one) in (Dense, Dropout) for one in between)
    return tuple(dense) if is_chain else None


def matched(
    network: Network, parameters: NetworkParameters, like: NetworkParameters
) -> NetworkParameters:
    """The same network with its hidden units in the order that is nearest to another's.

    Args:
        network: Dense layers in a chain; see `hidden_layers`. Others are returned as they are.
        parameters: Whose units are put in order.
        like: The weights that they should lie near to.

    Returns:
        Parameters with the same predictions.
    """
    indices = hidden_layers(network)
    if indices is None:
        return parameters
    weights = [np.asarray(parameters[index]["weights"], np.float64) for index in indices]
    biases = [np.asarray(parameters[index]["biases"], np.float64) for index in indices]
    targets = [
        [np.asarray(like[index][name], np.float64) for index in indices]
        for name in ("weights", "biases")
    ]
    orders = [np.arange(one.shape[1]) for one in weights[:-1]]
    for _ in range(MOST_ROUNDS):
        changed = False
        for layer in range(len(orders)):
            own, after = _in_order(weights, orders, layer)
            likeness = targets[0][layer].T @ own + np.outer(targets[1][layer], biases[layer])
            likeness += targets[0][layer + 1] @ after.T
            order = linear_sum_assignment(likeness, maximize=True)[1]
            changed = changed or not np.array_equal(order, orders[layer])
            orders[layer] = order
        if not changed:
            break
    return _permuted(parameters, indices, orders)


def _in_order(
    weights: Sequence[np.ndarray], orders: Sequence[np.ndarray], layer: int
) -> tuple[np.ndarray, np.ndarray]:
    """The weights into and out of a layer's units, with the units of its neighbours in order."""
    into, out = weights[layer], weights[layer + 1]
    if layer:
        into = into[orders[layer - 1]]
    if layer + 1 < len(orders):
        out = out[:, orders[layer + 1]]
    return into, out


def _permuted(
    parameters: NetworkParameters, indices: Sequence[int], orders: Sequence[np.ndarray]
) -> NetworkParameters:
    found = list(parameters)
    for number, index in enumerate(indices):
        own = {name: np.asarray(one) for name, one in parameters[index].items()}
        if number:
            own["weights"] = own["weights"][orders[number - 1]]
        if number < len(orders):
            own["weights"] = own["weights"][:, orders[number]]
            own["biases"] = own["biases"][orders[number]]
        found[index] = own
    return tuple(found)
