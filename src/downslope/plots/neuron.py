"""One neuron: how its sum comes together, what the activation makes of it, what it likes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from downslope.insight.neuron import Neuron
from downslope.plots import style
from downslope.plots.mistakes import as_images
from downslope.plots.samples import show_image, show_signed
from downslope.text import amount

BARS = 10  # products that are drawn one by one
LIKED = 6  # samples of each kind
BINS = 40


def neuron_figure(neuron: Neuron) -> Figure:
    """Draw a neuron: the products that add up to its pre-activation, and its activation.

    Args:
        neuron: The result of `insight.neuron`.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.neuron(ds.open_run("runs/moons-1"), layer=1, unit=3)
        >>> figure = ds.plots.neuron_figure(found)
    """
    dataset = neuron.dataset
    images = as_images(dataset.train.inputs, dataset.input_names)
    tiles = _tiles(neuron, images)
    where = (
        ""
        if neuron.position is None
        else f" at row {neuron.position[0]}, column {neuron.position[1]}"
    )
    title = f"Unit {neuron.unit} of layer {neuron.layer_name}, trained on {dataset.name}"
    made = f", activation {style.short(neuron.output)} ({neuron.activation})."
    subtitle = (
        f"Training sample {neuron.sample:,}{where}: inputs × weights + bias = pre-activation "
        f"{style.short(neuron.sum)}"
        + (", with no activation function." if neuron.activation == "identity" else made)
    )
    rows = [3.7] + [1.95] * bool(tiles) + [2.9 if images is not None else 1.9]
    figure = style.new_figure(title, subtitle, height=sum(rows))
    parts = list(np.atleast_1d(np.asarray(figure.subfigures(len(rows), 1, height_ratios=rows))))
    left, right = parts[0].subplots(1, 2, width_ratios=[1.25, 1])
    _draw_sum(left, neuron)
    _draw_activation(right, neuron)
    if tiles:
        _draw_tiles(parts[1], tiles, neuron, images)
    if images is None:
        _draw_responses(parts[-1].subplots(), neuron)
    else:
        _draw_liked(parts[-1], neuron, images)
    return figure


def _draw_sum(axes: Axes, neuron: Neuron) -> None:
    """Products one after another, each starting where the one before ended."""
    values = neuron.products.ravel().astype(np.float64)
    chosen = neuron.strongest(BARS)
    inputs, weights = neuron.inputs.ravel(), neuron.weights.ravel()
    steps = [
        (f"{style.plain(neuron.names[at], 16)}   {_short(inputs[at])} × {_short(weights[at])}",
         float(values[at]), style.BLUE if values[at] >= 0 else style.VERMILLION)
        for at in chosen
    ]  # fmt: skip
    if values.size > len(chosen):
        rest = float(values.sum() - values[chosen].sum())
        steps.append((amount(values.size - len(chosen), "other"), rest, style.MUTED))
    steps.append(("bias", neuron.bias, style.AMBER))
    position = 0.0
    ends = []
    for row, (_, value, colour) in enumerate(steps):
        axes.barh(row, value, left=position, height=0.62, color=colour)
        position += value
        ends.append(position)
        if row + 1 < len(steps):
            axes.plot(
                [position, position], [row, row + 1], color=style.FAINT, linewidth=0.8, zorder=0
            )
    axes.barh(len(steps), neuron.sum, height=0.62, color=style.INK)
    axes.axvline(0, color=style.MUTED, linewidth=0.8)
    style.dress(axes, title="Inputs × weights (blue adds, orange subtracts)", x="running sum")
    axes.grid(False, axis="y")
    labels = [label for label, _, _ in steps] + [f"pre-activation   {_short(neuron.sum)}"]
    axes.set_yticks(range(len(labels)), labels, size=style.SMALL_SIZE, color=style.INK)
    axes.invert_yaxis()
    low, high = min(0.0, *ends), max(0.0, *ends)
    axes.set_xlim(low - 0.05 * (high - low) * (low < 0), high + 0.05 * (high - low) * (high > 0))


def _draw_activation(axes: Axes, neuron: Neuron) -> None:
    around, values = neuron.curve.T
    axes.plot(around, values, color=style.BLUE, linewidth=2)
    axes.plot(
        [neuron.sum, neuron.sum, around[0]], [min(0.0, float(values.min())), neuron.output,
        neuron.output], color=style.FAINT, linewidth=1, linestyle=(0, (3, 2)), zorder=1,
    )  # fmt: skip
    reach = 0.2 * (around[-1] - around[0])
    ends = np.array([neuron.sum - reach, neuron.sum + reach])
    heights = neuron.output + neuron.slope * (ends - neuron.sum)
    axes.plot(ends, heights, color=style.VERMILLION, linewidth=1.2, zorder=4)
    axes.plot(
        neuron.sum, neuron.output, "o", color=style.VERMILLION, markersize=8, zorder=5,
        clip_on=False,
    )  # fmt: skip
    style.dress(
        axes, title=f"Activation function: {neuron.activation}", x="pre-activation", y="activation"
    )
    style.formulas_inside(axes, neuron.equation.mathtext)
    axes.set_xlim(around[0], around[-1])
    to_left = neuron.sum > 0  # and away from a curve that rises to the right
    axes.annotate(
        f"({_short(neuron.sum)}, {_short(neuron.output)})", (neuron.sum, neuron.output),
        (-9 if to_left else 9, 8), textcoords="offset points", ha="right" if to_left else "left",
        va="bottom", size=style.TEXT_SIZE, color=style.VERMILLION,
    )  # fmt: skip
    shown = np.append(values[np.isfinite(values)], [0.0, neuron.output])
    low, height = float(shown.min()), float(np.ptp(shown)) or 1.0
    formulas = 0.4 if neuron.equation.formula else 0.12  # room for them
    axes.set_ylim(low - 0.12 * height, low + (1 + formulas) * height)


def _tiles(neuron: Neuron, images: np.ndarray | None) -> list[tuple[str, np.ndarray]]:
    """Inputs, weights and products as images, where they lie in a plane."""
    if neuron.position is None:
        if images is None or neuron.layer != 1 or neuron.inputs.size != np.prod(images.shape[1:]):
            return []
        shape = images.shape[1:]
    else:
        shape = neuron.inputs.shape
        if shape[0] == 1:
            return []
    planes = [one.reshape(shape) for one in (neuron.inputs, neuron.weights, neuron.products)]
    added = f" ({shape[-1]} channels)" if shape[-1] > 1 else ""
    names = (f"inputs{added}" if added else "inputs, scaled", "weights", "products")
    return [(name, one.sum(axis=-1)) for name, one in zip(names, planes, strict=True)]


def _draw_tiles(
    part: SubFigure, tiles: list[tuple[str, np.ndarray]], neuron: Neuron, images: np.ndarray | None
) -> None:
    """The sample, and its three planes."""
    grid = part.subplots(1, len(tiles) + (images is not None))
    rest = list(np.atleast_1d(grid))
    if images is not None:
        show_image(rest[0], images[neuron.sample], images, title=f"sample {neuron.sample:,}")
        if neuron.position is not None and neuron.grid is not None:
            row, column = (
                (at + 0.5) / count * side - 0.5
                for at, count, side in zip(
                    neuron.position, neuron.grid, images.shape[1:3], strict=True
                )
            )
            rest[0].plot(column, row, "o", ms=11, mfc="none", mec=style.VERMILLION, mew=2)
        rest = rest[1:]
    for axes, (name, plane) in zip(rest, tiles, strict=True):
        show_signed(axes, plane, float(np.abs(plane).max()), title=name)


def _draw_liked(part: SubFigure, neuron: Neuron, images: np.ndarray) -> None:
    rows = (("largest", neuron.responds_most(LIKED)), ("smallest", neuron.responds_least(LIKED)))
    bands = list(np.asarray(part.subfigures(2, 1)))
    for row, (word, positions) in zip(bands, rows, strict=True):
        row.suptitle(
            f"training samples with the {word} pre-activation",
            x=0.017, ha="left", size=style.TEXT_SIZE, color=style.INK, weight="bold",
        )  # fmt: skip
        for number, axes in enumerate(row.subplots(1, LIKED)):
            if number >= len(positions):
                axes.set_axis_off()
                continue
            show_image(axes, images[positions[number]], images)
            said = _short(neuron.responses[positions[number]])
            axes.set_xlabel(said, size=style.SMALL_SIZE, color=style.MUTED, labelpad=2)


def _draw_responses(axes: Axes, neuron: Neuron) -> None:
    values = neuron.responses[np.isfinite(neuron.responses)]
    axes.hist(values, bins=BINS, color=style.SKY)
    axes.axvline(neuron.sum, color=style.VERMILLION, linewidth=1.4)
    style.dress(
        axes,
        title=f"Pre-activation for all {len(neuron.responses):,} training samples; orange: sample "
        f"{neuron.sample:,}",
        x="pre-activation",
        y="samples",
    )


def _short(value: Any) -> str:
    return f"{style.short(value + 0.0, 3)}"
