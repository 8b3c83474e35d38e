"""Pooling: values and gradients against PyTorch, odd sizes, ties and transformations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from downslope.nn.ops.pooling import average_pool, max_pool, upsample

CASES = [(4, 6, 2), (5, 7, 2), (7, 8, 3), (6, 5, 5), (3, 4, 1)]


@pytest.fixture(autouse=True)
def _precise():
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        yield


def _pictures(height, width, dtype=np.float64):
    return np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(dtype)


@pytest.mark.peers
@pytest.mark.parametrize("name", ["max", "average"])
@pytest.mark.parametrize(("height", "width", "size"), CASES)
def test_pooling_matches_pytorch(name, height, width, size):
    torch = pytest.importorskip("torch")
    x = _pictures(height, width)
    ours = {"max": max_pool, "average": average_pool}[name]
    theirs = {"max": torch.nn.functional.max_pool2d, "average": torch.nn.functional.avg_pool2d}
    y, pull = jax.vjp(jax.jit(lambda x: ours(x, size)), x)
    tx = torch.tensor(x.transpose(0, 3, 1, 2), requires_grad=True)
    ty = theirs[name](tx, size)
    g = np.random.default_rng(1).normal(size=y.shape)
    ty.backward(torch.tensor(g.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(y, ty.detach().numpy().transpose(0, 2, 3, 1), rtol=1e-12)
    (slope,) = pull(jnp.asarray(g))
    np.testing.assert_allclose(slope, tx.grad.numpy().transpose(0, 2, 3, 1), rtol=1e-12)


def test_first_of_equal_values_gets_the_gradient():
    x = jnp.array([[0.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]])[None, :, :, None]
    slope = jax.jit(jax.grad(lambda x: max_pool(x, 2).sum()))(x)[0, :, :, 0]
    np.testing.assert_array_equal(slope, [[0, 1, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("size", [2, 5])
def test_nan_passes_through(size):
    x = np.random.default_rng(0).normal(size=(size * size, size * size))
    np.fill_diagonal(x, np.nan)
    pooled = jax.jit(lambda x: max_pool(x, size))(x.reshape(size * size, size, size, 1))
    assert jnp.isnan(pooled).all()


def test_largest_window_fits_the_index():
    x = jnp.arange(256.0).reshape(1, 16, 16, 1)
    slope = jax.jit(jax.grad(lambda x: max_pool(x, 16).sum()))(x)
    assert slope[0, 15, 15, 0] == slope.sum() == 1


def test_vmap_loop_and_second_order():
    x = np.stack([_pictures(5, 6, np.float32)] * 2)
    x[1] *= -1

    def loss(x):
        return jnp.sum(upsample(max_pool(x, 2), 2) ** 2) + jnp.sum(average_pool(x, 3) ** 2)

    def descend(x):
        def step(state):
            return state[0] + 1, state[1] - np.float32(0.1) * jax.grad(loss)(state[1])

        return lax.while_loop(lambda state: state[0] < 3, step, (0, x))[1]

    mapped = jax.jit(jax.vmap(descend))(x)
    assert mapped.dtype == np.float32
    np.testing.assert_allclose(mapped, np.stack([jax.jit(descend)(p) for p in x]), rtol=1e-5)
    slope = jax.jit(jax.grad(loss))
    forward = jax.jvp(slope, (x[0],), (x[1],))[1]
    (reverse,) = jax.vjp(slope, x[0])[1](jnp.asarray(x[1]))
    np.testing.assert_allclose(forward, reverse, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_upsample_repeats_pixels(factor):
    x = _pictures(3, 4)
    y, pull = jax.vjp(lambda x: upsample(x, factor), x)
    np.testing.assert_array_equal(y, x.repeat(factor, 1).repeat(factor, 2))
    np.testing.assert_allclose(pull(y)[0], factor**2 * x, rtol=1e-12)


def test_wrong_arguments_are_named():
    x = jnp.zeros((1, 4, 20, 1))
    with pytest.raises(ValueError, match="four axes"):
        max_pool(x[0], 2)
    with pytest.raises(ValueError, match="does not fit"):
        average_pool(x, 5)
    with pytest.raises(ValueError, match="eight bits"):
        max_pool(jnp.zeros((1, 20, 20, 1)), 17)
    with pytest.raises(ValueError, match="at least 1"):
        upsample(x, 0)
