"""More dimensions: sixteen weights, and a slope for each."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from downslope.engine.backpropagation import backpropagate
from downslope.learn.chapter import Ask, Chapter, Question, Worked, shown
from downslope.nn.dense import Dense
from downslope.nn.losses import LOSSES
from downslope.nn.network import Network
from downslope.plots import style
from downslope.text import Table

_NETWORK = Network([Dense(4)])
_SAMPLES, _POINTS = 64, 41
_REACH = 1.5  # to each side of the weights, that the picture shows


def _setting(seed: int) -> tuple[Any, Any, np.ndarray]:
    """Inputs, targets and first weights, all drawn from the seed."""
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(_SAMPLES, 4))
    targets = inputs @ draw.normal(size=(4, 4))
    return jnp.asarray(inputs), jnp.asarray(targets), 0.1 * draw.normal(size=(4, 4))


def _at(weights: Any) -> Any:
    return ({"weights": jnp.asarray(weights), "biases": jnp.zeros(4)},)


def act(seed: int, rate: float) -> Worked:
    """Find the slope of each of sixteen weights, and take a step against all of them."""
    inputs, targets, weights = _setting(seed)
    found = backpropagate(_NETWORK, _at(weights), inputs, targets, loss="squared_error")
    slopes = np.asarray(found.gradients[0]["weights"], np.float64)
    after = weights - rate * slopes
    later = backpropagate(_NETWORK, _at(after), inputs, targets, loss="squared_error")
    row, column = (int(one) for one in np.unravel_index(np.abs(slopes).argmax(), slopes.shape))
    name, steepest = f"w[{row},{column}]", float(slopes[row, column])
    rows = [
        (f"input {number}", *(shown(value, 3) for value in line))
        for number, line in enumerate(slopes)
    ]
    told = (
        f"Your sixteen weights give a loss of {shown(float(found.loss), 4)}. The gradient is "
        "sixteen slopes, one for each weight; w[1,2] leads from input 1 to neuron 2, both counted "
        "from 0:",
        "",
        Table(("slope of the loss", *(f"neuron {one}" for one in range(4))), rows, (1, 2, 3, 4)),
        "",
        f"Every weight takes its step at once: minus {shown(rate)} times its own slope. The loss "
        f"goes from {shown(float(found.loss), 4)} to {shown(float(later.loss), 4)}.",
    )
    question = Question(
        f"The steepest slope is that of {name}: {shown(steepest, 3)}. By how much does the step "
        f"change {name}?",
        float(after[row, column] - weights[row, column]),
        f"A step takes the learning rate times the slope away: − {shown(rate)} × "
        f"({shown(steepest, 3)}).",
        f"− {shown(rate)} × ({shown(steepest, 3)}) = "
        f"{shown(float(after[row, column] - weights[row, column]), 3)}. The other fifteen are "
        "moved by the same rule. Nothing about it depends on how many there are.",
        tolerance=max(0.0005, 0.02 * rate * abs(steepest)),
    )
    return Worked(
        told,
        question,
        {"dimensions": lambda: _figure(weights, slopes, inputs, targets)},
        after="All sixteen slopes, and the loss over the two steepest weights, the other fourteen "
        "held still.",
    )


def _figure(weights: np.ndarray, slopes: np.ndarray, inputs: Any, targets: Any) -> Figure:
    """The slopes as bars, and the loss over the two steepest weights."""
    order = np.argsort(-np.abs(slopes.ravel()))
    first, second = (int(one) for one in order[:2])
    figure = style.new_figure(
        "Sixteen weights, sixteen slopes",
        "Left: the slope of the loss along each weight. Right: the loss over the two steepest "
        "weights alone. The arrow points against the gradient, downhill.",
        height=4.2,
    )
    bars, plane = figure.subplots(1, 2)
    style.dress(bars, x="weight", y="slope")
    colours = [style.VERMILLION if one in (first, second) else style.BLUE for one in range(16)]
    bars.bar(range(16), slopes.ravel(), color=colours)
    bars.set_xticks(range(16), [f"{one // 4},{one % 4}" for one in range(16)], rotation=90)
    names = [f"w[{one // 4},{one % 4}]" for one in (first, second)]
    style.dress(plane, x=names[0], y=names[1]).grid(False)
    start = weights.ravel()[[first, second]]
    sides = [np.linspace(one - _REACH, one + _REACH, _POINTS) for one in start]
    grid = np.meshgrid(*sides)
    every = np.tile(weights.ravel(), (_POINTS * _POINTS, 1))
    every[:, first], every[:, second] = grid[0].ravel(), grid[1].ravel()
    outputs = np.einsum("nf,pfu->pnu", np.asarray(inputs), every.reshape(-1, 4, 4))
    mean = LOSSES["squared_error"].mean
    losses = jax.vmap(lambda one: mean(one, targets))(jnp.asarray(outputs))
    plane.contour(
        *sides, np.reshape(np.asarray(losses), grid[0].shape), levels=14, colors=style.FAINT
    )
    plane.plot(*start, "o", color=style.VERMILLION, markersize=8)
    down = -slopes.ravel()[[first, second]]
    end = start + 0.7 * down / float(np.hypot(*down) or 1.0)
    arrow = {"arrowstyle": "-|>", "color": style.INK, "linewidth": 1.6}
    plane.annotate("", tuple(end), tuple(start), arrowprops=arrow)
    return figure


CHAPTER = Chapter(
    8,
    "dimensions",
    "More dimensions",
    (
        "Real networks have more than two weights: a single layer has dozens or thousands. Four "
        "neurons that read four inputs each have sixteen. The loss is then a height above a ground "
        "with sixteen directions instead of two: a surface of sixteen dimensions. Nobody can "
        "picture it.",
        "Nobody has to. The gradient of two weights was two numbers; that of sixteen weights is "
        "sixteen numbers, each found with the other fifteen weights held still. A step moves every "
        "weight against its own number. It leads down here as it did in the bowl.",
        "Samples and first weights are random here. A computer draws them from a number, the "
        "seed: the same seed gives the same chance, another seed another network.",
    ),
    (
        Ask("seed", "seed: a number from which all chance is drawn", 0, 0, 9999),
        Ask("rate", "learning rate", 0.2, 0.001, 5),
    ),
    act,
    """
import jax.numpy as jnp
import numpy as np
import downslope as ds

draw = np.random.default_rng($seed)
x = draw.normal(size=(64, 4))
t = x @ draw.normal(size=(4, 4))
weights = 0.1 * draw.normal(size=(4, 4))
network = ds.Network([ds.Dense(4)])
parameters = ({"weights": weights, "biases": np.zeros(4)},)
found = ds.backpropagate(network, parameters, x, t, loss="squared_error")
slopes = np.array(found.gradients[0]["weights"])
print(slopes)
print(-$rate * slopes.ravel()[np.abs(slopes).argmax()])
""",
    (
        ("engine/backpropagation.py", "the gradient, however many weights there are"),
        ("insight/plane.py", "two directions through the space of all weights, to be drawn"),
    ),
    ("downslope surface RUN",),
)
