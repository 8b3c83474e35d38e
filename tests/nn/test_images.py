"""Layers for images: their shapes, and what they refuse. Their arithmetic is tested beside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import downslope as ds
from downslope.nn.layer import Misfit, Padded


@settings(max_examples=40)
@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    size=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.sampled_from(["same", "valid"]),
)
def test_a_convolution_makes_the_shape_that_it_says(height, width, size, stride, dilation, padding):
    layer = ds.Conv2D(3, size, stride=stride, dilation=dilation, padding=padding)
    reach = (size - 1) * dilation + 1
    if padding == "valid" and min(height, width) < reach:
        with pytest.raises(Misfit):
            layer.output_shape((height, width, 2))
        assume(False)
    parameters = layer.init(jax.random.key(0), (height, width, 2))
    made = jax.eval_shape(layer.forward, parameters, np.zeros((4, height, width, 2), np.float32))
    assert made.shape == (4, *layer.output_shape((height, width, 2)))
    if padding == "same":
        assert made.shape[1:3] == (-(-height // stride), -(-width // stride))


def test_a_convolution_draws_one_kernel_per_channel_and_zero_biases():
    parameters = ds.Conv2D(5, 3).init(jax.random.key(0), (8, 8, 2))
    assert parameters["weights"].shape == (3, 3, 2, 5)
    np.testing.assert_array_equal(parameters["biases"], np.zeros(5))


def test_a_convolution_of_one_pixel_is_a_dense_layer_at_each_pixel():
    inputs = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    conv, dense = ds.Conv2D(6, 1, "tanh"), ds.Dense(6, "tanh")
    parameters = conv.init(jax.random.key(0), (3, 4, 5))
    flat = {"weights": parameters["weights"][0, 0], "biases": parameters["biases"] + 1}
    made = conv.forward({**parameters, "biases": flat["biases"]}, inputs)
    expected = dense.forward(flat, inputs.reshape(-1, 5)).reshape(2, 3, 4, 6)
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pool", [ds.MaxPool2D, ds.AveragePool2D])
def test_pooling_cuts_off_what_fills_no_window(pool):
    assert pool(2).output_shape((5, 8, 3)) == (2, 4, 3)


@pytest.mark.parametrize("pool", [ds.GlobalAveragePool2D(), ds.GlobalMaxPool2D()])
def test_global_pooling_sees_each_photo_without_its_padding(pool):
    photos = np.random.default_rng(0).normal(-3, 1, (2, 4, 6, 5)).astype(np.float32)
    padded = Padded(jnp.asarray(photos), jnp.array([[4.0, 6.0], [3.0, 2.0]]))
    alone = [pool.forward({}, one) for one in (photos[:1], photos[1:, :3, :2])]
    np.testing.assert_allclose(pool.padded_sum({}, padded), np.concatenate(alone), rtol=1e-6)


def test_a_depthwise_convolution_sees_each_channel_by_itself():
    image = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype(np.float32)
    layer = ds.Conv2D(6, 3, groups=3)
    own = layer.init(jax.random.key(0), image.shape[1:])
    assert own["weights"].shape == (3, 3, 1, 6)
    for channel in range(3):
        weights = own["weights"][..., 2 * channel : 2 * channel + 2]
        alone = {"weights": weights, "biases": own["biases"][:2]}
        expected = ds.Conv2D(2, 3).forward(alone, image[..., channel : channel + 1])
        made = layer.forward(own, image)[..., 2 * channel : 2 * channel + 2]
        np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_pooling_and_enlarging_by_hand():
    image = np.array([[1, 2], [3, 6]], np.float32)[None, :, :, None]
    assert ds.MaxPool2D(2).forward({}, image).item() == 6
    assert ds.AveragePool2D(2).forward({}, image).item() == 3
    np.testing.assert_array_equal(
        ds.Upsample2D(2).forward({}, image)[0, :, :, 0],
        [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 6, 6], [3, 3, 6, 6]],
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ds.Conv2D(0),
            "Conv2D has channels 0. Expected a whole number of at least 1. "
            "Write Conv2D(channels=16).",
        ),
        (
            lambda: ds.Conv2D(4, stride=0),
            "Conv2D has stride 0. Expected a whole number of at least 1. Write Conv2D(stride=2).",
        ),
        (
            lambda: ds.Conv2D(4, groups=3),
            "Conv2D has 4 channels in 3 groups. Expected a number of channels that the groups "
            "divide. Choose another number of groups.",
        ),
        (
            lambda: ds.Conv2D(4, padding="full"),
            "Conv2D has padding 'full'. Expected 'same' or 'valid'. "
            "Use 'same' to keep the image's size.",
        ),
        (
            lambda: ds.MaxPool2D(0),
            "MaxPool2D has size 0. Expected a whole number of at least 1. Write MaxPool2D(size=2).",
        ),
        (
            lambda: ds.MaxPool2D(17),
            "MaxPool2D has size 17. Expected a whole number of at most 16. "
            "Write MaxPool2D(size=2).",
        ),
        (
            lambda: ds.Conv2D(3, 10**12),
            "Conv2D has size 1000000000000. Expected a whole number of at most 2,147,483,647. "
            "Write Conv2D(size=2).",
        ),
        (
            lambda: ds.Upsample2D(10**5000),
            "Upsample2D has factor a number of about 4,983 digits. "
            "Expected a whole number of at most 2,147,483,647. Write Upsample2D(factor=2).",
        ),
        (
            lambda: ds.Network([ds.Conv2D(3, dilation=100_000)]).shapes((28, 28, 1)),
            "Layer 1 (Conv2D) got inputs of shape (28, 28, 1). Expected patches of at most "
            "128 x 128 pixels, while size 3 and dilation 100000 reach over 200001. "
            "Choose a smaller dilation: what lies so far outside is zero.",
        ),
        (
            lambda: ds.Upsample2D(-1),
            "Upsample2D has factor -1. Expected a whole number of at least 1. "
            "Write Upsample2D(factor=2).",
        ),
    ],
)
def test_wrong_settings_read_as_intended(make, message):
    with pytest.raises(ds.NetworkError) as caught:
        make()
    assert str(caught.value) == message
