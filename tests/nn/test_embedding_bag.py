"""The mean of learnt vectors of a message's words."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import downslope as ds
from downslope.errors import NetworkError
from downslope.nn.layer import Misfit

WEIGHTS = jnp.array([[9.0, 9.0], [1.0, 2.0], [3.0, 6.0]])


def test_the_rows_of_the_last_inputs_are_averaged_and_0_is_no_row():
    inputs = jnp.array([[7.0, 1.0, 2.0, 0.0], [8.0, 2.0, 2.0, 1.0], [5.0, 0.0, 0.0, 0.0]])
    layer = ds.EmbeddingBag(3, 2, size=3)
    found = layer.forward({"weights": WEIGHTS}, inputs)
    np.testing.assert_allclose(found, [[2, 4, 7], [7 / 3, 14 / 3, 8], [0, 0, 5]], rtol=1e-6)
    assert layer.output_shape((4,)) == (3,)


def test_indices_out_of_range_are_the_nearest_and_one_that_is_not_finite_gives_nan():
    layer = ds.EmbeddingBag(3, 2, size=1)
    inputs = jnp.array([[99.0], [-4.0], [0.9], [jnp.nan], [jnp.inf]])
    found = layer.forward({"weights": WEIGHTS}, inputs)
    np.testing.assert_array_equal(found[:, 0], [3, 0, 1, np.nan, np.nan])


@pytest.mark.peers
def test_value_and_gradient_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    layer = ds.EmbeddingBag(50, 4, size=20)
    weights = np.asarray(layer.init(jax.random.key(0), (21,))["weights"])
    inputs = rng.integers(0, 50, (8, 21)).astype(np.float32)
    inputs[2, 1:] = 0
    pull = rng.normal(size=(8, 5)).astype(np.float32)

    def total(weights):
        return (layer.forward({"weights": weights}, jnp.asarray(inputs)) * pull).sum()

    bag = torch.nn.EmbeddingBag.from_pretrained(
        torch.tensor(weights), freeze=False, mode="mean", padding_idx=0
    )
    indices = torch.tensor(inputs[:, 1:]).long()
    theirs = (torch.cat([bag(indices), torch.tensor(inputs[:, :1])], 1) * torch.tensor(pull)).sum()
    theirs.backward()
    ours, gradient = jax.value_and_grad(total)(weights)
    np.testing.assert_allclose(ours, theirs.item(), rtol=1e-5)
    np.testing.assert_allclose(gradient, bag.weight.grad.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(gradient[0], np.zeros(4))


def test_first_weights_are_small_and_those_of_no_word_zero():
    weights = np.asarray(ds.EmbeddingBag(400, 8, 3).init(jax.random.key(1), (4,))["weights"])
    np.testing.assert_array_equal(weights[0], np.zeros(8))
    assert weights[1:].std() == pytest.approx(0.05, rel=0.05)


def test_too_few_inputs_and_images_and_no_size():
    for shape in [(2,), (4, 4, 1)]:
        with pytest.raises(Misfit):
            ds.EmbeddingBag(3, 1, size=3).output_shape(shape)
    with pytest.raises(NetworkError):
        ds.EmbeddingBag(3, 1, size=0)
