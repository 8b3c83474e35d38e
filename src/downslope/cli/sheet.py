"""A run's answers as CSV, for other programs: a row per input, in order."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from downslope.cli.inputs import Input
from downslope.cli.lines import print_data, say
from downslope.data.readers.table_file import is_number
from downslope.runs.metric_text import label_words
from downslope.runs.run import Run
from downslope.storage.files import write_file


def write_sheet(run: Run, inputs: Sequence[tuple[Path, Input]], out: Path | None) -> None:
    """Write the answers to a file, or print them.

    The columns: `input`, where there is more than one; `prediction`, or of several targets one
    each by its name; for classes and labels also `probability NAME` for each. A text that a
    spreadsheet would take for a formula, such as a class called =1+1, gets an apostrophe in front,
    by which spreadsheets know it for a text.

    Raises:
        StorageError: The disk refuses.
    """
    head, rows = _answers(run, [one.values for _, one in inputs])
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


def _answers(run: Run, inputs: list[np.ndarray]) -> tuple[list[str], Iterable[list]]:
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
