"""A comparison of settings: the courses of all trainings, and which differences they support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Task
from downslope.engine import metrics
from downslope.insight.significance import Difference, difference
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result, plain
from downslope.runs.metric_text import COLUMNS, figure
from downslope.runs.outcome import Outcome
from downslope.runs.trace import Trace
from downslope.text import Table


@dataclass(frozen=True, eq=False)
class Course:
    """All trainings with one value of the setting.

    Attributes:
        name: The value in words.
        seeds: The seed of each training.
        epochs: How often all samples were seen.
        seconds: How long one training takes alone, in seconds, by the speed that was measured.
        traces: The trace of each training.
        outcomes: Why each ended.
        values: The loss and the metrics of each validation sample at each training's last
            weights, (trainings, N, metrics).
        weights: How much each validation sample counts in the loss, or None.
        test: The metrics of each training on the test part; empty while that is sealed.
    """

    name: str
    seeds: tuple[int, ...]
    epochs: int
    seconds: float
    traces: tuple[Trace, ...] = field(metadata=PROGRAM_ONLY)
    outcomes: tuple[Outcome, ...] = field(metadata=PROGRAM_ONLY)
    values: Float[np.ndarray, "trainings n measures"] = field(metadata=PROGRAM_ONLY)
    weights: np.ndarray | None = field(default=None, metadata=PROGRAM_ONLY)
    test: Mapping[str, np.ndarray] = field(default_factory=dict)

    _also: ClassVar[tuple[str, ...]] = ("diverged", "curves")

    @property
    def diverged(self) -> int:
        """How many of the trainings ended in numbers that are not finite."""
        return sum(one.reason == "non_finite" for one in self.outcomes)

    @property
    def curves(self) -> dict[str, list[np.ndarray]]:
        """The epochs of each training, and its training and validation loss after each."""
        names = ("epoch", "train_loss", "validation_loss")
        return {name: [trace.epochs[name] for trace in self.traces] for name in names}

    def of(self, index: int) -> Float[np.ndarray, " trainings"]:
        """A validation metric of each training; index 0 is the loss, the task's metrics follow."""
        weights = self.weights if index == 0 else None
        return np.array([np.average(one[:, index], weights=weights) for one in self.values])


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    """The trainings with each value of one setting, compared.

    Attributes:
        setting: Name of the setting.
        data: Name of the data set.
        task: The task.
        metric: The metric that decides: "loss", or the task's first metric where losses cannot be
            compared.
        samples: Number of training samples.
        equal_samples: A course per value, all over the same epochs unless these were varied.
        equal_time: The same trained for as long as the slowest takes; empty where it makes no
            difference.
        notes: Remarks for the reader, a sentence each.
        is_interrupted: Whether values are missing because it was stopped.
    """

    setting: str
    data: str
    task: Task
    metric: str
    samples: int
    equal_samples: tuple[Course, ...]
    equal_time: tuple[Course, ...]
    notes: tuple[str, ...]
    is_interrupted: bool = False

    @property
    def index(self) -> int:
        """The index of the metric among those of a course."""
        return metrics.names(self.task).index(self.metric)

    @property
    def summary(self) -> str:
        """The differences that the trainings support, in a few sentences."""
        lead = "Each at its own end" if self.setting == "epochs" else "At equal samples seen"
        said = [_said(self, self.equal_samples, lead)]
        if self.equal_time:
            longest = max(one.seconds for one in self.equal_time)
            said.append(_said(self, self.equal_time, f"In equal time ({rounded(longest, 2)} s)"))
        return " ".join(said)

    def parts(self) -> Iterator[Part]:
        """A table of all values at equal samples and in equal time, the summary, and the notes."""
        lead = "At equal samples seen" if self.setting != "epochs" else ""
        for words, courses in ((lead, self.equal_samples), ("In equal time", self.equal_time)):
            if courses:
                if words:
                    yield ""
                    yield f"{words}, on the validation part:"
                yield _table(self, courses)
        yield ""
        yield self.summary
        yield ""
        for note in self.notes:
            yield f"- {note}"
        if self.is_interrupted:
            yield "- Stopped on request: only the values that were finished are shown."

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON has it; each course with its metrics, and how far from the best.

        For each metric on the validation part there is a number for each seed.
        """
        found = super().to_dict()
        names = metrics.names(self.task)
        for by in ("equal_samples", "equal_time"):
            courses: tuple[Course, ...] = getattr(self, by)
            apart = self.differences(courses)
            for one, own in zip(found[by], courses, strict=True):
                values = [_root(name, own.of(index)).tolist() for index, name in enumerate(names)]
                one["samples_seen"] = own.epochs * self.samples
                one["validation"] = dict(zip(names, values, strict=True))
                one["from_best"] = plain(apart.get(own.name))
        return found

    def differences(self, courses: Sequence[Course]) -> dict[str, Difference]:
        """How far each course lies from the best of them; only those that did not diverge.

        The difference is positive where the other's metric is larger.
        """
        whole = [one for one in courses if not one.diverged]
        if not whole:
            return {}
        best = self.best(whole)
        pairs = len(whole) * (len(whole) - 1) // 2
        weights = best.weights if self.index == 0 else None
        first = best.values[:, :, self.index]
        return {
            one.name: difference(first, one.values[:, :, self.index], weights, pairs=pairs)
            for one in whole
            if one is not best
        }

    def best(self, courses: Sequence[Course]) -> Course:
        """The course with the best mean metric."""
        sign = -1 if self.metric == "accuracy" else 1
        return min(courses, key=lambda one: sign * float(one.of(self.index).mean()))


def _table(found: Comparison, courses: Sequence[Course]) -> Table:
    names = metrics.names(found.task)
    has_test = any(one.test for one in courses)
    head = [found.setting.replace("_", " "), "seeds", "epochs", "seconds"]
    for name in names:
        head += [COLUMNS[name], "from - to"]
    if has_test:
        head += [f"test: {COLUMNS[name]}" for name in names]
    rows = []
    for one in courses:
        row = [one.name, str(len(one.seeds)), f"{one.epochs:,}", rounded(one.seconds, 2)]
        for index, name in enumerate(names):
            values = _root(name, one.of(index))
            low, high = (figure(name, float(end), found.task) for end in _ends(values))
            row += [figure(name, float(values.mean()), found.task), f"{low} - {high}"]
        if has_test:
            row += [figure(name, float(np.mean(one.test[name])), found.task) for name in names]
        rows.append(row)
    return Table(head, rows, numeric=range(1, len(head)))


def _root(name: str, values: np.ndarray) -> np.ndarray:
    return np.sqrt(values) if name == "rmse" else values


def _ends(values: np.ndarray) -> tuple[Any, Any]:
    return values.min(), values.max()


def listed(parts: Sequence[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def quoted(name: str) -> str:
    """A value in a sentence; in quotes where it is several words."""
    return f'"{name}"' if " " in name else name


def shown_figure(figure: str, value: float) -> str:
    """A figure as a person reads it: fractions in percent, else three digits."""
    return f"{100 * value:.1f} %" if figure == "accuracy" else f"{rounded(value, 3)}"


def _said(comparison: Comparison, courses: Sequence[Course], lead: str) -> str:
    setting, figure = comparison.setting.replace("_", " "), comparison.metric
    whole = [one for one in courses if not one.diverged]
    tail = "".join(
        f" With {setting} {quoted(one.name)} {one.diverged} of {len(one.seeds)} trainings diverged."
        for one in courses
        if one.diverged
    )
    if not whole:
        return f"{lead}, none ended well.{tail}"
    means = {one.name: float(one.of(comparison.index).mean()) for one in whole}
    best = quoted(comparison.best(whole).name)
    value = shown_figure(figure, float(comparison.best(whole).of(comparison.index).mean()))
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
