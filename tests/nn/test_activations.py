"""Each activation and its slope against PyTorch, and at the ends of the number line."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.nn.activations import ACTIVATIONS, activation

GRID = np.concatenate([np.linspace(-9, 9, 61) + 0.01, [-800.0, -40.0, 40.0, 800.0]])


@pytest.mark.peers
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes_equal_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    from tests.reference import torch_twin

    pre_activations = np.stack([GRID, np.roll(GRID, 7)])
    pull = np.random.default_rng(0).standard_normal(pre_activations.shape)
    with jax.enable_x64(True):
        ours, pullback = jax.vjp(activation(name), jnp.asarray(pre_activations))
        slopes = pullback(jnp.asarray(pull))[0]
    z = torch_twin.tensor(pre_activations, gradient=True)
    theirs = torch_twin.ACTIVATIONS[name](z)
    theirs.backward(torch.from_numpy(pull))
    np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(slopes, z.grad, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_huge_sums_give_finite_values_and_slopes(name):
    pre_activations = jnp.array([-1e6, -200.0, 0.0, 200.0, 1e6], jnp.float32)
    values, pullback = jax.vjp(activation(name), pre_activations)
    (slopes,) = pullback(jnp.ones_like(pre_activations))
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all()


@pytest.mark.parametrize(("name", "slope"), [("relu", 0.0), ("leaky_relu", 1.0)])
def test_the_slope_at_the_kink_is_as_documented(name, slope):
    assert jax.grad(activation(name))(0.0) == pytest.approx(slope)


def test_softmax_gives_shares():
    fractions = activation("softmax")(jnp.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(fractions.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(fractions[1], 1 / 3, rtol=1e-6)


def test_an_unknown_activation_reads_as_intended():
    with pytest.raises(ds.NetworkError) as caught:
        activation("rellu")
    assert str(caught.value) == (
        "There is no activation called 'rellu'. Expected one of identity, sigmoid, tanh, relu, "
        "leaky_relu, elu, gelu, silu, softplus, softmax. Did you mean 'relu'?"
    )
