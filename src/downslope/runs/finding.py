"""What is found out about a training: a symptom, what it means, what to change, and the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from downslope.numerals import rounded

Level = Literal["fault", "warning", "note", "normal"]
LEVELS: tuple[Level, ...] = ("fault", "warning", "note", "normal")


@dataclass(frozen=True)
class Proof:
    """The measured effect of a change: the same trainings with it and without it.

    Attributes:
        metric: What was measured on the validation part: "loss", "accuracy", "rmse" or "mae".
        before: Its mean over the seeds without the change.
        after: Its mean with the change.
        interval: The 95 % interval of `after - before`, over the seeds.
        seeds: How many seeds were trained.
        better: For how many of them the change helped.
        steps: How many steps each training had with the change.

    Example:
        >>> print(ds.Proof("loss", 2.3, 0.2, (-2.2, -2.0), seeds=4, better=4, steps=200))
        validation loss 2.3 to 0.2 in 200 steps, 4 of 4 seeds better (difference -2.2 to -2)
    """

    metric: str
    before: float
    after: float
    interval: tuple[float, float]
    seeds: int
    better: int
    steps: int

    def __str__(self) -> str:
        low, high = (rounded(one) for one in self.interval)
        return (
            f"validation {self.metric} {rounded(self.before)} to {rounded(self.after)} in "
            f"{self.steps:,} steps, {self.better} of {self.seeds} seeds better (difference "
            f"{low} to {high})"
        )


@dataclass(frozen=True)
class Finding:
    """Something that was found out about a training.

    Attributes:
        cause: Its name; `docs/diagnosis.md` lists them.
        level: "fault" (the training cannot succeed so), "warning" (it could be better, or is to be
            doubted), "note" (good to know), "normal" (it looks like a fault, and is none).
        where: The layer, part or epoch that it concerns; may be empty.
        seen: What was seen, with figures.
        means: What that means, in a sentence.
        change: What to change: the new value of each setting; empty where no setting helps.
        proof: The measured effect of the change; None where it was not tried: then it is a guess.
        source: What to read.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", learning_rate=1e-6, epochs=5)
        >>> [finding.cause for finding in run.findings]
        ['no_better_than_baseline']
    """

    cause: str
    level: Level
    where: str
    seen: str
    means: str
    change: Mapping[str, Any] = field(default_factory=dict)
    proof: Proof | None = None
    source: str = ""

    @property
    def title(self) -> str:
        """The cause as words."""
        words = self.cause.replace("_", " ")
        return words[:1].upper() + words[1:]

    def __str__(self) -> str:
        return f"{self.seen} {self.means}"
