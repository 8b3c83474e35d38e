"""Short cuts and branches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds


def test_residual_adds_the_inputs_to_what_its_layers_make():
    inner = [ds.Dense(6, "tanh"), ds.Dense(4)]
    layer = ds.Residual(inner)
    parameters = layer.init(jax.random.key(0), (4,))
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((3, 4)), jnp.float32)
    made = inputs
    for index, one in enumerate(inner, start=1):
        made = one.forward(parameters[str(index)], made)
    np.testing.assert_allclose(layer.forward(parameters, inputs), inputs + made, rtol=1e-6)


def test_parallel_joins_its_branches_by_channel():
    branches = [ds.Conv2D(2, 3, "relu")], [ds.Conv2D(3, 1), ds.Conv2D(1, 1)]
    layer = ds.Parallel(*branches)
    parameters = layer.init(jax.random.key(0), (4, 5, 2))
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((3, 4, 5, 2)), jnp.float32)
    made = layer.forward(parameters, inputs)
    assert made.shape == (3, 4, 5, 3)
    first = branches[0][0].forward(parameters["1"]["1"], inputs)
    np.testing.assert_allclose(made[..., :2], first, rtol=1e-6)


def test_inner_layers_are_drawn_independently():
    parameters = ds.Parallel([ds.Dense(3)], [ds.Dense(3)]).init(jax.random.key(0), (3,))
    assert (parameters["1"]["1"]["weights"] != parameters["2"]["1"]["weights"]).all()


def test_inner_dropouts_silence_independently():
    layer = ds.Parallel([ds.Dropout(0.5)], [ds.Residual([ds.Dropout(0.5)])])
    assert layer.is_random
    assert not ds.Parallel([ds.Flatten()], [ds.LayerNorm()]).is_random
    parameters = layer.init(jax.random.key(0), (200,))
    made = np.asarray(layer.forward(parameters, jnp.ones((1, 200)), jax.random.key(1)))
    assert ((made[0, :200] == 0) != (made[0, 200:] == 1)).any()


def test_one_layer_needs_no_brackets():
    assert ds.Residual(ds.Dense(3)) == ds.Residual([ds.Dense(3)])
    one, other = ds.Dense(3), ds.Dense(4)
    assert ds.Parallel(one, other) == ds.Parallel([one], [other])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ds.Residual([]),
            "Residual was given no layers. Expected at least one. Add a layer to it.",
        ),
        (
            lambda: ds.Residual([3]),
            "A layer in Residual is 3. Expected a layer such as Dense(10), or an object with the "
            "methods output_shape, init, forward. Call the layer's class with its settings.",
        ),
        (
            lambda: ds.Parallel([ds.Flatten()]),
            "Parallel was given 1 branches. Expected at least two. "
            "Write e.g. Parallel([Conv2D(8, 3)], [Conv2D(8, 5)]).",
        ),
        (
            lambda: ds.Network([ds.Residual([ds.Dense(3)])]).shapes((4,)),
            "Layer 1 (Residual) got inputs of shape (4,). Expected inner layers that keep the "
            "shape (4,), while they make (3,) of it. Give its last inner layer as many units as "
            "the residual layer has inputs.",
        ),
        (
            lambda: ds.Network([ds.Parallel([ds.MaxPool2D()], [ds.Conv2D(1)])]).shapes((4, 4, 1)),
            "Layer 1 (Parallel) got inputs of shape (4, 4, 1). Expected branches that agree in "
            "height and width, while they make [(2, 2, 1), (4, 4, 1)]. "
            "Pool or stride by the same factor in every branch.",
        ),
    ],
)
def test_mistakes_read_as_intended(make, message):
    with pytest.raises(ds.NetworkError) as caught:
        make()
    assert str(caught.value) == message
