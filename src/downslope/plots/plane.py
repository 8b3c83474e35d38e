"""Where a classifier of two inputs draws its borders, and on which side each sample lies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from downslope.plots import style
from downslope.plots.mistakes import ClassPredictions
from downslope.text import amount

Classify = Callable[[Float[np.ndarray, "n 2"]], Float[np.ndarray, "n classes"]]
RESOLUTION = 220  # points of the map along its longer side
_STRONGEST = 0.42  # how much of a class's colour the map takes on where it is certain


def decision_map(
    inputs: Float[np.ndarray, "n 2"],
    predictions: ClassPredictions,
    classify: Classify,
    *,
    input_names: tuple[str, ...] = (),
    name: str = "",
) -> Figure:
    """Draw the predicted class at each point of the plane, and the test samples, mistakes ringed.

    Args:
        inputs: The test inputs, (N, 2).
        predictions: The predictions for them.
        classify: From inputs (K, 2) to the probability of each class, (K, classes).
        input_names: The names of the two inputs.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> run = ds.open_run("runs/moons-1").with_data()
        >>> test = run.dataset.validation
        >>> predictions = ds.plots.ClassPredictions(
        ...     truth=test.targets,
        ...     chosen=run.predict(test.inputs),
        ...     probabilities=run.probabilities(test.inputs),
        ...     class_names=run.data.class_names,
        ... )
        >>> figure = ds.plots.decision_map(
        ...     test.inputs, predictions, run.probabilities, name="moons"
        ... )
    """
    wrong, total = int(predictions.wrong.sum()), len(inputs)
    mistakes = amount(wrong, "mistake") if wrong else "No mistake"
    subtitle = (
        f"{mistakes} among {amount(total, 'test sample')}{', ringed' if wrong else ''}. "
        "Stronger colour: more certain prediction."
    )
    title = f"Decision regions: {name}" if name else "Decision regions"
    low, high = inputs.min(axis=0).astype(float), inputs.max(axis=0).astype(float)
    room = np.where(high > low, 0.09 * (high - low), 1.0)
    low, high = low - room, high + room
    figure = style.new_figure(title, subtitle, height=5.2)
    axes = style.dress(
        figure.subplots(), x=(input_names or ("x",))[0], y=(*input_names, "", "y")[1]
    )
    axes.grid(False)
    _draw_ground(axes, low, high, classify)
    _draw_points(axes, inputs, predictions)
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    _draw_key(axes, predictions)
    return figure


def _draw_ground(axes: Axes, low: np.ndarray, high: np.ndarray, classify: Classify) -> None:
    x = np.linspace(low[0], high[0], RESOLUTION)
    y = np.linspace(low[1], high[1], RESOLUTION * 3 // 5)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)
    fractions = np.nan_to_num(classify(points)).astype(np.float64)
    best = fractions.argmax(axis=1)
    chance = 1 / fractions.shape[1]
    sure = ((fractions.max(axis=1) - chance) / max(1 - chance, 1e-9)).clip(0, 1)
    colours = np.array([to_rgb(_colour(number)) for number in range(fractions.shape[1])])
    strength = (_STRONGEST * (0.15 + 0.85 * sure))[:, None]
    image = np.concatenate([colours[best], strength], axis=1)
    extent = (low[0], high[0], low[1], high[1])
    shape = (len(y), len(x))
    axes.imshow(
        image.reshape(*shape, 4),
        extent=extent,
        origin="lower",
        aspect="auto",
        interpolation="bilinear",
    )
    for number in np.unique(best) if fractions.shape[1] > 1 else ():
        lead = fractions[:, number] - np.delete(fractions, number, axis=1).max(axis=1)
        if lead.min() < 0 < lead.max():  # else the class has no border here
            axes.contour(x, y, lead.reshape(shape), levels=[0], colors=style.PAPER, linewidths=1.4)


def _draw_points(axes: Axes, inputs: np.ndarray, predictions: ClassPredictions) -> None:
    size = float(np.clip(9000 / max(len(inputs), 1), 8, 34))
    for number in range(len(predictions.class_names)):
        mine = predictions.truth == number
        axes.scatter(
            inputs[mine, 0],
            inputs[mine, 1],
            s=size,
            marker=_marker(number),
            color=_colour(number),
            edgecolors=style.PAPER,
            linewidths=0.6,
            zorder=3,
        )
    wrong = inputs[predictions.wrong]
    axes.scatter(
        wrong[:, 0],
        wrong[:, 1],
        s=size * (4.5 if len(wrong) <= 40 else 2.6),
        facecolors="none",
        edgecolors=style.INK,
        linewidths=1.5 if len(wrong) <= 40 else 1.1,
        zorder=4,
    )


def _draw_key(axes: Axes, predictions: ClassPredictions) -> None:
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=_marker(number),
            color=_colour(number),
            markersize=7,
            label=style.plain(name, 22),
        )
        for number, name in enumerate(predictions.class_names)
    ]
    if predictions.wrong.any():
        ring = Line2D([], [], linestyle="", marker="o", markersize=10, mfc="none", mec=style.INK)
        ring.set_label("mistake")
        handles.append(ring)
    style.legend_beside(
        axes,
        handles=handles,
        title="true class",
        title_fontsize=style.TEXT_SIZE,
        alignment="left",
        handletextpad=0.3,
        labelspacing=0.7,
    ).get_title().set_color(style.MUTED)


def _colour(number: int) -> str:
    return style.PALETTE[number % len(style.PALETTE)]


def _marker(number: int) -> str:
    turn = number // len(style.PALETTE)  # the ninth class has the first colour, another marker
    return style.MARKERS[(number + turn) % len(style.MARKERS)]
