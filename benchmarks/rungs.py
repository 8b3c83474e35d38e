"""The rungs of the ladder: what is done in each, and who contends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from benchmarks.catalogue import (
    Contender,
    ceilings,
    dense_trainers,
    ensembles,
    flax,
    image_trainers,
    keepers,
    keras,
    many,
    ours,
    ours_many,
    recorders,
    shell_trainers,
    sklearn,
    torch,
)
from benchmarks.work import Conv, Dense, Flatten, Norm, Pool, Work

RATES = 64  # networks of the sweep
GRID = 51  # points along each side of the surface
CALLS = 300  # single predictions in a block
MEMBERS = 4  # networks that are trained as one
MATMUL = 2048  # side of the square matrices that measure the machine


@dataclass(frozen=True)
class Rung:
    """One row of the table.

    Attributes:
        name: What the command line calls it.
        title: What is done, in words.
        work: The training, or the network and samples, that it is about.
        contenders: Who does it.
        unit: What the time is told for: "step", "sample", ...
        units: How many of these one block holds.
        most_rounds: No more rounds than this, where a block takes long.
    """

    name: str
    title: str
    work: Work
    contenders: tuple[Contender, ...]
    unit: str = "step"
    units: int = 0
    most_rounds: int = 99

    @property
    def units_per_block(self) -> int:
        """What a block's seconds are divided by."""
        return self.units or self.work.steps


TINY = Work(
    layers=(Dense(8, "tanh"), Dense(1)),
    kind="plane", input_shape=(2,), samples=500, batch_size=10, epochs=100, learning_rate=0.1,
)  # fmt: skip
DIGITS = Work(
    layers=(Dense(32, "relu"), Dense(10)),
    kind="digits", input_shape=(64,), samples=1258, batch_size=32, epochs=50, learning_rate=0.1,
)  # fmt: skip
MNIST = Work(
    layers=(Dense(128, "relu"), Dense(10)),
    kind="classes", input_shape=(784,), samples=59_904, batch_size=128, epochs=2,
    learning_rate=0.05,
)  # fmt: skip
WIDE = Work(
    layers=(Dense(1024, "relu"), Dense(1024, "relu"), Dense(10)),
    kind="classes", input_shape=(784,), samples=10_240, batch_size=256, epochs=1,
    learning_rate=0.05,
)  # fmt: skip
LENET = Work(
    layers=(
        Conv(16, 5, "relu"), Pool(), Conv(32, 5, "relu"), Pool(), Flatten(), Dense(10),
    ),
    kind="classes", input_shape=(28, 28, 1), samples=3200, batch_size=64, epochs=1,
    learning_rate=0.05,
)  # fmt: skip
CNN = Work(
    layers=(
        Conv(32, 3, "relu"), Pool(), Conv(64, 3, "relu"), Pool(), Conv(128, 3, "relu"), Pool(),
        Flatten(), Dense(10),
    ),
    kind="classes", input_shape=(32, 32, 3), samples=1280, batch_size=64, epochs=1,
    learning_rate=0.05,
)  # fmt: skip
BATCH_NORM = Work(
    layers=(
        Conv(32, 3), Pool(), Norm("relu"), Conv(32, 3), Norm("relu"),
        Conv(64, 3), Pool(), Norm("relu"), Conv(64, 3), Norm("relu"),
        Conv(128, 3), Pool(), Norm("relu"), Conv(128, 3), Norm("relu"), Flatten(), Dense(10),
    ),
    kind="classes", input_shape=(32, 32, 3), samples=2560, batch_size=128, epochs=1,
    learning_rate=0.05,
)  # fmt: skip
TABLE = Work(
    layers=(Dense(128, "relu"), Dense(64, "relu"), Dense(10)),
    kind="classes", input_shape=(200,), samples=6400, batch_size=64, epochs=10, learning_rate=0.05,
)  # fmt: skip
DENSITY = Work(
    layers=(
        Conv(16, 5, "relu"), Pool(), Conv(32, 3, "relu"), Pool(), Conv(64, 3, "relu"),
        Conv(32, 3, "relu"), Conv(1, 1),
    ),
    kind="density", input_shape=(192, 256, 3), samples=40, batch_size=4, epochs=1,
    learning_rate=0.05,
)  # fmt: skip
SWEEP = replace(DIGITS, epochs=10)
CARDS = replace(MNIST, samples=10_000)
COLD = replace(DIGITS, epochs=40)  # of which the whole processes take the epochs alone

_ALL = (
    Rung(
        "tiny",
        "2-8-1, tanh, square error, batch 10",
        TINY,
        dense_trainers("downslope", "torch", "sklearn", "keras", "flax"),
    ),
    Rung(
        "digits",
        "64-32-10, batch 32",
        DIGITS,
        dense_trainers("downslope", "torch", "torch-compile", "sklearn", "keras", "flax"),
    ),
    Rung("mnist", "784-128-10, batch 128", MNIST, dense_trainers("downslope", "torch")),
    Rung(
        "wide",
        "784-1024-1024-10, batch 256",
        WIDE,
        (*dense_trainers("downslope", "sklearn"), *ceilings()),
    ),
    Rung(
        "lenet",
        "28×28×1, conv 16@5, 32@5, batch 64",
        LENET,
        image_trainers("downslope", "pure", "torch", "torch-last-kept", "keras", "flax"),
    ),
    Rung(
        "cnn",
        "32×32×3, conv 32, 64, 128 @3, batch 64",
        CNN,
        image_trainers("downslope", "torch-last"),
    ),
    Rung(
        "batch-norm",
        "32×32×3, the default network for such images, batch normalisation, batch 128",
        BATCH_NORM,
        image_trainers("downslope", "torch-last"),
    ),
    Rung(
        "density",
        "192×256×3 to a density map, batch 4",
        DENSITY,
        image_trainers("downslope", "torch-last", "keras", "flax"),
    ),
    Rung(
        "sweep",
        f"{RATES} learning rates of the digits network, 10 epochs each",
        SWEEP,
        (
            ours_many("sweep"),
            many("sweep", label="PyTorch, one after another"),
            many("sweep_at_once", "torch-vmap", "PyTorch, torch.func.vmap"),
            sklearn("sweep"),
        ),
        unit="sweep",
        units=1,
        most_rounds=4,
    ),
    Rung(
        "members",
        f"200-128-64-10, batch 64, {MEMBERS} members in one training",
        TABLE,
        ensembles(),
        unit="training",
        units=1,
    ),
    Rung(
        "surface",
        f"{GRID}×{GRID} losses of the digits network over all samples",
        DIGITS,
        (
            ours_many("surface"),
            many("surface", label="PyTorch, one after another"),
            many("surface_at_once", "torch-vmap", "PyTorch, torch.func.vmap"),
        ),
        unit="surface",
        units=1,
    ),
    Rung(
        "predict-one",
        "784-128-10, one sample at a time",
        CARDS,
        (
            ours("predict_one"),
            torch("predict_one"),
            sklearn("predict_one"),
            keras("predict_one"),
            flax("predict_one"),
        ),
        unit="answer",
        units=CALLS,
    ),
    Rung(
        "predict-many",
        "784-128-10, 10,000 samples at once",
        CARDS,
        (
            ours("predict_many"),
            torch("predict_many"),
            sklearn("predict_many"),
            keras("predict_many"),
            flax("predict_many"),
        ),
        unit="sample",
        units=CARDS.samples,
    ),
    Rung(
        "cold",
        "whole process from the shell: digits, 64-128-10, 40 epochs",
        COLD,
        (*shell_trainers(),),
        unit="process",
        units=1,
        most_rounds=6,
    ),
    Rung(
        "recording-digits",
        "digits, default recording against none",
        DIGITS,
        recorders(in_smallest=True),
    ),
    Rung("recording-mnist", "mnist, default recording against none", MNIST, recorders()),
    Rung("recording-density", "density, default recording against none", DENSITY, recorders()),
    Rung(
        "checkpoints-mnist",
        "mnist, 20 epochs, default checkpoints against saving at the end",
        replace(MNIST, epochs=20),
        keepers(),
    ),
)
RUNGS: Mapping[str, Rung] = MappingProxyType({rung.name: rung for rung in _ALL})

# the smallest size: samples and epochs that still learn something, in as little time as can be
_SMALLEST = {
    "plane": {"samples": 200, "epochs": 5},
    "digits": {"samples": 320, "epochs": 10},
    "classes": {"samples": 512, "epochs": 2},
    "density": {"samples": 4, "epochs": 3},
}


def smallest(rung: Rung) -> Rung:
    """The same rung with so few samples that it only shows that all still works."""
    work = replace(rung.work, **_SMALLEST[rung.work.kind])
    if rung.unit == "sweep":
        work = replace(work, epochs=1)
    if rung.unit == "sample":
        rung = replace(rung, units=work.samples)
    contenders = tuple(one for one in rung.contenders if one.in_smallest)
    return replace(rung, work=work, contenders=contenders)


def find(name: str, is_smallest: bool) -> Rung:
    """The rung of that name, at full or smallest size; nobody may contend in the latter."""
    return smallest(RUNGS[name]) if is_smallest else RUNGS[name]
