"""Predictions of a run: as a table, as JSON, and as CSV for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from downslope.cli.inputs import Input
from downslope.cli.lines import print_data, print_json, print_table, say
from downslope.data.readers.table_file import is_number
from downslope.numerals import rounded
from downslope.runs.metric_text import (
    label_words,
)
from downslope.runs.run import Run
from downslope.storage.files import write_file

DIGITS = 6  # of a prediction of the size of its standard deviation


def report_predictions(run: Run, inputs: Sequence[tuple[Path, Input]], *, as_json: bool) -> None:
    """Print a run's answers to inputs."""
    answers = _answers(run, [one.values for _, one in inputs])
    places = [{"input": str(path), "row": one.row} for path, one in inputs]
    if as_json:
        print_json({"predictions": [a | b for a, b in zip(places, answers, strict=True)]})
        return
    cells = [_cells(run, one) for one in answers]
    names = list(cells[0]) if cells else []
    print_table(
        ["input", "row", *names],
        [
            [str(place["input"]), str(place["row"]), *one.values()]
            for place, one in zip(places, cells, strict=True)
        ],
        numeric=[1, *(2 + index for index, name in enumerate(names) if name != "class")],
    )


def _answers(run: Run, inputs: list[np.ndarray]) -> list[dict[str, Any]]:
    if run.data.task == "counting" or run.data.photo_side:  # photos of many sizes
        return [{"count": float(run.predict(one[None]).ravel()[0])} for one in inputs]
    together = np.stack(inputs)
    if run.data.task == "classification":
        shares = run.probabilities(together)
        chosen = run.predict(together)
        return [
            {"class": run.data.class_names[index], "probability": float(share[index])}
            for index, share in zip(chosen.tolist(), shares, strict=True)
        ]
    values, names = run.predict(together).reshape(len(together), -1).tolist(), run.data.target_names
    if run.data.task == "multilabel":
        shares = run.probabilities(together).tolist()
        return [
            {
                "value": dict(zip(names, map(bool, one), strict=True)),
                "probability": dict(zip(names, share, strict=True)),
            }
            for one, share in zip(values, shares, strict=True)
        ]
    if len(names) > 1:
        return [{"value": dict(zip(names, one, strict=True))} for one in values]
    return [{"value": one[0] if len(one) == 1 else one} for one in values]


def _digits(run: Run) -> list[int]:
    """How many digits tell the answers apart, of each output: more where they lie far from 0."""
    scaling = run.target_scaling
    if scaling is None:
        return [DIGITS]
    mean, deviation = np.broadcast_arrays(np.abs(scaling.mean).ravel(), scaling.deviation.ravel())
    far = np.log10(np.maximum(mean / deviation, 1.0))
    return [min(16, DIGITS + int(np.ceil(one))) for one in far]


def _cells(run: Run, answer: dict[str, Any]) -> dict[str, str]:
    """A prediction as the cells of a table, by column: of several targets one each."""
    if "class" in answer:
        return {"class": answer["class"], "probability": f"{100 * answer['probability']:.1f} %"}
    if "count" in answer:
        return {"count": f"{answer['count']:.1f}"}
    if "probability" in answer:
        words = label_words(run.data)
        return {
            name: f"{words[index][holds]} ({100 * answer['probability'][name]:.1f} %)"
            for index, (name, holds) in enumerate(answer["value"].items())
        }
    value, digits = answer["value"], _digits(run)
    if isinstance(value, list):  # the pixels of an image
        return {"value": " ".join(rounded(one, digits[0]) for one in value)}
    values = value if isinstance(value, dict) else {"value": value}
    each = digits if len(digits) == len(values) else digits[:1] * len(values)
    return {name: rounded(one, few) for (name, one), few in zip(values.items(), each, strict=True)}


def write_sheet(run: Run, inputs: Sequence[tuple[Path, Input]], out: Path | None) -> None:
    """Write the answers to a file, or print them.

    The columns: `input`, where there is more than one; `prediction`, or of several targets one
    each by its name; for classes and labels also `probability NAME` for each. A text that a
    spreadsheet would take for a formula, such as a class called =1+1, gets an apostrophe in front,
    by which spreadsheets know it for a text.

    Raises:
        StorageError: The disk refuses.
    """
    head, rows = _columns(run, [one.values for _, one in inputs])
    if len({path for path, _ in inputs}) > 1:
        head = ["input file" if "input" in head else "input", *head]
        rows = ([str(path), *row] for (path, _), row in zip(inputs, rows, strict=True))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_as_text, head))
    writer.writerows([_as_text(cell) for cell in row] for row in rows)
    if out is None:
        print_data(text.getvalue())
        return
    write_file(out, text.getvalue().encode())
    say(f"{len(inputs):,} answers: {out}", err=True, exact=True)


def _as_text(cell: object) -> object:
    """The cell, or a text with an apostrophe where a spreadsheet would run it as a formula."""
    if not isinstance(cell, str) or len(cell) < 2 or is_number(cell):
        return cell
    return f"'{cell}" if cell[0] in "=+-@\t\r" else cell


def _columns(run: Run, inputs: list[np.ndarray]) -> tuple[list[str], Iterable[list]]:
    if run.data.task == "counting" or run.data.photo_side:  # photos of many sizes
        return ["prediction"], [[float(run.predict(one[None]).ravel()[0])] for one in inputs]
    together = np.stack(inputs)
    if run.data.task == "classification":
        names = run.data.class_names
        chosen, shares = run.predict(together), run.probabilities(together)
        head = ["prediction", *(f"probability {name}" for name in names)]
        return head, (
            [names[place], *map(float, share)]
            for place, share in zip(chosen.tolist(), shares, strict=True)
        )
    values, names = run.predict(together).reshape(len(together), -1), run.data.target_names
    if run.data.task == "multilabel":
        words, shares = label_words(run.data), run.probabilities(together).astype(float)
        head = [*names, *(f"probability {name}" for name in names)]
        return head, (
            [*(pair[holds] for pair, holds in zip(words, one, strict=True)), *share]
            for one, share in zip(values.tolist(), shares.tolist(), strict=True)
        )
    head = ["prediction", *(f"prediction {place}" for place in range(2, values.shape[1] + 1))]
    return list(names) if len(names) > 1 else head, values.astype(float).tolist()
