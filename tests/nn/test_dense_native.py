"""Dense layers by the native kernel: values, gradients and transformations, against float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.nn.ops import native_calls
from downslope.nn.ops.dense_native import dense
from downslope.nn.ops.native import native

# samples, features, units, ReLU: whole tiles and vectors, and what is left over behind them
CASES = [
    (32, 64, 32, True),
    (32, 32, 10, False),
    (1, 1, 1, True),
    (5, 3, 7, True),
    (37, 301, 67, True),
    (100, 65, 130, False),
    (70, 530, 16, True),  # sums in several parts; one vector of units
    (128, 784, 128, True),  # several threads
    (300, 520, 33, True),
]

needs_kernel = pytest.mark.skipif(not native().is_there, reason=f"native kernel: {native().says}")


@pytest.fixture(autouse=True)
def registered():
    native_calls.covers()


def arrays(case, seed=0):
    samples, features, units, _ = case
    random = np.random.default_rng(seed)
    shapes = (samples, features), (features, units), (units,), (samples, units)
    return [random.normal(size=shape).astype(np.float32) for shape in shapes]


def all_of_it(case, x, w, b, slopes):
    outputs, walk_back = jax.vjp(lambda *a: dense(*a, case[3]), x, w, b)
    return outputs, *walk_back(slopes)


def compare_with_float64(case):
    x, w, b, slopes = arrays(case)
    found = all_of_it(case, x, w, b, slopes)
    x, w, b, slopes = (array.astype(np.float64) for array in (x, w, b, slopes))
    outputs = x @ w + b
    if case[3]:
        slopes = slopes * (outputs > 0)
        outputs = np.maximum(outputs, 0)
    exact = outputs, slopes @ w.T, x.T @ slopes, slopes.sum(0)
    for own, true in zip(found, exact, strict=True):
        np.testing.assert_allclose(own, true, rtol=2e-5, atol=3e-6 * np.abs(true).max())


@needs_kernel
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_float64(case):
    compare_with_float64(case)


@needs_kernel
def test_what_is_not_a_number_is_not_lost_in_relu():
    x, w, b, _ = arrays(CASES[0])
    x[3, 5] = np.nan
    outputs = dense(x, w, b, True)
    assert jnp.isnan(outputs[3]).all()
    assert not jnp.isnan(jnp.delete(outputs, 3, axis=0)).any()


@needs_kernel
@pytest.mark.parametrize("shared", [(), (0,), (1, 2)], ids=["nothing", "inputs", "weights"])
def test_several_networks_side_by_side(shared):
    case = CASES[3]
    members = [arrays(case, seed) for seed in range(3)]
    stacked = [
        members[0][index] if index in shared else np.stack([own[index] for own in members])
        for index in range(4)
    ]
    axes = [None if index in shared else 0 for index in range(4)]
    together = jax.jit(jax.vmap(lambda *a: all_of_it(case, *a), axes))(*stacked)
    for number, own in enumerate(members):
        mixed = [members[0][index] if index in shared else own[index] for index in range(4)]
        for one, alone in zip(together, all_of_it(case, *mixed), strict=True):
            np.testing.assert_array_equal(one[number], alone)


@needs_kernel
def test_networks_by_samples_side_by_side():
    samples = [arrays(CASES[3], seed)[0] for seed in range(2)]
    weights = [arrays(CASES[3], seed)[1] for seed in range(3)]
    biases = arrays(CASES[3])[2]
    every = jax.vmap(lambda w: jax.vmap(lambda x: dense(x, w, biases, True))(np.stack(samples)))
    found = every(np.stack(weights))
    for i, w in enumerate(weights):
        for j, x in enumerate(samples):
            np.testing.assert_array_equal(found[i, j], dense(x, w, biases, True))


@needs_kernel
@pytest.mark.parametrize("case", [CASES[1], CASES[3]])
def test_derivatives_of_derivatives(case):
    x, w, b, _ = arrays(case)

    def plain(x, w, b, rectify):
        return jax.nn.relu(x @ w + b) if rectify else x @ w + b

    def second(layer):
        def slope(x, w, b):
            return jax.grad(lambda *a: jnp.sum(jnp.tanh(layer(*a, case[3]))), (0, 1, 2))(x, w, b)

        turned = x[::-1], w[::-1], b[::-1]
        return jax.jvp(slope, (x, w, b), turned)[1], jax.vjp(slope, x, w, b)[1](turned)

    for own, other in zip(
        jax.tree.leaves(second(dense)), jax.tree.leaves(second(plain)), strict=True
    ):
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4 * float(np.abs(other).max()))


@needs_kernel
def test_the_same_bits_each_time():
    made = arrays((256, 500, 200, True))
    first = all_of_it((256, 500, 200, True), *made)
    for _ in range(20):
        for one, other in zip(first, all_of_it((256, 500, 200, True), *made), strict=True):
            assert (one == other).all()


def test_a_kernel_that_the_engine_takes_is_told_as_used():
    assert native_calls.used() == native()


@needs_kernel
def test_a_kernel_that_the_engine_does_not_take_is_not_told_as_used(monkeypatch):
    monkeypatch.setattr(native_calls, "_is_registered", lambda: False)
    assert native_calls.used() == (
        False, "built for another version of jaxlib; install Downslope again",
    )  # fmt: skip
