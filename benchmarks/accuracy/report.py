"""The figures as tables: each table's errors, and geometric means of ratios to two peers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.accuracy.peers import SHOWN
from benchmarks.accuracy.tables import TABLES

# one wrong row in the largest test part: none at all is luck, and its ratio would be 0
LEAST = MappingProxyType({"error": 1 / 2000, "log_loss": 1e-4})
MARKS = MappingProxyType({"tuning": "", "confirming": " *", "kept back": " **"})
Figures = Mapping[str, Mapping[str, Any]]


def geometric_mean(values: Iterable[float]) -> float:
    """The geometric mean; nan of nothing."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def of(figures: Figures, table: str, contender: str) -> list[Mapping[str, Any]]:
    """The figures of a contender on a table, of each seed that it was run with."""
    keys = (f"{table}/{seed}/{contender}" for seed in range(10))
    return [figures[key] for key in keys if key in figures]


def ratio(figures: Figures, contender: str, peer: str, name: str, tables: Iterable[str]) -> float:
    """The geometric mean, over tables and seeds that both have, of a figure beside a peer's."""
    ratios = []
    for table in tables:
        for seed in range(10):
            own, other = (figures.get(f"{table}/{seed}/{one}") for one in (contender, peer))
            if own and other and name in own and name in other:
                ratios.append(max(own[name], LEAST[name]) / max(other[name], LEAST[name]))
    return geometric_mean(ratios)


def mean(figures: Figures, contender: str, name: str, tables: Iterable[str]) -> float:
    """The plain mean of a figure over tables and seeds."""
    found = [one[name] for table in tables for one in of(figures, table, contender) if name in one]
    return sum(found) / len(found) if found else math.nan


def markdown(figures: Figures) -> str:
    """All tables for `docs/real-data.md`."""
    contenders = [one for one in SHOWN if any(key.endswith(f"/{one}") for key in figures)]
    lines = [_row(["table", *(SHOWN[one] for one in contenders)]), _rule(len(contenders))]
    for table, source in TABLES.items():
        cells = []
        for contender in contenders:
            found = of(figures, table, contender)
            cells.append(f"{sum(one['error'] for one in found) / len(found):.3f}" if found else "")
        lines.append(_row([f"{table}{MARKS[source.part]}", *cells]))
    lines += ["", _row(["", *(SHOWN[one] for one in contenders)]), _rule(len(contenders))]
    for part in ("all", "tuning", "confirming", "kept back"):
        tables = [one for one, source in TABLES.items() if part in ("all", source.part)]
        for peer in ("lightgbm", "realmlp"):
            for figure, called in (("error", "error"), ("log_loss", "log loss")):
                cells = [_text(ratio(figures, one, peer, figure, tables)) for one in contenders]
                lines.append(_row([f"{called} / {SHOWN[peer]}, {part}", *cells]))
    for figure, called in (("calibration_error", "calibration error"), ("seconds", "seconds")):
        cells = [_text(mean(figures, one, figure, TABLES)) for one in contenders]
        lines.append(_row([called, *cells]))
    found = ", ".join(behind(figures, "downslope", "linear")) or "none"
    return "\n".join([*lines, "", f"Behind the linear model by more than the interval: {found}."])


def behind(figures: Figures, contender: str, peer: str) -> list[str]:
    """The tables on which a contender's error is above a peer's by more than its interval.

    Both are means over the seeds that both have; the interval is that of one test part.
    """
    found = []
    for table in TABLES:
        keys = [(f"{table}/{seed}/{contender}", f"{table}/{seed}/{peer}") for seed in range(10)]
        both = [
            (figures[own], figures[other])
            for own, other in keys
            if own in figures and other in figures
        ]
        ahead = sum(own["error"] - own["interval"] - other["error"] for own, other in both)
        if ahead > 0:
            found.append(table)
    return found


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|---|" + "---:|" * columns
