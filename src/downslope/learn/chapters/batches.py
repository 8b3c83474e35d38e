"""Batches: one sample, some, or all of them before each step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from downslope.engine.backpropagation import backpropagate
from downslope.engine.batches import BatchPlan
from downslope.learn.chapter import Ask, Chapter, Question, Worked, shown
from downslope.nn.dense import Dense
from downslope.nn.network import Network
from downslope.plots import style
from downslope.text import Table

_NETWORK = Network([Dense(1)])
_SAMPLES = 512
_TRUE, _NOISE = (4.0, 3.0), 3.0


def _setting() -> tuple[np.ndarray, np.ndarray, Any]:
    """Samples whose targets are off by chance, and the weights where all gradients are taken."""
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(_SAMPLES, 2)).astype(np.float32)
    noise = draw.normal(0, _NOISE, (_SAMPLES, 1))
    targets = (inputs @ np.array(_TRUE)[:, None] + noise).astype(np.float32)
    return inputs, targets, ({"weights": jnp.array([[1.0], [1.0]]), "biases": jnp.zeros(1)},)


def _gradients(batches: np.ndarray) -> np.ndarray:
    """The gradient along w1 and w2 of each batch, (batches, 2); a batch may be short of samples."""
    inputs, targets, parameters = _setting()
    counts = jnp.asarray(batches >= 0, jnp.float32)

    def of(x: Any, t: Any, weights: Any) -> Any:
        found = backpropagate(_NETWORK, parameters, x, t, loss="squared_error", weights=weights)
        return found.gradients[0]["weights"][:, 0]

    return np.asarray(jax.jit(jax.vmap(of))(inputs[batches], targets[batches], counts))


def act(batch_size: int) -> Worked:
    """Compare the gradients of single samples, of batches and of all samples."""
    sizes = (_SAMPLES, batch_size, 1)
    plans = [BatchPlan(_SAMPLES, size, 1, seed=0) for size in sizes]
    found = [_gradients(plan.batches(0, plan.steps)) for plan in plans]
    full = found[0][0]
    names = ("all samples: full batch", f"{batch_size} samples: your batches", "1 sample alone")
    rows = []
    for name, gradients in zip(names, found, strict=True):
        off = np.sqrt(np.square(gradients - full).sum(axis=1)).mean() / np.hypot(*full)
        uphill = float((gradients @ full < 0).mean())
        rows.append((name, f"{100 * off:.0f} %", f"{100 * uphill:.0f} %"))
    told = (
        f"One neuron, {_SAMPLES} samples, two weights. The gradient of all samples together is "
        f"({shown(full[0], 3)}, {shown(full[1], 3)}). How far the gradients of smaller batches "
        "are from it, on average, and how many of them would lead the wrong way:",
        "",
        Table(("a step sees", "off by", "the wrong way"), rows, numeric=(1, 2)),
        "",
        "A step with the full batch is exact and costs "
        f"{_SAMPLES} samples of computing. A single sample costs one, and is a guess.",
    )
    steps = plans[1].steps_per_epoch
    question = Question(
        f"All {_SAMPLES} samples are to be seen once, {batch_size} at a time. How many steps is "
        "that?",
        steps,
        f"Divide {_SAMPLES} by {batch_size}. What is left over makes one more, smaller batch.",
        f"{_SAMPLES} / {batch_size} = {shown(_SAMPLES / batch_size, 5)}, so {shown(steps)} "
        f"{'step' if steps == 1 else 'steps'}. With the full batch it is 1, with single samples "
        f"{_SAMPLES}.",
        tolerance=0,
    )
    return Worked(
        told,
        question,
        {"batches": lambda: _figure(found, names)},
        after="Each point is the gradient of one batch: the more samples, the closer together.",
    )


def _figure(found: list[np.ndarray], names: tuple[str, ...]) -> Figure:
    figure = style.new_figure(
        "The gradients of batches",
        "Each point is the gradient that one batch gives, along w1 and w2. Single samples "
        "scatter widely around the gradient of all samples.",
        height=4.4,
    )
    axes = style.dress(figure.subplots(), x="derivative along w1", y="derivative along w2")
    looks = (("*", 260, style.INK), ("s", 34, style.VERMILLION), ("o", 10, style.SKY))
    for gradients, name, (marker, size, colour), order in zip(
        found, names, looks, (3, 2, 1), strict=True
    ):
        axes.scatter(*gradients.T, marker=marker, s=size, color=colour, label=name, zorder=order)
    axes.legend(frameon=False, fontsize=style.TEXT_SIZE, labelcolor=style.INK)
    return figure


CHAPTER = Chapter(
    11,
    "batches",
    "Batches",
    (
        "So far one sample, or a handful, taught the network. What counts in the end is the loss "
        "over the whole training set. Three ways lead there. Show all samples before each step: "
        "that is called batch, or full-batch, training. It takes the right direction, but with "
        "many samples each step is slow.",
        "Or step after every single sample: stochastic gradient descent; stochastic means "
        "governed by chance. Steps are quick. But each sample would like other weights, and its "
        "gradient pulls towards them, so the walk staggers.",
        "Or take some samples at a time, a minibatch: in practice often a few hundred. Its mean "
        "gradient is nearly that of all, for a fraction of the work. How near, you can measure.",
    ),
    (Ask("batch_size", "samples in your batches", 32, 2, _SAMPLES),),
    act,
    """
from dataclasses import replace
import numpy as np
import downslope as ds

data = ds.load("waves")
some = replace(data, train=data.train.take(np.arange(512)))
run = ds.train("dense 1", some, batch_size=$batch_size, epochs=1)
print(run.trace.batch_loss)
print(len(run.trace.batch_loss))
""",
    (
        ("engine/batches.py", "which samples each step sees"),
        ("engine/settings.py", "batch_size: a number, or full"),
    ),
    ("downslope compare digits --vary batch_size=full,1,32",),
)
