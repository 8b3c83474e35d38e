"""NaN and infinities planted where a training meets them: is each caught at its step, and named?

    python -m tests.campaigns.non_finite [--cases 200] [--out FILE] [CASE ...]

Each case draws data, a network, an optimizer, batches and a step, and spoils the one sample that
this step is the first to see: in the data behind the door that would refuse it, by scaling or
augmentation, in a layer of the user's own, in the loss, or in a gradient whose loss is finite. The
outcome must name that step and what was planted, and the weights must be those of the same
training without it, bit for bit. The whole size takes about ten minutes on one core.
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np

import downslope as ds
from downslope.engine import compilation
from downslope.engine.batches import BatchPlan
from tests.campaigns.spoilt import MARK, Cliff, Spike, SpoiltAugment, SpoiltLoss

SEED = 0x0F1417E
OPTIMIZERS = (
    ds.Optimizer("sgd"), ds.Optimizer("momentum"), ds.Optimizer("nesterov"),
    ds.Optimizer("rmsprop"), ds.Optimizer("adam"), ds.Optimizer("adamw", weight_decay=0.01),
    ds.Optimizer("sgd", clip_norm=1.0), ds.Optimizer("adam", clip_norm=0.5, weight_decay=0.001),
)  # fmt: skip
NETWORKS = {
    "classes": ("dense 6 tanh, dense 4", "dense 8 relu, dropout 0.2, dense 4",
                "dense 8, layer_norm, residual (dense 8 gelu), dense 4"),
    "numbers": ("dense 2", "dense 6 relu, dense 4 softplus, dense 2",
                "dense 6 tanh, dropout 0.3, dense 2"),
    "places": ("embed 5 2, dense 6 relu, dense 4", "embed 5 3, dense 4"),
    "images": ("conv 3 3 relu, max_pool 2, flatten, dense 4", "flatten, dense 8 elu, dense 4",
               "standardize, conv 4 3, group_norm 2, flatten, dense 4"),
    "photos": ("conv 2 3 relu, max_pool 4, conv 1 1", "conv 2 3 tanh, average_pool 4, conv 1 1"),
}  # fmt: skip
# what is planted, and the data that it can be planted in
PLANTED = {
    "input": ("classes", "numbers", "places", "images"),
    "target": ("numbers", "photos"),
    "target that is scaled": ("numbers", "photos"),
    "weight": tuple(NETWORKS),
    "scaling": ("classes", "numbers", "images"),
    "augmentation": ("images", "photos"),
    "sum": ("classes", "numbers", "images"),
    "activation": ("classes", "numbers", "images"),
    "loss": tuple(NETWORKS),
    "slope of the loss": tuple(NETWORKS),
    "slope of an activation": ("classes", "numbers", "images"),
}


FOUND = ("caught", "named", "kept")


@dataclass(frozen=True)
class Case:
    """One training that is spoilt.

    Attributes:
        number: Decides all of it.
        planted: What is planted, one of `PLANTED`.
        kind: The kind of data.
        network: In the notation.
        value: "nan", "inf" or "-inf".
        batch_size: As for `ds.train`.
        optimizer: The optimizer.
        samples: Of the training part.
        step: The step that is to fail, from 1.
        sample: What it is the first to see.
        place: Where in its inputs or targets it is planted, flat.
    """

    number: int
    planted: str
    kind: str
    network: str
    value: str
    batch_size: int | str
    optimizer: ds.Optimizer
    samples: int
    step: int
    sample: int
    index: int

    EPOCHS: ClassVar[int] = 3

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.samples // (self.samples if self.batch_size == "full" else self.batch_size))

    @property
    def epoch(self) -> int:
        """That of the step, from 1."""
        return (self.step - 1) // self.steps_per_epoch + 1

    @property
    def name(self) -> str:
        return (
            f"{self.number}: {self.value} in {self.planted}, {self.kind} ({self.network}), "
            f"{self.optimizer.name}, batches of {self.batch_size}, step {self.step}"
        )


def drawn(number: int) -> Case:
    """The case of this number."""
    draw = np.random.default_rng((SEED, number))
    planted = list(PLANTED)[number % len(PLANTED)]
    kind = str(draw.choice(PLANTED[planted]))
    samples = int(draw.choice([40, 54]))
    batch_size = (1, int(draw.choice([7, 8, 16])), "full")[int(draw.integers(3))]
    size = samples if batch_size == "full" else batch_size
    plan = BatchPlan(samples, size, Case.EPOCHS, seed=number)
    # data is spoilt from the beginning; augmentation begins to spoil it in any epoch
    last = plan.steps if planted == "augmentation" else plan.steps_per_epoch
    step = 1 + int(draw.integers(last))
    batch = plan.batches(step - 1, step)[0]
    sample = int(draw.choice(batch[batch >= 0]))
    values = ("inf", "-inf") if planted == "scaling" else ("nan", "inf", "-inf")
    return Case(
        number, planted, kind, str(draw.choice(NETWORKS[kind])), str(draw.choice(values)),
        batch_size, OPTIMIZERS[int(draw.integers(len(OPTIMIZERS)))], samples,
        step, sample, int(draw.integers(1 << 16)),
    )  # fmt: skip


def data_of(case: Case) -> ds.Dataset:
    """Data with the mark, but without anything that is not finite."""
    draw = np.random.default_rng((SEED, case.number, 1))
    task = {"numbers": "regression", "photos": "counting"}.get(case.kind, "classification")

    def part(count: int, sample: int | None) -> ds.Samples:
        if case.kind == "photos":
            inputs = draw.integers(0, 255, (count, 8, 8, 1)).astype(np.uint8)
            targets = draw.uniform(0, 2, (count, 2, 2, 1)).astype(np.float32)
        else:
            shape = (6, 6, 1) if case.kind == "images" else (4,)
            inputs = (2 + 0.1 * draw.normal(size=(count, *shape))).astype(np.float32)
            targets = draw.integers(0, 3, count).astype(np.int32)
        if case.kind == "places":
            inputs[:, -1] = draw.integers(0, 5, count)
        if case.kind == "numbers":
            targets = (inputs[:, :2] * 3 + draw.normal(size=(count, 2))).astype(np.float32)
        if sample is not None and case.planted in ("loss", "slope of the loss"):
            targets[sample] = 3 if task == "classification" else MARK
        weights = draw.uniform(0.5, 2, count).astype(np.float32)
        return ds.Samples(inputs, targets, weights if case.planted == "weight" else None)

    train, validation, test = part(case.samples, case.sample), part(12, None), part(12, None)
    per = "feature" if train.inputs.ndim == 2 else "all"
    scaling = ds.Scaling.learn(train.inputs, per)
    if case.kind == "places":
        scaling = scaling.without([-1])
    if case.planted in ("sum", "activation", "slope of an activation"):
        mean, std = np.ravel(scaling.mean)[0], np.ravel(scaling.std)[0]
        train.inputs.reshape(case.samples, -1)[case.sample, 0] = mean + MARK * std
    names = ("a", "b", "c", "marked") if task == "classification" else ()
    return ds.Dataset(case.kind, task, train, validation, test, scaling, class_names=names)


def spoilt(case: Case, data: ds.Dataset, *, value: str | None) -> dict[str, Any]:
    """The arguments of `ds.train`; None as the value for the same without anything planted."""
    layers = ds.parse_network(case.network).layers
    loss: Any = "cross_entropy" if data.task == "classification" else "huber"
    augment = None
    finite = "0" if value is None else value
    samples, sample = data.train, case.sample
    if case.planted == "target that is scaled":
        loss = "squared_error"
    if case.planted in ("sum", "activation"):
        layers = (Spike(case.planted, finite), *layers)
    if case.planted == "slope of an activation":
        flat = [ds.Flatten()] if samples.inputs.ndim > 2 else []
        layers = (*flat, Cliff(5, finite), ds.Dense(data.output_shape[0]))
    if case.planted in ("loss", "slope of the loss"):
        loss = ds.Loss("spoilt", SpoiltLoss(case.planted, finite, data.task))
    if case.planted == "augmentation":
        augment = SpoiltAugment(sample=sample, epoch=case.epoch - 1, value=finite)
    if value is not None and case.planted in ("input", "scaling"):
        flat = samples.inputs.reshape(len(samples), -1)
        flat[sample, case.index % flat.shape[1]] = (
            np.sign(float(value)) * 3.3e38 if case.planted == "scaling" else float(value)
        )
    if value is not None and case.planted.startswith("target"):
        flat = samples.targets.reshape(len(samples), -1)
        flat[sample, case.index % flat.shape[1]] = float(value)
    if case.planted == "weight":
        others = np.delete(samples.weights, sample)
        samples.weights[sample] = others.mean() if value is None else float(value)
    return {
        "network": ds.Network(layers), "data": data, "loss": loss,
        "augment": augment or "none", "optimizer": case.optimizer, "schedule": "constant",
        "learning_rate": 0.003, "batch_size": case.batch_size,
        "epochs": case.EPOCHS, "seed": case.number, "record": ds.Record(every=1),
    }  # fmt: skip


def is_named(case: Case, run: ds.Run) -> bool:
    """Whether the outcome says what was planted, as a value and in words."""
    found, words = run.outcome.failure, run.outcome.message
    if found is None or found.sample != case.sample or found.samples != 1:
        return False
    what, cause = {
        "input": ("input", ""),
        "weight": ("weight", ""),
        "scaling": ("input", "scaling"),
        "augmentation": ("input", "augment"),
        "sum": ("sum", ""),
        "activation": ("activation", ""),
        "loss": ("loss", ""),
        "slope of the loss": ("gradient", "loss"),
        "slope of an activation": ("gradient", found.cause),
    }[case.planted]
    network = run.network
    indices = [network.layer_name(index) for index in range(len(network.layers))]
    own = [name for name in indices if name.split()[1] in ("Spike", "Cliff")]
    right = (found.what, found.cause) == (what, cause)
    right &= re.search(rf"training sample {case.sample}\b", words) is not None
    right &= words.startswith(f"At step {case.step} (epoch {case.epoch}) ")
    if what == "input" and cause != "augment":
        shape = run.dataset.train.inputs.shape[1:]
        right &= found.index == tuple(np.unravel_index(case.index % int(np.prod(shape)), shape))
    if what == "gradient":
        last = [name for name, own in zip(indices, run.parameters, strict=True) if own][-1]
        right &= found.value in ("nan", "inf", "-inf")
        right &= found.layer == (last if cause == "loss" else own[0])
        right &= found.cause in ("loss", *own)
    else:
        right &= found.value == case.value and case.value in words
    if what in ("sum", "activation"):
        right &= found.layer == own[0]
    return bool(right)


def is_kept(case: Case, run: ds.Run, clean: ds.Run | None) -> bool:
    """Whether the weights are finite, and those of the training in which nothing was planted."""
    if clean is None:
        return all(np.isfinite(one).all() for one in jax.tree.leaves(run.parameters))
    pairs = zip(
        jax.tree.leaves(run.parameters),
        jax.tree.leaves(ds.replay(clean).parameters(case.step - 1)),
        strict=True,
    )
    # weights are divided by the mean of those that are finite, which rounds otherwise without one
    loose = 1e-6 if case.planted == "weight" else 0
    return all(np.isfinite(one).all() and np.allclose(one, np.asarray(other), rtol=0, atol=loose)
               for one, other in pairs)  # fmt: skip


def trained(case: Case, *, value: str | None) -> ds.Run:
    """The training, spoilt or not."""
    return ds.train(**spoilt(case, data_of(case), value=value))


def is_good(row: dict[str, Any]) -> bool:
    """Whether a case went as it should."""
    return all(row[what] for what in FOUND)


def measure(case: Case, *, compares: bool = True) -> dict[str, Any]:
    """One case: whether it was caught at its step, named, and the weights before it kept.

    Targets are scaled: one that is not finite is to be refused before the first step.

    Args:
        case: The case.
        compares: Whether to compare the weights with those of the training without it.
    """
    if case.planted.startswith("target"):
        return refused(case)
    run = trained(case, value=case.value)
    clean = trained(case, value=None) if compares else None
    ended = run.outcome
    return {
        "case": case.name,
        "planted": case.planted,
        "caught": ended.reason == "non_finite" and ended.step + 1 == case.step,
        "named": is_named(case, run),
        "kept": ended.kept_step == case.step - 1 and is_kept(case, run, clean),
        "message": str(ended),
    }


def refused(case: Case) -> dict[str, Any]:
    """A case that is not to be trained at all."""
    row = {"case": case.name, "planted": case.planted}
    try:
        run = trained(case, value=case.value)
    except ds.DataError as error:
        said = re.fullmatch(
            rf"The target .*of sample {case.sample} is {case.value}\.", error.received
        )
        return {
            **row,
            "caught": True,
            "named": said is not None,
            "kept": True,
            "message": str(error),
        }
    return {**row, **dict.fromkeys(FOUND, False), "message": str(run.outcome)}


def forget_programs() -> None:
    """Let go of what was compiled: a process has no room for the programs of hundreds of cases."""
    compilation.programs.cache_clear()
    jax.clear_caches()
    gc.collect()


def main() -> None:
    """Measure as many cases as asked for, or those that are named by their numbers."""
    parser = argparse.ArgumentParser(description="NaN and infinities planted in trainings")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--out", type=Path)
    parser.add_argument("numbers", type=int, nargs="*")
    options = parser.parse_args()
    began = time.perf_counter()
    rows = []
    for number in options.numbers or range(options.cases):
        rows.append(measure(drawn(number)))
        if len(rows) % 20 == 0:
            forget_programs()
        if options.numbers or not is_good(rows[-1]):
            print(json.dumps(rows[-1], indent=1), flush=True)
        if options.out is not None:
            options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for planted in PLANTED:
        own = [row for row in rows if row["planted"] == planted]
        counts = (f"{what} {sum(row[what] for row in own)}" for what in FOUND)
        print(f"{planted}: {len(own)} planted; {', '.join(counts)}")
    print(
        f"{sum(map(is_good, rows))} of {len(rows)} caught at their step and named, the weights "
        f"before it kept; {time.perf_counter() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
