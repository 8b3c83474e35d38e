"""Layer and group normalization: statistics of what they make, and PyTorch's opinion."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.nn.fusion import outside_of_training
from downslope.nn.layer import Padded
from downslope.nn.notation import describe


def draw(*shape):
    return np.random.default_rng(0).normal(3, 5, shape)


@pytest.mark.peers
@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (ds.LayerNorm(), (6,)),
        (ds.LayerNorm(), (3, 4, 6)),
        (ds.GroupNorm(3), (6,)),
        (ds.GroupNorm(2), (3, 4, 6)),
        (ds.GroupNorm(1), (3, 4, 6)),
        (ds.GroupNorm(6), (3, 4, 6)),
    ],
)
def test_values_equal_those_of_pytorch(layer, shape):
    pytest.importorskip("torch")
    from tests.reference import torch_twin

    inputs = draw(4, *shape)
    own = {"scale": draw(shape[-1]), "offset": draw(shape[-1]) - 9}
    with jax.enable_x64(True):
        ours = layer.forward(jax.tree.map(jnp.asarray, own), jnp.asarray(inputs))
    theirs = torch_twin.forward(
        ds.Network([layer]), torch_twin.tensors((own,)), torch_twin.tensor(inputs)
    )
    np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-9, atol=1e-9)


def test_a_large_common_offset_costs_few_digits():
    inputs = draw(2, 64).astype(np.float32)
    parameters = ds.LayerNorm().init(jax.random.key(0), (64,))
    near = ds.LayerNorm().forward(parameters, inputs)
    far = ds.LayerNorm().forward(parameters, inputs + np.float32(10_000))
    np.testing.assert_allclose(near, far, atol=2e-3)


def test_constant_signals_stay_finite():
    parameters = ds.GroupNorm(2).init(jax.random.key(0), (4,))
    made = ds.GroupNorm(2).forward(parameters, jnp.full((3, 4), 7.0))
    np.testing.assert_array_equal(made, np.zeros((3, 4)))


def test_groups_that_do_not_divide_read_as_intended():
    with pytest.raises(ds.NetworkError) as caught:
        ds.Network([ds.Flatten(), ds.GroupNorm(4)]).shapes((3, 2))
    assert str(caught.value) == (
        "Layer 2 (GroupNorm) got inputs of shape (6,). Expected a number of channels that 4 "
        "divides. Choose another number of groups."
    )


def test_standardize_makes_each_sample_alike_whatever_its_light():
    photos = draw(3, 4, 5, 2)
    made = ds.Standardize().forward({}, jnp.asarray(photos * 7 + 100))
    np.testing.assert_allclose(made, ds.Standardize().forward({}, jnp.asarray(photos)), atol=1e-4)
    flat = np.asarray(made).reshape(3, -1)
    np.testing.assert_allclose(flat.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(flat.std(1), 1, rtol=1e-4)


def _padded(photos, sizes):
    return Padded(jnp.asarray(photos), jnp.asarray(sizes, jnp.float32))


def test_batch_statistics_leave_padding_out():
    photos = draw(2, 4, 6, 3).astype(np.float32)
    inside = np.concatenate([photos[0].reshape(-1, 3), photos[1, :3, :2].reshape(-1, 3)])
    layer = ds.BatchNorm()
    own = layer.init(jax.random.key(0), (4, 6, 3))
    made = layer.padded_sum(own, _padded(photos, [[4, 6], [3, 2]]), jax.random.key(0))
    expected = (photos - inside.mean(0)) / np.sqrt(inside.var(0) + 1e-5)
    np.testing.assert_allclose(made.values[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(made.values[1, :3, :2], expected[1, :3, :2], atol=1e-5)


def test_outside_of_training_a_batch_norm_is_folded_into_the_layer_before_it():
    chain = "conv 4 3, batch_norm, relu, max_pool 2, residual (conv 4 3, batch_norm, relu), "
    network = ds.parse_network(chain + "flatten, batch_norm, dense 3, batch_norm 0.5, softmax")
    drawn = network.init((6, 6, 2), seed=1)
    rng = np.random.default_rng(0)
    parameters = jax.tree.map(lambda one: one + rng.uniform(0, 1, one.shape), drawn)
    folded, own = outside_of_training(network, parameters)
    assert describe(folded) == (
        "conv 4 3 relu, max_pool 2, residual (conv 4 3 relu), flatten, batch_norm, dense 3 softmax"
    )
    inputs = draw(5, 6, 6, 2).astype(np.float32)
    np.testing.assert_allclose(
        folded.forward(own, inputs), network.forward(parameters, inputs), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("momentum", [0, 1.5, True, "much"])
def test_a_momentum_out_of_range_is_refused(momentum):
    with pytest.raises(ds.NetworkError, match="above 0 and at most 1"):
        ds.BatchNorm(momentum)
