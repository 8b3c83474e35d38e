"""The product with a fast slope is the plain product, and its slopes are the plain slopes."""

import jax
import numpy as np
import pytest

from downslope.network import products


@pytest.mark.parametrize("largest", [0, 1 << 20])
def test_values_and_slopes_are_those_of_the_plain_product(largest, monkeypatch):
    monkeypatch.setattr(products, "LARGEST", largest)
    rng = np.random.default_rng(0)
    inputs, weights, slope = (
        rng.normal(size=shape).astype(np.float32) for shape in ((7, 5), (5, 3), (7, 3))
    )
    value, pullback = jax.vjp(products.product, inputs, weights)
    np.testing.assert_allclose(value, inputs @ weights, rtol=1e-5)
    to_inputs, to_weights = pullback(slope)
    np.testing.assert_allclose(to_inputs, slope @ weights.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(to_weights, inputs.T @ slope, rtol=1e-5, atol=1e-6)
