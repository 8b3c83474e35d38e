"""Faults that were planted, mild and severe, and healthy runs, on small data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import downslope as ds


@dataclass(frozen=True)
class Case:
    """A training and what is true of it.

    Attributes:
        name: Its name.
        make: Trains it.
        true: The causes that are true of it; empty where nothing is wrong.
        degree: "severe", "mild" or "healthy".
    """

    name: str
    make: Callable[[], ds.Run]
    true: tuple[str, ...] = ()
    degree: str = "healthy"


def blobs(seed: int, samples: int = 600, features: int = 8, classes: int = 3) -> ds.Dataset:
    """Classes around two centres each, which no plane separates."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(0, 2.0, (2 * classes, features))
    which = draw.integers(0, 2 * classes, samples)
    inputs = centres[which] + draw.normal(0, 1.0, (samples, features))
    names = [f"class {one}" for one in range(classes)]
    return ds.Dataset.from_arrays(inputs, which % classes, class_names=names)


def bumps(seed: int, samples: int = 600, features: int = 4, noise: float = 0.1) -> ds.Dataset:
    """Numbers that are a bent function of the inputs."""
    draw = np.random.default_rng(seed)
    inputs = draw.uniform(-2, 2, (samples, features))
    targets = (
        np.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + noise * draw.normal(size=samples)
    )
    return ds.Dataset.from_arrays(inputs, targets)


def ellipses(seed: int, samples: int = 600) -> ds.Dataset:
    """Two classes, inside and outside of a ring."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(0, 1.5, (samples, 2))
    return ds.Dataset.from_arrays(inputs, (np.hypot(*inputs.T) > 1.7).astype(int))


SETS: dict[str, Callable[[int], ds.Dataset]] = {
    "blobs": blobs,
    "bumps": bumps,
    "ring": ellipses,
    "digits": lambda seed: ds.load("digits", split_seed=seed),
    "waves": lambda seed: ds.load("waves", split_seed=seed),
}
OUTPUTS = {"blobs": 3, "bumps": 1, "ring": 2, "digits": 10, "waves": 1}


def trained(data: ds.Dataset, hidden: str, outputs: int, last: str = "", **settings: Any) -> ds.Run:
    """A training with plain settings."""
    own: dict[str, Any] = {
        "optimizer": "adam", "learning_rate": 0.003, "schedule": "constant", "batch_size": 32,
        "epochs": 30,
    }  # fmt: skip
    network = f"{hidden}, dense {outputs}{last}" if hidden else f"dense {outputs}{last}"
    return ds.train(network, data, **{**own, **settings})


def shuffled(data: ds.Dataset, seed: int, fraction: float = 1.0) -> ds.Dataset:
    """The same with the targets of training and validation part shuffled."""
    draw = np.random.default_rng(seed)

    def part(one: ds.Samples) -> ds.Samples:
        targets = np.array(one.targets)
        chosen = draw.permutation(len(targets))[: int(fraction * len(targets))]
        targets[chosen] = targets[draw.permutation(chosen)]
        return replace(one, targets=targets)

    return replace(data, train=part(data.train), validation=part(data.validation))


def with_inputs(data: ds.Dataset, times: float, plus: float = 0.0) -> ds.Dataset:
    """The same with inputs of another size, which nothing scales."""
    parts = {
        name: replace(own, inputs=np.asarray(own.inputs, float) * times + plus)
        for name in ("train", "validation", "test")
        for own in (getattr(data, name),)
    }
    return replace(data, **parts).unscaled()


def with_targets(data: ds.Dataset, times: float, plus: float = 0.0) -> ds.Dataset:
    """Likewise the targets, with inputs of size 1."""
    parts = {
        name: replace(
            own,
            inputs=data.scaling.apply(own.inputs),
            targets=np.asarray(own.targets, float) * times + plus,
        )
        for name in ("train", "validation", "test")
        for own in (getattr(data, name),)
    }
    return replace(data, **parts).unscaled()


def with_outlier(data: ds.Dataset, size: float) -> ds.Dataset:
    """The same with two training targets far away."""
    targets = np.array(data.train.targets, float)
    targets[[3, 40]] = [[size], [-size]]
    return replace(data, train=replace(data.train, targets=targets))


def rare(data: ds.Dataset, kept: float) -> ds.Dataset:
    """The same with few samples of all classes but the first."""

    def part(one: ds.Samples) -> ds.Samples:
        draw = np.random.default_rng(0)
        return one.take(np.flatnonzero((one.targets == 0) | (draw.random(len(one)) < kept)))

    return replace(data, train=part(data.train), validation=part(data.validation))


def start_of(value: float) -> ds.Initializer:
    """First weights that are all the same."""
    import jax.numpy as jnp

    return ds.Initializer(
        f"all {value:g}", function=lambda key, shape, kind: jnp.full(shape, value, kind)
    )


def normal(size: float) -> ds.Initializer:
    """First weights of that standard deviation, whatever the number of inputs."""
    return ds.Initializer(f"normal {size:g}", variance=lambda inputs, outputs: size**2)


def layers(widths: list[int], outputs: int, activation: str, start: Any) -> ds.Network:
    """Dense layers with a start of their own."""
    hidden = [ds.Dense(width, activation, initializer=start) for width in widths]
    return ds.Network([*hidden, ds.Dense(outputs, initializer=start)])


def planted(seed: int) -> Iterator[Case]:
    """Every fault at both degrees, each on one of the data sets that show it."""
    kinds = list(SETS)
    pick = lambda *names: (names or kinds)[seed % len(names or kinds)]  # noqa: E731 - short

    def case(cause: str, degree: str, name: str, make: Callable[[], ds.Run], *also: str) -> Case:
        return Case(f"{cause} {degree} {name} {seed}", make, (cause, *also), degree)

    two, relu = "dense 32 relu, dense 32 relu", "dense 64 relu"
    for degree, by in (("severe", 1), ("mild", 0)):
        name = pick("blobs", "digits", "bumps", "waves")
        data, outputs = SETS[name](seed), OUTPUTS[name]
        own = {"optimizer": "sgd", "learning_rate": 30.0 if by else 3.0}
        yield case("learning_rate_too_high", degree, name,
                   lambda d=data, o=outputs, k=own: trained(d, two, o, seed=seed, **k),
                   "dead_relus")  # fmt: skip
        rate = 1e-7 if by else 1e-5
        yield case("learning_rate_too_low", degree, name,
                   lambda d=data, o=outputs, r=rate: trained(d, two, o, learning_rate=r, seed=seed),
                   "too_few_steps")  # fmt: skip
        epochs = 1 if by else 3
        yield case("too_few_steps", degree, name,
                   lambda d=data, o=outputs, e=epochs: trained(
                       d, two, o, learning_rate=3e-4, epochs=e, batch_size=64, seed=seed),
                   "learning_rate_too_low", "batch_too_large")  # fmt: skip
        times = (1e4, 5e3) if by else (60.0, 30.0)
        yield case("inputs_not_scaled", degree, name,
                   lambda d=data, o=outputs, t=times: trained(
                       with_inputs(d, *t), "dense 16 tanh", o, seed=seed),
                   "saturated_activations", "targets_not_scaled")  # fmt: skip
        name = pick("bumps", "waves")
        data, outputs = SETS[name](seed), OUTPUTS[name]
        far = (1e5, 3e5) if by else (300.0, 200.0)
        yield case(
            "targets_not_scaled",
            degree,
            name,
            lambda d=data, o=outputs, t=far: trained(with_targets(d, *t), relu, o, seed=seed),
        )
        size = 1e5 if by else 300.0
        yield case(
            "outlier_owns_loss",
            degree,
            name,
            lambda d=data, o=outputs, s=size: trained(with_outlier(d, s), relu, o, seed=seed),
        )
        last = " sigmoid" if by else " tanh"
        yield case(
            "wrong_last_activation",
            degree,
            name,
            lambda d=data, o=outputs, a=last: trained(d, relu, o, a, seed=seed),
        )
        yield case(
            "no_hidden_activation",
            degree,
            name,
            lambda d=data, o=outputs, s=by: trained(
                d, "dense 32, dense 32" if s else "dense 32, dense 8", o, seed=seed
            ),
        )
        name = pick("blobs", "digits", "ring")
        data, outputs = SETS[name](seed), OUTPUTS[name]
        depth = 9 if by else 6
        yield case("vanishing_gradients", degree, name,
                   lambda d=data, o=outputs, n=depth: trained(
                       d, ", ".join(["dense 24 sigmoid"] * n), o, seed=seed, epochs=15),
                   "saturated_activations")  # fmt: skip
        value = 0.0 if by else 0.1
        yield case(
            "constant_start",
            degree,
            name,
            lambda d=data, o=outputs, v=value: trained_with(
                layers([32, 32], o, "relu", start_of(v)), d, seed=seed
            ),
        )
        std = 10.0 if by else 2.0
        yield case("start_wrongly_scaled", degree, name,
                   lambda d=data, o=outputs, v=std: trained_with(
                       layers([64, 64], o, "tanh", normal(v)), d, seed=seed, learning_rate=0.001),
                   "saturated_activations", "exploding_gradients")  # fmt: skip
        rates = "dropout 0.95" if by else "dropout 0.8"
        yield case(
            "dropout_too_strong",
            degree,
            name,
            lambda d=data, o=outputs, r=rates: trained(
                d, f"dense 24 relu, {r}, dense 24 relu, {r}", o, seed=seed
            ),
        )
        decay = ds.Optimizer("adamw", weight_decay=30.0 if by else 3.0)
        yield case(
            "weight_decay_too_strong",
            degree,
            name,
            lambda d=data, o=outputs, w=decay: trained(
                d, relu, o, optimizer=w, learning_rate=0.01, seed=seed
            ),
        )
        clip = ds.Optimizer("sgd", clip_norm=1e-5 if by else 1e-3)
        yield case("clipping_always_on", degree, name,
                   lambda d=data, o=outputs, c=clip: trained(
                       d, relu, o, optimizer=c, learning_rate=0.1, seed=seed),
                   "learning_rate_too_low")  # fmt: skip
        width = 1 if by else 2
        yield case(
            "too_small",
            degree,
            name,
            lambda d=data, o=outputs, w=width: trained(
                d, f"dense {w} relu", o, learning_rate=0.01, seed=seed
            ),
            "dead_relus",
        )
        mixed = 1.0 if by else 0.9
        yield case(
            "nothing_to_learn",
            degree,
            name,
            lambda d=data, o=outputs, m=mixed: trained(
                shuffled(d, seed, m), relu, o, seed=seed, epochs=15
            ),
        )
        kept = 0.02 if by else 0.05
        yield case(
            "dominating_class",
            degree,
            "ring",
            lambda k=kept: trained(
                rare(ellipses(seed, 2000), k), "dense 8 relu", 2, seed=seed, epochs=6
            ),
            "too_few_steps",
        )
        few = 40 if by else 90
        yield case(
            "overfitting",
            degree,
            "blobs",
            lambda f=few: trained(
                shuffled(blobs(seed, 3 * f, 20), seed, 0.25),
                "dense 256 relu, dense 256 relu",
                3,
                epochs=80,
                seed=seed,
            ),
        )


def trained_with(network: ds.Network, data: ds.Dataset, **settings: Any) -> ds.Run:
    """A training of a network as a value."""
    own: dict[str, Any] = {
        "optimizer": "adam", "learning_rate": 0.003, "schedule": "constant", "batch_size": 32,
        "epochs": 30,
    }  # fmt: skip
    return ds.train(network, data, **{**own, **settings})


def healthy(seed: int) -> Iterator[Case]:
    """Trainings of which nothing is wrong, odd ones among them."""
    for name in SETS:
        data, outputs = SETS[name](seed), OUTPUTS[name]
        for hidden, own in (
            ("dense 64 relu", {"epochs": 40}),
            ("dense 32 tanh, dense 32 tanh", {"epochs": 60, "schedule": "one-cycle",
                                              "learning_rate": 0.01}),
        ):  # fmt: skip
            yield Case(
                f"healthy {name} {hidden} {seed}",
                lambda d=data, o=outputs, h=hidden, k=own: trained(d, h, o, seed=seed, **k),
            )
    yield Case(
        f"healthy batch 1 {seed}",
        lambda: trained(
            blobs(seed, 300),
            "dense 32 relu",
            3,
            batch_size=1,
            epochs=15,
            learning_rate=0.001,
            seed=seed,
        ),
    )
    yield Case(
        f"healthy tiny {seed}",
        lambda: trained(blobs(seed, 60), "dense 16 relu", 3, epochs=80, seed=seed),
    )
    yield Case(
        f"healthy hard {seed}",
        lambda: trained(bumps(seed, 800, noise=2.0), "dense 16 relu", 1, epochs=20, seed=seed),
    )
    yield Case(
        f"healthy deep {seed}",
        lambda: trained(
            blobs(seed),
            ", ".join(["dense 32 relu"] * 6),
            3,
            epochs=40,
            learning_rate=0.001,
            seed=seed,
        ),
    )
    yield Case(
        f"healthy linear {seed}",
        lambda: trained(
            ds.Dataset.from_arrays(*_line(seed)), "", 1, epochs=60, learning_rate=0.01, seed=seed
        ),
    )
    yield Case(
        f"healthy dropout {seed}",
        lambda: trained(blobs(seed), "dense 64 relu, dropout 0.3", 3, epochs=40, seed=seed),
    )


def _line(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(400, 5))
    return inputs, inputs @ draw.normal(size=5) + 0.3 * draw.normal(size=400)
