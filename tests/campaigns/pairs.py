"""Thirty pairs of data and network that determinism is tried on: every kind that can be trained.

Few epochs each: what is asked is whether the bits are the same again, not whether they are good.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import downslope as ds
from tests.campaigns.rate_cases import Case, digit_images, made_table, scikit, table


def shops(rows: int = 900) -> ds.Dataset:
    """A table with many shops, days of the week, and prices that are sometimes missing."""
    draw = np.random.default_rng(3)
    shop, day = draw.integers(0, 120, rows), draw.integers(0, 7, rows)
    price = np.round(draw.uniform(1, 9, rows), 2)
    sold = np.round(40 + 10 * np.sin(shop) + 4 * day - 3 * price + draw.normal(0, 2, rows), 1)
    columns = {
        "shop": np.array([f"s{one}" for one in shop]),
        "day": np.array(["mo", "tu", "we", "th", "fr", "sa", "su"])[day],
        "price": np.where(draw.random(rows) < 0.05, "", price.astype(str)),
        "sold": sold,
    }
    return table("shops", columns, "sold")


def photos(count: int = 60) -> ds.Dataset:
    """Small photos of noise with bright heads on them, as density maps."""
    draw = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        lines = ["file,x,y"]
        for number in range(count):
            image = draw.integers(0, 120, (48, 64, 3), dtype=np.uint8)
            for x, y in draw.integers(2, [62, 46], (number % 9 + 1, 2)):
                image[y - 2 : y + 2, x - 2 : x + 2] = 250
                lines.append(f"p{number}.png,{x},{y}")
            Image.fromarray(image).save(Path(folder) / f"p{number}.png")
        (Path(folder) / "heads.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return ds.load(folder)


def _pair(name: str, data: Any, network: str, **settings: Any) -> Case:
    read = partial(ds.load, data) if isinstance(data, str) else data
    return Case(name, read, network, settings)


_COUNT = "conv 8 3 relu stride=2, max_pool 2, layer_norm, conv 8 3 relu, max_pool 2, conv 1 1"
_STREET = (
    "standardize, conv 8 5 relu stride=2, layer_norm, conv 8 3 relu, max_pool 2, layer_norm, "
    "conv 8 3 relu, max_pool 2, conv 1 1"
)

PAIRS = (
    _pair("digits", "digits", "dense 32 relu, dense 10", epochs=8),
    _pair(
        "digits, adam, dropout, one-cycle",
        "digits",
        "dense 128 relu, dropout 0.2, dense 10",
        optimizer="adam",
        learning_rate=0.003,
        schedule="one-cycle",
        epochs=8,
    ),
    _pair(
        "digits, momentum, cosine, batch 128",
        "digits",
        "dense 64 tanh, dense 64 tanh, dense 10",
        optimizer="momentum",
        learning_rate=0.05,
        schedule="cosine",
        batch_size=128,
        epochs=20,
    ),
    _pair("digits, batch 1", "digits", "dense 16 relu, dense 10", batch_size=1, epochs=1),
    _pair(
        "digits, all at once",
        "digits",
        "dense 32 relu, dense 10",
        optimizer="adam",
        learning_rate=0.01,
        batch_size="full",
        epochs=60,
    ),
    _pair(
        "digits, adamw, warm-up, clipped",
        "digits",
        "dense 48 gelu, layer_norm, dense 10",
        optimizer=ds.Optimizer("adamw", weight_decay=0.01, clip_norm=1.0),
        learning_rate=0.003,
        schedule=ds.Schedule("cosine", warm_up=0.1),
        epochs=8,
    ),
    _pair(
        "digits, the largest seed",
        "digits",
        "standardize, dense 32 relu, dense 10",
        seed=2**32 - 1,
        epochs=6,
    ),
    _pair(
        "digits, until a loss is reached",
        "digits",
        "dense 32 relu, dense 10",
        epochs=40,
        stop=ds.Stop(target_loss=0.3),
    ),
    _pair(
        "digits, wide and deep",
        "digits",
        "dense 256 relu, dense 256 relu, dense 256 relu, dense 10",
        optimizer="nesterov",
        learning_rate=0.02,
        batch_size=64,
        epochs=5,
    ),
    _pair(
        "digits, a batch of 512 in a wide network",
        "digits",
        "dense 512 relu, dense 512 relu, dense 10",
        optimizer="adam",
        learning_rate=0.001,
        batch_size=512,
        epochs=8,
    ),
    _pair(
        "spam, adam, one-cycle, dropout",
        "spam",
        "dense 64 relu, dropout 0.3, dense 2",
        optimizer="adam",
        learning_rate=0.003,
        schedule="one-cycle",
        epochs=4,
    ),
    _pair(
        "spam, one output, class weights",
        "spam",
        "dense 32 relu, dense 1",
        loss="binary_cross_entropy",
        class_weights=(1.0, 2.5),
        batch_size=8,
        epochs=2,
    ),
    _pair(
        "spirals, adam",
        "spirals",
        "dense 32 tanh, dense 32 tanh, dense 2",
        optimizer="adam",
        learning_rate=0.01,
        epochs=20,
    ),
    _pair(
        "spirals, a rate that is too large",
        "spirals",
        "dense 16 relu, dense 16 relu, dense 2",
        learning_rate=1e20,
        epochs=5,
    ),
    _pair("blobs, all at once", "blobs", "dense 32 tanh, dense 4", batch_size="full", epochs=200),
    _pair(
        "waves, rmsprop",
        "waves",
        "dense 64 tanh, dense 1",
        optimizer="rmsprop",
        learning_rate=0.003,
        batch_size=16,
        epochs=15,
    ),
    _pair(
        "xor, nesterov, steps",
        "xor",
        "dense 16 relu, dense 16 relu, dense 2",
        optimizer="nesterov",
        schedule="step",
        batch_size=64,
        epochs=30,
    ),
    _pair(
        "circles, adamw, cosine",
        "circles",
        "dense 16 gelu, dense 16 gelu, dense 2",
        optimizer=ds.Optimizer("adamw", weight_decay=0.01),
        learning_rate=0.01,
        schedule="cosine",
        batch_size=256,
        epochs=40,
    ),
    _pair(
        "moons, with patience",
        "moons",
        "dense 16 tanh, dense 2",
        learning_rate=0.5,
        epochs=200,
        stop=ds.Stop(patience=3),
    ),
    _pair(
        "breast cancer, with patience and tolerance",
        partial(scikit, "breast_cancer"),
        "dense 32 relu, layer_norm, dense 2",
        optimizer="adam",
        learning_rate=0.003,
        epochs=60,
        stop=ds.Stop(patience=4, tolerance=0.001),
    ),
    _pair(
        "diabetes, Huber's loss",
        partial(scikit, "diabetes"),
        "dense 32 relu, dense 1",
        loss="huber",
        optimizer="momentum",
        learning_rate=0.02,
        epochs=25,
    ),
    _pair(
        "iris, batches that do not divide it",
        partial(scikit, "iris"),
        "dense 12 tanh, dense 3",
        batch_size=7,
        epochs=20,
    ),
    _pair(
        "made table, adam, absolute error",
        made_table,
        "dense 64 relu, dense 32 relu, dense 1",
        loss="absolute_error",
        optimizer="adam",
        learning_rate=0.003,
        batch_size=64,
        epochs=6,
    ),
    _pair(
        "shops: looked-up categories and gaps",
        shops,
        "",
        optimizer="adam",
        learning_rate=0.003,
        epochs=12,
    ),
    _pair(
        "images, convolutions",
        digit_images,
        "conv 8 3 relu, max_pool 2, conv 16 3 relu, max_pool 2, flatten, dense 10",
        optimizer="adam",
        learning_rate=0.003,
        schedule="one-cycle",
        batch_size=64,
        epochs=4,
    ),
    _pair(
        "images, changed anew in each epoch",
        digit_images,
        "conv 8 3 relu, max_pool 2, flatten, dropout 0.25, dense 10",
        optimizer="adam",
        learning_rate=0.003,
        augment=ds.Augment(flip=True, crop=0.8, shift=0.1),
        epochs=4,
    ),
    _pair(
        "images, residual and parallel paths",
        digit_images,
        "conv 8 3 relu, residual (conv 8 3 relu, group_norm 4, conv 8 3), "
        "parallel (conv 4 3 relu | conv 4 1 relu), average_pool 2, flatten, dense 10",
        optimizer="momentum",
        learning_rate=0.02,
        batch_size=64,
        epochs=3,
    ),
    _pair(
        "photos with heads, cut and mirrored",
        photos,
        _COUNT,
        optimizer="adam",
        learning_rate=0.002,
        batch_size=8,
        augment=ds.Augment(flip=True, crop=0.5),
        epochs=15,
    ),
    _pair(
        "photos with heads, all at once",
        photos,
        _COUNT,
        learning_rate=0.05,
        batch_size="full",
        epochs=25,
    ),
    _pair(
        "crowd: the drawn street scenes",
        "crowd",
        _STREET,
        optimizer="adam",
        learning_rate=0.002,
        batch_size=8,
        augment=ds.Augment(flip=True, crop=0.5),
        epochs=1,
    ),
)

# every part of what `at` is asked of: optimizers with and without memory, chance in layers and in
# images, batches of one, of some and of all, the best weights kept, and a run of photos
LOOKED_AT = (1, 2, 3, 4, 12, 18, 21, 23, 25, 27)
