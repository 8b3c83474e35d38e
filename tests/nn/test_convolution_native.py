"""The native kernel: values, gradients and transformations, against float64 and the pure path."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.nn.ops.convolution import convolve
from downslope.nn.ops.native import SETTING, native
from downslope.nn.ops.native_calls import call as native_call
from downslope.nn.ops.native_calls import covers

ROOT = Path(__file__).parents[2]

# pictures, height, width, channels, outputs, kernel height, width, stride, dilation, padding, pool,
# rectify
CASES = [
    (2, 9, 11, 3, 5, 3, 3, 1, 1, "same", 1, True),
    (3, 8, 8, 4, 16, 3, 3, 1, 1, "same", 2, True),
    (2, 13, 15, 5, 19, 5, 5, 2, 1, "same", 2, True),
    (2, 13, 15, 5, 8, 3, 3, 2, 2, "same", 1, False),
    (1, 7, 7, 3, 1, 1, 1, 1, 1, "same", 1, True),
    (2, 12, 10, 6, 33, 3, 3, 1, 2, "same", 3, True),
    (2, 12, 10, 6, 24, 3, 3, 1, 2, "same", 3, False),
    (2, 12, 10, 6, 24, 4, 3, 3, 1, "valid", 2, True),
    (2, 12, 10, 6, 40, 5, 2, 1, 2, "valid", 1, True),
    (5, 28, 28, 1, 16, 5, 5, 1, 1, "same", 2, True),
    (2, 30, 30, 20, 1, 3, 3, 1, 1, "same", 1, False),
    (1, 40, 130, 8, 8, 3, 3, 2, 1, "same", 2, True),  # several bands of rows
    (1, 9, 9, 2, 7, 1, 1, 2, 1, "same", 1, True),
    (2, 6, 6, 64, 70, 3, 3, 1, 1, "same", 2, True),  # weights in several groups
    (1, 20, 20, 2, 4, 3, 3, 1, 1, "same", 16, True),
    (2, 30, 40, 16, 32, 3, 3, 1, 1, "same", 2, True),  # one vector of gradients, several bands
    (2, 14, 11, 3, 48, 5, 5, 1, 1, "valid", 1, True),  # a vector behind a pair of them
]

needs_kernel = pytest.mark.skipif(not native().is_there, reason=f"native kernel: {native().says}")


def arrays(case):
    n, h, w, c, k, kh, kw, *_ = case
    random = np.random.default_rng(0)
    x = random.normal(size=(n, h, w, c))
    return x, random.normal(size=(kh, kw, c, k)) / np.sqrt(kh * kw * c), random.normal(size=k)


def call(case):
    stride, dilation, padding, pool, rectify = case[7:]
    return lambda x, w, b: convolve(
        x,
        w,
        b,
        stride=stride,
        dilation=dilation,
        padding=padding,
        pool=pool,
        rectify=rectify,
    )


def all_of_it(case, x, w, b):
    """Outputs, and the gradients of a sum in which each output weighs differently."""

    def total(x, w, b):
        outputs = call(case)(x, w, b)
        weights = jnp.cos(jnp.arange(outputs.size, dtype=outputs.dtype)).reshape(outputs.shape)
        return jnp.sum(outputs * weights), outputs

    gradients, outputs = jax.jit(jax.grad(total, (0, 1, 2), has_aux=True))(x, w, b)
    return outputs, *gradients


def compare_with_float64(case):
    """The kernel in 32 bits beside the pure path in 64, which PyTorch is asked about elsewhere."""
    x, w, b = arrays(case)
    ours = all_of_it(case, *(jnp.asarray(array, jnp.float32) for array in (x, w, b)))
    with jax.enable_x64(True):
        exact = all_of_it(case, *map(jnp.asarray, (x, w, b)))
    for own, true in zip(ours, exact, strict=True):
        np.testing.assert_allclose(own, true, rtol=2e-5, atol=2e-6 * np.abs(true).max())


def small(dtype=np.float32):
    return [jnp.asarray(array, dtype) for array in arrays(CASES[1])]


@needs_kernel
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_are_those_of_float64(case):
    compare_with_float64(case)


@needs_kernel
def test_what_is_not_a_number_is_not_lost_in_relu_or_pooling():
    x, w, b = small()
    outputs = call(CASES[1])(x.at[0, 3, 3, 0].set(jnp.nan), w, b)
    assert jnp.isnan(outputs[0]).any()
    assert not jnp.isnan(outputs[1:]).any()


@needs_kernel
def test_several_networks_side_by_side():
    x, w, b = small()
    gradients = jax.grad(lambda *a: jnp.sum(jnp.sin(call(CASES[1])(*a))), (0, 1, 2))
    together = jax.jit(jax.vmap(gradients, (None, 0, None)))(x, jnp.stack([w, -2 * w]), b)
    for index, factor in enumerate((1, -2)):
        for one, alone in zip(together, gradients(x, factor * w, b), strict=True):
            np.testing.assert_allclose(one[index], alone, rtol=1e-6, atol=1e-6)


@needs_kernel
def test_inside_loops():
    x, w, b = small()

    def step(w, _):
        slope = jax.grad(lambda w: jnp.mean(call(CASES[1])(x, w, b) ** 2))(w)
        return w - 0.1 * slope, None

    by_scan = jax.jit(lambda w: jax.lax.scan(step, w, length=3)[0])(w)
    by_hand = w
    for _ in range(3):
        by_hand, _ = step(by_hand, None)
    np.testing.assert_allclose(by_scan, by_hand, rtol=1e-5, atol=1e-6)


@needs_kernel
@pytest.mark.parametrize("case", [CASES[1], CASES[3], CASES[5]])
def test_derivatives_of_derivatives(case, monkeypatch):
    x, w, b = (jnp.asarray(array, jnp.float32) for array in arrays(case))

    def products(x, w, b):
        def slope(x, w, b):
            return jax.grad(lambda *a: jnp.sum(jnp.tanh(call(case)(*a))), (0, 1, 2))(x, w, b)

        forward = jax.jvp(slope, (x, w, b), (x[::-1], w[::-1], b[::-1]))[1]
        return forward, jax.vjp(slope, x, w, b)[1]((x[::-1], w[::-1], b[::-1]))

    ours = jax.jit(products)(x, w, b)
    monkeypatch.setenv(SETTING, "0")
    pure = jax.jit(lambda *arguments: products(*arguments))(x, w, b)
    for own, other in zip(jax.tree.leaves(ours), jax.tree.leaves(pure), strict=True):
        scale = float(jnp.abs(other).max())
        np.testing.assert_allclose(own, other, rtol=1e-4, atol=1e-4 * scale)


@needs_kernel
def test_the_same_bits_each_time():
    case = (8, 33, 35, 6, 24, 3, 3, 1, 1, "same", 2, True)
    made = [jnp.asarray(array, jnp.float32) for array in arrays(case)]
    first = all_of_it(case, *made)
    for _ in range(20):
        for one, other in zip(first, all_of_it(case, *made), strict=True):
            assert (one == other).all()


# ---- forged geometries, as a stranger's run folder could ask for them: an error, never a crash

GOOD = {"stride": 1, "dilation": 1, "top": 1, "left": 1, "sums_high": 8, "sums_wide": 8, "pool": 2,
        "rectify": 1}  # fmt: skip
NUMBERS = (-(2**63), -(2**31), -1, 0, 2, 7, 17, 100, 2**31, 2**32 + 1, 2**62, 2**63 - 1)
X, W, B, OUT = (2, 8, 8, 3), (3, 3, 3, 5), (5,), (2, 4, 4, 5)
OTHERS = {"dilation": (2, 7, 17, 100), "top": (0, 2), "left": (0, 2), "pool": (2,)}
CALLS = {  # the arrays that go in, those that come out
    "forward": ((X, W, B), (OUT, OUT)),
    "kernel_gradient": ((X, OUT, OUT, OUT), (W, B)),
    "inputs_gradient": ((W, OUT, OUT, OUT), (X,)),
}


def asked(name, attributes, shapes=None):
    """Call a routine of the kernel with any attributes and shapes; places are bytes."""
    given, results = shapes or CALLS[name]
    covers()  # registers the routines
    indices = {"forward": 4, "kernel_gradient": 2, "inputs_gradient": 2}[name]
    kinds = [jnp.uint8 if at == indices else jnp.float32 for at in range(len(given) + len(results))]
    arrays = [jnp.ones(shape, kind) for shape, kind in zip(given, kinds, strict=False)]
    outs = [
        jax.ShapeDtypeStruct(shape, kind)
        for shape, kind in zip(results, kinds[len(given) :], strict=True)
    ]
    told = {key: np.int64(number) for key, number in attributes.items()}
    made = native_call(name, tuple(outs), *arrays, vmap_method="sequential", **told)
    return jax.block_until_ready(made)


@needs_kernel
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("attribute", [one for one in GOOD if one != "rectify"])
def test_attributes_that_do_not_fit_the_arrays(name, attribute):
    asked(name, GOOD)
    for number in NUMBERS:
        if number in OTHERS.get(attribute, ()):  # another convolution, as good as this one
            assert all(jnp.isfinite(one).all() for one in asked(name, {**GOOD, attribute: number}))
            continue
        with pytest.raises(jax.errors.JaxRuntimeError, match="downslope: "):
            asked(name, {**GOOD, attribute: number})


@needs_kernel
@pytest.mark.parametrize("name", CALLS)
def test_arrays_that_do_not_fit_each_other(name):
    given, results = CALLS[name]
    for at in range(len(given) + len(results)):
        whole = [*given, *results]
        for axis in range(len(whole[at])):
            shape = [*whole[at]]
            shape[axis] = 1
            forged = [*whole[:at], tuple(shape), *whole[at + 1 :]]
            shapes = forged[: len(given)], forged[len(given) :]
            with pytest.raises(jax.errors.JaxRuntimeError, match="downslope: "):
                asked(name, GOOD, shapes)


@needs_kernel
def test_memory_that_is_not_there_is_an_error():
    """Also on several threads: each waits for the others, and the process goes on."""
    script = (
        "import os, resource\n"
        "import jax, jax.numpy as jnp\n"
        "from downslope.nn.ops import convolution_native as native\n"
        "from downslope.nn.ops.native_calls import covers; covers()\n"
        "x, w = jnp.ones((16, 28, 28, 8)), jnp.ones((3, 3, 8, 4))\n"
        "def loss(x, w, far):\n"
        "    form = native.Form(1, far, ((far, far), (far, far)), 1, True)\n"
        "    return native.convolve(x, w, None, form).sum()\n"
        "slope = jax.grad(loss, (0, 1))\n"
        "good = slope(x, w, 1)\n"
        "with open('/proc/self/statm') as file: size = int(file.read().split()[0])\n"
        "most = size * resource.getpagesize() + (1 << 30)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "for far in (1 << 14, 1 << 20, 1 << 30) * 10:\n"
        "    for part in (loss, slope):\n"
        "        try: jax.block_until_ready(part(x, w, far))\n"
        "        except jax.errors.JaxRuntimeError as error: assert 'memory' in str(error), error\n"
        "        else: raise AssertionError('there was so much')\n"
        "for one, other in zip(good, slope(x, w, 1)): assert (one == other).all()\n"
    )
    environment = {name: text for name, text in os.environ.items() if name != "XLA_FLAGS"}
    environment["XLA_FLAGS"] = "--xla_force_host_platform_device_count=1"
    run = [sys.executable, "-c", script]
    subprocess.run(run, cwd=ROOT, env=environment, check=True, timeout=120)


@pytest.mark.campaign
@needs_kernel
def test_two_processes_at_once_on_all_cores():
    """Outside of pytest's settings, with XLA's threads, and with the machine to be shared."""
    script = (
        "from tests.nn import test_convolution_native as tests\n"
        "for case in tests.CASES[::3]: tests.compare_with_float64(case)\n"
        "tests.test_the_same_bits_each_time()\n"
        "from tests.nn import test_dense_native as tests\n"
        "for case in tests.CASES[::3]: tests.compare_with_float64(case)\n"
        "tests.test_the_same_bits_each_time()"
    )
    run = [sys.executable, "-c", script]
    environment = {name: text for name, text in os.environ.items() if name != "XLA_FLAGS"}
    started = [subprocess.Popen(run, cwd=ROOT, env=environment) for _ in range(2)]
    assert [process.wait(timeout=300) for process in started] == [0, 0]


@pytest.mark.campaign
@needs_kernel
def test_the_code_for_wider_vectors(tmp_path):
    """What AVX-512 does, in vectors of as many numbers, by the instructions that are here."""
    specification = importlib.util.spec_from_file_location("hook", ROOT / "hatch_build.py")
    hook = importlib.util.module_from_spec(specification)
    pytest.importorskip("hatchling")
    specification.loader.exec_module(hook)
    if hook.compiler() is None:
        pytest.skip("no C++ compiler")
    library = tmp_path / "wide.so"
    hook.compile_kernel(ROOT, library, ("-DLANES=16", "-DPIXELS=8", "-Wno-psabi"))
    script = (
        "import sys, pathlib\nfrom downslope.nn.ops import native as kernel\n"
        "kernel.LIBRARY = pathlib.Path(sys.argv[1])\n"
        "from tests.nn import test_convolution_native as tests\n"
        "for case in tests.CASES: tests.compare_with_float64(case)\n"
        "from downslope.nn.ops.native_calls import covers; covers()\n"
        "from tests.nn import test_dense_native as tests\n"
        "for case in tests.CASES: tests.compare_with_float64(case)"
    )
    subprocess.run([sys.executable, "-c", script, library], cwd=ROOT, check=True, timeout=300)


@pytest.mark.campaign
@needs_kernel
@pytest.mark.skipif(native().says != "AVX-512", reason="the code for AVX2 is what is used")
def test_the_code_for_narrower_vectors():
    script = (
        "from downslope.nn.ops.native import native\n"
        "from downslope.nn.ops.native_calls import covers; covers()\n"
        "assert native() == (True, 'AVX2')\n"
        "from tests.nn import test_convolution_native as tests\n"
        "for case in tests.CASES: tests.compare_with_float64(case)\n"
        "from tests.nn import test_dense_native as tests\n"
        "for case in tests.CASES: tests.compare_with_float64(case)"
    )
    environment = {**os.environ, SETTING: "avx2"}
    run = [sys.executable, "-c", script]
    subprocess.run(run, cwd=ROOT, env=environment, check=True, timeout=300)
