"""Units in another order are the same function, and are put back where they were."""

import itertools

import jax
import numpy as np
import pytest

from downslope.insight.matching import hidden_layers, matched
from downslope.nn.notation import parse


def drawn(network, shape, seed):
    parameters = network.init(shape, seed=seed)
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: np.asarray(leaf + rng.normal(0, 0.1, leaf.shape)), parameters)


def shuffled(network, parameters, seed):
    """The same function with its hidden units in another order."""
    rng = np.random.default_rng(seed)
    indices = hidden_layers(network)
    found = [dict(one) for one in parameters]
    for index, after in itertools.pairwise(indices):
        order = rng.permutation(found[index]["biases"].size)
        found[index] = {name: one[..., order] for name, one in found[index].items()}
        found[after] = {**found[after], "weights": found[after]["weights"][order]}
    return tuple(found)


@pytest.mark.parametrize(
    "text",
    [
        "dense 9 relu, dense 3",
        "flatten, dense 12 tanh, dropout 0.2, dense 7 relu, dense 5, dense 2",
    ],
)
def test_shuffled_units_are_put_back(text):
    network = parse(text)
    parameters = drawn(network, (30,), 0)
    other = shuffled(network, parameters, 1)
    inputs = np.random.default_rng(2).normal(size=(6, 30)).astype(np.float32)
    expected = network.forward(parameters, inputs)
    np.testing.assert_allclose(network.forward(other, inputs), expected, rtol=1e-4, atol=1e-5)
    assert not np.array_equal(other[-1]["weights"], parameters[-1]["weights"])
    back = matched(network, other, parameters)
    for mine, yours in zip(jax.tree.leaves(back), jax.tree.leaves(parameters), strict=True):
        np.testing.assert_array_equal(mine, yours)


def test_of_all_orders_of_one_layer_the_nearest_is_taken():
    network = parse("dense 5 tanh, dense 2")
    one, other = drawn(network, (3,), 0), drawn(network, (3,), 1)

    def apart(parameters):
        return sum(
            ((np.asarray(a, np.float64) - b) ** 2).sum()
            for a, b in zip(jax.tree.leaves(parameters), jax.tree.leaves(one), strict=True)
        )

    def ordered(order):
        first = {"weights": other[0]["weights"][:, order], "biases": other[0]["biases"][order]}
        return (first, {**other[1], "weights": other[1]["weights"][order]})

    nearest = min(apart(ordered(list(order))) for order in itertools.permutations(range(5)))
    assert apart(matched(network, other, one)) == pytest.approx(nearest)
    assert nearest < apart(other)


@pytest.mark.parametrize(
    "text", ["dense 3", "dense 4 relu, layer_norm, dense 2", "conv 4 3, flatten, dense 3"]
)
def test_other_networks_are_left_alone(text):
    assert hidden_layers(parse(text)) is None
    assert matched(parse("dense 3"), ({"weights": 1},), ({"weights": 2},)) == ({"weights": 1},)
