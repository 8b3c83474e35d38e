"""What was found in a data set that would make a figure too good, or a column useless."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal[
    "copies",
    "near copies",
    "leak",
    "groups",
    "identifier",
    "constant",
    "small class",
    "outliers",
    "sentinel",
]
Level = Literal["warning", "note"]


@dataclass(frozen=True)
class DataFinding:
    """One thing that was found.

    Attributes:
        kind: What it is.
        level: "warning" where figures would be wrong or something has to be decided; "note" where
            it has been dealt with, as with a column that is left out.
        says: What was found, where, and how much of it, in one or two sentences.
        advice: What to do about it, in a sentence.
        columns: The columns concerned.
        count: How many samples are concerned.
        examples: Some of them, as words.
    """

    kind: FindingKind
    level: Level
    says: str
    advice: str
    columns: tuple[str, ...] = ()
    count: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """All that is to be told, in one line."""
        return f"{self.says} {self.advice}"


def amount(count: int, what: str) -> str:
    """A number of things: 1 row, 2 rows."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
