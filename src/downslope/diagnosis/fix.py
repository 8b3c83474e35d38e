"""`fix`: a new training with the changes that a diagnosis proved, compared with the first one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from downslope.data.dataset import Samples
from downslope.diagnosis.cause import Change
from downslope.diagnosis.diagnose import Diagnosis, change_text, diagnose
from downslope.diagnosis.proof import RATES, Setup, metrics_of
from downslope.engine.metrics import FEWEST_FOR_INTERVAL, bootstrap
from downslope.numerals import rounded
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.progress import OnChunk
from downslope.runs.run import Run
from downslope.runs.train import train
from downslope.storage.lock import Claim


@dataclass(frozen=True, eq=False)
class Fix(Result):
    """A training with the changes that were proved, beside the one that was diagnosed.

    Attributes:
        changes: The new value of each setting that was changed; empty where nothing was proved, and
            so nothing trained.
        metric: What both are compared by, on the validation part, such as "loss" or "accuracy": the
            one that the last change was proved by; empty where nothing was trained.
        before: The metric of the run that was diagnosed; None where nothing was trained.
        after: That of the new run.
        interval: The 95 % interval of `after - before`, had other validation samples been drawn;
            None where there are too few to tell.
        samples: The number of validation samples.
        diagnosis: What it follows from.
        run: The new run; None where nothing was trained.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", learning_rate=1e-6, epochs=5)
        >>> ds.fix(ds.diagnose(run, budget=0)).run is None  # without a budget nothing is proved
        True
    """

    changes: Change
    metric: str
    before: float | None
    after: float | None
    interval: tuple[float, float] | None
    samples: int
    diagnosis: Diagnosis = field(repr=False, metadata=PROGRAM_ONLY)
    run: Run | None = field(repr=False, metadata=PROGRAM_ONLY)

    @property
    def is_better(self) -> bool | None:
        """Whether the new run is better, for sure; None where chance explains the difference."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return None
        return (self.interval[0] > 0) == (self.metric in RATES)

    @property
    def summary(self) -> str:
        """What was changed, and what it did."""
        if self.run is None:
            return "No change was proved, so nothing was trained anew."
        assert self.before is not None
        assert self.after is not None
        samples = f"the same {self.samples:,} validation samples"
        found = (
            f"Trained anew with {change_text(self.changes)}. Validation {self.metric}: "
            f"{rounded(self.before)} before, {rounded(self.after)} now"
        )
        if self.interval is None:
            return f"{found}, on {samples}: too few to tell whether that is chance."
        low, high = map(rounded, self.interval)
        words = {
            True: "The new run is better.",
            False: "The new run is worse: keep the first one.",
            None: "That may be chance.",
        }
        return f"{found} (difference {low} to {high}, on {samples}). {words[self.is_better]}"

    def parts(self) -> Iterator[Part]:
        """The summary, and what is still to be done."""
        yield self.summary
        if self.run is not None:
            yield (
                "The validation part has chosen the changes, so the new figure is a little too "
                "good. The test part was not used: downslope evaluate tells how good the new run "
                "is on it."
            )


def fix(
    of: Run | Diagnosis,
    *,
    budget: float | None = None,
    folder: str | Path | Claim | None = None,
    on_chunk: OnChunk | None = None,
) -> Fix:
    """Train a new run with the changes that a diagnosis proved, and compare both.

    The new run has the data, the seed and all other settings of the first one. Both are measured on
    the same validation part; the test part stays sealed.

    Args:
        of: A diagnosis, or a run, which is diagnosed first.
        budget: Seconds for the trainings of that diagnosis, as for `diagnose`.
        folder: A new or empty folder for the new run; None to keep it in memory.
        on_chunk: Called with a `Progress` between two chunks of steps of the new training.

    Returns:
        Both figures and the new run; without a run where no change was proved.

    Raises:
        DataError: The data is missing or has changed.
        RunError: The training has not ended.
        SettingError: The budget is no time.
        StorageError: The folder is not empty, or cannot be written.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", learning_rate=1e-6, epochs=5)
        >>> print(ds.fix(run, budget=0))
        No change was proved, so nothing was trained anew.
    """
    found = of if isinstance(of, Diagnosis) else diagnose(of, budget)
    run, setup = found.run, setup_of(found)
    part = run.dataset.validation  # pyright: ignore[reportOptionalMemberAccess] - it has its data
    if not setup.changes:
        return Fix({}, "", None, None, None, len(part), found, None)
    new = train(None, setup.dataset, options=setup.options, folder=folder, on_chunk=on_chunk)
    # what the last change was proved by is in the same unit before and after all of them
    metric = next(one.proof.metric for one in reversed(found.findings) if one.proof is not None)
    before, after, interval = compared(run, new, part, metric)
    return Fix(setup.changes, metric, before, after, interval, len(part), found, new)


def setup_of(found: Diagnosis) -> Setup:
    """How the training is made with all changes that were proved."""
    setup = Setup.of(found.run)
    for one in found.findings:
        if one.proof is not None:
            setup = setup.changed(one.change)
    return setup


def compared(
    run: Run, new: Run, part: Samples, metric: str
) -> tuple[float, float, tuple[float, float] | None]:
    """A metric of two runs on the same samples, and the 95 % interval of the difference.

    Both are drawn together, with repeats (Efron, 1979); None for an interval of too few samples.
    """
    with np.errstate(all="ignore"):
        values = [one.model.values(part) for one in (run, new)]

        def figures(drawn: np.ndarray) -> np.ndarray:
            weights = None if part.weights is None else part.weights[drawn]
            one, other = (
                metrics_of(run.data.task, own[drawn], part.targets[drawn], weights)[metric]
                for own in values
            )
            return np.array([one, other, other - one])

        before, after, _ = map(float, figures(np.arange(len(part))))
        if len(part) < FEWEST_FOR_INTERVAL:
            return before, after, None
        low, high = bootstrap(len(part), figures)[:, 2]
    return before, after, (float(low), float(high))
