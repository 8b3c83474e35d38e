"""Whether the kernel is here, and what is said where it is not."""

import os

import pytest

from downslope.nn.ops import native as kernel
from downslope.nn.ops.native import SETTING, native


def test_the_kernel_is_built_in_continuous_integration():
    assert native().is_there or not os.environ.get("CI"), native().says


def test_it_can_be_turned_off(monkeypatch):
    monkeypatch.setenv(SETTING, "0")
    assert native() == (False, "turned off by DOWNSLOPE_NATIVE=0")


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (None, "not built; with a C++ compiler at hand, install Downslope again"),
        (b"no library", "not to be loaded: "),
    ],
)
def test_without_a_library_that_can_be_loaded_it_says_why(monkeypatch, tmp_path, contents, says):
    library = tmp_path / "kernel.so"
    if contents is not None:
        library.write_bytes(contents)
    monkeypatch.setattr(kernel, "LIBRARY", library)
    kernel._found.cache_clear()
    found = native()
    kernel._found.cache_clear()
    assert not found.is_there
    assert found.says.startswith(says)


def test_on_another_processor_it_says_so(monkeypatch):
    class Library:
        @staticmethod
        def downslope_instructions():
            return None

    monkeypatch.setattr(kernel, "open_library", Library)
    monkeypatch.setattr(kernel, "LIBRARY", kernel.Path(__file__))
    kernel._found.cache_clear()
    found = native()
    kernel._found.cache_clear()
    assert found == (False, "not for this processor, which has neither AVX2 nor AVX-512")
