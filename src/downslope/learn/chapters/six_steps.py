"""The six steps of learning, once, on one neuron and one photo."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.engine.backpropagation import backpropagate
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.learn.drawing import curves
from downslope.nn.dense import Dense
from downslope.nn.network import Network

_NETWORK = Network([Dense(1)])
_PHOTO = jnp.array([[2.0, 1.0]])
_FIRST: Any = ({"weights": np.array([[100.0], [100.0]]), "biases": np.array([50.0])},)
_REPEATS = 20


def act(people: float, rate: float) -> Worked:
    """Make the six steps, and repeat them."""
    target = jnp.array([[people]])
    losses, predictions, ways, gradients = [], [], [_FIRST], []
    for _ in range(_REPEATS + 1):
        parameters = ways[-1]
        predictions.append(float(_NETWORK.forward(parameters, _PHOTO)[0, 0]))
        found = backpropagate(_NETWORK, parameters, _PHOTO, target, loss="squared_error")
        losses.append(float(found.loss))
        gradients.append(found.gradients)
        ways.append(jax.tree.map(lambda value, g: value - rate * g, parameters, found.gradients))
    slopes, values = (
        [float(number) for number in (*one["weights"][:, 0], one["biases"][0])]
        for one in (gradients[0][0], ways[1][0])
    )
    told = (
        f"1  A sample: a photo with x1 = 2 and x2 = 1. Its label says: {shown(people)} people.",
        f"2  The prediction: 100 × 2 + 100 × 1 + 50 = {shown(predictions[0])}.",
        f"3  The loss: ({shown(predictions[0])} − {shown(people)})² = {shown(losses[0])}.",
        f"4  The gradients of w1, w2 and b: {_three(slopes)}. (When w1 grows a tiny bit, the loss "
        f"changes {shown(slopes[0])} times as much.)",
        f"5  The update, each number minus {shown(rate)} times its gradient: w1, w2 and b are now "
        f"{_three(values)}.",
        f"6  Again: the prediction for the same photo is now {shown(predictions[1])}.",
    )
    question = Question(
        "How large is the loss now?",
        losses[1],
        f"The loss is the square of the error, and the error is now {shown(predictions[1])} "
        f"− {shown(people)}.",
        f"({shown(predictions[1])} − {shown(people)})² = {shown(losses[1])}; before "
        f"the step it was {shown(losses[0])}. {_course(losses)}",
    )
    steps = np.arange(len(losses))
    return Worked(
        told,
        question,
        {
            "six-steps": lambda: curves(
                "The loss over the repeated steps",
                f"One photo of {shown(people)} people, learning rate {shown(rate)}. After "
                f"{_REPEATS} steps the prediction is {shown(predictions[-1])}.",
                [(steps, np.array(losses), "")],
                x="steps",
                y="loss",
            )
        },
        after=f"The loss over {_REPEATS} repetitions; the prediction ends at "
        f"{shown(predictions[-1])}.",
        sketch=Sketch(steps, np.array(losses), "steps", "loss"),
    )


def _three(values: list[float]) -> str:
    return f"{shown(values[0])}, {shown(values[1])} and {shown(values[2])}"


def _course(losses: list[float]) -> str:
    if losses[1] < losses[0]:
        return "The step went downhill."
    if losses[1] > losses[0]:
        return "The loss grew: the step was too large. Chapter 9 is about that."
    return "Nothing changed."


CHAPTER = Chapter(
    3,
    "six-steps",
    "The six steps, once",
    (
        "Learning from examples is six steps: show the network a sample; let it answer; measure "
        "how wrong the answer is, which is called the loss; find out how each weight and bias "
        "would have to change to make the loss smaller; change each a little in that direction; "
        "do the same again with many samples.",
        "Here they are with numbers small enough to follow. The network is one neuron without an "
        "activation function: y = w1 x1 + w2 x2 + b. It is to say how many people are in a photo "
        "of which it sees two numbers, x1 = 2 and x2 = 1 (say, how much of it is covered by "
        "heads, and how sharp it is). Before training w1 = w2 = 100 and b = 50.",
        "How strongly a change is made is the learning rate, which you choose. How step 4 finds "
        "its numbers is the subject of chapters 5, 6 and 10.",
    ),
    (
        Ask("people", "people in the photo", 500.0, 0, 100_000),
        Ask("rate", "learning rate", 0.01, 0.00001, 0.3),
    ),
    act,
    """
import numpy as np
import downslope as ds

network = ds.Network([ds.Dense(1)])
w, b = np.array([[100.0], [100.0]]), np.array([50.0])
x, t, loss = np.array([[2.0, 1.0]]), np.array([[$people]]), "squared_error"
for step in (1, 2):
    parameters = ({"weights": w, "biases": b},)
    found = ds.backpropagate(network, parameters, x, t, loss=loss)
    gradients = found.gradients[0]
    w = w - $rate * gradients["weights"]
    b = b - $rate * gradients["biases"]
print(found.loss)
""",
    (
        ("engine/backpropagation.py", "steps 2 to 4: prediction, loss and gradients"),
        ("engine/optimizers.py", "step 5: the update"),
        ("engine/loop.py", "step 6: the loop, compiled"),
    ),
    ("downslope trace RUN --step 1",),
)
