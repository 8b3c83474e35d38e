"""The samples of a work: made once per run, written to a folder, read by every worker.

Each worker gets the same numbers, float32 and scaled already, and no worker pays for making
them. They are made so that a few steps learn something: a contender that does less shows it.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.work import Work

CLASSES = 10
PIECE = 4096  # samples made at a time, to bound the memory


class Arrays(NamedTuple):
    """Inputs (N, *input_shape) float32; targets (N,) int32, or (N, ...) float32."""

    inputs: np.ndarray
    targets: np.ndarray


def make(work: Work) -> Arrays:
    """Make the samples of a work, a pure function of it."""
    makers = {"digits": _digits, "plane": _plane, "classes": _classes, "density": _density}
    return makers[work.kind](work)


def _digits(work: Work) -> Arrays:
    """The training part of the built-in handwritten digits, scaled as Downslope scales them."""
    import downslope as ds

    data = ds.load("digits")
    inputs = data.scaling.apply(data.train.inputs)[: work.samples]
    return Arrays(inputs, data.train.targets[: work.samples])


def _plane(work: Work) -> Arrays:
    """Points of a square; the target is a wave over it, of mean 0 and deviation 1."""
    inputs = np.random.default_rng(0).uniform(-1, 1, (work.samples, 2)).astype(np.float32)
    wave = np.sin(2 * inputs[:, :1]) + inputs[:, 1:] ** 2
    return Arrays(inputs, ((wave - wave.mean()) / wave.std()).astype(np.float32))


def _classes(work: Work) -> Arrays:
    """Noise with the faint pattern of one of ten classes in it."""
    random = np.random.default_rng(0)
    patterns = random.random((CLASSES, *work.input_shape), np.float32) - 0.5
    targets = random.integers(0, CLASSES, work.samples).astype(np.int32)
    inputs = np.empty((work.samples, *work.input_shape), np.float32)
    for start in range(0, work.samples, PIECE):
        piece = inputs[start : start + PIECE]
        random.random(dtype=np.float32, out=piece)
        piece -= 0.5
        piece += 0.5 * patterns[targets[start : start + PIECE]]
    return Arrays(inputs, targets)


def _density(work: Work) -> Arrays:
    """Noise with bright spots; the target is how bright each 4 x 4 pixels are, of mean square 1."""
    height, width, _ = work.input_shape
    random = np.random.default_rng(0)
    bright = random.random((work.samples, height // 4, width // 4, 1), np.float32) ** 8
    inputs = random.random((work.samples, *work.input_shape), np.float32) - 0.5
    inputs += bright.repeat(4, axis=1).repeat(4, axis=2)
    return Arrays(inputs, bright / np.sqrt((bright**2).mean()))


def write(work: Work, folder: Path) -> None:
    """Make the samples and leave them in `folder`."""
    for name, array in make(work)._asdict().items():
        np.save(folder / f"{name}.npy", array)


def read(folder: Path) -> Arrays:
    """The samples that `write` left in `folder`."""
    return Arrays(*(_load(folder / f"{name}.npy") for name in Arrays._fields))


def _load(path: Path) -> np.ndarray:
    """An array in memory at a multiple of 64 bytes, where every library here can use it as it is.

    As PyTorch's own tensors do; NumPy's own arrays do not.
    """
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        size = math.prod(shape) * kind.itemsize
        memory = np.empty(size + 64, np.uint8)
        start = -memory.ctypes.data % 64
        file.readinto(memory[start : start + size])
    return memory[start : start + size].view(kind).reshape(shape)


if __name__ == "__main__":  # python -m benchmarks.samples RUNG full|smallest FOLDER
    from benchmarks.rungs import find

    write(find(sys.argv[1], sys.argv[2] == "smallest").work, Path(sys.argv[3]))
