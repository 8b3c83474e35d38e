"""What looking at data or at a run gives: one kind of value, which every door shows alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from downslope.errors import escape_html
from downslope.text import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Part = str | Table  # of a text: a line, or a table
FEW_ENOUGH = 4096  # numbers of an array, where a result has arrays that only a program can read
PROGRAM_ONLY: Mapping[str, bool] = {"plain": False}  # metadata of a field that JSON leaves out


class OfParts(NamedTuple):
    """Something of the training part, and the same of the validation part."""

    train: Any
    validation: Any


class Result:
    """A result: a frozen dataclass that prints itself as text, as plain values and as HTML.

    A subclass has its fields, `summary` and `parts`; the rest follows from these.

    Example:
        >>> found = ds.insight.bowl()
        >>> found.to_dict()["summary"] == found.summary
        True
        >>> list(found.figures())
        ['bowl']
    """

    _also: ClassVar[tuple[str, ...]] = ()
    """Properties that `to_dict` has beside the fields; of dataclasses inside a result as well."""
    _most_numbers: ClassVar[int | None] = None
    """Of a longer array `to_dict` has the shape and how its numbers spread."""

    @property
    def summary(self) -> str:
        """What was found, in a sentence, or in several of a line each."""
        raise NotImplementedError

    def parts(self) -> Iterator[Part]:
        """The text in order: lines, empty ones between paragraphs, and tables."""
        yield self.summary

    def __str__(self) -> str:
        """Return what the command prints."""
        return "\n".join(map(str, self.parts()))

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON has it: numbers, texts, lists and dictionaries.

        It has the summary, and each field under its name; what only a program can use, such as a
        network, is left out. `docs/json.md` lists the keys.
        """
        values = {"summary": self.summary, **_fields(self)}
        return {name: plain(value, self._most_numbers) for name, value in values.items()}

    def figures(self) -> Mapping[str, Callable[[], Figure]]:
        """What can be drawn of it: functions that draw, by the name of the files they make."""
        return pictures().figures_of(self)

    def plot(self, folder: str | Path | None = None) -> Mapping[str, Figure]:
        """Draw it.

        Args:
            folder: Where the figures are written as PNG and SVG; None for nowhere.

        Returns:
            The figures by name; a notebook shows them.

        Raises:
            StorageError: The disk or the folder refuses.
        """
        return pictures().plot(self, folder)

    def _repr_html_(self) -> str:
        """Return the text as HTML, for notebooks."""
        return "".join(map(_html, self.parts()))


def pictures() -> Any:
    """The floor that draws: it stands on this one, and loads matplotlib, so it is met by name."""
    return import_module("downslope.plots")


def _html(part: Part) -> str:
    if isinstance(part, str):
        if part.startswith(" "):
            return f'<pre style="margin:0">{escape_html(part)}</pre>'
        return "".join(f"<p>{escape_html(line)}</p>" for line in part.split("\n") if line)
    sides = ["right" if index in part.numeric else "left" for index in range(len(part.head))]

    def row(cells: Any, tag: str) -> str:
        cells = zip(cells, sides, strict=True)
        return "".join(
            f'<{tag} style="text-align:{side}">{escape_html(cell)}</{tag}>' for cell, side in cells
        )

    rows = "".join(f"<tr>{row(one, 'td')}</tr>" for one in part.rows)
    head = f"<thead><tr>{row(part.head, 'th')}</tr></thead>"
    return f"<table>{head}<tbody>{rows}</tbody></table>"


def plain(value: Any, most: int | None = None) -> Any:
    """A value as JSON has it; frozen values become objects with their fields.

    Args:
        value: Numbers, texts, arrays, dataclasses and named tuples, also inside one another.
        most: Of an array of more numbers the shape and how they spread; None for all of them.
    """
    if isinstance(value, np.ndarray):
        return value.tolist() if most is None or value.size <= most else _spread(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Result):
        return value.to_dict()
    if hasattr(value, "plain"):  # it knows better than its fields
        return value.plain()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(one, most) for name, one in _fields(value).items()}
    if isinstance(value, Mapping):
        return {str(name): plain(one, most) for name, one in value.items()}
    names = getattr(value, "_fields", None)  # of a named tuple
    if isinstance(value, tuple) and names is not None:
        return {name: plain(one, most) for name, one in zip(names, value, strict=True)}
    if isinstance(value, list | tuple):
        return [plain(one, most) for one in value]
    return str(value) if isinstance(value, Path) else value


def _fields(value: Any) -> dict[str, Any]:
    own = [one.name for one in dataclasses.fields(value) if one.metadata.get("plain", True)]
    return {name: getattr(value, name) for name in (*own, *getattr(value, "_also", ()))}


def _spread(array: np.ndarray) -> dict[str, Any]:
    return {
        "shape": list(array.shape),
        "least": float(array.min()),
        "greatest": float(array.max()),
        "mean": float(array.mean(dtype=np.float64)),
    }
