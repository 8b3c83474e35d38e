"""The results as pictures: how many times faster, and how much memory."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only, no windows

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks import figures
from benchmarks.results import Report
from benchmarks.table import MEMORY_RUNGS, name_of, times

COLOURS = {"peer": "#1f77b4", "jax": "#9aa7b3", "ours": "#d95f02"}
WORDS = {"peer": "best other engine", "jax": "best library on JAX"}


def draw(report: Report, folder: Path) -> None:
    """Write `ratios.png` and, where those rungs were run, `memory.png` into `folder`."""
    _ratios(report).savefig(folder / "ratios.png", dpi=80)
    if any(contest.name in MEMORY_RUNGS for contest in report.contests):
        _memory(report).savefig(folder / "memory.png", dpi=80)


def _bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=0)


def _ratios(report: Report) -> Figure:
    """A bar per rung and way of ours, for the best of each kind of competitor."""
    bars = [
        (
            name_of(contest, row),
            {r: figures.ratio(row, o) for r in ("peer", "jax") if (o := figures.best(contest, r))},
        )
        for contest in report.contests
        for row in figures.present(contest, "ours")
    ]
    figure = Figure(figsize=(9, 0.9 + 0.42 * len(bars)), layout="constrained")
    axes = figure.subplots()
    for index, (_, ratios) in enumerate(bars):
        for offset, (role, value) in enumerate(ratios.items()):
            y = index + 0.36 * offset - 0.18 * (len(ratios) - 1)
            axes.barh(y, value - 1, 0.34, left=1, color=COLOURS[role])
            side = "left" if value >= 1 else "right"
            gap = 1.04 if value >= 1 else 0.96
            axes.text(value * gap, y, times(value), va="center", ha=side, fontsize=8)
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.6, high * 1.6)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("times as fast (right of the line: Downslope is faster)")
    for role, words in WORDS.items():
        axes.bar(1, 0, color=COLOURS[role], label=f"than the {words}")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    _bare(axes)
    return figure


def _memory(report: Report) -> Figure:
    """The peak memory of each contender's process."""
    chosen = [contest for contest in report.contests if contest.name in MEMORY_RUNGS]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, contest in zip(
        figure.subplots(1, len(chosen), squeeze=False)[0], chosen, strict=True
    ):
        rows = figures.present(contest, "ours", "peer", "jax")
        bars = axes.barh(
            range(len(rows)), [row.peak for row in rows], color=[COLOURS[row.role] for row in rows]
        )
        axes.bar_label(bars, fmt="%.0f", fontsize=8, padding=2)
        axes.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=8)
        axes.invert_yaxis()
        axes.set_title(f"{contest.name}: peak memory, MiB", fontsize=10)
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        _bare(axes)
    return figure
