"""Networks, samples and losses drawn at random, each a small real case.

Hypothesis draws the number of layers and a seed; Python's own generator, which spreads evenly over
what there is, does the rest. Shapes repeat on purpose: JAX compiles once for each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

import downslope as ds
from downslope.nn.activations import ACTIVATIONS
from downslope.nn.initializers import INITIALIZERS
from downslope.nn.layer import Layer, Misfit, map_by_kind
from downslope.nn.losses import LOSSES, resolve

FLAT_SHAPES = [(2,), (4,)]
IMAGE_SHAPES = [(4, 6, 3)]
SAMPLES = 3
COMPOSITE = 2 * [ds.Residual, ds.Parallel]
EVERYWHERE = [ds.Dropout, ds.LayerNorm, ds.GroupNorm, ds.Standardize, ds.Activate, ds.BatchNorm]
FLAT = [*(3 * [ds.Dense]), ds.Embedding, ds.EmbeddingBag, *EVERYWHERE]
IMAGE = [
    *(3 * [ds.Conv2D]), ds.MaxPool2D, ds.AveragePool2D, ds.Upsample2D, ds.Flatten,
    ds.GlobalAveragePool2D, ds.GlobalMaxPool2D, *EVERYWHERE,
]  # fmt: skip

# layers of tables: tests/nn/test_members.py
IN_THEIR_OWN_TESTS = {ds.Piecewise, ds.GroupedDense, ds.Members}


def cubic_error(prediction, target):
    """A loss of the user's own."""
    return (jnp.abs(prediction - target) ** 3).reshape(len(prediction), -1).sum(axis=1)


def draw_layer(random: Random, shape: tuple[int, ...], composites: bool = True) -> Layer:
    """A layer that takes inputs of `shape`."""
    kinds = (FLAT if len(shape) == 1 else IMAGE) + (COMPOSITE if composites else [])
    layer = _draw(random.choice(kinds), random, shape)
    while not _fits(layer, shape):
        layer = _draw(random.choice(kinds), random, shape)
    return layer


def _draw(kind: type[Layer], random: Random, shape: tuple[int, ...]) -> Layer:
    function = random.choice(sorted(ACTIVATIONS))
    start = random.choice(["auto", *INITIALIZERS])
    if kind is ds.Dense:
        return ds.Dense(random.choice([1, 2, 4]), function, start)
    if kind is ds.Conv2D:
        groups = random.choice([1, 1, shape[-1]])
        return ds.Conv2D(
            random.choice([1, 2]) * groups if groups > 1 else 2,
            random.choice([1, 2, 3]),
            function,
            stride=random.choice([1, 1, 2]),
            dilation=random.choice([1, 1, 2]),
            padding=random.choice(["same", "same", "valid"]),
            initializer=start,
            groups=groups,
        )
    if kind is ds.Activate:
        return ds.Activate(function)
    if kind in (ds.MaxPool2D, ds.AveragePool2D, ds.Upsample2D):
        return kind(2)
    if kind is ds.Embedding:
        return ds.Embedding(random.choice([2, 5]), random.choice([1, 3]))
    if kind is ds.EmbeddingBag:
        return ds.EmbeddingBag(random.choice([2, 5]), random.choice([1, 3]), random.choice([1, 3]))
    if kind is ds.Dropout:
        return ds.Dropout(random.choice([0.25, 0.5]))
    if kind is ds.GroupNorm:
        return ds.GroupNorm(random.choice([1, 2]))
    if kind is ds.Residual:
        keeps = ds.Dense if len(shape) == 1 else ds.Conv2D
        inner = draw_layer(random, shape, composites=False)
        first = [inner] if inner.output_shape(shape) == shape else []
        return ds.Residual([*first, keeps(shape[-1], activation=function)])
    if kind is ds.Parallel:
        return ds.Parallel(*(draw_layer(random, shape, composites=False) for _ in range(2)))
    return kind()


def _fits(layer: Layer, shape: tuple[int, ...]) -> bool:
    """Whether the layer takes inputs of `shape` and makes outputs of a moderate size."""
    try:
        made = layer.output_shape(shape)
    except Misfit:
        return False
    return max(made) <= 48 and (len(made) == 1 or max(made) <= 12) and _normalized(layer, shape) > 2


def _normalized(layer: Layer, shape: tuple[int, ...]) -> float:
    """How many values a layer standardises together.

    Two values become -1 and 1 whatever they were: their slopes are nothing but rounding.
    """
    if isinstance(layer, ds.LayerNorm):
        return shape[-1]
    if isinstance(layer, ds.GroupNorm):
        return math.prod(shape) / layer.groups
    return math.prod(shape) if isinstance(layer, ds.Standardize) else math.inf


def drawn_network(count: int, seed: int, shapes) -> tuple[ds.Network, tuple[int, ...]]:
    """A network of `count` layers (at most three for images), and the shape of its inputs."""
    random = Random(seed)
    start = shape = random.choice(shapes)
    chain = []
    for _ in range(count if len(start) == 1 else min(count, 3)):
        chain.append(draw_layer(random, shape))
        shape = chain[-1].output_shape(shape)
    return ds.Network(chain), start


COUNTS, SEEDS = st.integers(1, 4), st.integers(0, 2**32 - 1)


@st.composite
def networks(draw, shapes=(*FLAT_SHAPES, *IMAGE_SHAPES)) -> tuple[ds.Network, tuple[int, ...]]:
    """A network of one to four layers (three for images), and the shape of its inputs."""
    return drawn_network(draw(COUNTS), draw(SEEDS), shapes)


@dataclass(frozen=True)
class Case:
    """A network with parameters, samples, a loss and weights of the samples."""

    network: ds.Network
    input_shape: tuple[int, ...]
    loss: Any
    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None
    seed: int

    def parameters(self, dtype=np.float32):
        """Random everywhere, biases too, so that no sum is exactly 0 by construction."""
        rng = np.random.default_rng(self.seed)
        shapes = jax.eval_shape(lambda: self.network.init(self.input_shape))
        return map_by_kind(
            lambda leaf: jnp.asarray(rng.normal(0.3, 0.7, leaf.shape), dtype),
            lambda leaf: jnp.asarray(rng.uniform(0.5, 2, leaf.shape), dtype),
            shapes,
        )

    def arrays(self, dtype=np.float32):
        """Inputs, targets and weights; classes stay integers."""

        def converted(array):
            if array is None:
                return None
            return jnp.asarray(array, np.int32 if array.dtype.kind == "i" else dtype)

        return tuple(converted(one) for one in (self.inputs, self.targets, self.weights))


@st.composite
def cases(draw, shapes=(*FLAT_SHAPES, *IMAGE_SHAPES), losses=(*LOSSES, cubic_error)) -> Case:
    """A network with samples and a loss that suits its outputs."""
    count, seed = draw(COUNTS), draw(SEEDS)
    network, shape = drawn_network(count, seed, shapes)
    rng = np.random.default_rng((seed, count))
    loss = losses[rng.integers(len(losses))]
    output = network.shapes(shape)[-1]
    if resolve(loss).takes_classes and len(output) > 1:  # classes have no place in an image
        network = ds.Network([*network.layers, ds.Flatten()])
        output = network.shapes(shape)[-1]
    if loss == "cross_entropy":
        targets = rng.integers(0, output[0], SAMPLES)
        if rng.integers(2):
            targets = np.eye(output[0])[targets]
    elif loss == "binary_cross_entropy":
        targets = rng.integers(0, 2, (SAMPLES, *output)).astype(float)
    elif loss == "poisson":
        targets = rng.poisson(2.0, (SAMPLES, *output)).astype(float)
    else:
        targets = rng.standard_normal((SAMPLES, *output))
    weights = rng.uniform(0.1, 2.0, SAMPLES) if rng.integers(2) else None
    inputs = rng.standard_normal((SAMPLES, *shape))
    return Case(network, shape, loss, inputs, targets, weights, seed)
