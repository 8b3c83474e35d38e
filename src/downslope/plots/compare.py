"""Values of one setting beside each other: curves with the spread over seeds, and how each ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from downslope.insight.comparison import Comparison, Course
from downslope.plots import style
from downslope.plots.curves import MEASURE, spread

_CURVES, _ROW = 2.5, 0.34  # inches: the height of a panel of curves, and of a value's row
MOST_NAMED = 8  # values that have colours of their own


def comparison(found: Comparison) -> Figure:
    """Draw how each value learnt, at equal samples and in equal time, and where each seed ended.

    Lines are means over the seeds, and the bands around them reach from the lowest to the highest
    of them. At the bottom a dot is a training, measured on the whole validation part.

    Args:
        found: What `compare` returned.
    """
    lead = "at equal samples seen" if found.setting != "epochs" else "over the samples seen"
    panels: list[tuple[str, Sequence[Course], Callable[[Course], np.ndarray], str]] = [
        (lead, found.equal_samples, _samples(found), "training samples seen")
    ]
    if found.equal_time:
        panels.append(("in equal time", found.equal_time, _seconds, "seconds of one training"))
    rows = len(found.equal_samples)
    heights = [_CURVES] * len(panels) + [0.75 + _ROW * rows]
    title = f"{found.setting.replace('_', ' ').capitalize()} compared on {found.data}"
    figure = style.new_figure(title, found.summary, height=sum(heights))
    axes = figure.subplots(len(heights), 1, height_ratios=heights)
    for own, (words, courses, index, label) in zip(axes, panels, strict=False):
        _draw_curves(own, found, courses, index)
        seeds = max(len(one.seeds) for one in courses)
        spread_of = "" if seeds < 2 else f": mean of {seeds} seeds, band from lowest to highest"
        title = words.capitalize() + spread_of
        style.dress(own, title=title, x=label, y=_label(found))
        own.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        _limit(own, found, courses)
        _name(own, found, courses)
    _draw_ends(axes[-1], found)
    return figure


def _colour(index: int) -> str:
    return style.PALETTE[index % len(style.PALETTE)]


def _label(found: Comparison) -> str:
    if found.metric == "loss":
        return "validation loss"
    if found.metric == "accuracy":
        return "validation accuracy (%)"
    return "validation " + MEASURE[found.task][1].replace("\n", " ").replace(" (", "\n(")


def _factor(found: Comparison) -> float:
    return 1.0 if found.metric == "loss" else MEASURE[found.task][2]


def _samples(found: Comparison) -> Callable[[Course], np.ndarray]:
    return lambda course: _epochs(course) * float(found.samples)


def _seconds(course: Course) -> np.ndarray:
    return _epochs(course) * course.seconds / course.epochs


def _epochs(course: Course) -> np.ndarray:
    longest = max(course.traces, key=lambda one: len(one.epochs["epoch"]))
    return longest.epochs["epoch"].astype(float)


def _curves(found: Comparison, course: Course) -> np.ndarray:
    """The figure of each training behind each epoch, (trainings, epochs); NaN where it ended."""
    width = len(_epochs(course))
    rows = np.full((len(course.traces), width), np.nan)
    for row, trace in zip(rows, course.traces, strict=True):
        values = np.asarray(trace.epochs[f"validation_{found.metric}"], float)
        row[: len(values)] = np.where(np.isfinite(values), values, np.nan)
    return _factor(found) * rows


def _draw_curves(
    axes: Axes, found: Comparison, courses: Sequence[Course], index: Callable[[Course], np.ndarray]
) -> None:
    for number, course in enumerate(courses):
        x, rows = index(course), _curves(found, course)
        known = np.isfinite(rows).all(axis=0)
        if not known.any():
            continue
        x, rows = x[known], rows[:, known]
        colour = _colour(number)
        axes.fill_between(x, rows.min(0), rows.max(0), color=colour, alpha=0.16, linewidth=0)
        marker = style.MARKERS[number % len(style.MARKERS)]
        every = max(1, len(x) // 8)
        axes.plot(
            x,
            rows.mean(axis=0),
            color=colour,
            linewidth=1.8,
            marker=marker,
            markersize=4.5,
            markevery=every if len(x) > 8 else None,
        )


def _limit(axes: Axes, found: Comparison, courses: Sequence[Course]) -> None:
    values = np.concatenate([_curves(found, one).ravel() for one in courses])
    axes.set_xlim(left=0)
    axes.margins(x=0)
    if found.metric == "accuracy":
        low = np.nanmin(values) if np.isfinite(values).any() else 0.0
        axes.set_ylim(max(0.0, low - 2), 100.5)
    else:
        spread(axes, values[np.isfinite(values)])


def _name(axes: Axes, found: Comparison, courses: Sequence[Course]) -> None:
    labels = []
    for number, course in enumerate(courses):
        last = _curves(found, course).mean(axis=0)
        last = last[np.isfinite(last)]
        if len(last):
            labels.append((float(last[-1]), style.plain(course.name, 28), _colour(number)))
    style.label_ends(axes, labels, _CURVES - 0.8)


def _draw_ends(axes: Axes, found: Comparison) -> None:
    """A row per value: a dot per training, and a stroke at their mean."""
    both = [(found.equal_samples, 0.0 if not found.equal_time else -0.17, True)]
    if found.equal_time:
        both.append((found.equal_time, 0.17, False))
    for courses, shift, is_filled in both:
        for row, course in enumerate(courses):
            values = _factor(found) * course.of(found.index)
            if course.diverged:
                words = f"{course.diverged} of {len(course.seeds)} diverged"
                axes.text(
                    0.01,
                    row + shift,
                    words,
                    transform=axes.get_yaxis_transform(),
                    va="center",
                    color=style.MUTED,
                    size=style.SMALL_SIZE,
                )
                continue
            colour = _colour(row)
            axes.plot(
                values,
                np.full(len(values), row + shift),
                "o",
                color=colour,
                mfc=colour if is_filled else style.PAPER,
                markersize=5,
                alpha=0.75,
                clip_on=False,
            )
            if len(values):
                axes.plot(
                    [values.mean()] * 2, [row + shift - 0.16, row + shift + 0.16], color=style.INK
                )
    title = "Final value of each training (dots) and mean (line)"
    if found.equal_time:
        title += "; filled: equal samples, open: equal time"
    style.dress(axes, title=title, x=_label(found).replace("\n", " "))
    names = [style.plain(one.name, 28) for one in found.equal_samples]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(False, axis="y")
    _limit_ends(axes, found)


def _limit_ends(axes: Axes, found: Comparison) -> None:
    values = np.concatenate(
        [
            np.empty(0),
            *(
                one.of(found.index)
                for one in (*found.equal_samples, *found.equal_time)
                if not one.diverged
            ),
        ]
    )
    if found.metric != "accuracy" and len(values) and values.min() > 0:
        if values.max() > 20 * values.min():
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.short(value, 6)))
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_xlim(0, 1.03 * values.max())
