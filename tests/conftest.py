"""What all tests share: one thread per process, no caches on disk, small data sets."""

import importlib.util
import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"  # what a test compiles, it compiles itself
os.environ["DOWNSLOPE_CACHE"] = "off"  # and leaves the user's cache alone
# the tests run side by side, one process per core: threads inside each would only wait
os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_cpu_multi_thread_eigen=false"]
).strip()
for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "repeatable",
    derandomize=True,  # the same examples everywhere
    deadline=None,  # compiling takes its time
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("repeatable")


def pytest_configure():
    """In CI no test may be skipped for want of a peer to compare with."""
    if os.environ.get("CI"):
        peers = ("torch", "sklearn", "keras", "onnx", "onnxruntime", "pandas", "tensorboard")
        peers += ("playwright", "axe_playwright_python")
        absent = [name for name in peers if importlib.util.find_spec(name) is None]
        assert not absent, f"not installed: {', '.join(absent)}"


@pytest.fixture
def digits():
    """The built-in handwritten digits."""
    import downslope as ds

    return ds.load("digits")
