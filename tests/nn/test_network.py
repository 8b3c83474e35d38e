"""A network: drawn from a seed, checked for shape, open to be looked into."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings

import downslope as ds
from downslope.nn.network import count_parameters
from tests.reference import drawing

NETWORK = ds.Network([ds.Dense(5, "tanh"), ds.Dropout(0.5), ds.Dense(3, "softmax")])


def equal(one, other) -> bool:
    return all(jax.tree.leaves(jax.tree.map(np.array_equal, one, other)))


def test_the_first_weights_are_a_pure_function_of_the_seed():
    assert equal(NETWORK.init((4,), seed=7), NETWORK.init((4,), seed=7))
    drawn = [np.asarray(NETWORK.init((4,), seed=seed)[0]["weights"]) for seed in range(4)]
    assert len({one.tobytes() for one in drawn}) == 4


def test_the_layers_are_drawn_independently():
    first, second = ds.Network([ds.Dense(4), ds.Dense(4)]).init((4,))
    assert (first["weights"] != second["weights"]).all()


def test_a_layer_added_at_the_end_leaves_the_others_as_they_were():
    longer = ds.Network([*NETWORK.layers, ds.Dense(2)])
    assert equal(longer.init((4,))[:3], NETWORK.init((4,)))


@settings(max_examples=15)
@given(drawing.networks(drawing.FLAT_SHAPES))
def test_signals_are_what_forward_computes(drawn):
    network, shape = drawn
    parameters = network.init(shape)
    inputs = jnp.asarray(np.random.default_rng(0).standard_normal((3, *shape)), jnp.float32)
    signals = network.signals(parameters, inputs)
    before = inputs
    for index, (layer, signal) in enumerate(zip(network.layers, signals, strict=True)):
        assert signal.layer == f"{index + 1} {type(layer).__name__}"
        np.testing.assert_array_equal(
            signal.pre_activations, layer.weighted_sum(parameters[index], before)
        )
        np.testing.assert_array_equal(signal.activations, layer.activate(signal.pre_activations))
        assert signal.pre_activations.shape == (3, *network.shapes(shape)[index])
        before = signal.activations
    np.testing.assert_array_equal(before, network.forward(parameters, inputs))


def test_two_dropouts_of_one_network_silence_independently():
    network = ds.Network([ds.Dropout(0.5), ds.Dropout(0.5)])
    signals = network.forward(({}, {}), jnp.ones((1, 4000)), jax.random.key(0))
    assert (np.asarray(signals) == 4).mean() == pytest.approx(0.25, abs=0.03)
    seen = network.signals(({}, {}), jnp.ones((1, 4000)), jax.random.key(0))
    np.testing.assert_array_equal(seen[-1].activations, signals)


def test_weights_and_biases_are_counted():
    assert count_parameters(NETWORK.init((4,))) == (4 * 5 + 5) + (5 * 3 + 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ds.Network([]),
            "Network was given []. Expected a list of at least one layer. "
            "Write e.g. Network([Dense(32, 'relu'), Dense(10)]).",
        ),
        (
            lambda: ds.Network(ds.Dense(3)),
            "Network was given Dense(units=3, activation='identity', initializer='auto'). "
            "Expected a list of at least one layer. "
            "Write e.g. Network([Dense(32, 'relu'), Dense(10)]).",
        ),
        (
            lambda: ds.Network([ds.Dense(3), 10]),
            "Layer 2 is 10. Expected a layer such as Dense(10), or an object with the methods "
            "output_shape, init, forward. Call the layer's class with its settings.",
        ),
        (
            lambda: ds.Network([ds.Conv2D(3), ds.Dense(3)]).init((4, 4, 1)),
            "Layer 2 (Dense) got inputs of shape (4, 4, 3). Expected a flat list of numbers, "
            "(features,). Put a Flatten layer before it.",
        ),
        (
            lambda: ds.Network([ds.Conv2D(3)]).init((64,)),
            "Layer 1 (Conv2D) got inputs of shape (64,). Expected images, (height, width, "
            "channels). Use dense layers for flat inputs, or give the inputs as images.",
        ),
        (
            lambda: ds.Network([ds.Conv2D(3, 3, dilation=2, padding="valid")]).init((4, 9, 1)),
            "Layer 1 (Conv2D) got inputs of shape (4, 9, 1). Expected images of at least 5 x 5 "
            "pixels. Use padding='same', a smaller size, or fewer pooling layers before it.",
        ),
        (
            lambda: ds.Network([ds.MaxPool2D(2), ds.MaxPool2D(3)]).init((4, 9, 1)),
            "Layer 2 (MaxPool2D) got inputs of shape (2, 4, 1). Expected images of at least "
            "3 x 3 pixels. Remove this pooling layer, or start from larger images.",
        ),
    ],
)
def test_mistakes_read_as_intended(make, message):
    with pytest.raises(ds.NetworkError) as caught:
        make()
    assert str(caught.value) == message
