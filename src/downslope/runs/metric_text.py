"""Figures and how good they are, in the same words at every door."""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from downslope.data.dataset import Dataset, Samples, Task
from downslope.engine.class_metrics import ClassMetrics
from downslope.engine.metrics import FEWEST_FOR_INTERVAL, MEASURES, TargetMetrics
from downslope.errors import printable
from downslope.numerals import rounded
from downslope.runs.measure import gain, rarest_class
from downslope.runs.run import Run
from downslope.runs.run_folder import DataSummary
from downslope.text import Table, amount

COLUMNS = {
    "loss": "loss", "accuracy": "accuracy", "all_right": "all labels right", "mae": "MAE",
    "rmse": "RMSE", "precision": "precision", "recall": "recall", "f1": "F1", "auc": "AUC",
}  # fmt: skip
MOST_DOUBTED = 1000  # samples; more make an interval so small that it speaks for itself
PERCENT = ("accuracy", "all_right", "precision", "recall")
# columns of the tables of classes, of labels and of numbers: heads, and attributes of the metrics
_RATES = {"precision": "precision", "recall": "recall", "F1": "f1", "AUC": "auc"}
_OF_CLASSES = {"class": "names", "samples": "support", **_RATES}
_OF_LABELS = {
    "target": "names", "yes": "support", "accuracy": "accuracy", "baseline": "baseline_accuracy",
    **_RATES,
}  # fmt: skip
_OF_NUMBERS = {
    "target": "names", "MAE": "mae", "95 % interval": "mae_interval",
    "baseline MAE": "baseline_mae", "RMSE": "rmse", "baseline RMSE": "baseline_rmse",
    "R\N{SUPERSCRIPT TWO}": "r2",
}  # fmt: skip


def figure(name: str, value: float, task: Task) -> str:
    """One figure: fractions in percent, people with one decimal, the rest with few digits."""
    if not math.isfinite(value):
        return str(value)
    if name in PERCENT:
        return f"{100 * value:.1f} %"
    if name in ("f1", "auc"):
        return f"{value:.3f}"
    if task == "counting" and name in ("mae", "rmse"):
        return f"{value:,.1f}"
    return rounded(value)


def progress_text(data: Dataset, epochs: Mapping[str, np.ndarray]) -> str:
    """The metric of the validation part while a training runs; of several numbers none."""
    name = MEASURES[data.task][0]
    values = epochs[f"validation_{name}"]
    if has_several_numbers(data) or not len(values):
        return ""
    return f"validation {name} {figure(name, float(values[-1]), data.task)}"


def label_words(data: DataSummary) -> list[tuple[str, str]]:
    """What a label is called that does not hold and one that does, for each label."""
    codes = () if data.encoding is None else data.encoding.targets
    words = {code.name: (code.values[0], code.values[1]) for code in codes if len(code.values) == 2}
    return [words.get(name, ("no", "yes")) for name in data.class_names]


def usual_prediction(run: Run, name: str) -> str:
    """What the baseline of a figure always predicts, as a noun: that which is best for it."""
    if run.data.task == "classification":
        best = run.baseline_output
        index = int(best[0] > 0) if len(best) == 1 else int(best.argmax())
        return f'"{printable(run.data.class_names[index])}", the most frequent class'
    if run.data.task == "multilabel":
        return "the more frequent value of each label"
    return f"the training {'median' if name == 'mae' else 'mean'}"


def has_several_numbers(data: Dataset | DataSummary) -> bool:
    """Whether several numbers are learned, whose errors are in units of their own."""
    return data.task == "regression" and len(data.target_names) > 1


def metrics_by_target(run: Run, samples: Samples) -> TargetMetrics | ClassMetrics | None:
    """The metrics of each of several targets; None where there is one, or no samples."""
    if not len(samples):
        return None
    if run.data.task == "multilabel":
        return run.class_metrics(samples)
    return run.target_metrics(samples) if has_several_numbers(run.data) else None


def metrics_table(
    found: TargetMetrics | ClassMetrics, most: int | None = None, caption: str = ""
) -> Table:
    """The metrics of each class, label or target as a table; empty where one is not defined.

    Args:
        found: The metrics.
        most: How many rows it has at the most: of classes the rarest, else the first.
        caption: What it shows.
    """
    columns = _OF_NUMBERS
    order = np.arange(len(found.names))
    if isinstance(found, ClassMetrics):
        columns = _OF_CLASSES if found.accuracy is None else _OF_LABELS
        if found.accuracy is None:
            order = np.sort(np.argsort(found.support, kind="stable")[:most])
    rows = [
        [_cell(name, getattr(found, name), int(index)) for name in columns.values()]
        for index in order[:most]
    ]
    return Table(tuple(columns), rows, numeric=range(1, len(columns)), caption=caption)


def _cell(name: str, values: Any, index: int) -> str:
    """A metric of a class or target as the text of a cell."""
    if values is None or name == "names":
        return "" if values is None else values[index]
    if name == "support":
        return f"{values[index]:,}"
    if name == "mae_interval":
        return " to ".join(rounded(end) for end in values[:, index])
    value = float(values[index])
    if name == "r2":
        return f"{value:.3f}" if math.isfinite(value) else ""
    if name.endswith(("mae", "rmse")):
        return rounded(value)
    return figure(name.removeprefix("baseline_"), value, "multilabel") * math.isfinite(value)


def targets_note(run: Run) -> str:
    """What figures of several targets together are, and the baselines of each."""
    count = len(run.data.target_names)
    if run.data.task == "multilabel":
        return (
            f"The accuracy above is the mean over the {count} targets. Below, yes is the number of "
            "samples for which a target is yes; the baseline always predicts the more frequent "
            "answer of the training part."
        )
    return (
        f"The loss is the mean over the {count} targets, each {_unit_of_loss(run)}. Errors are "
        "those of each target in its own unit; the baselines always predict the training median "
        "(MAE) or the training mean (RMSE)."
    )


def _unit_of_loss(run: Run) -> str:
    scaling = run.target_scaling
    if scaling is None or not scaling.std.ndim:
        return "in its own unit"
    return "divided by its standard deviation in the training part"


def verdict(
    run: Run,
    figures: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    baseline: Mapping[str, float],
    linear: Mapping[str, float] | None = None,
) -> str:
    """How good the run is, beside the best constant prediction and a linear model.

    Several numbers have a table instead.
    """
    if has_several_numbers(run.data):  # whose errors have no unit in common
        return ""
    task = run.data.task
    people = " people" if task == "counting" else ""

    def said(name: str) -> str:
        value, always = (figure(name, one[name], task) for one in (figures, baseline))
        between = " (no 95 % interval: fewer than 10 samples are too few for one)"
        if name in intervals:
            low, high = (figure(name, end, task) for end in intervals[name])
            between = f" (95 % interval {low} to {high})"
        head = COLUMNS[name][0].upper() + COLUMNS[name][1:]
        line = "" if linear is None else f" A linear model: {figure(name, linear[name], task)}."
        return (
            f"{head}: {value}{people}{between}. "
            f"Always predicting {usual_prediction(run, name)}: {always}.{line}"
        )

    return " ".join(said(name) for name in MEASURES[task])


def doubt(run: Run, samples: Samples) -> str:
    """Why samples do not tell whether a run is better than the baseline; empty where they do.

    Asked of few samples alone; several numbers have no unit in common and are left out.
    """
    name, count = MEASURES[run.data.task][0], len(samples)
    if has_several_numbers(run.data) or count > MOST_DOUBTED:
        return ""
    always = f"always predicting {usual_prediction(run, name)}"
    found = gain(run, samples)
    if found is None:
        return (
            f"{amount(count, 'sample')} cannot tell whether the network is better than {always}: "
            "collect more, or measure it on others (downslope test RUN --data OTHER)."
        )
    unit = {"accuracy": " of the samples"}.get(name, "")
    low, high = (figure(name, abs(one), run.data.task) + unit for one in found)
    if found[0] > 0:
        return ""
    if found[1] < 0:
        return f"That is worse than {always}, by {high} to {low} (95 % interval)."
    return (
        f"The {amount(count, 'sample')} cannot tell whether the network is better than {always}: "
        f"from worse by {low} to better by {high} (95 % interval of the difference)."
    )


def calibration_verdict(found: ClassMetrics) -> str:
    """How far probabilities are from how often they come true; empty where nobody can tell."""
    if found.calibration_error is None or found.support.sum() < FEWEST_FOR_INTERVAL:
        return ""
    return (
        "Expected calibration error: on average the probability of the predicted class is "
        f"{100 * found.calibration_error:.1f} percentage points from how often it is right."
    )


def class_verdict(run: Run, found: ClassMetrics) -> str:
    """What accuracy hides, where a class is rare; else an empty text."""
    rare = rarest_class(run)
    if rare is None or not found.support[rare]:
        return ""
    said = [
        f"{COLUMNS[name]} {figure(name, float(getattr(found, name)[rare]), run.data.task)}"
        for name in ("recall", "precision", "f1")
    ]
    together = [f"balanced accuracy {figure('recall', found.balanced_accuracy, run.data.task)}"]
    if found.mean_auc is not None:
        together.append(f"AUC {found.mean_auc:.3f}")
    name = printable(run.data.class_names[rare])
    return (
        f'The class "{name}" is rare, so accuracy says little about it: '
        f"{', '.join(said)}. Over the classes: {', '.join(together)}."
    )


def evaluations_note(run: Run) -> str:
    """How often a run's test score was seen, and what that means."""
    count = run.test_evaluations
    if count <= 1:
        return "You have seen the test score once."
    often = "twice" if count == 2 else f"{count:,} times"
    folder = "RUN" if run.folder is None else shlex.quote(str(run.folder))
    return (
        f"You have seen the test score {often}. If you changed anything because of it, it is too "
        f"optimistic. Check on new data: downslope test {folder} --data NEW"
    )


def shown_folder(run: Run) -> str:
    """A run's folder for a command to copy; RUN where it has none."""
    return "RUN" if run.folder is None else shown_path(run.folder)


def shown_path(path: str | Path) -> str:
    """A path for a shell: relative where it lies below the working folder."""
    with contextlib.suppress(ValueError, OSError):
        path = Path(path).relative_to(Path.cwd())
    return shlex.quote(str(path))


def generated_note(name: str) -> str:
    """What must be said of figures on samples that no one measured."""
    return (
        f"The samples of {name} were made by a program: the scores say how well its rules were "
        "learned, not how well the network does on real data."
    )
