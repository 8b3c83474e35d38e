"""Small data sets, and what a training does to dense networks, again in float64 NumPy."""

from __future__ import annotations

import numpy as np

import downslope as ds

SLOPES = {
    "identity": (lambda z: z, lambda z: np.ones_like(z)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
}


def classes_data(train=50, validation=60, test=40, *, weighted=False, seed=0) -> ds.Dataset:
    """Points with four inputs around three centres that overlap."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1.2, (3, 4))

    def part(count: int) -> ds.Samples:
        labels = rng.integers(0, 3, count).astype(np.int32)
        points = (5 + 2 * (centres[labels] + rng.normal(0, 1, (count, 4)))).astype(np.float32)
        weights = rng.uniform(0.2, 2, count).astype(np.float32) if weighted else None
        return ds.Samples(points, labels, weights)

    parts = [part(count) for count in (train, validation, test)]
    scaling = ds.Scaling.learn(parts[0].inputs)
    return ds.Dataset("points", "classification", *parts, scaling, class_names=("a", "b", "c"))


def numbers_data(train=50, validation=60, test=40, outputs=2, seed=0) -> ds.Dataset:
    """Numbers far from size 1 that depend on three inputs."""
    rng = np.random.default_rng(seed)
    slopes = rng.normal(0, 40, (3, outputs))

    def part(count: int) -> ds.Samples:
        inputs = rng.normal(0, 1, (count, 3)).astype(np.float32)
        targets = inputs @ slopes + 200 + rng.normal(0, 5, (count, outputs))
        return ds.Samples(inputs, targets.astype(np.float32))

    parts = [part(count) for count in (train, validation, test)]
    return ds.Dataset("numbers", "regression", *parts, ds.Scaling.learn(parts[0].inputs))


def crowd_data(train=12, validation=14, test=6, seed=0) -> ds.Dataset:
    """Small photos in which each person is a bright spot."""
    rng = np.random.default_rng(seed)

    def part(count: int) -> ds.Samples:
        maps = rng.poisson(0.5, (count, 2, 4, 1)).astype(np.float32)
        photos = 200 * np.kron(maps, np.ones((1, 4, 4, 3))) + rng.uniform(0, 50, (count, 8, 16, 3))
        return ds.Samples(np.clip(photos, 0, 255).astype(np.uint8), maps)

    parts = [part(count) for count in (train, validation, test)]
    scaling = ds.Scaling.learn(parts[0].inputs, "channel")
    return ds.Dataset("spots", "counting", *parts, scaling, photo_side=16)


def as_float64(parameters) -> list[dict[str, np.ndarray]]:
    """The parameters of dense layers, precise enough to follow."""
    return [{name: np.asarray(one, np.float64) for name, one in own.items()} for own in parameters]


def forward(network, parameters, inputs) -> tuple[np.ndarray, list]:
    """The outputs of dense layers, and each layer's (inputs, sums)."""
    kept, signals = [], np.asarray(inputs, np.float64)
    for layer, own in zip(network.layers, as_float64(parameters), strict=True):
        sums = signals @ own["weights"] + own["biases"]
        kept.append((signals, sums))
        signals = SLOPES[layer.activation][0](sums)
    return signals, kept


def softmax(logits) -> np.ndarray:
    fractions = np.exp(logits - logits.max(axis=1, keepdims=True))
    return fractions / fractions.sum(axis=1, keepdims=True)


def cross_entropies(logits, labels) -> np.ndarray:
    """One loss per sample, (N,)."""
    return -np.log(softmax(logits)[np.arange(len(labels)), labels])


def descend(network, parameters, inputs, labels, rate, weights=None):
    """One step of gradient descent on the mean of cross-entropies times weights.

    Returns:
        The loss before the step, and the changed parameters.
    """
    logits, kept = forward(network, parameters, inputs)
    counts = np.ones(len(labels)) if weights is None else np.asarray(weights, np.float64)
    counts = counts / len(counts)
    loss = (counts * cross_entropies(logits, labels)).sum()
    slope = counts[:, None] * (softmax(logits) - np.eye(logits.shape[1])[labels])
    changed = as_float64(parameters)
    for index in reversed(range(len(kept))):
        before, sums = kept[index]
        slope = slope * SLOPES[network.layers[index].activation][1](sums)
        own = changed[index]
        earlier = slope @ own["weights"].T
        own["weights"] = own["weights"] - rate * before.T @ slope
        own["biases"] = own["biases"] - rate * slope.sum(axis=0)
        slope = earlier
    return loss, changed


def assert_same_parameters(one, other, **tolerance) -> None:
    """Compare bit for bit, or within `tolerance` if one is given."""
    for mine, yours in zip(one, other, strict=True):
        assert mine.keys() == yours.keys()
        for name in mine:
            if tolerance:
                np.testing.assert_allclose(mine[name], yours[name], **tolerance)
            else:
                np.testing.assert_array_equal(mine[name], yours[name])


def assert_same_trace(one, other) -> None:
    """Every column of both tables, bit for bit."""
    for mine, yours in ((one.steps, other.steps), (one.epochs, other.epochs)):
        assert mine.keys() == yours.keys()
        for name in mine:
            np.testing.assert_array_equal(mine[name], yours[name])
