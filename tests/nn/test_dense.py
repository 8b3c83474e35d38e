"""Dense, flatten and dropout."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds


def test_a_dense_layer_is_inputs_times_weights_plus_bias():
    parameters = {"weights": jnp.array([[1.0, 2.0], [3.0, 4.0]]), "biases": jnp.array([0.5, -9.0])}
    inputs = jnp.array([[1.0, 1.0], [2.0, 0.0]])
    layer = ds.Dense(2, "relu")
    np.testing.assert_array_equal(layer.weighted_sum(parameters, inputs), [[4.5, -3], [2.5, -5]])
    np.testing.assert_array_equal(layer.forward(parameters, inputs), [[4.5, 0], [2.5, 0]])


def test_biases_start_at_zero():
    parameters = ds.Dense(7, "relu").init(jax.random.key(0), (3,))
    assert parameters["weights"].shape == (3, 7)
    np.testing.assert_array_equal(parameters["biases"], np.zeros(7))


def test_flatten_keeps_the_order_of_the_values():
    inputs = jnp.arange(24.0).reshape(2, 3, 2, 2)
    np.testing.assert_array_equal(ds.Flatten().forward({}, inputs), np.arange(24.0).reshape(2, 12))


def test_dropout_silences_its_share_and_keeps_the_mean():
    signals = jnp.ones((500, 200))
    left = np.asarray(ds.Dropout(0.3).forward({}, signals, jax.random.key(0)))
    assert (left == 0).mean() == pytest.approx(0.3, abs=0.01)
    np.testing.assert_allclose(left[left != 0], 1 / 0.7, rtol=1e-6)
    assert left.mean() == pytest.approx(1, abs=0.01)


def test_dropout_is_a_pure_function_of_its_key():
    signals, layer = jnp.ones((4, 50)), ds.Dropout(0.5)
    one, same, other = (layer.forward({}, signals, jax.random.key(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_dropout_changes_nothing_outside_of_training():
    signals = jnp.ones((4, 5))
    assert ds.Dropout(0.5).forward({}, signals) is signals
    assert not ds.Dropout(0).is_random
    assert ds.Dropout(0).forward({}, signals, jax.random.key(0)) is signals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ds.Dense(0),
            "Dense has units 0. Expected a whole number of at least 1. Write Dense(units=32).",
        ),
        (
            lambda: ds.Dense(2.5),
            "Dense has units 2.5. Expected a whole number of at least 1. Write Dense(units=32).",
        ),
        (
            lambda: ds.Dense("64"),
            "Dense has units '64', which is text. Expected a whole number of at least 1. Write "
            "Dense(units=64).",
        ),
        (
            lambda: ds.Dense(True),
            "Dense has units True. Expected a whole number of at least 1. Write Dense(units=32).",
        ),
        (
            lambda: ds.Dropout(1),
            "Dropout has rate 1. Expected a fraction of at least 0 and below 1. "
            "0.5 is usual behind dense layers, 0.1 to 0.3 behind convolutions.",
        ),
        (
            lambda: ds.Dropout(-0.1),
            "Dropout has rate -0.1. Expected a fraction of at least 0 and below 1. "
            "0.5 is usual behind dense layers, 0.1 to 0.3 behind convolutions.",
        ),
        (
            lambda: ds.Dropout("half"),
            "Dropout has rate 'half'. Expected a fraction of at least 0 and below 1. "
            "0.5 is usual behind dense layers, 0.1 to 0.3 behind convolutions.",
        ),
    ],
)
def test_wrong_settings_read_as_intended(make, message):
    with pytest.raises(ds.NetworkError) as caught:
        make()
    assert str(caught.value) == message
