"""Predicted numbers beside the true ones, and the curve that a network of one input has learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from downslope.plots import style
from downslope.plots.style import mean_distance, value_range
from downslope.text import amount

Predict = Callable[[Float[np.ndarray, "n 1"]], Float[np.ndarray, "n outputs"]]
MOST_OUTPUTS = 6
_CURVE_POINTS = 500


def predictions(
    truth: Float[np.ndarray, "n outputs"],
    predicted: Float[np.ndarray, "n outputs"],
    *,
    baseline: float | None = None,
    name: str = "",
    targets: Sequence[str] = (),
) -> Figure:
    """Draw predicted over true numbers, one panel per target, with the diagonal.

    Args:
        truth: The true targets, (N, outputs).
        predicted: The predictions, (N, outputs).
        baseline: The MAE of the constant training median, if known.
        name: Name of the data set, for the title.
        targets: Names of the targets.

    Returns:
        The figure.

    Example:
        >>> truth = np.array([[1.0], [2.0], [3.0]])
        >>> figure = ds.plots.predictions(truth, truth + 0.1, name="houses", targets=["price"])
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    outputs, names = truth.shape[1], _names(targets, truth.shape[1])
    shown = min(outputs, MOST_OUTPUTS)
    subtitle = _sentence(truth, predicted, baseline, names)
    if shown < outputs:
        subtitle += f" The first {shown} of {outputs} targets are drawn."
    title = f"Predicted and true values: {name}" if name else "Predicted and true values"
    columns = 2 if shown == 4 else min(shown, 3)
    rows = -(-shown // columns)
    figure = style.new_figure(title, subtitle, height=4.8 if shown == 1 else rows * 3.1)
    grid = figure.subplots(rows, columns, squeeze=False)
    for output, axes in zip(range(shown), grid.flat, strict=False):
        heading = style.plain(names[output], 24) if outputs > 1 else ""
        style.dress(axes, title=heading, x="true value", y="predicted value")
        _draw_pairs(axes, truth[:, output], predicted[:, output], alone=shown == 1)
    for axes in grid.flat[shown:]:
        axes.set_axis_off()
    return figure


def fitted_curve(
    inputs: Float[np.ndarray, "n 1"],
    truth: Float[np.ndarray, "n outputs"],
    predict: Predict,
    *,
    baseline: float | None = None,
    input_name: str = "x",
    name: str = "",
    targets: Sequence[str] = (),
) -> Figure:
    """Draw the curve that a network of one input has learned, over the test samples.

    Args:
        inputs: The test inputs, (N, 1).
        truth: Their true targets, (N, outputs).
        predict: From inputs (K, 1) to predictions, (K, outputs).
        baseline: The MAE of the constant training median, if known.
        input_name: For the axis.
        name: Name of the data set, for the title.
        targets: Names of the targets.

    Returns:
        The figure.

    Example:
        >>> x = np.linspace(0, 3, 20)[:, None]
        >>> figure = ds.plots.fitted_curve(x, np.sin(x), lambda x: x / 3, name="waves")
    """
    title = f"Learned curve: {name}" if name else "Learned curve"
    names = _names(targets, truth.shape[1])
    subtitle = _sentence(truth, predict(inputs), baseline, names)
    outputs = min(truth.shape[1], MOST_OUTPUTS)
    figure = style.new_figure(title, subtitle, height=4.4)
    label = "target" if outputs == 1 else "targets"
    axes = style.dress(figure.subplots(), x=input_name, y=label)
    low, high = float(inputs.min()), float(inputs.max())
    x = np.linspace(low, high, _CURVE_POINTS)[:, None]
    curve = np.asarray(predict(x.astype(np.float32)), np.float64)
    curve[~np.isfinite(curve)] = np.nan
    labels = []
    for output in range(outputs):
        line, dots = (style.VERMILLION, style.SKY) if outputs == 1 else (style.PALETTE[output],) * 2
        axes.scatter(inputs[:, 0], truth[:, output], s=16, color=dots, alpha=0.8, lw=0)
        axes.plot(x[:, 0], curve[:, output], color=line, linewidth=2.2)
        if np.isfinite(curve[-1, output]):
            word = "network" if outputs == 1 else style.plain(names[output], 14)
            labels.append((float(curve[-1, output]), word, line))
    if outputs == 1:
        last = int(np.argmax(inputs[:, 0]))
        labels.append((float(truth[last, 0]), "test samples", style.SKY))
    axes.margins(x=0.02)
    low, high, _ = value_range(truth[:, :outputs], curve[:, :outputs])
    room = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)
    style.label_ends(axes, labels, 3.9)
    return figure


def _draw_pairs(axes: Axes, truth: np.ndarray, predicted: np.ndarray, alone: bool) -> None:
    low, high, _ = value_range(truth, predicted)
    room = 0.05 * (high - low) or 1.0
    ends = (low - room, high + room)
    axes.plot(ends, ends, color=style.FAINT, linewidth=1.2, zorder=1)
    size = float(np.clip(9000 / len(truth), 5, 26))
    axes.scatter(truth, predicted, s=size, color=style.BLUE, alpha=0.75, lw=0, zorder=2)
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    if alone:
        style.label_ends(axes, [(ends[1], "exact", style.MUTED)], 4.3)


def _names(targets: Sequence[str], outputs: int) -> Sequence[str]:
    """Of each target, where some have none."""
    return targets if targets else [f"target {number}" for number in range(1, outputs + 1)]


def _sentence(
    truth: np.ndarray, predicted: np.ndarray, baseline: float | None, names: Sequence[str]
) -> str:
    if truth.shape[1] > 1:  # each in its own unit
        errors = np.abs(np.asarray(predicted, np.float64) - truth).mean(axis=0)
        listed = ", ".join(
            f"{style.plain(name, 18)} {style.short(error, 3)}"
            for name, error in zip(names[:MOST_OUTPUTS], errors.tolist(), strict=False)
        )
        return f"Mean absolute error over {amount(len(truth), 'test sample')}: {listed}."
    always = (
        ""
        if baseline is None
        else f"; always predicting the training median: {style.short(baseline, 3)}"
    )
    off = mean_distance(truth, predicted)
    outside = value_range(truth, predicted)[2] if truth.shape[1] == 1 else ""
    return f"{off} on {amount(len(truth), 'test sample')}{always}.{outside}"
