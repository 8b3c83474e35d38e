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
    """One problem that the data checks found.

    Attributes:
        kind: The kind of problem, such as "copies" or "small class".
        level: "warning" where metrics would be wrong or you have to decide something; "note" where
            Downslope has dealt with it, as with a column that it leaves out.
        says: What was found, where, and how much of it, in one or two sentences.
        advice: What to do about it, in a sentence.
        columns: The columns concerned.
        count: How many samples are concerned.
        examples: Some of these samples, as text.

    Example:
        >>> X = np.random.default_rng(0).normal(size=(200, 2))
        >>> X[:100] = X[100:]  # each row twice
        >>> data = ds.check_data(ds.Dataset.from_arrays(X, X[:, 0]))
        >>> [finding.level for finding in data.findings]
        ['warning']
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
