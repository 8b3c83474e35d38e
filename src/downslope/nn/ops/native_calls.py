"""The native kernel's routines as functions of JAX, through its foreign-function interface."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.nn.ops.native import Native, native, open_library

NAMES = (
    *("forward", "kernel_gradient", "inputs_gradient"),
    *("dense_forward", "dense_weights_gradient", "dense_inputs_gradient"),
)


@lru_cache(maxsize=1)
def _is_registered() -> bool:
    """Whether this jaxlib takes the library's calls; another one may not know its interface."""
    try:
        library = open_library()
        for name in NAMES:
            routine = jax.ffi.pycapsule(getattr(library, f"downslope_{name}"))
            jax.ffi.register_ffi_target(f"downslope_{name}", routine, platform="cpu")
    except Exception:  # whatever jaxlib says, the pure path serves
        return False
    return True


def covers(*arrays: jax.Array | None) -> bool:
    """Whether the kernel can take these arrays here; None stands for one that is left out."""
    return (
        all(array.dtype == jnp.float32 and array.size for array in arrays if array is not None)
        and jax.default_backend() == "cpu"
        and native().is_there
        and _is_registered()
    )


def used() -> Native:
    """Whether the kernel computes in this process, and with which instructions or why not.

    Unlike `native` it asks the engine, which may not take a kernel that is there.
    """
    found = native()
    if not found.is_there or covers():
        return found
    if jax.default_backend() != "cpu":
        return Native(False, f"not for the backend {jax.default_backend()}")
    return Native(False, "built for another version of jaxlib; install Downslope again")


def floats(*shape: int) -> jax.ShapeDtypeStruct:
    """The shape of a result."""
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def call(
    name: str, results: Any, *arrays: jax.Array, vmap_method: str, **attributes: np.int64
) -> Any:
    """Call a routine.

    Args:
        name: One of `NAMES`.
        results: The shape of its result, or a tuple of those of its results.
        arrays: What it is given.
        vmap_method: How it is called for several members at once, as `jax.ffi.ffi_call` has it.
        attributes: What it is told beside the arrays.
    """
    routine = jax.ffi.ffi_call(f"downslope_{name}", results, vmap_method=vmap_method)
    return routine(*arrays, **attributes)


def with_derivatives(fixed: tuple[int, ...]) -> Callable:
    """Let `plain(function's arguments)` give the derivatives of a function that is a call.

    Args:
        fixed: Which of the function's arguments are not arrays.
    """

    def decorate(function: Callable, plain: Callable) -> Callable:
        wrapped = jax.custom_jvp(function, nondiff_argnums=fixed)

        @wrapped.defjvp
        def derivatives(*arguments: Any) -> tuple:
            *settings, values, tangents = arguments
            _, changes = jax.jvp(lambda *arrays: plain(*arrays, *settings), values, tangents)
            return function(*values, *settings), changes

        return wrapped

    return decorate
