"""What each learning rate led to, and three trainings that show why: too small, good, too large."""

from __future__ import annotations

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from downslope.insight.learning_rate import FoundRate
from downslope.insight.learning_rate_trials import Round
from downslope.plots import style

COLOURS = {"too small": style.AMBER, "good": style.GREEN, "overshoots": style.VERMILLION}
_SMOOTHED = 18  # points of a drawn course, each the mean of a piece of it
_HALO = [patheffects.withStroke(linewidth=2.6, foreground=style.PAPER)]
_HEIGHT = 3.6  # inches of the panels, about
_BEYOND = 12.0  # how far the rates are shown beyond the borders
_STRIP = 0.25  # of the height, in which the regions are named
_HIGHEST = 3.0  # times the loss at the first weights: what is higher lies at the upper edge


def rate_search(found: FoundRate) -> Figure:
    """Draw final losses over the learning rates that were tried, and three trainings as examples.

    Args:
        found: The result of `insight.find_rate`.

    Returns:
        The figure.

    Example:
        >>> found = ds.insight.find_rate("dense 2", "moons", epochs=1, seconds=0.1)
        >>> figure = ds.plots.rate_search(found)
    """
    loss = found.settings.loss.replace("_", " ")
    title = f"Learning rate for {found.data}: {style.short(found.learning_rate, 6)}"
    figure = style.new_figure(title, f"{found.summary} {found.how}", height=_HEIGHT + 0.6)
    left, right = figure.subplots(1, 2, width_ratios=[1.35, 1])
    _draw_rates(left, found, loss)
    _draw_proof(right, found, loss)
    return figure


def _draw_rates(axes: Axes, found: FoundRate, loss: str) -> None:
    near, wide = found.second_look, found.first_look
    title = f"Final loss: ◆ after {wide.steps:,} steps, ● after {near.steps:,}"
    style.dress(axes, title=title, x="learning rate", y=f"final validation {loss}")
    axes.set_xscale("log")
    axes.grid(False)
    top = _HIGHEST * found.start_loss
    _draw_regions(axes, found)
    _draw_round(axes, wide, top, style.MUTED, "D", 3.2)
    _draw_round(axes, near, top, style.BLUE, "o", 3.2)
    ends = near.validation_loss.mean(axis=1)
    axes.plot(near.rates, np.minimum(ends, top), color=style.BLUE, linewidth=1.8)
    _scale_losses(axes, [near.validation_loss.ravel(), wide.validation_loss.ravel()], top)
    _make_room_above(axes)
    axes.axhline(found.start_loss, color=style.MUTED, linewidth=0.9, linestyle=(0, (1, 3)))
    axes.annotate(
        "before training",
        (0.99, found.start_loss),
        (0, 3),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        ha="right",
        size=style.SMALL_SIZE,
        color=style.MUTED,
        path_effects=_HALO,
        zorder=5,
    )
    axes.xaxis.set_major_locator(LogLocator(numticks=9))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 2)))
    axes.xaxis.set_minor_locator(NullLocator())


def _draw_regions(axes: Axes, found: FoundRate) -> None:
    """Colour what is too slow, good and too large, and name it above the axes."""
    tried = np.array([*found.second_look.rates, *found.good])
    slow, jumps = found.too_slow, found.overshoots
    low = max(1e-5, (tried.min() if slow is None else min(slow, tried.min())) / _BEYOND)
    high = min(1e2, (tried.max() if jumps is None else max(jumps, tried.max())) * _BEYOND)
    axes.set_xlim(low, high)
    regions = [("good", *found.good)]
    if slow is not None:
        regions.append(("too small", low, slow))
    if jumps is not None:
        regions.append(("overshoots", jumps, high))
    for name, start, end in regions:
        axes.axvspan(start, end, color=COLOURS[name], alpha=0.15, linewidth=0)
        text = {
            "too small": f"too slow below {style.short(end, 2)}",
            "good": f"good: {style.short(found.learning_rate, 6)}",
            "overshoots": f"overshoots above {style.short(start, 2)}",
        }[name]
        if name == "good":
            _name_above(axes, found.learning_rate, text, 0.985, "center", COLOURS[name])
        else:
            side = "left" if name == "too small" else "right"
            edge = low if name == "too small" else high
            _name_above(axes, edge, text, 0.905, side, COLOURS[name])
    axes.axvline(found.learning_rate, color=style.GREEN, linewidth=1.8)
    bend = found.curvature
    own = None if bend is None else bend.highest_rate_of(found.settings.optimizer)
    if own is not None and low < own < high:
        axes.axvline(own, color=style.INK, linewidth=1.1, linestyle=(0, (1, 1.5)))
        axes.annotate(
            "limit by the first curvature",
            (own, 0.825),
            (-4, 0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="right",
            size=style.SMALL_SIZE - 0.5,
            color=style.INK,
            va="top",
            path_effects=_HALO,
        )


def _make_room_above(axes: Axes) -> None:
    """Leave a strip above everything that is drawn, in which the regions are named."""
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        axes.set_ylim(low, high * (high / low) ** (_STRIP / (1 - _STRIP)))
    else:
        axes.set_ylim(low, high + (high - low) * _STRIP / (1 - _STRIP))


def _name_above(axes: Axes, rate: float, text: str, height: float, side: str, colour: str) -> None:
    """Name a region near the upper edge, aligned to one side of a rate."""
    axes.annotate(
        text,
        (rate, height),
        ({"left": 4, "right": -4}.get(side, 0), 0),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha=side,
        va="top",
        size=style.SMALL_SIZE,
        weight="bold",
        color=style.INK,
        bbox={"facecolor": style.PAPER, "edgecolor": colour, "pad": 2.0, "linewidth": 1.2},
        zorder=6,
    )


def _draw_round(axes: Axes, one: Round, top: float, colour: str, marker: str, size: float) -> None:
    for losses in one.validation_loss.T:
        axes.plot(
            one.rates, np.minimum(losses, top), marker, color=colour, markersize=size, alpha=0.6,
            mew=0, linestyle="",
        )  # fmt: skip


def _draw_proof(axes: Axes, found: FoundRate, loss: str) -> None:
    style.dress(axes, title="Short trainings at three rates", x="step", y=f"batch {loss}")
    top = _HIGHEST * found.start_loss
    curves, labels = [], []
    for one in found.proof:
        positions, values = _course(one.batch_loss)
        colour = COLOURS[one.name]
        shown = np.minimum(np.where(np.isfinite(values), values, top), top)
        axes.plot(positions, shown, color=colour, linewidth=1.9)
        if shown[-1] >= top:
            axes.plot(positions[-1], top, "^", color=colour, markersize=7, clip_on=False)
        labels.append((float(shown[-1]), f"{one.name}\n{style.short(one.rate, 2)}", colour))
        curves.append(values)
    _scale_losses(axes, curves, top)
    axes.set_xlim(left=0)
    style.label_ends(axes, labels, _HEIGHT / 2)  # two lines each


def _course(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A course in a few pieces, each at its middle, with the first step by itself."""
    pieces = [losses[:1], *np.array_split(losses[1:], min(_SMOOTHED, max(1, len(losses) - 1)))]
    pieces = [piece for piece in pieces if len(piece)]
    ends = np.cumsum([len(piece) for piece in pieces])
    middles = ends - np.array([len(piece) - 1 for piece in pieces]) / 2
    return middles, np.array([piece.astype(np.float64).mean() for piece in pieces])


def _scale_losses(axes: Axes, curves: list[np.ndarray], top: float) -> None:
    """From the lowest to the highest that is shown; by logarithms where that is far."""
    values = np.concatenate([np.asarray(one, np.float64) for one in curves])
    values = values[np.isfinite(values)]
    low = float(values.min()) if len(values) else 0.0
    if low >= 0 and (values > 0).any():
        low = max(float(values[values > 0].min()), top / 1e6)
    if low > 0 and top / low > 10:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.15, top * 1.04)
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if top / low > 300 else (1.0, 3.0)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 6)))
    else:
        axes.set_ylim(min(0.0, low), top * 1.02)
