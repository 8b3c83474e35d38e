"""What people ask most of training libraries, each made as a training, and what is said of it.

The numbers are those of the file of questions; of the same cause there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

import downslope as ds

PLAIN: dict[str, Any] = {
    "schedule": "constant", "optimizer": "adam", "stop": ds.Stop(keep="last"),
    "learning_rate": 0.003, "epochs": 20, "batch_size": 32,
}  # fmt: skip
DRAW = np.random.default_rng(0)


class Question(NamedTuple):
    """Something that people ask, as a training.

    Attributes:
        numbers: In the file of questions.
        asked: In words.
        network: The network.
        data: Makes the data.
        settings: Beside `PLAIN`.
    """

    numbers: str
    asked: str
    network: str
    data: Callable[[], ds.Dataset]
    settings: dict[str, Any]


def _of(inputs: np.ndarray, targets: np.ndarray, **more: Any) -> ds.Dataset:
    return ds.Dataset.from_arrays(inputs, targets, validation=0.3, **more)


def _bumpy() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import make_classification

    found: Any = make_classification(600, 10, random_state=1)
    return found


def _xor() -> ds.Dataset:
    rows = np.tile([[0.0, 0], [0, 1], [1, 0], [1, 1]], (20, 1))
    return _of(rows, np.tile([0, 1, 1, 0], 20))


def _noisy() -> ds.Dataset:
    inputs = _bumpy()[0]
    return _of(inputs, (inputs[:, 0] + 1.5 * DRAW.normal(size=600) > 0).astype(int))


def _themselves() -> ds.Dataset:
    values = DRAW.uniform(size=(600, 20))
    return _of(values, values)


def _product() -> ds.Dataset:
    inputs = _bumpy()[0]
    return _of(inputs, inputs[:, 0] * inputs[:, 1] + 0.3 * DRAW.normal(size=600))


def likelihood(prediction: Array, target: Array) -> Array:
    """A loss of somebody's own with a logarithm of 0."""
    chance = jnp.clip(prediction[:, 0], 0, 1)
    return -jnp.log(jnp.where(target[:, 0] > 0, chance, 1 - chance))


QUESTIONS = (
    Question("1", "numbers: the loss is nan", "dense 64 relu, dense 64 relu, dense 1",
             lambda: _of(50 * DRAW.normal(size=(600, 8)), 1e4 * DRAW.normal(size=600),
                         scaling="none"), {"optimizer": "sgd", "learning_rate": 0.1}),
    Question("3, 29", "the accuracy does not change", "dense 64 relu, dense 64 relu, dense 2",
             lambda: _of(*_bumpy()), {"learning_rate": 1.0}),
    Question("5", "perfect in training, wrong in prediction, with batch normalisation",
             "dense 64 relu, batch_norm, dense 2",
             lambda: _of(_bumpy()[0] + 20, _bumpy()[1], scaling="none"),
             {"epochs": 2, "batch_size": 128, "learning_rate": 0.01}),
    Question("9", "the loss has spikes, one in each epoch", "dense 32 relu, dense 1", _product,
             {"epochs": 60, "batch_size": 139, "learning_rate": 0.02, "optimizer": "momentum"}),
    Question("11, 21, 25", "always class 1; the logits went through two softmaxes",
             "dense 16 relu, dense 1 softmax", lambda: _of(*_bumpy()),
             {"loss": "binary_cross_entropy"}),
    Question("13, 33", "validation loss rises while the accuracy stands",
             "dense 256 relu, dense 256 relu, dense 2", _noisy, {"epochs": 80}),
    Question("15, 35", "better on the validation part than in training",
             "dense 64 relu, dropout 0.5, dense 64 relu, dropout 0.5, dense 10",
             lambda: ds.load("digits"), {"epochs": 15}),
    Question("17", "XOR is not learnt", "dense 2 sigmoid, dense 2", _xor,
             {"epochs": 100, "learning_rate": 0.01, "batch_size": 4, "optimizer": "sgd"}),
    Question("19", "an autoencoder does not learn the identity", "dense 4 relu, dense 20 sigmoid",
             _themselves, {"epochs": 60, "learning_rate": 0.01}),
    Question("27", "the loss falls, and no prediction is right", "dense 32 relu, dense 41",
             lambda: _of(_bumpy()[0], np.round(10 * _bumpy()[0][:, 0]).astype(int)), {}),
    Question("31", "0.75 from the first epoch on", "dense 16 relu, dense 2",
             lambda: _of(DRAW.normal(size=(600, 8)), (DRAW.uniform(size=600) < 0.25).astype(int)),
             {"epochs": 30}),
    Question("37", "everything is nan", ", ".join(["dense 8 relu"] * 6 + ["dense 2"]),
             lambda: ds.load("spirals"), {"optimizer": "sgd", "learning_rate": 1e10}),
    Question("39", "nan in the middle, since the batches are smaller", "dense 64 relu, dense 1",
             _product, {"batch_size": 2, "learning_rate": 0.3, "optimizer": "momentum"}),
    Question("41", "nan with a loss of my own", "dense 8 relu, dense 1",
             lambda: _of(_bumpy()[0], (_bumpy()[1] * 2.0 - 1)[:, None], task="regression"),
             {"loss": likelihood}),
    Question("43", "the loss stays at 0.69", "dense 8 relu, dense 1",
             lambda: _of(_bumpy()[0], DRAW.integers(0, 2, 600)),
             {"loss": "binary_cross_entropy", "epochs": 30}),
)  # fmt: skip


def questions(only: str, budget: float) -> Iterator[tuple[Question, str]]:
    """Each question whose words have these, with what is said first of it."""
    for one in QUESTIONS:
        if only not in one.asked:
            continue
        try:
            run = ds.train(one.network, one.data(), **{**PLAIN, **one.settings})
        except ds.DownslopeError as error:
            yield one, f"refused: {error}"
            continue
        found = ds.diagnose(run, budget=budget).findings
        told = [own for own in found if own.level != "note"] or list(found)
        proved = ", proved" if told and told[0].proof else ""
        yield one, f"`{told[0].cause}` ({told[0].level}{proved}): {told[0].seen}" if told else ""
