"""What `downslope rate` and `--learning-rate auto` do: look for a rate, tell it, draw it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from downslope.cli import display, output
from downslope.cli.lines import plain_json, print_json, say
from downslope.cli.runner import list_pictures
from downslope.cli.training import claimed
from downslope.data import Dataset, load
from downslope.data.checks.check_data import check_data
from downslope.errors import SettingError
from downslope.insight.learning_rate import SECONDS, FoundRate, find_rate
from downslope.insight.learning_rate_trials import Round
from downslope.runs.train_options import TrainOptions
from downslope.storage.files import write_file


def rate_and_report(
    source: str,
    reading: Mapping[str, Any],
    options: TrainOptions,
    out: Path | None,
    *,
    seconds: float,
    as_json: bool,
    pictures: bool,
) -> None:
    """Look for a good learning rate, keep what was found, and print it.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
        KeyboardInterrupt: It was stopped.
    """
    if options.learning_rate is not None:
        raise SettingError(
            f"The learning rate was given as {options.learning_rate!r}, and rate is to find it.",
            "no --learning-rate",
            "Leave it out.",
        )
    with claimed(out) as claim:
        with display.reading(source, lively=not as_json) as on_progress:
            dataset = options.suited(load(source, on_progress=on_progress, **reading))
        with display.waiting("Looking into the data ...", lively=not as_json):
            dataset = check_data(dataset)
        if not as_json:
            output.report_findings(dataset.findings or ())
        options.plan(dataset)  # says what is wrong before the folder is made
        folder = claim(f"{dataset.name}-rate").path
        found = look_for_rate(dataset, options, seconds, as_json=as_json)
        kept = {"folder": str(folder), **as_object(found)}
        write_file(folder / "rate.json", plain_json(kept).encode() + b"\n")
    if as_json:
        print_json(kept)
    else:
        tell(found)
        say(f"\nFound: {folder}", exact=True)
    if pictures:
        paths = draw(found, folder, as_json=as_json)
        if not as_json:
            list_pictures(paths)


def look_for_rate(
    dataset: Dataset, options: TrainOptions, seconds: float = SECONDS, *, as_json: bool
) -> FoundRate:
    """Look for the learning rate of a planned training, showing how far it is."""
    what = f"Looking for a learning rate on {dataset.name}"
    with display.working(what, lively=not as_json) as on_progress:
        return find_rate(None, dataset, options=options, seconds=seconds, on_progress=on_progress)


def tell(found: FoundRate) -> None:
    """Print what was found, in sentences."""
    for text in (found.message, found.about_curvature, found.how):
        if text:
            say(text)


def draw(found: FoundRate, folder: Path, *, as_json: bool) -> list[Path]:
    """Draw what was found into a folder."""
    from downslope.plots import save_all
    from downslope.plots.learning_rate import rate_search

    with display.waiting("Drawing ...", lively=not as_json):
        figure = rate_search(found, loss=found.settings.loss)
        return save_all([("rate", figure)], folder)


def as_object(found: FoundRate) -> dict[str, Any]:
    """What was found as plain values, for JSON."""
    bend = found.curvature
    return {
        "data": found.data,
        "learning_rate": found.rate,
        "good": list(found.good),
        "overshoots": found.overshoots,
        "too_slow": found.too_slow,
        "message": found.message,
        "curvature": None
        if bend is None
        else {
            "eigenvalue": bend.eigenvalue,
            "uncertainty": bend.uncertainty,
            "samples": bend.samples,
            "highest_rate_of_plain_descent": bend.highest_rate,
            "highest_rate": bend.highest_rate_of(found.settings.optimizer),
        },
        "loss_before_training": found.start_loss,
        "averaged": {
            "rates": found.choice.rates.tolist(),
            "validation_loss": found.choice.losses.tolist(),
        },
        "first_look": _round(found.first_look),
        "second_look": _round(found.second_look),
        "proof": [
            {
                "name": one.name,
                "learning_rate": one.rate,
                "batch_loss": np.asarray(one.batch_loss, np.float64).tolist(),
            }
            for one in found.proof
        ],
        "seconds": found.seconds,
    }


def _round(one: Round) -> dict[str, Any]:
    return {
        "share": one.share,
        "steps": one.steps,
        "rates": one.rates.tolist(),
        "seeds": one.seeds.tolist(),
        "validation_loss": one.validation_loss.tolist(),
        "train_loss": one.train_loss.tolist(),
        "rose": one.rose.tolist(),
    }
