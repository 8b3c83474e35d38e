"""Learnt numbers for the values of a category."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.errors import NetworkError
from downslope.nn.layer import Misfit


def test_the_last_input_is_looked_up_and_put_in_front():
    weights = jnp.array([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    inputs = jnp.array([[7.0, 8.0, 2.0], [9.0, 5.0, 0.0]])
    found = ds.Embedding(3, 2).forward({"weights": weights}, inputs)
    np.testing.assert_array_equal(found, [[3, 4, 7, 8], [0, 0, 9, 5]])
    assert ds.Embedding(3, 2).output_shape((3,)) == (4,)


def test_it_is_a_dense_layer_on_one_input_per_value():
    layer = ds.Embedding(6, 3)
    weights = layer.init(jax.random.key(0), (1,))["weights"]
    indices = np.array([0, 5, 2, 2, 1])

    def total(weights):
        outputs = layer.forward({"weights": weights}, jnp.asarray(indices, jnp.float32)[:, None])
        return (outputs**2).sum()

    one_hot = np.eye(6)[indices]
    np.testing.assert_allclose(total(weights), ((one_hot @ weights) ** 2).sum(), rtol=1e-6)
    expected = 2 * one_hot.T @ (one_hot @ np.asarray(weights, np.float64))
    np.testing.assert_allclose(jax.grad(total)(weights), expected, rtol=1e-5, atol=1e-7)


def test_values_never_seen_start_as_nothing_and_others_apart():
    weights = np.asarray(ds.Embedding(400, 8).init(jax.random.key(1), (4,))["weights"])
    np.testing.assert_array_equal(weights[0], np.zeros(8))
    assert weights[1:].std() == pytest.approx(0.05, rel=0.05)


def test_places_out_of_range_are_the_nearest():
    layer = ds.Embedding(3, 1)
    weights = {"weights": jnp.array([[10.0], [20.0], [30.0]])}
    found = layer.forward(weights, jnp.array([[-4.0], [99.0], [0.9]]))
    np.testing.assert_array_equal(found, [[10], [30], [20]])


def test_a_place_that_is_not_finite_is_no_value():
    layer = ds.Embedding(3, 1)
    weights = {"weights": jnp.array([[10.0], [20.0], [30.0]])}
    found = layer.forward(weights, jnp.array([[jnp.nan], [jnp.inf], [-jnp.inf], [1.0]]))
    np.testing.assert_array_equal(found, [[np.nan], [np.nan], [np.nan], [20]])


def test_images_have_no_places():
    with pytest.raises(Misfit):
        ds.Embedding(3, 1).output_shape((4, 4, 1))


def test_no_values():
    with pytest.raises(NetworkError) as caught:
        ds.Embedding(0, 2)
    assert str(caught.value) == (
        "Embedding has values 0. Expected a whole number of at least 1. Write Embedding(values=10)."
    )
