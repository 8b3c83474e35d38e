"""What is known of a data set before anything is learnt from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from downslope.data.checks.check_data import check_data
from downslope.data.dataset import Dataset
from downslope.data.load import as_dataset
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.text import Table, amount


@dataclass(frozen=True, eq=False)
class Description(Result):
    """A data set: what its columns were taken for, and what the data checks found.

    Attributes:
        dataset: The data set, with its findings.
        data: Its name.
        task: The task.
        samples: The number of samples of each part.
        columns: Of a table: what each column was taken for.
        rows: Of a table: how many rows were read, used and left out, by reason; else None.
        notes: What else there is to know of how it was read.
        findings: What the data checks found, as plain values.
    """

    dataset: Dataset = field(repr=False, metadata=PROGRAM_ONLY)
    data: str
    task: str
    samples: Mapping[str, int]
    columns: tuple[Any, ...]
    rows: Mapping[str, Any] | None
    notes: tuple[str, ...]
    findings: tuple[Mapping[str, Any], ...]

    @property
    def summary(self) -> str:
        """Its task and the number of samples of each part."""
        sizes = ", ".join(f"{count:,} {part}" for part, count in self.samples.items())
        return f"{self.data} ({self.task}): {sizes} samples"

    def parts(self) -> Iterator[Part]:
        """Columns, rows, notes, and what has to be decided; an empty line after each."""
        if self.columns:
            yield self._table()
            yield "If a type is wrong, set it: --column NAME=TYPE"
            yield ""
        if self.rows is not None:
            yield _rows(self.rows)
            yield ""
        for note in self.notes:
            yield note
            yield ""
        yield from self.warnings()

    def warnings(self) -> Iterator[str]:
        """The findings that have to be decided; the rest the columns say."""
        for one in self.dataset.findings or ():
            if one.level == "warning":
                yield f"Look at this: {one}"
                yield ""

    def _table(self) -> Table:
        targets, encoding = self.dataset.target_names, self.dataset.encoding
        assert encoding is not None
        inputs = {one.name: len(one.input_names) for one in encoding.columns}
        rows = [
            (
                one.name,
                "target" if one.name in targets else one.kind,
                f"{one.distinct:,}",
                f"{one.missing:,}" if one.missing else "",
                str(inputs.get(one.name, "")),
                "" if one.name in targets else one.note,
            )
            for one in self.columns
        ]
        return Table(("column", "type", "values", "missing", "inputs", ""), rows, (2, 3, 4))


def _rows(rows: Mapping[str, Any]) -> str:
    """How many rows were read, and what became of them: 300 rows: 298 used, 2 left out (no y)."""
    reasons = ", ".join(f"{count:,} {why}" for why, count in rows["left_out"].items())
    count = sum(rows["left_out"].values())
    left_out = f", {count:,} left out ({reasons})" if reasons else ""
    return f"{amount(rows['read'], 'row')} read: {rows['used']:,} used{left_out}."


def rows_of(dataset: Dataset) -> dict[str, Any] | None:
    """How many rows of a table were read, used and left out, by reason; None of other data."""
    rows = dataset.rows
    if rows is None:
        return None
    return {"read": rows.read, "used": rows.used, "left_out": dict(rows.left_out)}


def describe(data: Any) -> Description:
    """Describe a data set, and check it: what `downslope train` shows before it trains.

    Args:
        data: A `Dataset`, or whatever `load` takes.

    Returns:
        What its columns were taken for, and what the data checks found.

    Raises:
        DataError: The data cannot be read.

    Example:
        >>> print(ds.describe("moons").summary)
        moons (classification): 560 train, 80 validation, 160 test samples
    """
    dataset = as_dataset(data)
    if dataset.findings is None:
        dataset = check_data(dataset)
    return Description(
        dataset=dataset,
        data=dataset.name,
        task=dataset.task,
        samples=dataset.sizes,
        columns=() if dataset.encoding is None else dataset.columns,
        rows=rows_of(dataset),
        notes=dataset.notes,
        findings=tuple(asdict(one) for one in dataset.findings or ()),
    )
