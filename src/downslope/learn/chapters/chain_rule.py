"""The chain rule: how the loss depends on a weight that it never meets directly."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.engine.backpropagation import backpropagate
from downslope.insight.slope import Tangent, slope
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.learn.drawing import Line, curves
from downslope.nn.dense import Dense
from downslope.nn.network import Network
from downslope.text import Table

_NETWORK = Network([Dense(1, "tanh"), Dense(1)])
_BIAS, _SECOND = 0.1, 2.0


def _parameters(weight: Any) -> Any:
    return (
        {"weights": jnp.reshape(weight, (1, 1)), "biases": np.array([_BIAS])},
        {"weights": np.array([[_SECOND]]), "biases": np.zeros(1)},
    )


def act(x: float, weight: float, target: float) -> Worked:
    """Find each factor of the chain, and their product by backpropagation."""
    with jax.enable_x64(True):
        inputs, targets = jnp.array([[x]]), jnp.array([[target]])
        parameters = _parameters(np.float64(weight))
        first, last = _NETWORK.signals(parameters, inputs)
        found = backpropagate(_NETWORK, parameters, inputs, targets, loss="squared_error")
        z, a = (float(np.asarray(one)[0, 0]) for one in (first.pre_activations, first.activations))
        y = float(np.asarray(last.activations)[0, 0])
        gradient = float(found.gradients[0]["weights"][0, 0])
        of_output = float(found.deltas[1][0, 0])
    of_tanh = slope("tanh", at=z).tangents[0].slope

    def loss_of(w: Any) -> Any:
        y = _NETWORK.forward(_parameters(w), jnp.array([[x]]))
        return (y[0, 0] - target) ** 2

    curve = slope(loss_of, at=weight, span=(weight - 3.0, weight + 3.0))
    (tangent,) = curve.tangents
    near = (weight - 0.7, weight + 0.7)
    rows = (
        ("dL/dy", "2 (y − t)", shown(of_output, 4)),
        ("dy/da", "w2", shown(_SECOND)),
        ("da/dz", "slope of tanh at z", shown(of_tanh, 4)),
        ("dz/dw1", "x", shown(x)),
    )
    told = (
        f"Forward: z = {shown(weight)} × {shown(x)} + {_BIAS} = {shown(z, 4)}; a = tanh z = "
        f"{shown(a, 4)}; y = {shown(_SECOND)} × a = {shown(y, 4)}; L = (y − "
        f"{shown(target)})² = {shown(float(found.loss), 4)}.",
        "",
        Table(("link", "which is", "value"), rows, numeric=(2,)),
    )
    product = f"{shown(of_output, 4)} × {shown(_SECOND)} × {shown(of_tanh, 4)} × {shown(x)}"
    question = Question(
        "How does the loss change with the first weight: what is dL/dw1?",
        gradient,
        f"Multiply the four links: {product}.",
        f"{product} = {shown(gradient, 4)}. Backpropagation finds {shown(gradient, 4)}, and the "
        "loss computed a little to the left and to the right of w1 gives the slope "
        f"{shown(tangent.difference, 4)}.",
        tolerance=max(0.002, 0.02 * abs(gradient)),
    )
    return Worked(
        told,
        question,
        {
            "chain-rule": lambda: curves(
                "The loss as a function of the first weight",
                f"The straight line has the slope {shown(gradient, 4)} of the curve at w1 = "
                f"{shown(weight)}: the product of the four links.",
                [(curve.x, curve.y, "loss"), _line(tangent, *near)],
                x="w1",
                y="loss",
                points=[(weight, tangent.value, "your weight")],
            )
        },
        after="The loss as a function of w1, and its slope at your weight.",
        sketch=Sketch(curve.x, curve.y, "weight w1", "loss", (weight,)),
    )


def _line(tangent: Tangent, low: float, high: float) -> Line:
    """The tangent from one weight to another."""
    ends = np.array([low, high])
    return ends, np.array([tangent.height(low), tangent.height(high)]), "its slope at w1"


CHAPTER = Chapter(
    6,
    "chain-rule",
    "The chain rule",
    (
        "A network cannot change its prediction directly; it can only change weights and biases. "
        "So the slope that counts is not dL/dy but that of the loss with respect to each weight. "
        "And a weight of the first layer reaches the loss by a chain: the weight changes a sum, "
        "the sum changes an activation, that changes the next sum, and so on to the prediction "
        "and the loss.",
        "The chain rule says how to follow it: multiply the derivatives of all links. If a bit "
        "more of w gives 2 times as much z, and a bit more of z gives 3 times as much L, then a "
        "bit more of w gives 2 × 3 = 6 times as much L. Where several paths lead from the weight "
        "to the loss, their products are added up.",
        "The network here has two neurons, one behind the other: z = w1 x + 0.1, a = tanh z, y = "
        "2 a, L = (y − t)². The tanh is an activation function that presses numbers "
        "into the range from −1 to 1.",
    ),
    (
        Ask("x", "the input x", 1.5, -10, 10),
        Ask("weight", "the first weight w1", 0.4, -10, 10),
        Ask("target", "the target t", 2.0, -10, 10),
    ),
    act,
    """
import numpy as np
import downslope as ds

network = ds.Network([ds.Dense(1, "tanh"), ds.Dense(1)])
parameters = (
    {"weights": np.array([[$weight]]), "biases": np.array([0.1])},
    {"weights": np.array([[2.0]]), "biases": np.array([0.0])},
)
x, t = np.array([[$x]]), np.array([[$target]])
found = ds.backpropagate(network, parameters, x, t, loss="squared_error")
print(found.gradients[0]["weights"][0, 0])
""",
    (
        ("engine/backpropagation.py", "the chain rule, layer by layer"),
        ("insight/chain_rule.py", "any weight of any network, as products and sums"),
        ("insight/slope_check.py", "the same slope, measured"),
    ),
    ("downslope trace RUN --step 300 --layer 1",),
)
