"""The course of a training: loss and measure, on training and validation samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from downslope.data.dataset import Task
from downslope.plots import style
from downslope.runs.outcome import Outcome
from downslope.runs.trace import Trace

MOST_DOTS = 2000  # more batches than this are thinned out evenly
LOG_RATIO = 20.0  # losses that span more than this are drawn on a logarithmic axis
FEW_EPOCHS = 12  # up to this many, each is marked by a dot
_PARTS = (("train", "training", style.BLUE), ("validation", "validation", style.VERMILLION))
_LOSS_HEIGHT, _MEASURE_HEIGHT = 2.7, 1.7  # inches of the two panels, about

MEASURE: Mapping[Task, tuple[str, str, float]] = MappingProxyType(
    {  # the column, its axis label, and what it is multiplied by
        "classification": ("accuracy", "accuracy (%)", 100.0),
        "multilabel": ("accuracy", "label accuracy (%)", 100.0),
        "regression": ("mae", "MAE (units\nof the target)", 1.0),
        "counting": ("mae", "MAE (people)", 1.0),
    }
)


def loss_curves(
    trace: Trace,
    task: Task,
    outcome: Outcome | None = None,
    *,
    name: str = "",
    loss: str = "loss",
    targets: int = 1,
) -> Figure:
    """Draw training and validation loss at the same weights, and the task's metric below.

    Several targets, each in its own unit, have no metric in common: for these the loss stands
    alone.

    Args:
        trace: The trace of the training; it may be short, or end in losses that are not finite.
        task: The task, which decides the metric, such as "classification".
        outcome: How the training ended: its sentence becomes the subtitle, and the epoch whose
            weights were kept is marked.
        name: Name of the data set, for the title.
        loss: Name of the loss, for the axis.
        targets: Number of targets.

    Returns:
        The figure.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> figure = ds.plots.loss_curves(run.trace, run.data.task, run.outcome, name="moons")
    """
    title = f"Loss over the training: {name}" if name else "Loss over the training"
    epochs = len(trace.epochs["epoch"])
    has_measure = epochs > 0 and (task != "regression" or targets == 1)
    height = 4.9 if has_measure else 3.2
    figure = style.new_figure(title, str(outcome) if outcome else "", height=height)
    if not epochs:
        _steps_alone(figure.subplots(), trace, outcome, loss)
        return figure
    ratios = [_LOSS_HEIGHT, _MEASURE_HEIGHT][: 1 + has_measure]
    top, *below = figure.subplots(
        len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios
    ).T[0]
    epoch = trace.epochs["epoch"].astype(float)
    per_epoch = trace.epochs["step"][-1] / max(epoch[-1], 1)
    style.dress(top, x="" if has_measure else "epoch", y=loss.replace("_", " "))
    batches = _draw_batches(top, trace, per_epoch)
    labels = _draw_parts(top, trace, "loss", 1.0)
    last = max(epoch[-1], len(trace.batch_loss) / per_epoch)
    top.set_xlim(0 if len(trace.batch_loss) else epoch[0], last * 1.005)
    _limit_losses(top, trace)
    style.label_ends(top, [*labels, *batches], _LOSS_HEIGHT)
    _mark(top, below, trace, outcome, per_epoch)
    for axes in below:
        _draw_measure(axes, trace, task)
    return figure


def _steps_alone(axes: Axes, trace: Trace, outcome: Outcome | None, loss: str) -> None:
    """Draw a training that ended within its first epoch: all there is are its batches."""
    style.dress(axes, x="step", y=f"{loss.replace('_', ' ')} of each batch")
    finite = _finite(trace.batch_loss)
    axes.plot(trace.steps["step"], finite, color=style.BLUE, marker="o", markersize=3, linewidth=1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, max(len(finite), 1) + 0.5)
    _limit_losses(axes, trace)
    if not np.isfinite(finite).any():
        axes.text(
            0.5,
            0.5,
            "No loss was recorded." if not len(finite) else "No loss was finite.",
            transform=axes.transAxes,
            ha="center",
            color=style.MUTED,
            size=style.TEXT_SIZE + 1,
        )
    if outcome and outcome.reason == "non_finite":
        _line(axes, outcome.step + 1, f"not finite at step {outcome.step + 1:,}", style.ALARM)


def _draw_batches(axes: Axes, trace: Trace, per_epoch: float) -> list[tuple[float, str, str]]:
    losses = _finite(trace.batch_loss)
    every = -(-len(losses) // MOST_DOTS)
    if not np.isfinite(losses).any():
        return []
    x = trace.steps["step"][::every] / per_epoch
    size = 2.6 if len(x) > 100 else 5.0
    axes.plot(x, losses[::every], ".", color=style.FAINT, ms=size, alpha=0.75, mew=0, zorder=1)
    recent = losses[-max(1, round(per_epoch)) :]
    recent = recent[np.isfinite(recent)]
    if not len(recent):
        return []
    return [(float(np.median(recent)), "single batches", style.MUTED)]


def _draw_parts(
    axes: Axes, trace: Trace, column: str, factor: float, unit: str = ""
) -> list[tuple[float, str, str]]:
    """Draw a column of both parts; return the labels of the two lines' ends."""
    labels = []
    epoch = trace.epochs["epoch"]
    marker = "o" if len(epoch) <= FEW_EPOCHS else ""
    for part, word, colour in _PARTS:
        values = factor * _finite(trace.epochs[f"{part}_{column}"])
        axes.plot(epoch, values, color=colour, linewidth=1.8, marker=marker, markersize=4)
        finite = values[np.isfinite(values)]
        if len(finite):
            labels.append((float(finite[-1]), f"{word} {_number(finite[-1])}{unit}", colour))
    return labels


def _draw_measure(axes: Axes, trace: Trace, task: Task) -> None:
    column, label, factor = MEASURE[task]
    style.dress(axes, x="epoch", y=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    unit = " %" if factor == 100 else ""
    labels = _draw_parts(axes, trace, column, factor, unit)
    values = factor * _known(trace, column)
    if factor == 100:
        low = float(values.min()) if len(values) else 0.0
        room = 0.08 * (100 - low) + 0.5
        axes.set_ylim(max(0.0, low - room), 100 + room / 2)
    else:
        spread(axes, values)
    style.label_ends(axes, labels, _MEASURE_HEIGHT)


def _limit_losses(axes: Axes, trace: Trace) -> None:
    values = np.concatenate([_known(trace, "loss"), _finite(trace.batch_loss)])
    spread(axes, values[np.isfinite(values)])


def spread(axes: Axes, values: np.ndarray) -> None:
    """Choose the axis: logarithmic if the values range widely, else from 0 if none is negative."""
    if not len(values):
        axes.set_ylim(0, 1)
        return
    low, high = float(values.min()), float(values.max())
    if low > 0 and high / low > LOG_RATIO:
        _logarithmic(axes, low, high)
    elif low >= 0:
        axes.set_ylim(0, high * 1.05 if high > 0 else 1)
    else:
        room = 0.05 * (high - low) or abs(high) * 0.05
        axes.set_ylim(low - room, high + room)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 6)))


def _logarithmic(axes: Axes, low: float, high: float) -> None:
    decades = np.log10(high / low)
    axes.set_yscale("log")
    room = (high / low) ** 0.05
    axes.set_ylim(low / room, high * room)
    subs = (1.0, 2.0, 5.0) if decades < 2.2 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=9))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark(
    top: Axes, below: Sequence[Axes], trace: Trace, outcome: Outcome | None, per_epoch: float
) -> None:
    """Mark the epoch that was kept, or the one with the lowest validation loss."""
    validation = _finite(trace.validation_loss)
    if outcome and outcome.reason == "non_finite":
        for axes in (top, *below):
            text = f"not finite at step {outcome.step + 1:,}" if axes is top else ""
            _line(axes, (outcome.step + 1) / per_epoch, text, style.ALARM)
    if not np.isfinite(validation).any():
        return
    row = int(np.nanargmin(validation))
    lowest = f"{_number(validation[row])}, epoch {trace.epochs['epoch'][row]}"
    measured = int(np.isfinite(validation).sum())
    text = f"lowest of {measured} epochs measured: {lowest}" if measured > 1 else lowest
    if outcome and outcome.kept_step < outcome.step:
        row = int(np.argmin(np.abs(trace.epochs["step"] - outcome.kept_step)))
        text = f"kept: epoch {trace.epochs['epoch'][row]}"
    epoch = float(trace.epochs["epoch"][row])
    top.plot(
        epoch,
        validation[row],
        "o",
        markersize=8,
        mfc="none",
        mec=style.INK,
        zorder=5,
        clip_on=False,
    )
    if outcome is None or outcome.reason != "non_finite":
        for axes in (top, *below):
            _line(axes, epoch, text if axes is top else "", style.INK)


def _line(axes: Axes, x: float, text: str, colour: str) -> None:
    """A fine vertical line, named above the axes."""
    axes.axvline(x, color=colour, linewidth=0.9, linestyle=(0, (2, 2)), zorder=2)
    left, right = axes.get_xlim()
    fraction = (x - left) / (right - left)
    side = "left" if fraction < 0.3 else "right" if fraction > 0.7 else "center"
    axes.annotate(
        style.plain(text, 80),
        (x, 1),
        (0, 3),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha=side,
        size=style.SMALL_SIZE,
        color=colour,
    )


def _known(trace: Trace, column: str) -> np.ndarray:
    """All values of both parts that are finite."""
    values = [_finite(trace.epochs[f"{part}_{column}"]) for part, _, _ in _PARTS]
    joined = np.concatenate(values)
    return joined[np.isfinite(joined)]


def _finite(values: np.ndarray) -> np.ndarray:
    """As float64, with gaps (NaN) where a value is infinite."""
    values = np.asarray(values, np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _number(value: float) -> str:
    return f"{value:.1f}" if 10 <= abs(value) < 1000 else f"{style.short(value, 3)}"


_MOST_POINTS = 2000


def learning_rates(trace: Trace, *, name: str = "") -> Figure:
    """Draw the learning rate of every step.

    Args:
        trace: The trace of the training.
        name: Name of the data set, for the title.

    Returns:
        The figure.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> figure = ds.plots.learning_rates(run.trace, name="moons")
    """
    rates = np.asarray(trace.steps["learning_rate"], np.float64)
    every = max(1, -(-len(rates) // _MOST_POINTS))
    low, high = (float(end(rates)) for end in (np.min, np.max)) if len(rates) else (0.0, 0.0)
    subtitle = (
        f"First step {style.short(rates[0])}, last step {style.short(rates[-1])}, highest "
        f"{style.short(high)}."
    )
    title = f"Learning rate: {name}" if name else "Learning rate"
    figure = style.new_figure(title, subtitle, height=2.4)
    axes = style.dress(figure.subplots(), x="step", y="learning rate")
    axes.plot(trace.steps["step"][::every], rates[::every], color=style.BLUE, linewidth=1.8)
    axes.set_ylim(min(0.0, low), 1.06 * high or 1.0)
    axes.set_xlim(1, max(2, len(rates)))
    return figure
