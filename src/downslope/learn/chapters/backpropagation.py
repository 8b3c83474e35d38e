"""Backpropagation, and the three-step loop around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.data import load
from downslope.engine.backpropagation import backpropagate
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.learn.drawing import curves
from downslope.nn.dense import Dense
from downslope.nn.network import Network
from downslope.text import Table

_UNITS, _RATE, _SAMPLES = 8, 0.1, 128


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _watched(note: Callable[[], None], sums: Any) -> Any:
    return sums


def _forward(note: Callable[[], None], sums: Any) -> tuple[Any, None]:
    return sums, None


def _back(note: Callable[[], None], nothing: None, slope: Any) -> tuple[Any]:
    note()
    return (slope,)


_watched.defvjp(_forward, _back)


@dataclass(frozen=True, eq=False)
class Watched(Dense):
    """A dense layer that notes when the walk back passes through it.

    Attributes:
        note: Called then.
    """

    note: Callable[[], None] = field(default=lambda: None)

    def weighted_sum(self, parameters: Any, inputs: Any, key: Any = None) -> Any:
        """The pre-activations of a dense layer."""
        return _watched(self.note, super().weighted_sum(parameters, inputs, key))


def act(layers: int, steps: int) -> Worked:
    """Run the loop, and watch in which order the layers' gradients are found."""
    order: list[int] = []
    hidden = [
        Watched(_UNITS, "tanh", note=partial(order.append, number)) for number in range(1, layers)
    ]
    network = Network([*hidden, Watched(1, note=partial(order.append, layers))])
    data = load("waves")
    inputs = jnp.asarray(data.scaling.apply(data.train.inputs[:_SAMPLES]))
    targets = jnp.asarray(data.train.targets[:_SAMPLES])
    parameters = network.init((1,), seed=0)
    losses, first = [], None
    step = jax.jit(partial(backpropagate, network, loss="squared_error"))
    for _ in range(steps + 1):
        found = step(parameters, inputs, targets)
        losses.append(float(found.loss))
        first = first or found
        parameters = jax.tree.map(lambda w, g: w - _RATE * g, parameters, found.gradients)
    assert first is not None
    seen = order[:layers]
    rows = []
    for number in reversed(range(1, layers + 1)):
        slopes = jax.tree.leaves(first.gradients[number - 1])
        length = float(np.sqrt(sum(np.square(np.asarray(one)).sum() for one in slopes)))
        needs = "the loss" if number == layers else f"what layer {number + 1} passes back"
        rows.append(
            (f"layer {number}", needs, shown(sum(one.size for one in slopes)), shown(length, 3))
        )
    told = (
        f"Your network has {layers} layers. The loop, {steps} times: 1. present {_SAMPLES} samples "
        f"of a wavy curve; 2. compute the loss; 3. adjust all weights and biases, each by {_RATE} "
        "times its gradient.",
        "",
        f"The loss went from {shown(losses[0], 4)} to {shown(losses[-1], 4)}. The gradients of "
        "the first step, each worked out from what stands beside it (the length of a gradient is "
        "the root of the sum of its squares):",
        "",
        Table(("", "needs", "numbers", "length of the gradient"), rows, numeric=(2, 3)),
    )
    question = Question(
        "Which layer's gradients can be computed first? Type its number.",
        seen[0],
        "Look at what each layer needs. Only one of them needs nothing from another layer.",
        f"Layer {seen[0]}, next to the loss. The engine was watched while it worked; it passed "
        f"the layers in the order {', '.join(map(str, seen))}. Each passes on how the loss "
        "depends on its inputs, which is what the layer before it needs.",
        tolerance=0,
    )
    at = np.arange(len(losses))
    return Worked(
        told,
        question,
        {
            "backpropagation": lambda: curves(
                "The three-step loop",
                f"The loss before each step; {layers} layers, {_SAMPLES} samples, learning rate "
                f"{_RATE}.",
                [(at, np.array(losses), "")],
                x="steps",
                y="loss",
            )
        },
        after="The loss before each step of the loop.",
        sketch=Sketch(at, np.array(losses), "steps", "loss"),
    )


CHAPTER = Chapter(
    10,
    "backpropagation",
    "Backpropagation, and a loop of three steps",
    (
        "A network of several layers has a long chain from its first weights to the loss. Chapter "
        "6 multiplied the links for one weight. For thousands of weights there is a better order: "
        "begin at the loss and work back, layer by layer. It is called backpropagation.",
        "The last layer's gradients follow from the loss alone. On the way one also learns how "
        "the loss depends on what the last layer was given, that is, on the output of the layer "
        "before it. With that, the gradients of this layer follow, and so on to the first layer. "
        "Nothing is computed twice. When all gradients are known, all weights and biases are "
        "changed.",
        "That makes training a loop of three steps: present samples, compute the loss, adjust the "
        "weights and biases by backpropagation and gradient descent.",
    ),
    (
        Ask("layers", "layers of the network", 3, 1, 6),
        Ask("steps", "steps of the loop", 50, 1, 500),
    ),
    act,
    """
import jax
import downslope as ds

data = ds.load("waves")
hidden = [ds.Dense(8, "tanh") for _ in range($layers - 1)]
network = ds.Network([*hidden, ds.Dense(1)])
w = network.init((1,), seed=0)
x = data.scaling.apply(data.train.inputs[:128])
t = data.train.targets[:128]
for step in range($steps):
    found = ds.backpropagate(network, w, x, t, loss="squared_error")
    # each weight and bias minus 0.1 times its gradient
    w = jax.tree.map(lambda w, g: w - 0.1 * g, w, found.gradients)
print(found.loss)
print(len(found.deltas))
""",
    (
        ("engine/backpropagation.py", "the walk back, layer by layer"),
        ("engine/loop.py", "the same loop, compiled"),
    ),
    ("downslope trace RUN --step 300", "downslope layers RUN"),
)
