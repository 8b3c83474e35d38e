"""Whether the native kernel is here, asked without starting the engine."""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# environment variable; "0" leaves the kernel unused, "avx2" its code for AVX-512
SETTING = "DOWNSLOPE_NATIVE"
LIBRARY = Path(__file__).with_name("_kernel.so")


class Native(NamedTuple):
    """Whether the kernel can be used, and with which instructions or why not."""

    is_there: bool
    says: str  # "AVX2", or the reason


def native() -> Native:
    """Whether the kernel is used in this process."""
    if os.environ.get(SETTING, "") == "0":
        return Native(False, f"turned off by {SETTING}=0")
    return _found()


def open_library() -> ctypes.CDLL:
    """The kernel's library.

    Raises:
        OSError: It cannot be loaded.
    """
    library = ctypes.CDLL(str(LIBRARY))
    library.downslope_instructions.restype = ctypes.c_char_p
    return library


@lru_cache(maxsize=1)
def _found() -> Native:
    if not LIBRARY.exists():
        return Native(False, "not built; with a C++ compiler at hand, install Downslope again")
    try:
        instructions = open_library().downslope_instructions()
    except (OSError, AttributeError) as error:
        return Native(False, f"not to be loaded: {str(error).splitlines()[0]}")
    if instructions is None:
        return Native(False, "not for this processor, which has neither AVX2 nor AVX-512")
    return Native(True, instructions.decode())
