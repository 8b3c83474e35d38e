"""What every layer is: a frozen value with two halves."""

import copy
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.nn.layer import Layer
from downslope.nn.notation import LAYERS

ONE_OF_EACH = [
    (ds.Dense(3, "tanh"), (4,)),
    (ds.Conv2D(2, 3, "relu"), (4, 5, 2)),
    (ds.MaxPool2D(2), (4, 5, 2)),
    (ds.AveragePool2D(2), (4, 5, 2)),
    (ds.Upsample2D(2), (4, 5, 2)),
    (ds.Flatten(), (4, 5, 2)),
    (ds.Dropout(0.5), (4,)),
    (ds.Embedding(5, 3), (4,)),
    (ds.EmbeddingBag(5, 3, 2), (4,)),
    (ds.LayerNorm(), (4,)),
    (ds.Standardize(), (4, 5, 2)),
    (ds.GroupNorm(2), (4, 5, 2)),
    (ds.Residual([ds.Dense(4, "gelu")]), (4,)),
    (ds.Parallel([ds.Dense(1)], [ds.Dense(2, "elu")]), (4,)),
    (ds.Activate("tanh"), (4,)),
    (ds.GlobalAveragePool2D(), (4, 5, 2)),
    (ds.GlobalMaxPool2D(), (4, 5, 2)),
    (ds.BatchNorm(), (4, 5, 2)),
    (ds.Piecewise(3, 2), (4,)),
    (ds.GroupedDense(2, 3, "relu"), (4,)),
    (ds.Members(2), (4,)),
]
each_layer = pytest.mark.parametrize(
    ("layer", "shape"), ONE_OF_EACH, ids=[type(layer).__name__ for layer, _ in ONE_OF_EACH]
)


def test_no_layer_is_left_out_here():
    assert {type(layer) for layer, _ in ONE_OF_EACH} == set(LAYERS.values())


@each_layer
def test_layers_are_frozen_values(layer, shape):
    assert layer == copy.deepcopy(layer)
    assert hash(layer) == hash(copy.deepcopy(layer))
    for field in dataclasses.fields(layer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(layer, field.name, None)


@each_layer
def test_the_output_has_the_shape_that_was_said(layer, shape):
    parameters = layer.init(jax.random.key(0), shape)
    inputs = np.random.default_rng(0).standard_normal((3, *shape)).astype(np.float32)
    for key in (None, jax.random.key(1)):
        pre_activations = layer.weighted_sum(parameters, jnp.asarray(inputs), key)
        assert pre_activations.shape == (3, *layer.output_shape(shape))
        assert layer.activate(pre_activations).shape == pre_activations.shape
        assert pre_activations.dtype == jnp.float32


@each_layer
def test_forward_is_the_activation_of_the_weighted_sum(layer, shape):
    parameters = layer.init(jax.random.key(0), shape)
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((3, *shape)), jnp.float32)
    key = jax.random.key(1)
    halves = layer.activate(layer.weighted_sum(parameters, inputs, key))
    np.testing.assert_array_equal(layer.forward(parameters, inputs, key), halves)


def test_the_base_of_layers_is_no_layer():
    with pytest.raises(TypeError, match="abstract"):
        Layer()
