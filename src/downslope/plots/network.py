"""A network as a picture: neuron by neuron where it is small, else layer by layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure

from downslope.insight.network import LayerView, NetworkState, NetworkView, untrained_network
from downslope.insight.pixels import image_shape
from downslope.nn.layer import Shape
from downslope.nn.network import Network
from downslope.plots import style
from downslope.plots.mistakes import as_images
from downslope.plots.samples import show_image
from downslope.text import amount

MOST_NEURONS = 16  # of a layer that is drawn neuron by neuron
MOST_CONNECTIONS = 400  # of a network that is
PER_ROW = 8  # layers that are drawn side by side, beside the inputs
MOST_BARS = 12  # outputs that are drawn as bars
TILES = 9  # channels and filters that are drawn of a layer
MOST_CELLS = 48  # along a side of a matrix of weights, whose cells then stand for several
_WIDEST, _THINNEST = 4.2, 0.25  # of a connection, in points
# strength as opacity: what is weak has the colour of the page, be it bright or dark
CLEAR = LinearSegmentedColormap.from_list(
    "clear",
    [to_rgba(style.VERMILLION, 1), to_rgba(style.VERMILLION, 0), to_rgba(style.BLUE, 0),
     to_rgba(style.BLUE, 1)],
).with_extremes(bad=to_rgba(style.FAINT, 0.45))  # fmt: skip


def network_figure(found: NetworkView) -> Figure:
    """Draw a network before and after its training, with the signals of one sample.

    A small network of dense layers is drawn whole: each neuron with its activation, each connection
    with its weight. Of others each layer is drawn with the sample's activations and its weights.

    Args:
        found: The result of `insight.network`.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.network(ds.open_run("runs/moons-1"))
        >>> figure = ds.plots.network_figure(found)
    """
    return _whole(found) if is_small(found) else _by_layers(found)


def plot_network(
    network: Network, input_shape: Shape, folder: str | Path | None = None, seed: int = 0
) -> dict[str, Figure]:
    """Draw a network that no training has changed; see `Network.plot`.

    Args:
        network: The network.
        input_shape: Shape of one input, without the sample axis.
        folder: Where the figure is written as PNG and SVG; None for nowhere.
        seed: The seed of the weights.

    Returns:
        The figure by its name.

    Raises:
        NetworkError: A layer does not fit.
        StorageError: The disk or the folder refuses.

    Example:
        >>> figures = ds.plots.plot_network(ds.parse_network("dense 8 tanh, dense 1"), (2,))
        >>> list(figures)
        ['network']
    """
    figures = {"network": network_figure(untrained_network(network, tuple(input_shape), seed))}
    if folder is not None:
        style.save_all(figures.items(), folder)
    return figures


def is_small(found: NetworkView) -> bool:
    """Whether a network can be drawn neuron by neuron."""
    sizes = _sizes(found)
    is_dense = all(one.notation.startswith("dense") for one in found.layers)
    connections = sum(one * two for one, two in pairwise(sizes))
    return is_dense and max(sizes) <= MOST_NEURONS and connections <= MOST_CONNECTIONS


def _sizes(found: NetworkView) -> list[int]:
    return [math.prod(found.input_shape), *(math.prod(one.shape) for one in found.layers)]


def _title(found: NetworkView) -> str:
    return f"The network, trained on {found.data}" if found.data else "The network"


def _words(state: NetworkState) -> str:
    said = f": it predicts {state.prediction}" if state.prediction else ""
    return f"{state.name.capitalize()}{said}"


# a small network


def _whole(found: NetworkView) -> Figure:
    subtitle = (
        f"{found.summary} Blue: positive, orange: negative; the wider a connection, the larger its "
        "weight."
    )
    if found.sample is not None:
        subtitle += (
            f" In the circles: the activations for training sample {found.sample:,} "
            f"({found.truth}); below each: its bias."
        )
    tall = max(_sizes(found))
    figure = style.new_figure(_title(found), subtitle, height=max(2.6, 0.48 * tall + 0.9))
    panels = np.atleast_1d(figure.subplots(1, len(found.states)))
    tables = [one.weights for state in found.states for one in state.layers]
    largest = max((float(np.abs(one).max()) for one in tables if one is not None), default=1.0)
    for axes, state in zip(panels, found.states, strict=True):
        _draw_state(axes, found, state, largest or 1.0)
    return figure


def _draw_state(axes: Axes, found: NetworkView, state: NetworkState, largest: float) -> None:
    sizes = _sizes(found)
    columns = [_column(size, max(sizes)) for size in sizes]
    for depth, layer in enumerate(state.layers):
        assert layer.weights is not None  # dense layers have them
        _connect(axes, depth, columns[depth], columns[depth + 1], layer.weights / largest)
    signals = [found.inputs, *(one.activations for one in state.layers)]
    biases = [None, *(one.biases for one in state.layers)]
    for depth, (heights, values) in enumerate(zip(columns, signals, strict=True)):
        flat = None if values is None else np.ravel(values)
        scale = 1.0 if flat is None else max(float(np.abs(flat).max()), 1e-9)
        for row, height in enumerate(heights):
            _neuron(axes, (depth, height), None if flat is None else (flat[row], scale))
        own = biases[depth]
        if own is not None and found.sample is not None:
            for height, bias in zip(heights, own, strict=True):
                axes.annotate(
                    style.short(float(bias), 2), (depth, height), (0, -10.5),
                    textcoords="offset points", ha="center", va="top", size=6,
                    color=style.MUTED, zorder=6,
                )  # fmt: skip
    _name_ends(axes, found, columns)
    _name_layers(axes, found, max(sizes))
    axes.set_xlim(-0.75, len(sizes) - 1 + 0.75)
    axes.set_ylim(-max(sizes) / 2 - 0.75, max(sizes) / 2 + 0.2)
    style.entitle(axes, _words(state))
    axes.set_axis_off()


def _column(size: int, most: int) -> np.ndarray:
    """The heights of a layer's neurons, the first at the top."""
    gap = min(1.6, most / size)
    return gap * (np.arange(size)[::-1] - (size - 1) / 2)


def _connect(
    axes: Axes, depth: int, before: np.ndarray, after: np.ndarray, weights: np.ndarray
) -> None:
    """A line for each weight, the strongest on top."""
    order = np.argsort(np.abs(weights), axis=None)
    starts, ends = np.unravel_index(order, weights.shape)
    values = weights[starts, ends]
    lines: Any = [
        [(depth, before[start]), (depth + 1, after[end])]
        for start, end in zip(starts, ends, strict=True)
    ]
    strength = np.abs(values)
    colours = [
        to_rgba(style.BLUE if value > 0 else style.VERMILLION, 0.25 + 0.65 * abs(value))
        for value in values
    ]
    widths = _THINNEST + (_WIDEST - _THINNEST) * strength
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=widths, zorder=1))


def _neuron(axes: Axes, at: tuple[float, float], signal: tuple[float, float] | None) -> None:
    """A circle, filled by the strength of its signal, which is written into it."""
    look = {"marker": "o", "markersize": 19, "linestyle": "none"}
    axes.plot(*at, **look, mfc=style.PAPER, mec=style.MUTED, mew=0.8, zorder=3)
    if signal is None:
        return
    value, scale = signal
    colour = style.BLUE if value > 0 else style.VERMILLION
    strength = 0.55 * abs(value) / scale
    axes.plot(*at, **look, mfc=to_rgba(colour, strength), mec="none", zorder=4)
    axes.text(
        *at, style.short(float(value), 2), ha="center", va="center", size=6.5, color=style.INK,
        zorder=5,
    )  # fmt: skip


def _name_ends(axes: Axes, found: NetworkView, columns: Sequence[np.ndarray]) -> None:
    """What the inputs and the outputs are called."""
    ends = (
        (0, found.input_names, "right", -13),
        (len(columns) - 1, found.output_names, "left", 13),
    )
    for depth, names, side, away in ends:
        if len(names) != len(columns[depth]):
            continue
        for name, height in zip(names, columns[depth], strict=True):
            axes.annotate(
                style.plain(name, 12), (depth, height), (away, 0), textcoords="offset points",
                ha=side, va="center", size=style.SMALL_SIZE, color=style.INK,
            )  # fmt: skip


def _name_layers(axes: Axes, found: NetworkView, most: int) -> None:
    words = ["inputs", *(one.notation for one in found.layers)]
    for depth, word in enumerate(words):
        axes.text(
            depth, -most / 2 - 0.35, style.plain(word, 18), ha="center", va="center",
            size=style.SMALL_SIZE, color=style.MUTED,
        )  # fmt: skip


# a large network


def _by_layers(found: NetworkView) -> Figure:
    shown = [
        index
        for index, one in enumerate(found.layers)
        if one.weights is not None or _is_pooled(found, index)
    ] or list(range(len(found.layers)))
    count = -(-len(shown) // PER_ROW)
    rows = [list(map(int, one)) for one in np.array_split(shown, count)]
    has_signals = found.sample is not None
    left_out = len(found.layers) - len(shown)
    subtitle = (
        f"{found.summary} Each layer has the shape of its output above it. Blue: positive, orange: "
        "negative, each picture up to its own largest."
    )
    if has_signals:
        subtitle += f" First row: activations for training sample {found.sample:,} ({found.truth})."
    subtitle += (
        " Weights: of a convolution its filters, of a dense layer a matrix with its inputs down "
        "and its units across."
    )
    if left_out:
        layers = amount(left_out, "layer")
        subtitle += f" Left out: {layers} that only rescale, reorder or drop numbers."
    bands = len(rows) * len(found.states)
    tall = 2.75 if has_signals else 1.75
    figure = style.new_figure(_title(found), subtitle, height=tall * bands + 0.1)
    parts = list(np.atleast_1d(np.asarray(figure.subfigures(bands, 1))))
    for index, part in enumerate(parts):
        row, number = divmod(index, len(found.states))
        state = found.states[number]
        first = f", layers {rows[row][0] + 1} to {rows[row][-1] + 1}" if len(rows) > 1 else ""
        part.suptitle(
            style.plain(f"{_words(state)}{first}", 120), x=0.013, ha="left",
            size=style.TEXT_SIZE, color=style.INK, weight="bold",
        )  # fmt: skip
        columns = 1 + max(3, *map(len, rows))
        grid = part.subplots(1 + has_signals, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        if row == 0:
            _draw_input(grid[0, 0], found)
        for column, one in enumerate(rows[row], start=1):
            _draw_layer(grid[:, column], found, state.layers, one)
    return figure


def _is_pooled(found: NetworkView, index: int) -> bool:
    """Whether a layer makes images of another size."""
    before = found.layers[index - 1].shape if index else found.input_shape
    after = found.layers[index].shape
    return len(before) == len(after) == 3 and before != after


def _draw_layer(
    column: np.ndarray, found: NetworkView, layers: Sequence[LayerView], index: int
) -> None:
    """One layer: its activations, and below them its weights."""
    layer, above, below = layers[index], column[0], column[-1]
    if layer.activations is not None:
        is_last = index == len(layers) - 1
        if is_last and layer.activations.size <= MOST_BARS:
            _draw_outputs(above, layer.activations.ravel(), found.output_names)
        else:
            _draw_signals(above, layer.activations)
    title = f"{style.plain(layer.notation, 17)}\n{_shape(layer.shape)}"
    if layer.weights is not None:
        _draw_weights(below, _as_filters(found, layers, index))
        below.set_xlabel(f"{layer.parameters:,} numbers", size=7, color=style.MUTED, labelpad=2)
    column[0].set_title(title, size=7.5, color=style.INK, loc="center", pad=3)


def _as_filters(found: NetworkView, layers: Sequence[LayerView], index: int) -> np.ndarray:
    """A layer's weights; those of a first dense layer that sees an image as images."""
    weights = layers[index].weights
    assert weights is not None
    is_first = all(one.weights is None for one in layers[:index])
    shape = image_shape(found.input_shape, found.input_names)
    if weights.ndim == 2 and is_first and shape is not None and len(weights) == math.prod(shape):
        return weights.reshape(*shape, -1)
    return weights


def _draw_outputs(axes: Axes, values: np.ndarray, names: Sequence[str]) -> None:
    """Few outputs as bars, each with its name."""
    axes.set_axis_on()
    style.bare(axes)
    rows = np.arange(len(values))
    colours = [style.BLUE if value > 0 else style.VERMILLION for value in values]
    axes.barh(rows, values, color=colours, height=0.75)
    axes.axvline(0, color=style.FAINT, linewidth=0.6)
    axes.invert_yaxis()
    if len(names) == len(values):
        axes.set_yticks(rows, [style.plain(name, 9) for name in names])
        axes.tick_params(axis="y", length=0, labelsize=6, labelcolor=style.INK, pad=2)
    axes.set_box_aspect(1)


def _draw_input(axes: Axes, found: NetworkView) -> None:
    title = f"inputs\n{_shape(found.input_shape)}"
    if found.raw is None or found.dataset is None:
        axes.text(0.5, 0.5, title, transform=axes.transAxes, ha="center", va="center",
                  size=8, color=style.INK)  # fmt: skip
        return
    images = as_images(found.dataset.train.inputs, found.input_names)
    if images is None:
        assert found.inputs is not None
        _draw_signals(axes, found.inputs)
    else:
        axes.set_axis_on()
        image = found.raw.reshape(-1, *images.shape[2:]) if found.raw.ndim == 1 else found.raw
        show_image(axes, image, images[: min(len(images), 256)])
    axes.set_title(title, size=7.5, color=style.INK, loc="center", pad=3)


def _shape(shape: tuple[int, ...]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(f"{side:,}" for side in shape)


def _draw_signals(axes: Axes, values: np.ndarray) -> None:
    """Channels as small images; units as a square of cells."""
    if values.ndim == 3:
        _show(axes, _tiled(np.moveaxis(values, -1, 0)))
        return
    flat = np.ravel(values)[: MOST_CELLS**2]
    across = max(1, math.ceil(math.sqrt(flat.size)))
    across = flat.size if flat.size <= 4 else across
    cells = np.full(-(-flat.size // across) * across, np.nan)
    cells[: flat.size] = flat
    _show(axes, cells.reshape(-1, across))


def _draw_weights(axes: Axes, weights: np.ndarray) -> None:
    """Filters as small images, added over their inputs; a matrix as it is."""
    if weights.ndim == 4:
        filters = np.moveaxis(weights, -1, 0)
        if filters.shape[1] > 1:  # not of single pixels
            _show(axes, _tiled(filters.sum(axis=-1)))
            return
        weights = weights.reshape(weights.shape[-2:])
    table = weights.reshape(-1, weights.shape[-1])
    for axis in (0, 1):
        table = _thinned(table, axis)
    _show(axes, table, "auto")


def _thinned(table: np.ndarray, axis: int) -> np.ndarray:
    """At most so many rows, each the strongest of those that it stands for."""
    size = table.shape[axis]
    if size <= MOST_CELLS:
        return table
    groups = np.array_split(np.moveaxis(table, axis, 0), MOST_CELLS)
    strongest = [
        np.take_along_axis(one, np.abs(one).argmax(axis=0)[None], axis=0)[0] for one in groups
    ]
    return np.moveaxis(np.stack(strongest), 0, axis)


def _tiled(images: np.ndarray) -> np.ndarray:
    """The first images side by side in a square, each scaled to its own largest value."""
    images = images[:TILES].astype(np.float64)
    largest = np.abs(images).max(axis=(1, 2), keepdims=True)
    images = images / np.where(largest > 0, largest, 1)
    across = math.ceil(math.sqrt(len(images)))
    down = -(-len(images) // across)
    gap = max(1, round(0.06 * max(images.shape[1:])))
    height, width = images.shape[1] + gap, images.shape[2] + gap
    made = np.full((down * height - gap, across * width - gap), np.nan)
    for index, image in enumerate(images):
        top, left = index // across * height, index % across * width
        made[top : top + image.shape[0], left : left + image.shape[1]] = image
    return made


def _show(axes: Axes, values: np.ndarray, aspect: Literal["equal", "auto"] = "equal") -> None:
    """Numbers (h, w): blue above 0, orange below; 0 has the colour of the page."""
    finite = values[np.isfinite(values)]
    largest = (float(np.abs(finite).max()) if finite.size else 1.0) or 1.0
    axes.set_axis_on()
    style.bare(axes)
    axes.imshow(
        np.ma.masked_invalid(values), cmap=CLEAR, vmin=-largest, vmax=largest,
        interpolation="nearest", aspect=aspect,
    )  # fmt: skip
    if aspect == "auto":
        axes.set_box_aspect(1)
