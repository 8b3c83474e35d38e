"""The results as Markdown: one table of all rungs, one table per rung."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks import figures
from benchmarks.results import Contest, Report, Row

MEMORY_RUNGS = ("mnist", "density")


def time(seconds: float) -> str:
    """Seconds for people, three digits: 36.2 µs, 1.45 ms, 2.31 s."""
    for factor, unit in ((1e6, "µs"), (1e3, "ms"), (1.0, "s")):
        if seconds * factor < 999.5 or unit == "s":
            return f"{_three_digits(seconds * factor)} {unit}"
    raise AssertionError("the last unit takes everything")


def times(ratio: float) -> str:
    """A ratio for people: 15×, 1.83×, 0.62×."""
    return f"{_three_digits(ratio)}×"


def _three_digits(value: float) -> str:
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def one_line(contest: Contest) -> str:
    """The rung's outcome in a line."""
    parts = []
    for row in figures.present(contest, "ours"):
        words = f"{row.label} {time(figures.spread(contest, row).median)} per {contest.unit}"
        against = [
            f"{times(figures.ratio(row, other))} against {other.label}"
            for role in ("peer", "jax")
            if (other := figures.best(contest, role))
        ]
        parts.append(", ".join([words, *against]))
    return "; ".join(parts) or "Downslope did not take part"


def summary(report: Report) -> str:
    """One row per rung and way of ours, beside the best of the others."""
    rows = []
    for contest in report.contests:
        for row in figures.present(contest, "ours"):
            own = figures.spread(contest, row).median
            cells = [name_of(contest, row), contest.title, f"{time(own)} / {contest.unit}"]
            for role in ("peer", "jax"):
                other = figures.best(contest, role)
                cells += _beside(contest, row, other)
            rows.append(cells)
    head = ("rung", "work", "Downslope", "best other engine", "ratio", "best on JAX", "ratio")
    return _table(head, rows)


def name_of(contest: Contest, row: Row) -> str:
    """The rung's name, and which way of ours, where there are several."""
    if len(figures.present(contest, "ours")) == 1:
        return contest.name
    return f"{contest.name}: {row.label.removeprefix('Downslope, ')}"


def _beside(contest: Contest, row: Row, other: Row | None) -> list[str]:
    if other is None:
        return ["–", "–"]
    theirs = time(figures.spread(contest, other).median)
    return [f"{other.label}, {theirs}", f"**{times(figures.ratio(row, other))}**"]


def ceiling(report: Report) -> str:
    """How near to the machine's best matrix products each contender comes, or nothing."""
    lines = []
    for contest in report.contests:
        ceilings = figures.present(contest, "ceiling")
        if not ceilings:
            continue
        rates = {one.label: max(one.figures["rate"]) / 1e9 for one in ceilings}
        told = ", ".join(f"{label} {rate:.0f}" for label, rate in rates.items())
        fractions = ", ".join(
            f"{row.label} {100 * fraction:.0f} %"
            for row in figures.present(contest, "ours", "peer", "jax")
            if (fraction := figures.fraction_of_ceiling(contest, row)) is not None
        )
        lines.append(
            f"**{contest.name}** as a share of the best float32 matrix-product rate measured "
            f"in the same rounds (highest, GFLOP/s: {told}): {fractions}."
        )
    return "\n\n".join(lines)


def memory(report: Report) -> str:
    """The peak memory of the processes of two rungs, or nothing."""
    chosen = [contest for contest in report.contests if contest.name in MEMORY_RUNGS]
    if not chosen:
        return ""
    peaks = {
        contest.name: {
            row.label: row.peak for row in figures.present(contest, "ours", "peer", "jax")
        }
        for contest in chosen
    }
    labels = list(dict.fromkeys(label for column in peaks.values() for label in column))
    rows = [
        [label, *(f"{c[label]:.0f} MiB" if label in c else "–" for c in peaks.values())]
        for label in labels
    ]
    return "Peak memory of the whole process:\n\n" + _table(["", *peaks], rows)


def detail(contest: Contest) -> str:
    """Every contender of a rung."""
    mine = figures.present(contest, "ours")
    rows = []
    for row in contest.rows:
        if row.absent:
            rows.append([row.label, row.absent.replace("|", "/"), *["–"] * 6])
            continue
        middle, least, most = figures.spread(contest, row)
        rows.append(
            [
                row.label,
                time(middle),
                f"{time(least)} – {time(most)}",
                times(figures.ratio(mine[0], row)) if mine else "–",
                f"{row.peak:.0f}",
                f"{row.importing:.1f}",
                f"{figures.compiling(row):.1f}",
                "–" if row.loss is None else f"{row.loss:.3g}",
            ]
        )
    head = (
        contest.name, f"median per {contest.unit}", "least – most", "of Downslope's time",
        "peak MiB", "import s", "once s", "loss",
    )  # fmt: skip
    return f"**{contest.name}**: {contest.title}\n\n{_table(head, rows)}"


def where(report: Report) -> str:
    """The machine and the versions in two sentences."""
    machine = report.machine
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    size = " **Smallest size: the times mean nothing.**" if report.is_smallest else ""
    return (
        f"{report.date} UTC, commit {report.commit}, {report.rounds} rounds, "
        f"{report.minutes} minutes. {machine.processor}, {machine.cores} cores, "
        f"{' '.join(machine.vectors) or 'no wide vectors'}, {machine.memory} GiB, "
        f"{machine.system}, Python {machine.python}; {versions}. "
        f"Convolutions: {machine.convolutions}.{size}"
    )


def overview(report: Report) -> str:
    """What the README shows."""
    parts = (where(report), summary(report), ceiling(report), memory(report))
    return "\n\n".join(part for part in parts if part)


def page(report: Report) -> str:
    """The whole page of results."""
    details = "\n\n".join(detail(contest) for contest in report.contests)
    return f"# Results\n\n{overview(report)}\n\n## Every contender\n\n{details}\n"
