"""Square matrix products: the most that the machine can do in float32.

Every block returns its rate in operations per second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.contenders.task import Task
from benchmarks.rungs import MATMUL
from benchmarks.samples import Arrays
from benchmarks.work import Work

TIMES = 3


def _matrices() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return tuple(random.random((MATMUL, MATMUL), np.float32) for _ in range(2))  # pyright: ignore[reportReturnType] - two they are


def _task(product: Callable[[], Any]) -> Task:
    def block() -> dict[str, float]:
        started = time.perf_counter()
        for _ in range(TIMES):
            product()
        return {"rate": TIMES * 2 * MATMUL**3 / (time.perf_counter() - started)}

    return Task(block)


def by_numpy(work: Work, samples: Arrays) -> Task:
    """NumPy's, which is that of the library it was built with."""
    left, right = _matrices()
    return _task(lambda: left @ right)


def by_torch(work: Work, samples: Arrays) -> Task:
    """PyTorch's."""
    import torch

    left, right = map(torch.from_numpy, _matrices())
    return _task(lambda: left @ right)


def by_jax(work: Work, samples: Arrays) -> Task:
    """JAX's, compiled."""
    import jax

    left, right = map(jax.numpy.asarray, _matrices())
    product = jax.jit(lambda a, b: a @ b)
    return _task(lambda: product(left, right).block_until_ready())
