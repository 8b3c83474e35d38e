"""Compiling a function once for each program and shape of arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax


def _signature(tree: Any) -> tuple:
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


@lru_cache(maxsize=16)
def _compiled(function: Callable, program: Any, structure: Any, shapes: tuple) -> Any:
    leaves = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in shapes]
    arguments = jax.tree.unflatten(structure, leaves)
    return jax.jit(function, static_argnums=0).lower(program, *arguments).compile()


def compiled(function: Callable, program: Any, *arguments: Any) -> Any:
    """`function(program, ...)` compiled for arguments of these shapes; kept for the next call.

    Args:
        function: A pure function whose first argument is the program.
        program: Everything that is fixed; hashable.
        arguments: Arrays, or nested tuples and dicts of arrays.
    """
    return _compiled(function, program, *_signature(arguments))
