"""One neuron: inputs times weights, plus the bias, through the activation function."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from downslope.insight.slope import slope
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.learn.drawing import curves
from downslope.nn.dense import Dense
from downslope.nn.network import Network
from downslope.text import Table

_CHOICES = ("sigmoid", "tanh", "relu", "identity")


def act(x1: float, x2: float, w1: float, w2: float, bias: float, activation: str) -> Worked:
    """Run one neuron forward, and once more with a larger first input."""
    network = Network([Dense(1, activation)])
    parameters = ({"weights": jnp.array([[w1], [w2]]), "biases": jnp.array([bias])},)
    inputs = jnp.array([[x1, x2], [x1 + 1, x2]])
    (signal,) = network.signals(parameters, inputs)
    z, larger = (float(one) for one in np.asarray(signal.pre_activations)[:, 0])
    output = float(np.asarray(signal.activations)[0, 0])
    rows = (
        ("x1", shown(x1), shown(w1), shown(x1 * w1)),
        ("x2", shown(x2), shown(w2), shown(x2 * w2)),
        ("bias", "", "", shown(bias)),
        ("sum: the pre-activation z", "", "", shown(z)),
        (f"{activation} of z: the activation", "", "", shown(output)),
    )
    question = Question(
        "x1 grows by 1 and all else stays. By how much does the pre-activation z change?",
        round(larger - z, 5),
        f"Only the product in the first line changes: x1 × {shown(w1)}.",
        f"z goes from {shown(z, 5)} to {shown(larger, 5)}: it changes by w1 = "
        f"{shown(larger - z, 5)}. A weight says how strongly its input counts.",
        tolerance=max(0.001, 0.01 * abs(w1)),
    )
    curve = slope(activation, at=z, span=(min(-6.0, z - 1), max(6.0, z + 1)))
    return Worked(
        (Table(("", "input", "weight", "product"), rows, numeric=(1, 2, 3)),),
        question,
        {
            "neuron": lambda: curves(
                f"The activation function {activation}",
                f"Your neuron's sum is {shown(z)}; the function turns it into {shown(output)}.",
                [(curve.x, curve.y, "")],
                x="z  (the pre-activation)",
                y="the activation",
                points=[(z, output, "your neuron")],
            )
        },
        after=f"The curve of {activation}, and where your neuron is on it.",
        sketch=Sketch(curve.x, curve.y, "pre-activation z", activation, (z,)),
    )


CHAPTER = Chapter(
    2,
    "neuron",
    "One neuron",
    (
        "A neuron multiplies each input by the weight of its connection, adds the products up, and "
        "adds its bias. That sum is called its pre-activation, z. With inputs of 0 the bias alone "
        "is left: it says how active a neuron is by itself.",
        "A function then turns the sum into what the neuron passes on, its activation. The sigmoid "
        "presses any number into the range from 0 to 1. The relu (rectified linear unit) passes "
        "on what is above 0 and turns the rest into 0. Without such a bend, many layers could do "
        "no more than a single one.",
    ),
    (
        Ask("x1", "first input x1", 0.8, -100, 100),
        Ask("x2", "second input x2", 0.3, -100, 100),
        Ask("w1", "its weight w1", 1.5, -100, 100),
        Ask("w2", "its weight w2", -2.0, -100, 100),
        Ask("bias", "the bias", 0.2, -100, 100),
        Ask("activation", "the activation function", "sigmoid", choices=_CHOICES),
    ),
    act,
    """
import numpy as np
import downslope as ds

network = ds.Network([ds.Dense(1, "$activation")])
weights = np.array([[$w1], [$w2]])
parameters = ({"weights": weights, "biases": np.array([$bias])},)
inputs = np.array([[$x1, $x2], [$x1 + 1, $x2]])
(signal,) = network.signals(parameters, inputs)
print(signal.activations[0, 0])
print(signal.pre_activations[1, 0] - signal.pre_activations[0, 0])
""",
    (
        ("nn/dense.py", "layers of such neurons: x W + b"),
        ("nn/activations.py", "the activation functions, each with its formula"),
        ("insight/neuron.py", "any neuron of a trained network, with its numbers"),
    ),
    ("downslope slope sigmoid --at=-2,0,2", "downslope neuron RUN --layer 1 --unit 5"),
)
