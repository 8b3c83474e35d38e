"""A column of the inputs gives the target away."""

from __future__ import annotations

from downslope.diagnosis.cause import Cause, Symptom
from downslope.diagnosis.evidence import Evidence


def look(evidence: Evidence) -> Symptom | None:
    """Looks at what the data checks found."""
    leaks = [one for one in evidence.data_findings if one.kind == "leak"]
    if not leaks:
        return None
    # two columns are a task whose answer may well lie in one of them
    strength = 0.9 if evidence.dataset.input_shape[0] > 2 else 0.4
    column = leaks[0].columns[0]
    seen, without = " ".join(one.says for one in leaks), evidence.simple_score_without(column)
    if without == without:
        seen += (
            f" Simple methods explain {max(0.0, evidence.simple_score):.0%} of the validation "
            f"targets with it, and {max(0.0, without):.0%} without it."
        )
    return Symptom(strength, seen, f"column {column}")


CAUSE = Cause(
    "leak",
    "If that column is not known yet when the network is to be asked, its metrics are far too "
    "good: leave it out (--column NAME=ignored), and train again.",
    look,
    level="warning",
    source="Kaufman et al., Leakage in data mining, 2012",
)
