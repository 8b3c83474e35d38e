"""The product with a fast slope is the plain product, and its slopes are the plain slopes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.nn.ops import products
from downslope.nn.ops.native import SETTING, native


def test_values_and_slopes_are_those_of_the_plain_product():
    rng = np.random.default_rng(0)
    inputs, weights, slope = (
        rng.normal(size=shape).astype(np.float32) for shape in ((7, 5), (5, 3), (7, 3))
    )
    value, pullback = jax.vjp(products.product, inputs, weights)
    np.testing.assert_allclose(value, inputs @ weights, rtol=1e-5)
    to_inputs, to_weights = pullback(slope)
    np.testing.assert_allclose(to_inputs, slope @ weights.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(to_weights, inputs.T @ slope, rtol=1e-5, atol=1e-6)


def operations(samples, features, units, is_first=False, dtype=np.float32):
    """The names of what a layer of these sizes and its slopes are made of."""
    arrays = [np.ones(shape, dtype) for shape in ((samples, features), (features, units), (units,))]

    def total(inputs, weights, biases):
        return products.dense_product(
            inputs, weights, biases, rectify=True, is_first=is_first
        ).sum()

    return str(jax.make_jaxpr(jax.grad(total, (0, 1, 2)))(*arrays))


@pytest.mark.skipif(not native().is_there, reason="the choice is between two paths")
@pytest.mark.parametrize(
    ("sizes", "is_native"),
    [
        ((32, 64, 32), True),
        ((10, 2, 8), False),  # too small for a call
        ((256, 1024, 1024), False),  # XLA is faster
        ((256, 8192, 10), True),  # but not with few units
    ],
)
def test_the_path_is_chosen_by_size(sizes, is_native, monkeypatch):
    assert ("dense_forward" in operations(*sizes)) is is_native
    monkeypatch.setenv(SETTING, "0")
    assert "dense_forward" not in operations(*sizes)


def test_in_jax_alone_small_hidden_layers_have_a_fast_slope(monkeypatch):
    monkeypatch.setenv(SETTING, "0")
    assert "optimization_barrier" in operations(32, 64, 32)
    assert "optimization_barrier" not in operations(32, 64, 32, is_first=True)
    assert "optimization_barrier" not in operations(64, 1024, 32)


def test_both_paths_give_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=size).astype(np.float32) for size in ((32, 64), (64, 32), 32)]

    def all_of_it():
        def total(*own):
            return jnp.sin(products.dense_product(*own, rectify=True, is_first=False)).sum()

        return jax.value_and_grad(total, (0, 1, 2))(*arrays)

    found = all_of_it()
    monkeypatch.setenv(SETTING, "0")
    for own, other in zip(jax.tree.leaves(found), jax.tree.leaves(all_of_it()), strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4)
