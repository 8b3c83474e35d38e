"""The choice between the two paths, and what both have in common."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.convolution_pure import convolve as with_all_taps
from downslope.nn.ops.native import SETTING, native


def arrays(dtype=np.float32):
    random = np.random.default_rng(0)
    shapes = (2, 9, 10, 3), (3, 3, 3, 5), (5,)
    return [jnp.asarray(random.normal(size=shape), dtype) for shape in shapes]


def is_native(*made, **settings):
    lowered = jax.jit(lambda *a: convolve(*a, **settings)).lower(*made)
    return "downslope_forward" in lowered.as_text()


@pytest.mark.skipif(not native().is_there, reason=f"native kernel: {native().says}")
def test_the_kernel_is_used_for_32_bits_and_left_when_turned_off(monkeypatch):
    assert is_native(*arrays())
    assert is_native(*arrays()[:2])
    assert not is_native(*arrays(np.float16))
    with jax.enable_x64(True):
        assert not is_native(*arrays(np.float64))
    monkeypatch.setenv(SETTING, "0")
    assert not is_native(*arrays())


@pytest.mark.parametrize("settings", [{}, {"pool": 2}, {"pool": 3, "rectify": True}])
def test_both_paths_and_both_kinds_of_steps_agree(settings, monkeypatch):
    x, w, b = arrays()
    first = convolve(x, w, b, **settings)
    monkeypatch.setenv(SETTING, "0")
    np.testing.assert_allclose(first, convolve(x, w, b, **settings), rtol=1e-5, atol=1e-5)
    without = convolve(x, w, **settings | {"rectify": False}) + b
    if settings.get("rectify"):
        without = jnp.maximum(without, 0)
    np.testing.assert_allclose(first, without, rtol=1e-5, atol=1e-5)


def test_wrong_arguments_are_named():
    x, w = jnp.zeros((1, 4, 4, 2)), jnp.zeros((3, 3, 2, 1))
    with pytest.raises(ValueError, match="four axes"):
        convolve(x[0], w)
    with pytest.raises(ValueError, match="channels"):
        convolve(x[..., :1], w)
    with pytest.raises(ValueError, match="at least 1"):
        convolve(x, w, stride=0)
    with pytest.raises(ValueError, match="padding"):
        convolve(x, w, padding="full")
    with pytest.raises(ValueError, match="spans"):
        convolve(x, w, dilation=2, padding="valid")
    with pytest.raises(ValueError, match="windows of 5"):
        convolve(x, w, pool=5)


@pytest.mark.parametrize("side", [(1, 1), (2, 3), (5, 4), (1, 9)])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 7])
def test_taps_that_meet_only_zeros_are_left_out(side, size, stride):
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(2, *side, 3)), jnp.float32)
    w = jnp.asarray(random.normal(size=(size, size, 3, 2)), jnp.float32)
    for dilation in (1, 2, 3, 7, 11):
        span = (size - 1) * dilation + 1
        total = [max((-(-one // stride) - 1) * stride + span - one, 0) for one in side]
        pads = tuple((one // 2, one - one // 2) for one in total)
        whole = with_all_taps(x, w, stride, dilation, pads)
        ours = convolve(x, w, stride=stride, dilation=dilation)
        np.testing.assert_allclose(ours, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("path", ["0", ""])
@pytest.mark.parametrize("dilation", [10**5, 10**9, 2**31 - 1])
def test_taps_without_end_cost_nothing(dilation, path, monkeypatch):
    monkeypatch.setenv(SETTING, path)
    x, w = jnp.ones((2, 28, 28, 3)), jnp.ones((3, 3, 3, 4))
    total, slope = jax.value_and_grad(lambda w: convolve(x, w, dilation=dilation).sum())(w)
    assert total == 2 * 28 * 28 * 3 * 4  # of the middle tap alone
    assert slope[1, 1].min() == slope.max() == 2 * 28 * 28
    assert slope[0, 0].max() == 0
