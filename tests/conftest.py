"""What all tests share: one thread per process, programs compiled once, small data sets."""

import gc
import importlib.util
import os
import shutil

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# a process that a test begins compiles for itself, and leaves the user's cache alone
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
os.environ["DOWNSLOPE_CACHE"] = "off"
# the tests run side by side, one process per core: threads inside each would only wait
os.environ["XLA_FLAGS"] = " ".join(
    [os.environ.get("XLA_FLAGS", ""), "--xla_cpu_multi_thread_eigen=false"]
).strip()
for library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# what the imports have made stays, and need not be looked through again and again
gc.freeze()
gc.set_threshold(20_000, 20, 50)

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


# packages that the extras [peers] and [browser] bring, and [test] does not
PEERS = (
    "torch", "sklearn", "keras", "onnx", "onnxruntime", "pandas", "polars", "tensorboard",
    "tensorboardX", "playwright", "axe_playwright_python",
)  # fmt: skip


def pytest_configure(config):
    """In CI, whoever asks for the tests that need a peer has to have them all."""
    if os.environ.get("CI") and config.option.markexpr == "peers or campaign":
        absent = [name for name in PEERS if importlib.util.find_spec(name) is None]
        if not (shutil.which("chromium") or shutil.which("chromium-browser")):
            absent.append("chromium")
        if "TYPESCRIPT" not in os.environ:
            absent.append("typescript (its folder is named in TYPESCRIPT)")
        assert not absent, f"not installed: {', '.join(absent)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """In CI, a test that is skipped for want of a package, and is not marked, would never run."""
    report = yield
    lacks = report.skipped and "could not import" in str(report.longrepr)
    if os.environ.get("CI") and lacks and item.get_closest_marker("peers") is None:
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr}\nIt needs the marker: @pytest.mark.peers"
    return report


@pytest.fixture(scope="session", autouse=True)
def programs(tmp_path_factory):
    """What one test has compiled no other compiles again, in whichever process it runs."""
    import jax
    from jax._src import compilation_cache

    from downslope.storage.cache import Sealed

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "programs"
    folder.mkdir(exist_ok=True)
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    compilation_cache.reset_cache()
    compilation_cache._cache = Sealed(folder, b"of the tests")
    compilation_cache._cache_initialized = True


@pytest.fixture
def digits():
    """The built-in handwritten digits."""
    import downslope as ds

    return ds.load("digits")


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Lines as wide as they are: sentences are wrapped where a test is about wrapping."""
    monkeypatch.setenv("COLUMNS", "10000")
