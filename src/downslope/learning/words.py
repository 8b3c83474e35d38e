"""Figures and how good they are, in the same words at every door."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping

from downslope.data.dataset import Task
from downslope.errors import printable
from downslope.learning.run import Run
from downslope.numerals import rounded

COLUMNS = {
    "loss": "loss",
    "accuracy": "accuracy",
    "all_right": "all labels right",
    "mae": "MAE",
    "rmse": "RMSE",
}


def figure(name: str, value: float, task: Task) -> str:
    """One figure: shares in percent, people with one decimal, the rest with four digits."""
    if not math.isfinite(value):
        return str(value)
    if name in ("accuracy", "all_right"):
        return f"{100 * value:.1f} %"
    if task == "counting" and name in ("mae", "rmse"):
        return f"{value:,.1f}"
    return f"{rounded(value)}"


def verdict(
    run: Run,
    figures: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    baseline: Mapping[str, float],
) -> str:
    """How good the run is, beside the best answer that ignores its input."""
    task = run.data.task

    def between(name: str) -> str:
        if name not in intervals:
            return "(no 95 % interval: fewer than 10 samples are too few for one)"
        low, high = (figure(name, end, task) for end in intervals[name])
        return f"(95 % interval: {low} to {high})"

    if task == "classification":
        best = run.baseline_answer
        most = int(best[0] > 0) if len(best) == 1 else int(best.argmax())
        usual = printable(run.data.class_names[most])
        return (
            f"It is right for {figure('accuracy', figures['accuracy'], task)} of them "
            f"{between('accuracy')}; always "
            f'answering "{usual}", the most frequent class, is right for '
            f"{figure('accuracy', baseline['accuracy'], task)}."
        )
    if task == "multilabel":
        return (
            f"{figure('accuracy', figures['accuracy'], task)} of the labels are right "
            f"{between('accuracy')}, and all labels of "
            f"{figure('all_right', figures['all_right'], task)} of the samples; always giving each "
            "label its more frequent answer is right for "
            f"{figure('accuracy', baseline['accuracy'], task)} of the labels."
        )
    people = " people" if task == "counting" else ""
    return (
        f"It misses by {figure('mae', figures['mae'], task)}{people} on average {between('mae')}; "
        f"always saying the training mean misses by {figure('mae', baseline['mae'], task)}."
    )


def openings_note(run: Run) -> str:
    """How often a run's test score was seen, and what that means."""
    count = run.test_openings
    if count <= 1:
        return "You have seen the test score once."
    often = "twice" if count == 2 else f"{count:,} times"
    folder = "RUN" if run.folder is None else shlex.quote(str(run.folder))
    return (
        f"You have seen the test score {often}. If you changed anything because of it, it is too "
        f"optimistic. Check on new data: downslope test {folder} --data NEW"
    )


def generated_note(name: str) -> str:
    """What must be said of figures on samples that no one measured."""
    return (
        f"The samples of {name} were made by a program: these figures say how well its rules "
        "were learnt, not how well the network does on real data."
    )
