"""What a cause is: where its symptom is looked for, what it means, and what would show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from downslope.diagnosis.evidence import Evidence
from downslope.runs.finding import Finding, Level

Change = Mapping[str, Any]  # from the name of a setting to its new value
NAMED = 0.5  # a symptom at least so strong is named without a proof; a weaker one is only tried


@dataclass(frozen=True)
class Symptom:
    """What was seen of a cause.

    Attributes:
        strength: How sure it is by itself, from 0 to 1.
        seen: What was seen, with figures.
        where: The layer, part or epoch.
        changes: Changes of settings, each of which would take the cause away.
    """

    strength: float
    seen: str
    where: str = ""
    changes: tuple[Change, ...] = field(default_factory=tuple)


class Cause(NamedTuple):
    """A reason why a network does not learn, or seems not to.

    Attributes:
        name: Its name; `docs/diagnosis.md` lists it.
        means: What it means, in a sentence.
        look: Looks for its symptom.
        level: How bad it is.
        explains: The causes whose symptoms follow from this one, and are not named beside it.
        source: What to read.
    """

    name: str
    means: str
    look: Callable[[Evidence], Symptom | None]
    level: Level = "fault"
    explains: tuple[str, ...] = ()
    source: str = ""

    def finding(self, symptom: Symptom) -> Finding:
        """The finding without a proof: a guess, whose change is the first of the symptom's."""
        change = symptom.changes[0] if symptom.changes else {}
        return Finding(
            self.name,
            self.level,
            symptom.where,
            symptom.seen,
            self.means,
            change,
            None,
            self.source,
        )
