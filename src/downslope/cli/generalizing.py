"""What `downslope generalization` does: the gap and the learning curve, in words and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from downslope.cli import display
from downslope.cli.ending import STOPPED
from downslope.cli.lines import print_json, print_table, say
from downslope.cli.runner import Output, RunAt, list_pictures
from downslope.insight.generalization import Generalization, generalization
from downslope.insight.learning_curve import LearningCurve, check_seeds, learning_curve, sizes_of
from downslope.insight.significance import Difference
from downslope.numerals import rounded
from downslope.runs.metric_text import openings_note
from downslope.runs.run import Run


def generalize_and_report(
    folder: Path,
    data: Path | None,
    *,
    test: bool,
    curve: bool,
    seeds: int,
    as_json: bool,
    pictures: bool,
) -> int:
    """Compare seen and unseen samples of a run, and print what was found.

    Returns:
        The exit code.

    Raises:
        DownslopeError: The folder is not a run, or its data is gone or has changed.
    """
    if curve:
        check_seeds(seeds)
    run = Output(as_json).open(RunAt(folder, data))
    if curve:
        sizes_of(run.data.samples["train"])  # what cannot be is told before the work
    name = run.data.name
    with display.working(f"Going through {name} again", lively=not as_json) as on_progress:
        found = generalization(run, test=test, on_progress=on_progress)
    if not as_json:
        _print_gap(found, run)
    sizes, stopped = None, False
    if curve:
        what = f"Training on shares of {name}"
        try:
            with display.working(what, lively=not as_json) as on_progress:
                sizes = learning_curve(run, seeds=seeds, on_progress=on_progress)
            stopped = sizes.is_interrupted
        except KeyboardInterrupt:
            stopped = True
    if as_json:
        print_json({"run": str(run.folder), **gap_object(found), **curve_object(sizes)})
    elif sizes is not None:
        _print_curve(sizes)
    if pictures and run.folder is not None:
        _draw(found, sizes, run.folder / "pictures", as_json)
    return STOPPED if stopped else 0


def gap_object(found: Generalization) -> dict[str, Any]:
    """The gap as plain values, for JSON."""
    return {
        "data": found.data,
        "words": list(found.sentences),
        "samples": {"train": found.samples[0], "validation": found.samples[1]},
        "kept_epoch": found.kept_epoch,
        "gap": _difference(found.gap),
        "opens_at": found.opens_at,
        "lowest_at": found.lowest_at,
        "rises_at": found.rises_at,
        "rise": _difference(found.rise),
        "test": None if found.test is None else dict(found.test),
        "test_interval": dict(found.test_interval) if found.test_interval else None,
        "test_openings": found.openings,
        "epochs": {
            "epoch": found.epochs.tolist(),
            "train_loss": found.train_loss.tolist(),
            "validation_loss": found.validation_loss.tolist(),
            "gap": found.gaps.tolist(),
            "gap_error": found.gap_errors.tolist(),
        },
    }


def curve_object(found: LearningCurve | None) -> dict[str, Any]:
    """The learning curve as plain values, for JSON; null where there is none."""
    if found is None:
        return {"learning_curve": None}
    return {
        "learning_curve": {
            "words": found.sentence,
            "steps": found.steps,
            "sizes": found.sizes.tolist(),
            "epochs": found.epochs.tolist(),
            "train_loss": found.train_loss.tolist(),
            "validation_loss": found.validation_loss.tolist(),
            "last": _difference(found.last),
            "interrupted": found.is_interrupted,
        }
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {"mean": one.mean, "interval": [one.low, one.high]}


def _print_gap(found: Generalization, run: Run) -> None:
    for sentence in found.sentences:
        say(sentence)
    if found.test is not None:
        say(openings_note(run))
    say(f"Measured on {found.samples[0]:,} training and {found.samples[1]:,} validation samples.")


def _print_curve(found: LearningCurve) -> None:
    say()
    rows = [
        (
            f"{size:,}",
            f"{epochs:,}",
            f"{rounded(own.mean())}",
            f"{rounded(others.mean())}",
            f"{rounded(others.min())} - {rounded(others.max())}",
        )
        for size, epochs, own, others in zip(
            found.sizes, found.epochs, found.train_loss, found.validation_loss, strict=True
        )
    ]
    head = ("samples", "epochs", "training loss", "validation loss", "from - to")
    print_table(head, rows, numeric=range(5))
    say(f"\n{found.sentence}")
    if found.is_interrupted:
        say("Stopped on request: only what was finished is shown.")


def _draw(found: Generalization, sizes: LearningCurve | None, folder: Path, as_json: bool) -> None:
    from downslope.plots import save_all
    from downslope.plots.generalization import gap_curves, learning_curves

    with display.waiting("Drawing pictures ...", lively=not as_json):
        figures = [("generalization", gap_curves(found))]
        if sizes is not None:
            figures.append(("learning-curve", learning_curves(sizes)))
        paths = save_all(figures, folder)
    if not as_json:
        list_pictures(paths)
