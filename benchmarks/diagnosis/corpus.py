"""Diagnosing the runs of a corpus, and how often the diagnosis was right."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import downslope as ds
from benchmarks.diagnosis.planted import Case

# verdicts on what is seen, which name no cause
SEEN_ONLY = ("no_better_than_baseline", "few_validation_samples", "non_finite")
SAME = {"overfits": "overfitting", "still_falling": "too_few_steps"}

Row = dict[str, Any]


def diagnosed(case: Case, budget: float) -> Row:
    """What is named of a case."""
    row: Row = {"name": case.name, "degree": case.degree, "true": list(case.true)}
    began = time.process_time()
    try:
        run = case.make()
        if why_not := case.why_not(run):
            return {**row, "left_out": why_not}
        training = time.process_time()
        found = ds.diagnose(run, budget=budget)
    except ds.DownslopeError as error:
        return {**row, "refused": str(error)}
    levels = {one.cause: one.level for one in found.findings}
    return {
        **row,
        "named": [
            SAME.get(one.cause, one.cause) for one in found.findings
            if one.level in ("fault", "warning") and one.cause not in SEEN_ONLY
        ],
        "faults": [one.cause for one in found.findings if one.level == "fault"],
        "levels": levels,
        "proved": [one.cause for one in found.findings if one.proof],
        "score": round(found.score, 3),
        "simple": None if found.simple_score is None else round(found.simple_score, 3),
        "training_seconds": round(training - began, 2),
        "seconds": round(time.process_time() - training, 2),
    }  # fmt: skip


def is_first(row: Row) -> bool:
    """Whether the first cause that was named is true."""
    return bool(row["named"][:1]) and row["named"][0] in row["true"]


def is_among_two(row: Row) -> bool:
    """Whether one of the first two is."""
    return any(one in row["true"] for one in row["named"][:2])


def is_clean(row: Row) -> bool:
    """Whether nothing was called a fault or a warning."""
    return not {"fault", "warning"} & {*row["levels"].values()}


def is_told_normal(row: Row) -> bool:
    """Whether what looks wrong was told as normal, and nothing as a fault."""
    levels = row["levels"]
    return levels.get(row["true"][0]) == "normal" and not row["faults"]


def run_corpus(
    cases: Iterable[Case],
    budget: float,
    is_right: Callable[[Row], bool],
    file: Path | None,
    each: int = 2,
) -> list[Row]:
    """Diagnose each case that the file does not have yet; it is written after each.

    Of a group so many are enough.
    """
    rows: list[Row] = []
    if file is not None and file.is_file():
        rows = json.loads(file.read_text())["rows"]
    known = {row["name"]: row for row in rows}
    chosen: list[Row] = []
    groups: Counter[str] = Counter()
    for case in cases:
        if case.group and groups[case.group] >= each:
            continue
        row = known.get(case.name)
        if row is None:
            row = diagnosed(case, budget)
            rows.append(row)
            if file is not None:
                file.write_text(json.dumps({"budget": budget, "rows": rows}, indent=1) + "\n")
        if "left_out" in row:
            print(f"none {row['name']}: {row['left_out']}", flush=True)
            continue
        groups[case.group] += 1
        chosen.append(row)
        if "refused" in row:
            print(f"DOOR {row['name']}: {row['refused']}", flush=True)
            continue
        mark = "ok  " if is_right(row) else "MISS"
        told = {name: level for name, level in row["levels"].items() if level != "note"}
        print(
            f"{mark} {row['name']} | {row['score']} simple {row['simple']} | {row['named']} "
            f"proved {row['proved']} | {told} | {row['training_seconds']} + {row['seconds']} s",
            flush=True,
        )
    return [row for row in chosen if "refused" not in row]


def fraction(rows: Sequence[Row], is_right: Callable[[Row], bool]) -> str:
    """As many of so many."""
    right = sum(map(is_right, rows))
    return f"{right} of {len(rows)} ({right / max(1, len(rows)):.0%})"


def by_kind(rows: Sequence[Row], is_right: Callable[[Row], bool]) -> dict[str, str]:
    """The same for each first true cause."""
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row["true"][0]].append(row)
    return {kind: f"{sum(map(is_right, own))}/{len(own)}" for kind, own in sorted(kinds.items())}
