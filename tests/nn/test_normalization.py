"""Layer and group normalization: statistics of what they make, and PyTorch's opinion."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds


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
