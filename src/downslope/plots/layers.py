"""Layers over a training, what the first one looks for, and which pixels matter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from downslope.data.dataset import Dataset, Samples
from downslope.insight.layers import LayerCourse, LayersOverTime
from downslope.insight.pixels import Importance, first_filters, image_shape, important_inputs
from downslope.plots import style
from downslope.plots.samples import show_image, show_signed
from downslope.runs.run import Run
from downslope.text import amount

USUAL = 1e-3  # fraction of its length by which a step usually moves a layer (Karpathy, 2015)
PER_ROW = 8  # filters
MOST_FILTERS = 32
MOST_EXPLAINED = 6  # validation samples; fewer where images are large
LARGEST_SMALL = 64  # pixels of a side; larger images are drawn three in a row
MOST_CELLS = 64  # along the longer side of what matters: single pixels of photos are noise
_STROKES = ("-", "--", ":")  # where there are more layers than colours


def layers_figure(course: LayersOverTime) -> Figure:
    """Draw each layer's gradients, weights, updates and activations over the steps.

    Args:
        course: The result of `insight.layers_over_time`.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.layers_over_time(ds.open_run("runs/moons-1"), points=5)
        >>> figure = ds.plots.layers_figure(found)
    """
    title = f"Layers over the training: {course.data}"
    has_stuck = any(not np.isnan(_stuck(one)).all() for one in course.layers)
    subtitle = (
        "Length: Euclidean norm over all weights and biases of a layer. Gradient: of one batch. "
        f"Activations: of {amount(course.samples, 'training sample')}."
    )
    figure = style.new_figure(title, subtitle, height=6.6)
    names = [one.name for one in course.layers]
    looks = [_look(index) for index in range(len(names))]
    grid = figure.subplots(2, 3).ravel()
    panels = (
        ("Gradient", "length", "gradient_length", True),
        ("Weights", "length", "weight_length", False),
        ("Update", "fraction of the weights' length", "update_fraction", True),
        ("Activations: mean", "mean", "mean", False),
        ("Activations: spread", "standard deviation", "std", False),
    )
    for axes, (head, label, field, is_log) in zip(grid, panels, strict=False):
        style.dress(axes, title=head, x="step", y=label)
        for one, look in zip(course.layers, looks, strict=True):
            _line(axes, course.steps, getattr(one, field), look, is_log)
        if is_log:
            _logarithmic(axes)
    _mark_usual(grid[2])
    _draw_stuck(grid[5], course, looks, has_stuck)
    figure.legend(
        handles=[Line2D([], [], linewidth=2, **look) for look in looks],
        labels=[style.plain(name) for name in names],
        loc="outside lower center", ncols=min(6, len(names)), frameon=False,
        fontsize=style.TEXT_SIZE, labelcolor=style.INK,
    )  # fmt: skip
    return figure


def _mark_usual(axes: Axes) -> None:
    """A dashed line above the curves at the usual size of an update, named in the panel's title."""
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, USUAL / 2), max(high, USUAL * 2))
    axes.axhline(USUAL, color=style.INK, linewidth=1.1, linestyle=(0, (3, 2)), zorder=4)
    style.entitle(axes, f"Update (dashed: usual, {style.short(USUAL)})")


def _stuck(one: LayerCourse) -> np.ndarray:
    return one.dead if np.isnan(one.saturated).all() else one.saturated


def _draw_stuck(axes: Axes, course: LayersOverTime, looks: list[dict], has_stuck: bool) -> None:
    style.dress(axes, title="Dead or saturated", x="step", y="units or activations (%)")
    if not has_stuck:
        axes.set_axis_off()
        axes.text(
            0, 0.5, "No layer has relu,\nsigmoid or tanh.", transform=axes.transAxes,
            size=style.TEXT_SIZE, color=style.MUTED,
        )  # fmt: skip
        return
    highest = 0.0
    for one, look in zip(course.layers, looks, strict=True):
        values = 100 * _stuck(one)
        if np.isnan(values).all():
            continue
        highest = max(highest, float(np.nanmax(values)))
        _line(axes, course.steps, values, look, False)
    axes.set_ylim(-0.02 * max(5.0, highest), max(5.0, 1.1 * highest))  # a line at 0 is seen whole


def _line(axes: Axes, x: np.ndarray, values: np.ndarray, look: dict, is_log: bool) -> None:
    shown = np.where(np.isfinite(values) & (~np.array(is_log) | (values > 0)), values, np.nan)
    axes.plot(x, shown, **look, linewidth=1.7, marker="o", markersize=2.6)


def _look(index: int) -> dict:
    """Colour and stroke of a layer's line."""
    rounds, colour = divmod(index, len(style.PALETTE))
    return {"color": style.PALETTE[colour], "linestyle": _STROKES[rounds % len(_STROKES)]}


def _logarithmic(axes: Axes) -> None:
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    subs = (1.0, 2.0, 5.0) if high / low < 100 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 2)))
    axes.yaxis.set_minor_locator(NullLocator())


def filters_figure(filters: np.ndarray, *, name: str = "") -> Figure:
    """Draw what the first layer responds to: its weights as one small image per unit.

    Args:
        filters: (units, height, width, channels), from `insight.first_filters`.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> filters = np.random.default_rng(0).normal(size=(4, 8, 8, 1))
        >>> figure = ds.plots.filters_figure(filters, name="digits")
    """
    shown = filters[np.argsort(-_lengths(filters), kind="stable")[:MOST_FILTERS]]
    rows = -(-len(shown) // PER_ROW)
    is_colour = filters.shape[-1] == 3
    how = (
        "each in its own range of colours"
        if is_colour
        else "blue: positive, orange: negative, each scaled to its own largest weight"
    )
    if filters.shape[-1] not in (1, 3):
        how += f", added over {filters.shape[-1]} channels"
    figure = style.new_figure(
        f"Weights of the first layer: {name}" if name else "Weights of the first layer",
        f"{len(shown)} of {amount(len(filters), 'unit')}, those with the largest weights "
        f"first; {how}.",
        height=rows * (style.WIDTH / PER_ROW * 0.92) + 0.1,
    )
    order = np.argsort(-_lengths(filters), kind="stable")
    grid = figure.subplots(rows, PER_ROW, squeeze=False)
    for number, axes in enumerate(grid.flat):
        if number >= len(shown):
            axes.set_axis_off()
            continue
        one = shown[number]
        if is_colour:
            show_image(axes, one, one)
        else:
            plane = one.sum(axis=-1)
            show_signed(axes, plane, float(np.abs(plane).max()))
        axes.set_xlabel(f"unit {order[number]}", size=style.SMALL_SIZE, color=style.MUTED)
    return figure


def _lengths(filters: np.ndarray) -> np.ndarray:
    return np.sqrt(np.square(filters, dtype=np.float64).reshape(len(filters), -1).sum(axis=1))


def importance_figure(found: Importance, dataset: Dataset, titles: list[str]) -> Figure | None:
    """Draw images, and below each which of its pixels matter.

    Args:
        found: The result of `insight.important_inputs`.
        dataset: The data set of the samples.
        titles: The title of each image.

    Returns:
        The figure; None where the inputs are no images.

    Example:
        >>> run = ds.train("dense 4, dense 10", "digits", epochs=1)
        >>> found = ds.insight.important_inputs(run, run.dataset.validation.inputs[:2])
        >>> figure = ds.plots.importance_figure(found, run.dataset, ["first", "second"])
    """
    shape = image_shape(found.inputs.shape[1:], dataset.input_names)
    if shape is None:
        return None
    count = len(found.inputs)
    images = found.inputs.reshape(count, *shape)
    cell = -(-max(shape[:2]) // MOST_CELLS)
    scores = _in_cells(found.scores.reshape(count, *shape).sum(axis=-1), cell)
    tile = style.WIDTH / count
    height = 2 * (tile * min(1.3, shape[0] / shape[1]) * 0.9 + 0.35)
    what = "number of people" if dataset.task == "counting" else "prediction"
    how = {
        "integrated_gradients": "integrated gradients from the mean training input",
        "gradient_times_input": "gradient times input",
    }[found.method]
    unit = "pixel" if cell == 1 else f"square of {cell} × {cell} pixels"
    figure = style.new_figure(
        f"Which pixels matter for the {what}: {dataset.name}",
        f"Below each sample, what each {unit} adds to the {what} (blue) or takes from it (orange), "
        f"by {how}.",
        height=height,
    )
    grid = figure.subplots(2, count, squeeze=False)
    for number in range(count):
        show_image(grid[0, number], images[number], images)
        grid[0, number].set_title(
            style.plain(titles[number], 22), size=style.TEXT_SIZE, color=style.INK, pad=4
        )
        largest = float(np.percentile(np.abs(scores[number]), 99.5))
        show_signed(grid[1, number], scores[number], largest)
    return figure


def _in_cells(scores: np.ndarray, cell: int) -> np.ndarray:
    """Scores (N, h, w) added up in squares; the rest at the border is filled up with 0."""
    rests = [-side % cell for side in scores.shape[1:]]
    whole = np.pad(scores, ((0, 0), (0, rests[0]), (0, rests[1])))
    count, rows, columns = whole.shape
    return whole.reshape(count, rows // cell, cell, columns // cell, cell).sum(axis=(2, 4))


def layer_figures(found: LayersOverTime) -> dict[str, Callable[[], Figure]]:
    """Return all that can be drawn of a run's layers.

    Args:
        found: The result of `insight.layers_over_time`.

    Returns:
        Functions that draw, by the names of the figures: always `layers`; for images `filters`, and
        `pixels`, which of them matter for the first validation samples.

    Example:
        >>> found = ds.insight.layers_over_time(ds.open_run("runs/moons-1"), points=5)
        >>> list(ds.plots.layer_figures(found))
        ['layers']
    """
    drawn: dict[str, Callable[[], Figure]] = {"layers": lambda: layers_figure(found)}
    run = found.run
    if run is None or run.dataset is None:
        return drawn
    filters = first_filters(run)
    if filters is not None:
        drawn["filters"] = lambda: filters_figure(filters, name=run.data.name)
    if image_shape(run.data.input_shape, run.data.input_names) is not None:
        drawn["pixels"] = lambda: _pixels_figure(run)
    return drawn


def _pixels_figure(run: Run) -> Figure:
    dataset = run.dataset
    assert dataset is not None  # the layers were measured on it
    samples = dataset.validation
    most = 3 if max(run.data.input_shape) > LARGEST_SMALL else MOST_EXPLAINED
    few = samples.take(np.arange(min(most, len(samples))))
    figure = importance_figure(important_inputs(run, few.inputs), dataset, _said(run, few))
    assert figure is not None  # the inputs are images
    return figure


def _said(run: Run, inputs: Samples) -> list[str]:
    """What the run answers to some inputs, in short."""
    predictions = run.predict(inputs)
    if run.data.task == "classification":
        return [f"predicted {run.data.class_names[int(one)]}" for one in predictions]
    if run.data.task == "counting":
        return [f"{one:.1f} people" for one in predictions]
    return [style.short(float(np.ravel(one)[0])) for one in predictions]
