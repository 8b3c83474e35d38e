"""The sentence that a comparison ends with: no difference is claimed that chance could make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from downslope.insight.significance import Difference
from downslope.numerals import rounded
from downslope.runs.metric_text import COLUMNS

if TYPE_CHECKING:
    from downslope.insight.comparison import Comparison, Course


def conclude(comparison: Comparison) -> str:
    """What the figures of a comparison support, in a few sentences."""
    lead = "Each at its own end" if comparison.setting == "epochs" else (
        "At equal samples seen"
    )  # fmt: skip
    said = [_said(comparison, comparison.equal_samples, lead)]
    if comparison.equal_time:
        longest = max(one.seconds for one in comparison.equal_time)
        said.append(
            _said(comparison, comparison.equal_time, f"In equal time ({rounded(longest, 2)} s)")
        )
    return " ".join(said)


def listed(parts: Sequence[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def quoted(name: str) -> str:
    """A value in a sentence; in quotes where it is several words."""
    return f'"{name}"' if " " in name else name


def shown_figure(figure: str, value: float) -> str:
    """A figure as a person reads it: shares in percent, else three digits."""
    return f"{100 * value:.1f} %" if figure == "accuracy" else f"{rounded(value, 3)}"


def _said(comparison: Comparison, courses: Sequence[Course], lead: str) -> str:
    setting, figure = comparison.setting.replace("_", " "), comparison.figure
    whole = [one for one in courses if not one.diverged]
    tail = "".join(
        f" With {setting} {quoted(one.name)} {one.diverged} of {len(one.seeds)} trainings diverged."
        for one in courses
        if one.diverged
    )
    if not whole:
        return f"{lead}, none ended well.{tail}"
    means = {one.name: float(one.of(comparison.place).mean()) for one in whole}
    best = quoted(comparison.best(whole).name)
    value = shown_figure(figure, float(comparison.best(whole).of(comparison.place).mean()))
    if len(whole) == 1:
        return (
            f"{lead}, only {setting} {best} ended well, at a validation {COLUMNS[figure]} of "
            f"{value}.{tail}"
        )
    found = comparison.differences(courses)
    told = {name: one for name, one in found.items() if one.is_told}
    if not told:
        figures = ", ".join(
            f"{quoted(name)}: {shown_figure(figure, one)}" for name, one in means.items()
        )
        why = (
            "one training of each is too few"
            if min(len(one.seeds) for one in whole) < 2
            else "the seed and the choice of samples change it as much"
        )
        name = COLUMNS[figure]
        return f"{lead}, no clear difference in validation {name} ({figures}): {why}.{tail}"
    order = ("highest", "higher") if figure == "accuracy" else ("lowest", "lower")
    than = listed([_told(figure, name, one) for name, one in told.items()])
    untold = [_untold(figure, name, one) for name, one in found.items() if name not in told]
    rest = f" No clear difference from {listed(untold)}." if untold else ""
    return (
        f"{lead}, {setting} {best} has the {order[0]} validation {COLUMNS[figure]}, {value}: "
        f"{order[1]} than {than}.{rest}{tail}"
    )


def _apart(figure: str, value: float) -> str:
    return f"{100 * value:.1f} points" if figure == "accuracy" else f"{rounded(value, 2)}"


def _signed(figure: str, value: float) -> str:
    sign = "\N{MINUS SIGN}" if value < 0 else "+"
    return f"{sign}{_apart(figure, abs(value))}"


def _told(figure: str, name: str, one: Difference) -> str:
    low, high = sorted((abs(one.low), abs(one.high)))
    return f"{quoted(name)} by {_apart(figure, abs(one.mean))} ({_between(figure, low, high)})"


def _untold(figure: str, name: str, one: Difference) -> str:
    ends = f"{_signed(figure, one.low).removesuffix(' points')} to {_signed(figure, one.high)}"
    return f"{quoted(name)} ({ends})"


def _between(figure: str, low: float, high: float) -> str:
    return f"{_apart(figure, low).removesuffix(' points')} to {_apart(figure, high)}"
