"""A run's predictions with their names: as a table, as JSON, and as CSV for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from downslope.data.readers.table_file import is_number
from downslope.nn.members import members_of
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.metric_text import label_words
from downslope.runs.run import Run
from downslope.text import Table, amount

DEVIATION = "standard_deviation"
DIGITS = 6  # of a prediction of the size of its standard deviation


@dataclass(frozen=True, eq=False)
class Predictions(Result):
    """The predictions of a run for some inputs.

    Attributes:
        run: The run.
        inputs: Of each input the name of its source and its row there, from 1.
        values: Classes as integers (N,), 0 or 1 for each label (N, labels), numbers (N, outputs),
            or numbers of people (N, 1).
        probabilities: Of each class or label, (N, classes); None for numbers and people.
        deviations: The standard deviation of the members' predictions, (N, outputs), or of each
            probability, (N, classes); None of a network without members. See `Run.disagreement`.
    """

    run: Run = field(repr=False, metadata=PROGRAM_ONLY)
    inputs: tuple[tuple[str, int], ...] = field(metadata=PROGRAM_ONLY)
    values: np.ndarray = field(metadata=PROGRAM_ONLY)
    probabilities: np.ndarray | None = field(metadata=PROGRAM_ONLY)
    deviations: np.ndarray | None = field(default=None, metadata=PROGRAM_ONLY)

    _also: ClassVar[tuple[str, ...]] = ("predictions",)

    def __len__(self) -> int:
        """Return the number of inputs."""
        return len(self.inputs)

    @property
    def summary(self) -> str:
        """How many there are, and of which network."""
        return f"{amount(len(self), 'prediction')} of the network trained on {self.run.data.name}."

    @property
    def predictions(self) -> list[dict[str, Any]]:
        """Of each input its source, its row, and what is predicted, as plain values."""
        return [
            {"input": source, "row": row, **self._one(index), **self._deviation(index)}
            for index, (source, row) in enumerate(self.inputs)
        ]

    def _one(self, index: int) -> dict[str, Any]:
        data, values = self.run.data, self.values[index].tolist()
        if counts_people(self.run):
            return {"count": values[0]}
        if self.probabilities is not None:
            likely = self.probabilities[index].tolist()
            if data.task == "classification":
                return {"class": data.class_names[values], "probability": likely[values]}
            names = data.target_names
            return {
                "value": dict(zip(names, map(bool, values), strict=True)),
                "probability": dict(zip(names, likely, strict=True)),
            }
        if len(data.target_names) > 1:
            return {"value": dict(zip(data.target_names, values, strict=True))}
        return {"value": values[0] if len(values) == 1 else values}

    def _deviation(self, index: int) -> dict[str, Any]:
        """The members' standard deviation for an input: of a class, that of its probability."""
        if self.deviations is None:
            return {}
        own = self.deviations[index].tolist()
        if self.run.data.task == "classification":
            return {DEVIATION: own[self.values[index]]}
        names = self.run.data.target_names
        if len(names) > 1:
            return {DEVIATION: dict(zip(names, own, strict=True))}
        return {DEVIATION: own[0] if len(own) == 1 else own}

    def parts(self) -> Iterator[Part]:
        """The predictions in a table, with the digits that tell them apart."""
        cells = [
            _cells(self.run, self._one(index)) | _told(self.run, self._deviation(index))
            for index in range(len(self))
        ]
        names = list(cells[0]) if cells else []
        numeric = [1, *(2 + index for index, name in enumerate(names) if name != "class")]
        rows = [
            [source, str(row), *one.values()]
            for (source, row), one in zip(self.inputs, cells, strict=True)
        ]
        yield Table(["input", "row", *names], rows, numeric)

    def to_csv(self) -> str:
        """The predictions as CSV, for other programs.

        The columns: `input`, where there is more than one source; `prediction`, or of several
        targets one each by its name; for classes and labels also `probability NAME` for each; of
        members `standard deviation`, or one for each target: of a class, of its probability. A
        text that a spreadsheet would take for a formula, such as a class called =1+1, gets an
        apostrophe in front, by which spreadsheets know it for a text.
        """
        head, rows = self._columns()
        if len({source for source, _ in self.inputs}) > 1:
            head = ["input file" if "input" in head else "input", *head]
            rows = [[source, *row] for (source, _), row in zip(self.inputs, rows, strict=True)]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([_as_text(cell) for cell in row] for row in (head, *rows))
        return text.getvalue()

    def _columns(self) -> tuple[list[str], list[list[Any]]]:
        head, rows = self._predicted()
        if self.deviations is None:
            return head, rows
        own = self.deviations
        if self.run.data.task == "classification":
            own = np.take_along_axis(own, self.values[:, None].astype(np.int64), axis=1)
        names = ["standard deviation"]
        if own.shape[1] > 1:
            names = [f"standard deviation {name}" for name in head[: own.shape[1]]]
        return [*head, *names], [
            [*row, *more] for row, more in zip(rows, own.tolist(), strict=True)
        ]

    def _predicted(self) -> tuple[list[str], list[list[Any]]]:
        data, values = self.run.data, self.values.tolist()
        if self.probabilities is None:
            count = self.values.shape[1]
            head = ["prediction", *(f"prediction {index}" for index in range(2, count + 1))]
            return list(data.target_names) if len(data.target_names) > 1 else head, values
        likely = self.probabilities.astype(float).tolist()
        if data.task == "classification":
            head, names = ["prediction"], data.class_names
            texts = [[names[index]] for index in values]
        else:
            head, names, words = list(data.target_names), data.target_names, label_words(data)
            texts = [[pair[one] for pair, one in zip(words, row, strict=True)] for row in values]
        head = [*head, *(f"probability {name}" for name in names)]
        return head, [[*text, *row] for text, row in zip(texts, likely, strict=True)]


def predictions(run: Run, inputs: Any, *, names: Sequence[tuple[str, int]] = ()) -> Predictions:
    """Predict the targets of inputs, with the names that the data gives them.

    Args:
        run: The run.
        inputs: Raw inputs, (N, *input_shape); a frame for a run that was trained on a table; or a
            list of photos, each (height, width, 3), for a run that counts people.
        names: Of each input the name of its source and its row there, from 1; by default "inputs"
            and its number.

    Returns:
        The predictions; `to_csv` gives them to other programs.

    Raises:
        DataError: The inputs have the wrong shape.

    Example:
        >>> run = ds.open_run("runs/moons-1")
        >>> found = ds.predictions(run, np.array([[0.5, 0.2], [1.0, -0.4]]))
        >>> sorted(found.predictions[0])
        ['class', 'input', 'probability', 'row']
        >>> found.to_csv().splitlines()[0]
        'prediction,probability upper,probability lower'
    """
    probabilities = None
    if counts_people(run):  # photos of many sizes
        values = np.array([[float(run.predict(one[None]).ravel()[0])] for one in inputs])
    else:
        values = run.predict(inputs)
        if run.data.task in ("classification", "multilabel"):
            probabilities = run.probabilities(inputs)
        else:
            values = values.reshape(len(values), -1)
    deviations = None if members_of(run.network) == 1 else run.disagreement(inputs)
    sources = tuple(names) or tuple(("inputs", row) for row in range(1, len(values) + 1))
    return Predictions(run, sources, values, probabilities, deviations)


def counts_people(run: Run) -> bool:
    """Whether the run learnt how many people are in photos, with or without where they are."""
    return run.data.task == "counting" or run.data.photo_side > 0


def _digits(run: Run) -> list[int]:
    """How many digits tell predictions apart, of each output: more where they lie far from 0."""
    scaling = run.target_scaling
    if scaling is None:
        return [DIGITS]
    mean, std = np.broadcast_arrays(np.abs(scaling.mean).ravel(), scaling.std.ravel())
    far = np.log10(np.maximum(mean / std, 1.0))
    return [min(16, DIGITS + int(np.ceil(one))) for one in far]


def _cells(run: Run, found: dict[str, Any]) -> dict[str, str]:
    """A prediction as the cells of a table, by column: of several targets one each."""
    if "class" in found:
        return {"class": found["class"], "probability": f"{100 * found['probability']:.1f} %"}
    if "count" in found:
        return {"count": f"{found['count']:.1f}"}
    if "probability" in found:
        words = label_words(run.data)
        return {
            name: f"{words[index][holds]} ({100 * found['probability'][name]:.1f} %)"
            for index, (name, holds) in enumerate(found["value"].items())
        }
    value, digits = found["value"], _digits(run)
    if isinstance(value, list):  # the pixels of an image
        return {"value": " ".join(rounded(one, digits[0]) for one in value)}
    values = value if isinstance(value, dict) else {"value": value}
    each = digits if len(digits) == len(values) else digits[:1] * len(values)
    return {name: rounded(one, few) for (name, one), few in zip(values.items(), each, strict=True)}


def _told(run: Run, found: dict[str, Any]) -> dict[str, str]:
    """The members' standard deviations as cells of a table, by column."""
    if not found:
        return {}
    own = found[DEVIATION]
    named = own if isinstance(own, dict) else {"": own}
    is_share = run.data.task in ("classification", "multilabel")
    return {
        f"standard deviation {name}".strip(): f"{100 * one:.1f} %" if is_share else rounded(one, 2)
        for name, one in named.items()
        if not isinstance(one, list)
    }


def _as_text(cell: object) -> object:
    """The cell, or a text with an apostrophe where a spreadsheet would run it as a formula."""
    if not isinstance(cell, str) or len(cell) < 2 or is_number(cell):
        return cell
    return f"'{cell}" if cell[0] in "=+-@\t\r" else cell
