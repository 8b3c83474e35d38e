"""What `downslope minima` does: many starts at once, where they ended in words and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from downslope.cli import display, output
from downslope.cli.comparing import read_data
from downslope.cli.ending import STOPPED
from downslope.cli.lines import plain_json, print_json, print_table, say
from downslope.cli.training import claimed
from downslope.engine.metrics import MEASURES
from downslope.insight.minima import Minima, minima
from downslope.numerals import rounded
from downslope.runs.metric_text import COLUMNS, figure
from downslope.runs.train_options import TrainOptions
from downslope.storage.files import write_file

MOST_ROWS = 8  # of the table: the lowest


def minima_and_report(
    source: str,
    reading: Mapping[str, Any],
    options: TrainOptions,
    *,
    starts: int,
    out: Path | None,
    as_json: bool,
    pictures: bool,
) -> int:
    """Train from many starts, keep what was found, and print it.

    Returns:
        The exit code.

    Raises:
        DownslopeError: Something given cannot be used, or the disk refuses.
    """
    options.check_rate()
    with claimed(out) as claim:
        dataset = options.suited(read_data(source, reading, as_json))
        options.plan(dataset)  # says what is wrong before the folder is made
        folder = claim(f"{dataset.name}-minima").path
        what = f"Training {starts} starts on {dataset.name}"
        with display.working(what, lively=not as_json) as on_progress:
            found = minima(None, dataset, options=options, starts=starts, on_progress=on_progress)
        kept = {"folder": str(folder), **as_object(found)}
        write_file(folder / "minima.json", plain_json(kept).encode() + b"\n")
    if as_json:
        print_json(kept)
    else:
        _print(found, folder)
    if pictures:
        _draw(found, folder, as_json)
    return STOPPED if found.is_interrupted else 0


def as_object(found: Minima) -> dict[str, Any]:
    """What was found as plain values, for JSON; starts from the lowest training loss."""

    def numbers(values: np.ndarray | None) -> Any:
        return None if values is None else values.tolist()

    return {
        "data": found.data,
        "words": list(found.sentences),
        "seeds": numbers(found.seeds),
        "epochs": found.epochs,
        "train_loss": numbers(found.train_loss),
        "validation_loss": numbers(found.validation_loss),
        f"validation_{MEASURES[found.task][0]}": numbers(found.validation_figure),
        "baseline_loss": found.baseline,
        "answers_differ": numbers(found.differ),
        "functions_apart": numbers(found.functions_apart),
        "map": {"places": numbers(found.places), "share": found.map_share},
        "weights_apart": numbers(found.weights_apart),
        "matched_weights_apart": numbers(found.matched_apart),
        "barriers": numbers(found.barriers),
        "matched_barriers": numbers(found.matched_barriers),
        "diverged": found.diverged,
        "still_falling": found.still_falling,
        "interrupted": found.is_interrupted,
        "seconds": found.seconds,
    }


def _print(found: Minima, folder: Path) -> None:
    name = MEASURES[found.task][0]
    head = ["seed", "training loss", "validation loss", COLUMNS[name], "answers", "weights", "wall"]
    matched = found.matched_barriers
    head += ["in order"] if matched is not None else []
    rows = []
    for place in range(min(len(found), MOST_ROWS)):
        differ = float(found.differ[0, place])
        row = [
            str(found.seeds[place]),
            f"{rounded(found.train_loss[place])}",
            f"{rounded(found.validation_loss[place])}",
            figure(name, float(found.validation_figure[place]), found.task),
        ]
        if place == 0:
            row += ["the lowest", "", "", *([""] if matched is not None else [])]
        else:
            row.append(f"{100 * differ:.1f} %" if name == "accuracy" else rounded(differ, 3))
            row += [f"{found.weights_apart[place]:.2f}", rounded(found.barriers[place - 1], 2)]
            row += [rounded(matched[place - 1], 2)] if matched is not None else []
        rows.append(row)
    print_table(head, rows, numeric=range(len(head)))
    if len(found) > MOST_ROWS:
        say(f"... and {len(found) - MOST_ROWS} more in minima.json")
    say(
        "\nanswers: how many validation answers differ from the lowest's; weights: how far they "
        "lie from its own (1.4: nothing in common); wall: how far the training loss rises on the "
        "straight line to it."
        + (" In order: with the hidden units in its order." if matched is not None else "")
        + "\n"
    )
    for sentence in found.sentences:
        say(sentence)
    say(f"\nFound: {folder}", exact=True)


def _draw(found: Minima, folder: Path, as_json: bool) -> None:
    from downslope.plots import save_all
    from downslope.plots.minima import minima_map

    with display.waiting("Drawing pictures ...", lively=not as_json):
        paths = save_all([("minima", minima_map(found))], folder)
    if not as_json:
        output.list_pictures(paths)
