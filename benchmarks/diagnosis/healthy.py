"""Trainings of which nothing is wrong, odd ones among them, and ten kinds that only look wrong.

Whether a training of a kind does look so is told by `SHOWS`, from its recorded losses and with none
of the diagnosis's code; where it does not, it is no case of that kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import downslope as ds
from benchmarks.diagnosis.planted import ONE, TWO, Case, mislabelled, trained, with_targets
from benchmarks.diagnosis.sets import Set, blobs, bumps, friedman, line, ring, spheres

USUAL: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("relu", TWO, {"epochs": 40}),
    ("tanh", "dense 32 tanh, dense 32 tanh",
     {"epochs": 60, "schedule": "one-cycle", "learning_rate": 0.01}),
    ("patience", ONE, {"epochs": 150, "stop": ds.Stop(patience=10)}),
    ("momentum", TWO,
     {"epochs": 60, "optimizer": "momentum", "learning_rate": 0.02, "schedule": "cosine"}),
)  # fmt: skip


def healthy(sets: Sequence[Set], seeds: Sequence[int] = (0,)) -> Iterator[Case]:
    """Every set with usual networks and with the recipe's, then odd trainings."""
    for seed in seeds:
        for one in sets:
            for name, network, own in USUAL:
                yield Case(
                    f"{name} {one.name} {seed}",
                    lambda o=one, n=network, k=own, s=seed: trained(o.make(s), n, seed=s, **k),
                )
            yield Case(
                f"recipe {one.name} {seed}",
                lambda o=one, s=seed: ds.train(None, o.make(s), seed=s),
            )
        for name, make in ODD.items():
            yield Case(f"{name} {seed}", lambda m=make, s=seed: m(s))


def _counts(seed: int) -> ds.Dataset:
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(600, 4))
    return ds.Dataset.from_arrays(
        inputs, draw.poisson(np.exp(inputs @ draw.normal(0, 0.5, 4) + 1)), task="regression"
    )


def _labels(seed: int) -> ds.Dataset:
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(600, 6))
    return ds.Dataset.from_arrays(
        inputs, (inputs @ draw.normal(size=(6, 3)) + 0.3 > 0).astype(int), task="multilabel"
    )


def _uneven(seed: int) -> ds.Dataset:
    data = blobs(seed, 900, classes=2)
    draw = np.random.default_rng(seed)

    def part(one: ds.Samples) -> ds.Samples:
        return one.take(np.flatnonzero((one.targets == 0) | (draw.random(len(one)) < 0.25)))

    return replace(data, train=part(data.train), validation=part(data.validation))


def _further(seed: int) -> ds.Run:
    """The last layer learnt anew behind layers that had learnt."""
    first = trained(ds.load("digits"), TWO, seed=seed)
    return trained(ds.load("digits"), TWO, start=first, freeze=True, seed=seed + 1, epochs=15)


def _in_order(seed: int) -> ds.Dataset:
    """A wave in time, of which each value is near the one before."""
    time = np.linspace(0, 12, 500)
    draw = np.random.default_rng(seed)
    inputs = np.stack([np.sin(time), np.cos(time), draw.normal(size=500)], axis=1)
    return ds.Dataset.from_arrays(inputs, np.sin(time + 0.5) + 0.1 * draw.normal(size=500))


def _truth_table(seed: int) -> ds.Dataset:
    """Every input of exclusive or, many times."""
    inputs = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (20, 1)).astype(float)
    return ds.Dataset.from_arrays(inputs, (inputs.sum(axis=1) == 1).astype(int), split_seed=seed)


def _unit(seed: int) -> ds.Dataset:
    """Numbers between 0 and 1, as they are."""
    data = bumps(seed)
    low, high = data.train.targets.min(), data.train.targets.max()
    return with_targets(data, 0.15, 0.5) if high > low else data


def _images(seed: int, **own: Any) -> ds.Run:
    digits = ds.load("digits", split_seed=seed)
    images, targets = digits.train.inputs[:800].reshape(-1, 8, 8, 1), digits.train.targets[:800]
    data = ds.Dataset.from_arrays(images, targets, split_seed=seed)
    return trained(
        data, "conv 8 3 relu, max_pool 2, conv 16 3 relu, flatten", seed=seed, epochs=12, **own
    )


ODD: dict[str, Callable[[int], ds.Run]] = {
    "batch 1": lambda s: trained(
        blobs(s, 300), "dense 32 relu", batch_size=1, epochs=15, learning_rate=0.001, seed=s),
    "batch 1 numbers": lambda s: trained(
        bumps(s, 400), "dense 32 relu", batch_size=1, epochs=30, learning_rate=0.001, seed=s),
    "batch 1 descent": lambda s: trained(
        ring(s, 400), "dense 16 tanh", batch_size=1, epochs=40, learning_rate=0.01,
        optimizer="sgd", seed=s),
    "batch 2": lambda s: trained(
        spheres(s), ONE, batch_size=2, epochs=60, learning_rate=0.001, seed=s),
    "full batch": lambda s: trained(
        blobs(s), ONE, batch_size="full", epochs=400, learning_rate=0.01, seed=s),
    "tiny 30": lambda s: trained(
        blobs(s, 45, classes=2), "dense 16 relu", epochs=60, batch_size=8, seed=s),
    "tiny 60": lambda s: trained(blobs(s, 90), "dense 16 relu", epochs=80, seed=s),
    "tiny numbers": lambda s: trained(line(s, 60), "dense 8 relu", epochs=150, seed=s),
    "four times four": lambda s: trained(
        _truth_table(s), "dense 8 tanh", epochs=300, learning_rate=0.01, seed=s, batch_size=16),
    "hard numbers": lambda s: trained(
        bumps(s, 2000, noise=1.5), "dense 32 relu", epochs=12, seed=s),
    "hard line": lambda s: trained(line(s, 800, noise=4.0), "", epochs=40, seed=s,
                                   learning_rate=0.01),
    "hard classes": lambda s: trained(
        mislabelled(blobs(s, 800, classes=2), 0.0, s), "dense 8 relu", epochs=10, seed=s),
    "hard overlap": lambda s: trained(_overlapping(s), "dense 8 relu", epochs=15, seed=s),
    "ceiling": lambda s: trained(_overlapping(s, 1.2), "", epochs=40, learning_rate=0.01, seed=s),
    "deep 6": lambda s: trained(
        blobs(s), ", ".join(["dense 32 relu"] * 6), epochs=40, learning_rate=0.001, seed=s),
    "deep 8 numbers": lambda s: trained(
        bumps(s), ", ".join(["dense 32 relu"] * 8), epochs=60, learning_rate=0.001, seed=s),
    "deep 6 tanh": lambda s: trained(
        spheres(s), ", ".join(["dense 24 tanh"] * 6), epochs=60, learning_rate=0.001, seed=s),
    "deep normed": lambda s: trained(
        blobs(s), ", ".join(["dense 24, layer_norm, relu"] * 5), epochs=40, seed=s),
    "line": lambda s: trained(line(s), "", epochs=60, learning_rate=0.01, seed=s),
    "line in two layers": lambda s: trained(line(s), "dense 8", epochs=60, learning_rate=0.01,
                                            seed=s),
    "dropout": lambda s: trained(blobs(s), "dense 64 relu, dropout 0.3", epochs=40, seed=s),
    "dropout numbers": lambda s: trained(
        friedman(s), "dense 64 relu, dropout 0.1", epochs=80, seed=s),
    "decay": lambda s: trained(
        ring(s), ONE, epochs=60, seed=s, optimizer=ds.Optimizer("adamw", weight_decay=0.01)),
    "clipping": lambda s: trained(
        spheres(s), TWO, epochs=60, seed=s, optimizer=ds.Optimizer("adam", clip_norm=1.0)),
    "poisson": lambda s: trained(_counts(s), ONE, loss="poisson", epochs=30, seed=s),
    "huber": lambda s: trained(friedman(s), ONE, loss="huber", epochs=80, seed=s),
    "absolute": lambda s: trained(bumps(s), TWO, loss="absolute_error", epochs=60, seed=s),
    "labels": lambda s: trained(_labels(s), ONE, epochs=30, seed=s),
    "two classes, one output": lambda s: ds.train(
        "dense 16 tanh, dense 1", ring(s), loss="binary_cross_entropy", epochs=60, seed=s,
        learning_rate=0.01),
    "one in five": lambda s: trained(_uneven(s), ONE, epochs=30, seed=s),
    "further": _further,
    "in order": lambda s: trained(_in_order(s), "dense 16 tanh", epochs=60, seed=s),
    "targets of size 1": lambda s: trained(_unit(s), TWO, epochs=60, seed=s),
    "sigmoid for fractions": lambda s: trained(_unit(s), TWO, " sigmoid", epochs=80, seed=s),
    "images": _images,
    "images changed": lambda s: _images(s, augment="shift=0.1"),
    "smoothed": lambda s: trained(blobs(s), ONE, epochs=30, label_smoothing=0.1, seed=s),
    "members": lambda s: ds.train(None, friedman(s), members=2, epochs=40, seed=s),
    "crowd": lambda s: ds.train(
        "conv 4 5 relu, max_pool 8, conv 1 1", ds.load("crowd", split_seed=s), epochs=6, seed=s),
}  # fmt: skip


def _overlapping(seed: int, apart: float = 1.0) -> ds.Dataset:
    """Two normal distributions that overlap: the best accuracy is far from 1."""
    draw = np.random.default_rng(seed)
    which = draw.integers(0, 2, 900)
    return ds.Dataset.from_arrays(
        draw.normal(size=(900, 3)) + apart * (which[:, None] - 0.5), which, split_seed=seed
    )


NORMAL: dict[str, tuple[Callable[[int], ds.Run], ...]] = {
    "better_on_validation_with_dropout": (
        lambda s: trained(ring(s), "dense 64 relu, dropout 0.5", epochs=30, seed=s),
        lambda s: trained(friedman(s), "dense 64 relu, dropout 0.5", epochs=30, seed=s),
        lambda s: trained(line(s), "dense 64 relu, dropout 0.5, dense 32 relu", epochs=40, seed=s),
    ),
    "accuracy_stands": (
        lambda s: trained(_apart(s), ONE, epochs=40, seed=s),
        lambda s: trained(_apart(s, 3), "dense 16 tanh", epochs=60, seed=s),
        lambda s: trained(_apart(s, 2), "", epochs=60, learning_rate=0.01, seed=s),
    ),
    "surer_when_wrong": (
        lambda s: trained(mislabelled(blobs(s, 900), 0.05, s), "dense 128 relu", epochs=150,
                          seed=s, stop=ds.Stop(keep="last")),
        lambda s: trained(mislabelled(spheres(s), 0.05, s), "dense 64 relu, dense 64 relu",
                          epochs=100, seed=s, stop=ds.Stop(keep="last")),
        lambda s: trained(_overlapping(s, 2.0), "dense 64 relu", epochs=150, seed=s,
                          stop=ds.Stop(keep="last"), learning_rate=0.01),
    ),
    "noisy_loss_of_small_batches": (
        ODD["batch 1"], ODD["batch 1 numbers"], ODD["batch 1 descent"], ODD["batch 2"],
    ),
    "plateau_before_fall": (
        lambda s: trained(_parity(s), "dense 8 sigmoid, dense 8 sigmoid", epochs=300, seed=s,
                          learning_rate=0.005),
        lambda s: trained(
            blobs(s), ", ".join(["dense 16 sigmoid"] * 4), epochs=150, seed=s,
            optimizer="momentum", learning_rate=0.05),
        lambda s: trained(ring(s), "dense 8 sigmoid, dense 8 sigmoid", epochs=200, seed=s,
                          learning_rate=0.003),
    ),
    "hard_task": (
        ODD["hard numbers"], ODD["hard overlap"], ODD["ceiling"], ODD["hard line"],
    ),
    "rise_in_first_steps": (
        lambda s: trained(blobs(s), TWO, learning_rate=0.2, epochs=30, seed=s, batch_size=64,
                          schedule="cosine"),
        lambda s: trained(spheres(s), TWO, learning_rate=0.1, epochs=40, seed=s,
                          schedule="cosine", batch_size=64),
        lambda s: trained(bumps(s), TWO, learning_rate=0.1, epochs=40, seed=s, batch_size=64,
                          schedule="cosine"),
    ),
    "spikes_that_pass": (
        lambda s: trained(_wrong_once(s), "dense 16 tanh", epochs=40, seed=s, batch_size=16),
        lambda s: trained(_with_odd_samples(s), ONE, epochs=30, seed=s, batch_size=32),
    ),
    "waves_of_momentum": (
        lambda s: trained(line(s), "", optimizer=ds.Optimizer("momentum", momentum=0.97),
                          learning_rate=0.01, epochs=120, batch_size="full", seed=s),
        lambda s: trained(bumps(s), "dense 32 tanh", batch_size="full", epochs=300, seed=s,
                          optimizer=ds.Optimizer("momentum", momentum=0.98), learning_rate=0.02),
        lambda s: trained(ring(s), "dense 16 tanh", batch_size="full", epochs=300, seed=s,
                          optimizer=ds.Optimizer("momentum", momentum=0.98), learning_rate=0.2),
    ),
    "better_on_validation_by_chance": (
        lambda s: _easier(lambda split: line(split, 300), "", s, learning_rate=0.01, epochs=60),
        lambda s: _easier(lambda split: _overlapping(split), "dense 8 relu", s, epochs=15),
        lambda s: _easier(friedman, "dense 8 relu", s, epochs=40),
    ),
}  # fmt: skip


def _of_epochs(run: ds.Run) -> np.ndarray:
    """The mean loss of the steps of each epoch."""
    assert run.dataset is not None
    samples, losses = len(run.dataset.train), run.trace.batch_loss
    width = -(-samples // run.settings.samples_per_step(samples))
    return losses.reshape(-1, width).mean(axis=1)


def _tail(values: np.ndarray) -> float:
    return float(values[-max(1, len(values) // 10) :].mean())


def _becomes_surer(run: ds.Run) -> bool:
    """Its loss rises, and it is right as often as about its lowest loss."""
    losses, right = run.trace.validation_loss, run.trace.epochs["validation_accuracy"]
    at = int(losses.argmin())
    before = float(right[max(0, at - 3) : at + 4].mean())
    return _tail(losses) > 1.15 * losses[at] and _tail(right) > before - 0.03


def _stands_and_falls(run: ds.Run) -> bool:
    """A tenth of its epochs lie within 5 % of its first loss or of the loss where it stands."""
    losses = _of_epochs(run)
    long = max(3, len(losses) // 10)
    level = float(losses[:long].mean())
    return bool(np.ptp(losses[:long]) < 0.1 * level and _tail(losses) < level / 2)


def _has_spikes(run: ds.Run) -> bool:
    """Some of its later steps, and few, have three times the loss of those beside them."""
    losses = run.trace.batch_loss[len(run.trace.batch_loss) // 3 :]
    usual = np.array([np.median(losses[max(0, at - 8) : at + 9]) for at in range(len(losses))])
    return 1 <= (losses > 3 * usual).sum() <= len(losses) / 10


def _has_waves(run: ds.Run) -> bool:
    """The loss rises again at least three times by a fiftieth while it falls to a half."""
    losses, rises, low, high = _of_epochs(run), 0, np.inf, 0.0
    for one in losses:
        if one < low:
            low, high = one, 0.0
        elif one > max(high, 1.02 * low):
            rises, high = rises + (high == 0.0), one
        if high and one < 0.98 * high:
            low, high = one, 0.0
    return rises >= 3 and losses[-1] < losses[0] / 2


def _is_at_ceiling(run: ds.Run) -> bool:
    """A network of twice the width, with another seed, ends alike."""
    assert run.dataset is not None
    part = run.dataset.validation
    name = "accuracy" if run.data.task == "classification" else "rmse"
    other = trained(run.dataset, "dense 64 relu", seed=run.settings.seed + 1, epochs=15)
    found, again = run.measure(part)[name], other.measure(part)[name]
    base = run.measure_baseline(part)[name]
    return abs(found - again) < 0.25 * abs(found - base)


def _loss_falls_alone(run: ds.Run) -> bool:
    """In its second half the loss falls by a twentieth, and the accuracy stays."""
    losses, right = run.trace.validation_loss, run.trace.epochs["validation_accuracy"]
    half = len(losses) // 2
    return bool(losses[-1] < 0.95 * losses[half] and np.ptp(right[half:]) == 0)


def _varies(run: ds.Run) -> bool:
    """The losses of its last steps differ by half of their mean."""
    losses = run.trace.batch_loss[-len(run.trace.batch_loss) // 2 :]
    return bool(losses.std() > 0.5 * losses.mean())


SHOWS: dict[str, Callable[[ds.Run], bool]] = {
    "better_on_validation_with_dropout": lambda run: (
        run.trace.validation_loss[-1] < _of_epochs(run)[-1]),
    "accuracy_stands": _loss_falls_alone,
    "surer_when_wrong": _becomes_surer,
    "noisy_loss_of_small_batches": _varies,
    "plateau_before_fall": _stands_and_falls,
    "hard_task": _is_at_ceiling,
    "rise_in_first_steps": lambda run: bool(
        run.trace.batch_loss[1 : len(run.trace.batch_loss) // 5].max()
        > 1.3 * run.trace.batch_loss[0]),
    "spikes_that_pass": _has_spikes,
    "waves_of_momentum": _has_waves,
    "better_on_validation_by_chance": lambda run: (
        run.trace.validation_loss[-1] < run.trace.train_loss[-1]),
}  # fmt: skip


def _apart(seed: int, classes: int = 2) -> ds.Dataset:
    """Classes that lie far from each other."""
    draw = np.random.default_rng(seed)
    which = draw.integers(0, classes, 500)
    centres = 6 * np.eye(classes, 6)
    return ds.Dataset.from_arrays(centres[which] + draw.normal(size=(500, 6)), which)


def _parity(seed: int) -> ds.Dataset:
    """Whether an even number of three numbers is above 0."""
    inputs = np.random.default_rng(seed).uniform(-1, 1, (600, 3))
    return ds.Dataset.from_arrays(inputs, (inputs > 0).sum(axis=1) % 2)


def _wrong_once(seed: int) -> ds.Dataset:
    """With the wrong label of one training sample."""
    data = _apart(seed)
    targets = np.array(data.train.targets)
    targets[seed] = 1 - targets[seed]
    return replace(data, train=replace(data.train, targets=targets))


def _with_odd_samples(seed: int) -> ds.Dataset:
    """Numbers of which one has an error that is 12 times as large."""
    data = friedman(seed)
    draw = np.random.default_rng(seed)
    targets = np.array(data.train.targets, float)
    chosen = draw.permutation(len(targets))[:1]
    targets[chosen] += 6 * targets.std()
    return replace(data, train=replace(data.train, targets=targets))


def _easier(make: Callable[[int], ds.Dataset], network: str, seed: int, **own: Any) -> ds.Run:
    """The first of some splits whose validation part is easier than its training part."""
    split = 10 * seed
    while True:
        run = trained(make(split), network, seed=seed, **own)
        if run.trace.validation_loss[-1] < run.trace.train_loss[-1] or split % 10 == 9:
            return run
        split += 1


def normal(seeds: Sequence[int]) -> Iterator[Case]:
    """Trainings that look wrong and are not, each with what makes it normal."""
    for cause, makes in NORMAL.items():
        for number, make in enumerate(makes, start=1):
            for seed in seeds:
                yield Case(
                    f"{cause} {number} {seed}",
                    lambda m=make, s=seed: m(s),
                    (cause,),
                    "normal",
                    lambda run, shows=SHOWS[cause]: "" if shows(run) else "it does not look so",
                )
