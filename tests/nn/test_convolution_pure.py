"""Convolution: values, gradients and transformations, against float64 PyTorch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.convolution_pure import _form
from downslope.nn.ops.native import SETTING

# pictures, height, width, channels, outputs, kernel height, width, stride, dilation, padding
SHAPES = [
    (2, 9, 8, 1, 4, 5, 5, 1, 1, "same"),
    (2, 9, 8, 3, 32, 3, 3, 1, 1, "same"),
    (2, 7, 8, 2, 18, 2, 4, 1, 1, "same"),
    (2, 9, 8, 6, 3, 3, 1, 1, 1, "valid"),
    (2, 9, 11, 5, 4, 3, 3, 1, 2, "same"),
    (2, 9, 11, 3, 4, 3, 2, 1, 3, "valid"),
    (2, 5, 6, 4, 7, 1, 1, 1, 1, "same"),
    (2, 5, 6, 4, 7, 1, 1, 2, 1, "valid"),
    (2, 5, 6, 32, 64, 3, 3, 1, 1, "same"),
    (2, 5, 7, 64, 33, 3, 3, 1, 2, "same"),
    (2, 48, 50, 3, 17, 5, 5, 1, 1, "same"),
    (2, 48, 50, 5, 33, 3, 3, 1, 2, "valid"),
    (2, 9, 8, 3, 5, 3, 3, 2, 1, "same"),
    (2, 10, 12, 3, 5, 5, 4, 3, 1, "valid"),
    (2, 11, 12, 3, 5, 3, 3, 2, 2, "same"),
    (2, 9, 10, 3, 5, 2, 2, 4, 1, "same"),
]


@pytest.fixture(autouse=True)
def _precise(monkeypatch):
    monkeypatch.setenv(SETTING, "0")
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        yield


def _arrays(shape, dtype=np.float64):
    n, h, w, c, k, kh, kw, *_ = shape
    random = np.random.default_rng(0)
    x = random.normal(size=(n, h, w, c)).astype(dtype)
    return x, random.normal(size=(kh, kw, c, k)).astype(dtype)


def _call(shape):
    stride, dilation, padding = shape[7:]
    return lambda x, w: convolve(x, w, stride=stride, dilation=dilation, padding=padding)


def _plain(shape):
    """Give XLA's own convolution, whose gradients are derived, for comparison."""
    stride, dilation, padding = shape[7:]
    return lambda x, w: lax.conv_general_dilated(
        x,
        w,
        (stride, stride),
        padding.upper(),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _pullback(function, x, w, g):
    return jax.vjp(function, x, w)[1](g)


def _close(left, right, tolerance=1e-10):
    for a, b in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())


@pytest.mark.peers
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_match_pytorch(shape):
    torch = pytest.importorskip("torch")
    x, w = _arrays(shape)
    stride, dilation, padding = shape[7:]
    g = np.random.default_rng(1).normal(size=jax.eval_shape(_call(shape), x, w).shape)
    y, slopes = jax.jit(lambda *a: (_call(shape)(*a[:2]), _pullback(_call(shape), *a)))(x, w, g)

    tx = torch.tensor(x.transpose(0, 3, 1, 2), requires_grad=True)
    tw = torch.tensor(w.transpose(3, 2, 0, 1), requires_grad=True)
    around = []
    for size, taps in zip(x.shape[2:0:-1], w.shape[1::-1], strict=True):
        total = max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
        around += [total // 2, total - total // 2] if padding == "same" else [0, 0]
    padded = torch.nn.functional.pad(tx, around)
    ty = torch.nn.functional.conv2d(padded, tw, stride=stride, dilation=dilation)
    ty.backward(torch.tensor(g.transpose(0, 3, 1, 2)))

    _close(y, ty.detach().numpy().transpose(0, 2, 3, 1))
    gradients = tx.grad.numpy().transpose(0, 2, 3, 1), tw.grad.numpy().transpose(2, 3, 1, 0)
    _close(slopes, gradients)


def test_values_match_sums_in_numpy():
    shape = (2, 6, 7, 3, 4, 3, 2, 1, 2, "valid")
    x, w = _arrays(shape)
    expected = np.zeros((2, 2, 5, 4))
    for i in range(3):
        for j in range(2):
            expected += x[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 5] @ w[i, j]
    _close(convolve(jnp.asarray(x), jnp.asarray(w), dilation=2, padding="valid"), expected)


def test_the_shapes_reach_every_form():
    forms = set()
    for _, h, w, c, k, kh, kw, stride, *_ in SHAPES:
        forms |= {(g, _form(h * w, (kh, kw, c, k), stride, g)) for g in (False, True)}
    values = {(False, name) for name in ("product", "native", "wide", "rows")}
    assert forms == values | {(True, name) for name in ("product", "native", "columns")}


@pytest.mark.parametrize("shape", [SHAPES[i] for i in (0, 8, 11, 12)])
def test_vmap_and_float32(shape):
    shape = (2, *shape[1:])
    x, w = _arrays(shape, np.float32)
    x, w = np.stack([x, x[::-1]]), np.stack([w, -2 * w])
    g = np.ones((2, *jax.eval_shape(_call(shape), x[0], w[0]).shape), np.float32)
    mapped = jax.jit(jax.vmap(lambda *a: _pullback(_call(shape), *a)))(x, w, g)
    assert mapped[0].dtype == mapped[1].dtype == np.float32
    plain = jax.jit(lambda *a: _pullback(_plain(shape), *a))
    single = [plain(x[i], w[i], g[i]) for i in (0, 1)]
    _close(mapped, jax.tree.map(lambda *a: np.stack(a), *single), 1e-4)
    # Several networks over the same pictures.
    shared = jax.jit(jax.vmap(lambda w: _call(shape)(x[0], w)))(w)
    _close(shared, np.stack([_plain(shape)(x[0], w[i]) for i in (0, 1)]), 1e-4)


@pytest.mark.parametrize("shape", [SHAPES[i] for i in (8, 11, 12)])
def test_training_in_a_while_loop(shape):
    x, w = _arrays(shape)

    def train(function):
        def step(state):
            count, kernel = state
            slope = jax.grad(lambda v: jnp.mean(function(x, v) ** 2))(kernel)
            return count + 1, kernel - 0.01 * slope

        def run(steps):
            return lax.while_loop(lambda state: state[0] < steps, step, (0, jnp.asarray(w)))[1]

        return jax.jit(run)(3)

    _close(train(_call(shape)), train(_plain(shape)))


@pytest.mark.parametrize("shape", [SHAPES[i] for i in (0, 8, 11)])
def test_second_order(shape):
    x, w = _arrays(shape)

    def products(function):
        def slope(w):
            return jax.grad(lambda w: jnp.sum(jnp.tanh(0.1 * function(x, w))))(w)

        forward = jax.jvp(slope, (w,), (w[::-1],))[1]
        reverse = jax.vjp(slope, w)[1](jnp.asarray(w[::-1]))
        return forward, reverse[0]

    products = jax.jit(products, static_argnums=0)
    _close(products(_call(shape)), products(_plain(shape)))


@pytest.mark.parametrize("shape", [SHAPES[i] for i in (0, 4, 8, 11)])
def test_unused_gradient_of_the_inputs_is_not_computed(shape):
    x, w = _arrays(shape)
    call = _call(shape)

    def work(wanted):
        gradient = jax.grad(lambda x, w: jnp.sum(jnp.sin(call(x, w))), (0, 1))
        compiled = jax.jit(lambda x, w: [gradient(x, w)[i] for i in wanted]).lower(x, w).compile()
        return compiled.cost_analysis()["flops"]

    assert work([1]) < 0.8 * work([0, 1])
