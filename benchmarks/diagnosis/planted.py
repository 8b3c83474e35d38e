"""Faults that were planted, severe and mild, each on several data sets.

A cause is planted by a function from a set, a seed and the degree to a run. `PLANTS` says which
causes there are, on which kind of sets they show, and which others are as true. A plant that does
no harm is no fault: where the run is as good as a plain training of the same set, on samples that
neither was trained on, another set is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

import downslope as ds
from benchmarks.diagnosis.sets import Set


@dataclass(frozen=True)
class Case:
    """A training and what is true of it.

    Attributes:
        name: Its name.
        make: Trains it.
        true: The causes that are true of it; empty where nothing is wrong.
        degree: "severe", "mild", "healthy", or what else it belongs to.
        why_not: Why a run is no case after all; empty where it is.
        group: Cases of which a few are enough; empty where each counts.
    """

    name: str
    make: Callable[[], ds.Run]
    true: tuple[str, ...] = ()
    degree: str = "healthy"
    why_not: Callable[[ds.Run], str] = lambda _: ""
    group: str = ""


TWO = "dense 32 relu, dense 32 relu"
ONE = "dense 64 relu"


def outputs_of(data: ds.Dataset) -> int:
    """How many outputs a network for it has."""
    return len(data.class_names) or data.output_shape[-1]


def trained(data: ds.Dataset, network: Any = TWO, last: str = "", **settings: Any) -> ds.Run:
    """A training with plain settings.

    Args:
        data: What is learnt.
        network: The hidden layers in notation, or a whole network.
        last: What stands behind the last layer.
        settings: Of `train`.
    """
    own: dict[str, Any] = {
        "optimizer": "adam", "learning_rate": 0.003, "schedule": "constant", "batch_size": 32,
        "epochs": 30, "label_smoothing": 0.0,
    }  # fmt: skip
    if isinstance(network, str):
        ending = f"dense {outputs_of(data)}{last}"
        network = f"{network}, {ending}" if network else ending
    if own["batch_size"] > len(data.train):
        own["batch_size"] = len(data.train)
    return ds.train(network, data, **{**own, **settings})


PARTS = ("train", "validation", "test")


def changed(data: ds.Dataset, change: Callable[[str, ds.Samples], ds.Samples]) -> ds.Dataset:
    """The same with each part changed, by its name."""
    return replace(data, **{name: change(name, getattr(data, name)) for name in PARTS})


def shuffled(data: ds.Dataset, seed: int, fraction: float = 1.0) -> ds.Dataset:
    """With the targets of a fraction of each part shuffled."""
    draw = np.random.default_rng(seed)

    def part(_: str, one: ds.Samples) -> ds.Samples:
        targets = np.array(one.targets)
        chosen = draw.permutation(len(targets))[: int(fraction * len(targets))]
        targets[chosen] = targets[draw.permutation(chosen)]
        return replace(one, targets=targets)

    return changed(data, part)


def with_inputs(data: ds.Dataset, times: float, plus: float = 0.0) -> ds.Dataset:
    """With inputs of another size, which nothing scales."""
    scaled = data.scaling

    def part(_: str, one: ds.Samples) -> ds.Samples:
        return replace(one, inputs=np.asarray(scaled.apply(one.inputs), float) * times + plus)

    return changed(data, part).unscaled()


def with_targets(data: ds.Dataset, times: float, plus: float = 0.0) -> ds.Dataset:
    """Likewise the targets, with inputs of size 1."""
    mean, std = (getattr(data.train.targets, name)(axis=0) for name in ("mean", "std"))
    scaled = data.scaling

    def part(_: str, one: ds.Samples) -> ds.Samples:
        targets = (one.targets - mean) / np.where(std == 0, 1, std) * times + plus
        return replace(one, inputs=np.asarray(scaled.apply(one.inputs), float), targets=targets)

    return changed(data, part).unscaled()


def with_outliers(data: ds.Dataset, times: float) -> ds.Dataset:
    """With two training targets so many standard deviations away."""
    targets = np.array(data.train.targets, float)
    middle, std = targets.mean(axis=0), targets.std(axis=0)
    targets[3], targets[40] = middle + times * std, middle - times * std
    return replace(data, train=replace(data.train, targets=targets))


def rare(data: ds.Dataset, kept: float, seed: int) -> ds.Dataset:
    """With few training and validation samples of all classes but the first."""
    draw = np.random.default_rng(seed)

    def part(name: str, one: ds.Samples) -> ds.Samples:
        chosen = (one.targets == 0) | (draw.random(len(one)) < kept)
        if name == "validation":  # at least one other, or accuracy says nothing
            chosen[np.flatnonzero(one.targets != 0)[:1]] = True
        return one.take(np.flatnonzero(chosen))

    return changed(data, part)


def _everything(data: ds.Dataset) -> tuple[np.ndarray, np.ndarray]:
    parts = [getattr(data, name) for name in PARTS]
    inputs = np.concatenate([np.asarray(one.inputs, float).reshape(len(one), -1) for one in parts])
    return inputs, np.concatenate([one.targets for one in parts])


def again(data: ds.Dataset, inputs: np.ndarray, targets: np.ndarray, seed: int) -> ds.Dataset:
    """Other samples of the same task, split anew."""
    names = [] if data.task == "regression" else data.class_names
    return ds.Dataset.from_arrays(
        inputs, targets, task=data.task, class_names=names, split_seed=seed
    )


def shifted(data: ds.Dataset, fraction: float, seed: int) -> ds.Dataset:
    """With each target at the sample after its own, from some row on."""
    inputs, targets = _everything(data)
    order = np.random.default_rng(seed).permutation(len(targets))
    inputs, targets = inputs[order], targets[order]
    first = int((1 - fraction) * len(targets))
    targets[first:] = np.roll(targets[first:], 1, axis=0)
    return again(data, inputs, targets, seed)


def leaking(data: ds.Dataset, noise: float, seed: int) -> ds.Dataset:
    """With a column that is the target, but for a little noise."""
    inputs, targets = _everything(data)
    own = np.asarray(targets, float).reshape(len(targets), -1)[:, :1]
    own = own / own.std() + noise * np.random.default_rng(seed).normal(size=own.shape)
    return again(data, np.concatenate([inputs, own], axis=1), targets, seed)


def copied(data: ds.Dataset, fraction: float, seed: int) -> ds.Dataset:
    """With a fraction of the samples twice."""
    inputs, targets = _everything(data)
    twice = np.random.default_rng(seed).permutation(len(targets))[: int(fraction * len(targets))]
    rows = np.concatenate([np.arange(len(targets)), twice])
    return again(data, inputs[rows], targets[rows], seed)


def mislabelled(data: ds.Dataset, fraction: float, seed: int) -> ds.Dataset:
    """With a fraction of the labels replaced by another class."""
    draw, classes = np.random.default_rng(seed), len(data.class_names)

    def part(_: str, one: ds.Samples) -> ds.Samples:
        targets = np.array(one.targets)
        chosen = draw.random(len(targets)) < fraction
        targets[chosen] = (targets[chosen] + draw.integers(1, classes, chosen.sum())) % classes
        return replace(one, targets=targets)

    return changed(data, part)


def without_class(data: ds.Dataset, parts: Sequence[str]) -> ds.Dataset:
    """With no sample of the last class in some parts."""
    last = len(data.class_names) - 1

    def part(name: str, one: ds.Samples) -> ds.Samples:
        return one.take(np.flatnonzero(one.targets != last)) if name in parts else one

    return changed(data, part)


def few(data: ds.Dataset, count: int) -> ds.Dataset:
    """With the first training samples alone."""
    return replace(data, train=data.train.take(np.arange(min(count, len(data.train)))))


def start_of(value: float) -> ds.Initializer:
    """First weights that are all the same."""
    import jax.numpy as jnp

    return ds.Initializer(
        f"all {value:g}", function=lambda key, shape, kind: jnp.full(shape, value, kind)
    )


def normal(size: float) -> ds.Initializer:
    """First weights of that standard deviation, whatever the number of inputs."""
    return ds.Initializer(f"normal {size:g}", variance=lambda inputs, outputs: size**2)


def layers(widths: Sequence[int], data: ds.Dataset, activation: str, start: Any) -> ds.Network:
    """Dense layers with a start of their own."""
    hidden = [ds.Dense(width, activation, initializer=start) for width in widths]
    return ds.Network([*hidden, ds.Dense(outputs_of(data), initializer=start)])


def frozen(data: ds.Dataset, seed: int, is_severe: bool) -> ds.Run:
    """A training whose first layers keep weights that had learnt nothing."""
    narrow = "dense 4 relu, dense 4 relu" if is_severe else "dense 8 relu, dense 8 relu"
    empty = trained(data, narrow, epochs=1, learning_rate=1e-7, seed=seed)
    return trained(data, narrow, start=empty, freeze=2 if is_severe else 1, seed=seed + 1)


def _plain(data: ds.Dataset, seed: int, _: bool) -> ds.Run:
    return trained(data, seed=seed, epochs=40)


def _unseen_score(run: ds.Run) -> float:
    """How much better than the best constant it is, on samples that it was not trained on."""
    assert run.dataset is not None
    parts, scores = (run.dataset.validation, run.dataset.test), []
    for part in parts:
        found, base = run.measure(part), run.measure_baseline(part)
        if "accuracy" in found:
            room = 1 - base["accuracy"]
            scores.append((found["accuracy"] - base["accuracy"]) / room if room else 1.0)
        else:
            scores.append(1 - found["rmse"] ** 2 / base["rmse"] ** 2)
    return float(np.average(scores, weights=[len(one) for one in parts]))


HARM = {"severe": 0.15, "mild": 0.075}  # of the way from the best constant to perfect


class Plant(NamedTuple):
    """How a cause is planted.

    Attributes:
        make: From the data, a seed and whether it is severe to a run.
        task: On which sets: "classes", "numbers", "both".
        also: Causes that are as true.
        is_bent: Whether it shows only where a linear network does not do.
        twin: What it is measured beside: a training without it, from the data and a seed; None
            where it does no harm that a metric tells (a leak makes it better).
    """

    make: Callable[[ds.Dataset, int, bool], ds.Run]
    task: str = "both"
    also: tuple[str, ...] = ()
    is_bent: bool = False
    twin: Callable[[ds.Dataset, int, bool], ds.Run] | None = _plain


def _descent(**own: Any) -> ds.Optimizer:
    return ds.Optimizer("sgd", **own)


# of each: data, seed, whether it is severe
PLANTS: dict[str, Plant] = {
    "learning_rate_too_high": Plant(
        lambda d, s, x: trained(d, seed=s, optimizer="sgd", learning_rate=30.0 if x else 3.0),
        also=("dead_relus",),
    ),
    "learning_rate_too_low": Plant(
        lambda d, s, x: trained(d, seed=s, learning_rate=1e-7 if x else 1e-5),
        also=("too_few_steps",),
    ),
    "too_few_steps": Plant(
        lambda d, s, x: trained(
            d, seed=s, learning_rate=3e-4, epochs=1 if x else 3, batch_size=64),
        also=("learning_rate_too_low", "batch_too_large"),
    ),
    "inputs_not_scaled": Plant(
        lambda d, s, x: trained(
            with_inputs(d, *((1e4, 5e3) if x else (60.0, 30.0))), "dense 16 tanh", seed=s),
        also=("saturated_activations",),
        is_bent=True,
    ),
    "targets_not_scaled": Plant(
        lambda d, s, x: trained(with_targets(d, *((1e5, 3e5) if x else (300.0, 200.0))), seed=s),
        "numbers",
    ),
    "outlier_owns_loss": Plant(
        lambda d, s, x: trained(with_outliers(d, 1e5 if x else 100.0), seed=s), "numbers"
    ),
    "saturated_activations": Plant(
        lambda d, s, x: trained(
            d, layers([32, 32], d, "tanh", normal(20.0 if x else 4.0)), seed=s,
            learning_rate=0.001),
        also=("start_wrongly_scaled", "exploding_gradients"),
        is_bent=True,
    ),
    "dead_relus": Plant(
        lambda d, s, x: trained(
            with_inputs(d, 1.0, 4.0), ds.Network([
                ds.Dense(32, "relu", initializer=_negative(32 if x else 26)),
                ds.Dense(outputs_of(d)),
            ]), seed=s, learning_rate=0.001),
        also=("start_wrongly_scaled",),
    ),
    "vanishing_gradients": Plant(
        lambda d, s, x: trained(
            d, ", ".join(["dense 24 sigmoid"] * (9 if x else 6)), seed=s, epochs=15),
        also=("saturated_activations",),
    ),
    "exploding_gradients": Plant(
        lambda d, s, x: trained(
            d, layers([32] * 6, d, "relu", normal(1.5 if x else 0.8)), seed=s,
            optimizer="sgd", learning_rate=1e-4),
        also=("start_wrongly_scaled", "learning_rate_too_high"),
    ),
    "constant_start": Plant(
        lambda d, s, x: trained(
            d, layers([32, 32], d, "relu", start_of(0.0 if x else 0.1)), seed=s),
        is_bent=True,
    ),
    "start_wrongly_scaled": Plant(
        lambda d, s, x: trained(
            d, layers([64, 64], d, "tanh", normal(1e-4 if x else 2.0)), seed=s,
            learning_rate=3e-4 if x else 0.001, epochs=15),
        also=("saturated_activations", "exploding_gradients", "vanishing_gradients"),
    ),
    "no_hidden_activation": Plant(
        lambda d, s, x: trained(d, "dense 32, dense 32" if x else "dense 32, dense 8", seed=s),
        is_bent=True,
    ),
    "wrong_last_activation": Plant(
        lambda d, s, x: trained(
            with_targets(d, 3.0 if x else 1.0, 6.0 if x else 0.0), ONE,
            " sigmoid" if x else " tanh", seed=s),
        "numbers",
    ),
    "wrong_loss": Plant(
        lambda d, s, x: trained(
            with_targets(d, 1.0, 8.0) if x else _two_valued(d), ONE,
            loss="poisson" if x else "absolute_error", seed=s),
        "numbers",
        twin=lambda d, s, x: trained(
            with_targets(d, 1.0, 8.0) if x else _two_valued(d), ONE, seed=s),
    ),
    "nothing_to_learn": Plant(
        lambda d, s, x: trained(shuffled(d, s, 1.0 if x else 0.9), ONE, seed=s, epochs=15)
    ),
    "dominating_class": Plant(
        lambda d, s, x: trained(
            rare(d, 0.02 if x else 0.05, s), "dense 8 relu", seed=s, epochs=6, batch_size=16),
        "classes", is_bent=True, twin=None,
    ),
    "too_small": Plant(
        lambda d, s, x: trained(
            d, f"dense {1 if x else 2} relu", seed=s, learning_rate=0.01, epochs=60),
        also=("dead_relus",),
        is_bent=True,
    ),
    "overfitting": Plant(
        lambda d, s, x: trained(
            shuffled(few(d, 60 if x else 120), s, 0.4 if x else 0.25),
            "dense 256 relu, dense 256 relu",
            seed=s, epochs=100, stop=ds.Stop(keep="last")),
        also=("noisy_labels",),
        twin=lambda d, s, x: trained(
            shuffled(few(d, 60 if x else 120), s, 0.4 if x else 0.25),
            "dense 256 relu, dense 256 relu", seed=s, epochs=100, stop=ds.Stop(keep="best")),
    ),
    "dropout_too_strong": Plant(
        lambda d, s, x: trained(
            d, (f"dense 24 relu, dropout {0.95 if x else 0.8}, dense 24 relu, "
                f"dropout {0.95 if x else 0.8}"), seed=s),
        is_bent=True,
    ),
    "weight_decay_too_strong": Plant(
        lambda d, s, x: trained(
            d, ONE, seed=s, learning_rate=0.01,
            optimizer=ds.Optimizer("adamw", weight_decay=30.0 if x else 3.0)),
    ),
    "clipping_always_on": Plant(
        lambda d, s, x: trained(
            d, ONE, seed=s, optimizer=_descent(clip_norm=1e-5 if x else 1e-3),
            learning_rate=0.1),
        also=("learning_rate_too_low",),
    ),
    "batch_too_large": Plant(
        lambda d, s, x: trained(
            d, ONE, seed=s, batch_size="full", epochs=20 if x else 40, learning_rate=0.001),
        also=("too_few_steps", "learning_rate_too_low"),
    ),
    "batch_too_small": Plant(
        lambda d, s, x: trained(
            d, ONE, seed=s, batch_size=1, optimizer="momentum",
            learning_rate=0.03 if x else 0.01, epochs=10),
        also=("learning_rate_too_high", "dead_relus"),
        is_bent=True,
    ),
    "leak": Plant(lambda d, s, x: trained(leaking(d, 0.0 if x else 0.02, s), seed=s), twin=None),
    "copied_samples": Plant(
        lambda d, s, x: trained(copied(d, 0.5 if x else 0.1, s), seed=s), twin=None
    ),
    "labels_shifted": Plant(
        lambda d, s, x: trained(shifted(d, 1.0 if x else 0.8, s), seed=s, epochs=15)
    ),
    "noisy_labels": Plant(
        lambda d, s, x: trained(mislabelled(d, 0.3 if x else 0.15, s), ONE, seed=s, epochs=20),
        "classes",
    ),
    "missing_class": Plant(
        lambda d, s, x: trained(
            without_class(d, ("train",) if x else ("validation",)), seed=s),
        "classes", twin=None,
    ),
    "unchanged_layer": Plant(frozen, is_bent=True),
    "optimizer_unsuited": Plant(
        lambda d, s, x: trained(
            d, "dense 24 tanh, dense 24 tanh, dense 24 tanh", seed=s, optimizer="sgd",
            learning_rate=0.01 if x else 0.03),
        also=("learning_rate_too_low", "too_few_steps"),
        is_bent=True,
    ),
}  # fmt: skip


def _negative(units: int) -> ds.Initializer:
    """First weights that are below 0 for so many units: of positive inputs these are 0."""
    import jax
    import jax.numpy as jnp

    def drawn(key: Any, shape: tuple[int, ...], kind: Any) -> Any:
        size = jnp.abs(jax.random.normal(key, shape, kind)) / shape[0] ** 0.5
        return jnp.where(jnp.arange(shape[-1]) < units, -size, size)

    return ds.Initializer(f"{units} units negative", function=drawn)


def _two_valued(data: ds.Dataset) -> ds.Dataset:
    """Numbers 0 and 1, few of them 1, that are to be learnt as numbers."""
    middle = np.quantile(data.train.targets, 0.85)

    def part(_: str, one: ds.Samples) -> ds.Samples:
        return replace(one, targets=(np.asarray(one.targets) > middle).astype(float))

    return changed(data, part)


def planted(sets: Sequence[Set], seeds: Sequence[int] = (0,)) -> Iterator[Case]:
    """Every cause at both degrees, on all sets that suit it.

    Args:
        sets: The data sets.
        seeds: Of data and training.
    """

    @cache
    def twin(cause: str, own: Set, seed: int, is_severe: bool) -> float:
        make = PLANTS[cause].twin
        assert make is not None
        return _unseen_score(make(own.make(seed), seed, is_severe))

    def why_not(run: ds.Run, cause: str, own: Set, seed: int, degree: str) -> str:
        make = PLANTS[cause].twin
        if make is None or run.outcome.reason == "non_finite":
            return ""
        is_usual = make is _plain
        usual = twin("learning_rate_too_high" if is_usual else cause, own, seed, degree == "severe")
        lost = usual - _unseen_score(run)
        return "" if lost >= HARM[degree] else f"no harm: {lost:.3f} of what there is to gain"

    for number, (cause, plant) in enumerate(PLANTS.items()):
        able = [
            one for one in sets
            if plant.task in ("both", one.task) and not (plant.is_bent and one.is_linear)
        ]  # fmt: skip
        half = max(1, len(able) // 2)
        first = [(number + at * half) % len(able) for at in range(2)]
        rest = [(number + at) % len(able) for at in range(len(able))]
        for own in [able[at] for at in dict.fromkeys([*first, *rest])]:
            for seed in seeds:
                for degree in ("severe", "mild"):
                    yield Case(
                        f"{cause} {degree} {own.name} {seed}",
                        partial(_made, plant, own, seed, degree == "severe"),
                        (cause, *plant.also),
                        degree,
                        partial(why_not, cause=cause, own=own, seed=seed, degree=degree),
                        f"{cause} {degree} {seed}",
                    )


def _made(plant: Plant, own: Set, seed: int, is_severe: bool) -> ds.Run:
    return plant.make(own.make(seed), seed, is_severe)
