"""Joined layers: the same function, the same gradients, the same parameters."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.nn.fusion import _Joined, fuse
from downslope.nn.notation import parse
from downslope.nn.ops.native import SETTING

TEXTS = [
    "conv 6 3 relu, max_pool 2, layer_norm, conv 5 3 tanh, max_pool 3, flatten, dense 4",
    "conv 6 3 gelu, max_pool 2, conv 3 3 leaky_relu, average_pool 2, conv 2 1",
    "conv 4 3 elu stride=2, max_pool 2, conv 4 3 relu dilation=2, upsample 2, conv 1 1",
    "conv 6 3 relu, max_pool 2, max_pool 2, dropout 0.5, flatten, dense 2",
]
NESTED = ds.Network(
    [
        ds.Residual([ds.Conv2D(2, 3, "relu"), ds.Conv2D(2, 3)]),
        ds.Parallel([ds.Conv2D(3, 3, "sigmoid"), ds.MaxPool2D(2)], [ds.MaxPool2D(2)]),
        ds.Conv2D(1, 1),
    ]
)
NETWORKS = [*map(parse, TEXTS), NESTED]


def of(network, parameters, inputs):
    """Outputs, loss, and the gradients of all weights."""
    key = jax.random.key(3)

    def both(parameters, inputs):
        outputs = network.forward(parameters, inputs, key)
        targets = jnp.zeros_like(outputs)
        found = ds.backpropagate(
            network, parameters, inputs, targets, loss="squared_error", key=key
        )
        return outputs, found.loss, found.gradients

    return jax.jit(both)(parameters, inputs)


@pytest.mark.parametrize("path", ["", "0"])
@pytest.mark.parametrize("network", NETWORKS, ids=range(len(NETWORKS)))
def test_answers_and_gradients_stay(network, path, monkeypatch):
    monkeypatch.setenv(SETTING, path)
    parameters = network.init((14, 12, 2), seed=1)
    inputs = np.random.default_rng(0).normal(size=(3, 14, 12, 2)).astype(np.float32)
    plain = of(network, parameters, inputs)
    joined = of(fuse(network), parameters, inputs)
    assert jax.tree.structure(plain) == jax.tree.structure(joined)
    for one, other in zip(jax.tree.leaves(joined), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_what_can_be_joined_is():
    joined = [
        [layer.pool for layer in fuse(network).layers if isinstance(layer, _Joined)]
        for network in NETWORKS
    ]
    # gelu falls before it rises: its largest activation may come from another sum
    assert joined == [[2, 3], [1, 1, 1], [2, 1, 1], [2], [1]]
    inner = fuse(NESTED).layers[1].branches[0]
    assert isinstance(inner[0], _Joined)
    assert inner[0].pool == 2
    assert len(inner) == 2


@pytest.mark.parametrize("network", NETWORKS, ids=range(len(NETWORKS)))
def test_shapes_and_number_of_layers_stay(network):
    assert len(fuse(network).layers) == len(network.layers)
    assert fuse(network).shapes((14, 12, 2))[-1] == network.shapes((14, 12, 2))[-1]
