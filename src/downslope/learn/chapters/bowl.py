"""The bowl: the loss of two weights as a surface, and the way down."""

from __future__ import annotations

import numpy as np

from downslope.insight.bowl import LOWEST, bowl, loss_at
from downslope.learn.chapter import Ask, Chapter, Question, Sketch, Worked, shown
from downslope.plots.bowl import descents
from downslope.text import Table

_STEPS = 15


def act(w1: float, w2: float, rate: float) -> Worked:
    """Walk down the bowl from the reader's start."""
    found = bowl(rates=(rate,), start=(w1, w2), steps=_STEPS)
    (walk,) = found.descents
    first, last = walk.weights[1], walk.weights[-1]
    slopes = found.gradient
    rows = (
        ("w1", "2 (w1 − 4)", shown(w1), shown(slopes[0])),
        ("w2", "w2 − 3", shown(w2), shown(slopes[1])),
    )
    told = (
        f"You start at ({shown(w1)}, {shown(w2)}), where the loss is "
        f"{shown(float(loss_at(w1, w2)))}. One derivative for each weight, with the other one "
        "held still:",
        "",
        Table(("weight", "derivative", "it is at", "which gives"), rows, numeric=(2, 3)),
        "",
        f"The two together, ({shown(slopes[0])}, {shown(slopes[1])}), are the gradient: an arrow "
        "on the ground that points where the loss grows fastest. A step goes the other way: from "
        f"each weight {shown(rate)} times its derivative is taken away.",
    )
    ending = (
        f"After {_STEPS} steps the weights are ({shown(last[0], 5)}, {shown(last[1], 5)}) and the "
        f"loss is {shown(walk.losses[-1], 4)}."
    )
    question = Question(
        "Where is w1 after the first step?",
        float(first[0]),
        f"Take {shown(rate)} × ({shown(slopes[0])}) away from {shown(w1)}.",
        f"{shown(w1)} − {shown(rate)} × ({shown(slopes[0])}) = {shown(first[0], 5)}. The lowest "
        f"point is at ({shown(LOWEST[0])}, {shown(LOWEST[1])}). {ending}",
        tolerance=max(0.01, 0.01 * abs(float(first[0]))),
    )
    return Worked(
        told,
        question,
        {"bowl": lambda: descents(found)},
        after="The bowl as a surface and as a map, with your walk and the gradient at its start.",
        sketch=Sketch(np.arange(_STEPS + 1), walk.losses, "steps", "loss"),
    )


CHAPTER = Chapter(
    7,
    "bowl",
    "The bowl",
    (
        "Take the smallest case with more than one weight: a neuron with two weights, w1 and w2, "
        "and no bias. For each pair of weights there is a loss. Draw the pairs as places on the "
        "ground and the loss as the height above them, and you get a surface. Here it is a bowl, "
        "L = (w1 − 4)² + (w2 − 3)² / 2, and its lowest point lies at w1 = 4, w2 = 3.",
        "The weights start somewhere, usually at small random numbers, and not at the lowest "
        "point. Which way is down? With two weights there are two derivatives, one along each. "
        "Both together are the gradient, an arrow that points uphill, the steepest way. Its "
        "opposite points downhill.",
        "Take a step downhill, compute the gradient again where you are now, and repeat. That is "
        "gradient descent, and all training of networks is made of it.",
    ),
    (
        Ask("w1", "w1 at the start", 0.5, -20, 20),
        Ask("w2", "w2 at the start", -1.5, -20, 20),
        Ask("rate", "learning rate", 0.3, 0.001, 1.5),
    ),
    act,
    """
import downslope as ds

found = ds.insight.bowl(rates=($rate,), start=($w1, $w2))
print(found.gradient)
print(found.descents[0].weights[-1])
print(found.descents[0].weights[1, 0])
""",
    (
        ("insight/bowl.py", "this network of two weights and its descent"),
        ("insight/surface.py", "the loss surface of a real network, in two of its directions"),
    ),
    ("downslope bowl", "downslope bowl --start=-2,6 --rates 0.1,0.5", "downslope surface RUN"),
)
