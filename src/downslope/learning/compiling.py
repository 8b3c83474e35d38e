"""Compiling a function once for each program and shape of arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax


def _signature(tree: Any) -> tuple:
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


# XLA's choice of a library for products and sums that are fused into one: slow for tiny rows
NO_FUSED_PRODUCTS = ("xla_cpu_experimental_ynn_fusion_type", "")

Option = tuple[str, Any]


@lru_cache(maxsize=32)
def _compiled(
    function: Callable, program: Any, structure: Any, shapes: tuple, options: tuple[Option, ...]
) -> Any:
    leaves = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
    arguments = jax.tree.unflatten(structure, leaves)
    lowered = jax.jit(function, static_argnums=0).lower(program, *arguments)
    if options and jax.default_backend() == "cpu":
        try:
            return lowered.compile(compiler_options=dict(options))
        except jax.errors.JaxRuntimeError:  # an option that this version of XLA does not have
            pass
    return lowered.compile()


def compiled(
    function: Callable, program: Any, *arguments: Any, options: tuple[Option, ...] = ()
) -> Any:
    """`function(program, ...)` compiled for arguments of these shapes; kept for the next call.

    Args:
        function: A pure function whose first argument is the program.
        program: Everything that is fixed; hashable.
        arguments: Arrays, or nested tuples and dicts of arrays.
        options: Options of XLA for processors; left out where XLA does not know them.
    """
    return _compiled(function, program, *_signature(arguments), options)
