"""Compiling a function once for each program and shape of arguments, and across processes.

JAX is given a cache of ours before the first program is compiled, unless the user has chosen one. A
broken, foreign or unwritable entry costs its compilation.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax

from downslope.errors import SettingError
from downslope.storage.cache import ENDING, Sealed, cache_folder, secret

_has_begun = False  # whether this process has compiled anything
_is_orphan = False  # whether it was forked from one that had: JAX's threads stayed behind


def _forked() -> None:
    """In a process that was forked: note whether JAX had begun, by us or by the user."""
    global _is_orphan
    bridge = sys.modules.get("jax._src.xla_bridge")
    has_begun = getattr(bridge, "backends_are_initialized", lambda: False)
    _is_orphan = _is_orphan or _has_begun or bool(has_begun())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def check_process() -> None:
    """Check that this process can compute: one that was forked from a training would hang.

    Raises:
        SettingError: It was forked from a process in which JAX had begun.
    """
    if _is_orphan:
        raise SettingError(
            "This process was forked from one that had trained or computed already: the threads "
            "that compute stayed behind, and it would wait for them for ever.",
            "a process that was begun anew",
            'Begin processes with multiprocessing.get_context("spawn") or "forkserver" (of a '
            "DataLoader: multiprocessing_context), or fork before the first training.",
        )


# XLA's choice of a library for products and sums that are fused into one: slow for tiny rows
NO_FUSED_PRODUCTS = ("xla_cpu_experimental_ynn_fusion_type", "")
# for what runs once: a quarter of the time to compile, the same bits
QUICKLY_COMPILED = ("xla_backend_optimization_level", 1)

Option = tuple[str, Any]


def compiled(
    function: Callable, program: Any, *arguments: Any, options: tuple[Option, ...] = ()
) -> Any:
    """`function(program, ...)` compiled for arguments of these shapes; kept for the next call.

    Args:
        function: A pure function whose first argument is the program.
        program: Everything that is fixed; hashable.
        arguments: Arrays, or nested tuples and dicts of arrays.
        options: Options of XLA for processors; left out where XLA does not know them.

    Raises:
        SettingError: The process was forked from one that had computed already.
    """
    global _has_begun
    check_process()
    _has_begun = True
    leaves, structure = jax.tree.flatten(arguments)
    shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    kept = programs(function, program, structure, shapes, options)
    if not kept:
        of_engine = partial(jax.dtypes.canonicalize_dtype, allow_extended_dtype=True)  # keys too
        leaves = [jax.ShapeDtypeStruct(shape, of_engine(dtype)) for shape, dtype in shapes]
        own: Any = partial(function, program)  # with it goes all that JAX keeps of it
        own.__name__ = function.__name__  # which the cache on the disk goes by
        lowered = jax.jit(own).lower(*jax.tree.unflatten(structure, leaves))
        kept.append(_compile(lowered, options))
    return kept[0]


@lru_cache(maxsize=32)
def programs(*key: Any) -> list[Any]:
    """Where a compiled program is kept; an empty list until it is compiled."""
    return []


def _compile(lowered: Any, options: tuple[Option, ...]) -> Any:
    folder = use_cache()
    if options and jax.default_backend() == "cpu":
        # other versions of XLA do not have each option
        with suppress(jax.errors.JaxRuntimeError):
            return _with_cache(folder, lowered, dict(options))
    return _with_cache(folder, lowered, None)


@lru_cache(maxsize=1)
def use_cache() -> Path | None:
    """Let JAX keep what it compiles for later processes, unless the user decided otherwise.

    JAX gets no folder, which it would read as it is, but our entries with their checksums. Where a
    version of JAX has no place for them there is no cache.

    Returns:
        The folder, or None where it is not ours.
    """
    config: Any = jax.config
    if not config.jax_enable_compilation_cache or config.jax_compilation_cache_dir:
        return None
    folder, key = cache_folder(), secret()
    if folder is None or key is None:
        return None
    try:
        from jax._src import compilation_cache
    except ImportError:
        return None
    inner: Any = compilation_cache
    if not all(hasattr(inner, name) for name in ("_cache", "_cache_initialized")):
        return None
    inner._cache, inner._cache_initialized = Sealed(folder, key), True
    return folder


def _with_cache(folder: Path | None, lowered: Any, options: dict[str, Any] | None) -> Any:
    """Compile; where an entry of our cache cannot be read, remove it for the next time."""
    if folder is None:
        return lowered.compile(compiler_options=options)
    with warnings.catch_warnings(record=True) as caught, _keeping_all():
        warnings.simplefilter("always")
        program = lowered.compile(compiler_options=options)
    for one in caught:
        message = str(one.message)
        if "persistent compilation cache" not in message:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        elif "reading" in message:
            _remove_broken(folder, message)
    return program


@contextmanager
def _keeping_all() -> Iterator[None]:
    """Keep programs that are quickly compiled as well; by itself JAX keeps only slow ones."""
    config: Any = jax.config
    before = config.jax_persistent_cache_min_compile_time_secs
    config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        yield
    finally:
        config.update("jax_persistent_cache_min_compile_time_secs", before)


def _remove_broken(folder: Path, message: str) -> None:
    """Remove the entries of the module that JAX names in its warning: 'jit_function'."""
    name = message.partition("'")[2].partition("'")[0]
    for path in folder.glob(f"{name}-*{ENDING}") if name else ():
        with suppress(OSError):  # another process was faster
            path.unlink()


def usable_cores() -> int:
    """How many processor cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
