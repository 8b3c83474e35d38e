"""`diagnose`: why a training did not learn, most important cause first, proved by trying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from downslope.data.progress import OnProgress
from downslope.diagnosis.cause import NAMED, Cause, Change, Symptom
from downslope.diagnosis.causes import causes
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.proof import Effect, Setup, Trial, Trials, effect_of
from downslope.errors import DownslopeError, RunError, SettingError, quoted
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.finding import LEVELS, Finding
from downslope.runs.run import Run

USUAL_SECONDS = 30.0
TRIED = 0.2  # a symptom at least so strong is worth a training
ROUNDS = 3  # changes one after another
SURE = 0.9  # a symptom so strong is named although its change alone did not help
MOST_FAULTS = 2  # beside those that are proved


@dataclass(frozen=True, eq=False)
class Diagnosis(Result):
    """Why a training did not learn, or that it did.

    Attributes:
        data: Name of the data set.
        findings: What was found, most important first: faults in the order in which to change
            them, then warnings, notes, and what is normal.
        trainings: How many trainings were made to prove them.
        seconds: How long these could take together.
        score: How much better than the best constant prediction the run is on the validation part:
            1 is perfect, 0 no better.
        simple_score: The same of simple methods (a linear fit, the nearest neighbours); None where
            the data does not suit them.
        run: The run.

    Example:
        >>> found = ds.diagnose(ds.open_run("runs/moons-1"), budget=0)
        >>> found.trainings, found.to_dict()["data"]
        (0, 'moons')
    """

    data: str
    findings: tuple[Finding, ...]
    trainings: int
    seconds: float
    score: float
    simple_score: float | None
    run: Run = field(repr=False, metadata=PROGRAM_ONLY)

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that are faults."""
        return tuple(one for one in self.findings if one.level == "fault")

    @property
    def summary(self) -> str:
        """The first fault and what to change, in a sentence or two."""
        named = self.faults or tuple(one for one in self.findings if one.level == "warning")
        if not named:
            return f"Nothing seems wrong with this training on {self.data}."
        first = named[0]
        change = f" Change: {change_text(first.change)}." if first.change else ""
        proof = f" Measured: {first.proof}." if first.proof else ""
        guess = " This is a guess: no training was made to prove it." if not first.proof else ""
        return f"{first.title}: {first.seen} {first.means}{change}{proof}{guess}"

    def parts(self) -> Iterator[Part]:
        """Each finding with what was seen, what it means, what to change, and the proof."""
        named = [one for one in self.findings if one.level in ("fault", "warning")]
        if not named:
            yield self.summary
        for number, one in enumerate(self.findings, start=1):
            if number > 1 or not named:
                yield ""
            where = f" ({one.where})" if one.where else ""
            yield f"{number}. {one.title}{where} [{one.level}]"
            yield one.seen
            yield one.means
            if one.change:
                yield f"Change: {change_text(one.change)}."
            if one.proof is not None:
                yield f"Measured: {one.proof}."
            elif one.level == "fault":
                yield "A guess: no training was made that proves it."
            if one.source:
                yield f"Read: {one.source}."
        yield ""
        simple = self.simple_score
        beside = (
            ""
            if simple is None
            else f"; a linear fit or the nearest neighbours: {_percent(simple)}"
        )
        yield (
            "On the validation part, from the best constant prediction (0%) to a perfect one "
            f"(100%), the network reaches {_percent(self.score)}{beside}."
        )
        yield (
            f"{self.trainings} trainings were made to prove what is said."
            if self.trainings
            else "No training was made: everything but what was seen is a guess."
        )


def _percent(score: float) -> str:
    return f"{score:.0%}" if score >= 0 else "less than 0%"


def change_text(change: Change) -> str:
    """Settings and their new values as words."""
    return ", ".join(f"{name.replace('_', '-')} {_shown(value)}" for name, value in change.items())


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return ",".join(map(_shown, value))
    return f'"{value}"' if isinstance(value, str) and " " in value else str(value)


def diagnose(
    run: Run, budget: float | None = None, *, on_progress: OnProgress | None = None
) -> Diagnosis:
    """Find out why a training did not learn, and prove it by training with each change.

    Symptoms are looked for in what was recorded, in the data, and in the layers before the first
    step and after the last. Changes that would take a cause away are trained side by side with the
    run as it was, with several seeds, one after another from the best one on.

    Args:
        run: The run; its data is loaded if it is not in memory.
        budget: Seconds for trainings, beside those of compiling the last of them; None for 30, or
            for what the training itself took, if that is more; 0 for none: then causes are guesses,
            as they are of a run that went on from another one's weights.
        on_progress: Called with (thousandths of the budget that are used, 1000).

    Returns:
        The findings, most important first.

    Raises:
        DataError: The data is missing or has changed.
        RunError: The training has not ended.
        SettingError: The budget is no time.

    Example:
        >>> run = ds.train("dense 8 tanh, dense 2", "moons", learning_rate=1e-6, epochs=5)
        >>> found = ds.diagnose(run, budget=0)
        >>> found.faults[0].cause
        'learning_rate_too_low'
    """
    seconds = max(USUAL_SECONDS, run.seconds.training) if budget is None else budget
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e9:
        raise SettingError(
            f"The budget is {quoted(budget)}.", "seconds, at least 0", "30 is the default."
        )
    if run.outcome.reason == "interrupted":
        raise RunError(
            f"The training has not ended: {run.outcome.step:,} steps are done.",
            "a training that has ended",
            "Let it end first: downslope resume RUN.",
        )
    run = run.with_data()
    evidence = Evidence(run)
    found = [(cause, symptom) for cause in causes() if (symptom := cause.look(evidence))]
    found.sort(key=lambda pair: -pair[1].strength)
    trials = None
    if seconds > 0 and run.origin is None:  # from other weights a training is another one
        trials = Trials(run, seconds)
        named = _proved(run, found, trials, on_progress)
    else:
        named = _guessed(found)
    simple = evidence.simple_score
    return Diagnosis(
        data=run.data.name,
        findings=_ordered(named, found, run),
        trainings=0 if trials is None else trials.count,
        seconds=float(seconds),
        score=evidence.score,
        simple_score=None if simple != simple else simple,
        run=run,
    )


Found = list[tuple[Cause, Symptom]]


def _guessed(found: Found) -> list[Finding]:
    """The strong symptoms of faults, without those that follow from another."""
    named: list[Finding] = []
    explained: set[str] = set()
    for cause, symptom in found:
        if cause.level not in ("fault", "warning") or symptom.strength < NAMED:
            continue
        if cause.name not in explained:
            named.append(cause.finding(symptom))
            explained |= {*cause.explains}
    faults = [one for one in named if one.level == "fault"][:MOST_FAULTS]
    return [one for one in named if one.level != "fault" or one in faults]


@dataclass(frozen=True, eq=False)
class _Tried:
    """A change of a cause that was tried."""

    cause: Cause
    symptom: Symptom
    change: Change
    trial: Trial
    effect: Effect


def _proved(
    run: Run, found: Found, trials: Trials, on_progress: OnProgress | None
) -> list[Finding]:
    """Change after change, each the best of those that help, until none does."""

    def tell() -> None:
        if on_progress is not None:
            on_progress(min(999, int(1000 * (1 - trials.left / trials.seconds))), 1000)

    candidates = [pair for pair in found if pair[1].changes and pair[1].strength >= TRIED]
    named: list[Finding] = []
    tried_causes: set[str] = set()
    setup = Setup.of(run)
    if candidates:
        before = trials.train(setup)
        for number in range(ROUNDS):
            if before is None or not candidates:
                break
            tried = _round(setup, before, candidates, trials, tell, first=number == 0)
            tried_causes |= {one.cause.name for one in tried}
            best = _best(tried)
            if best is None:
                break
            finding = best.cause.finding(best.symptom)
            named.append(replace(finding, change=best.change, proof=best.effect.proof))
            setup, before = best.trial.setup, best.trial
            candidates = [
                pair
                for pair in candidates
                if pair[0].name != best.cause.name and pair[0].name not in best.cause.explains
            ]
    if on_progress is not None:
        on_progress(1000, 1000)
    return named + _unproved(found, named, tried_causes)


def _round(
    setup: Setup, before: Trial, candidates: Found, trials: Trials, tell: object, *, first: bool
) -> list[_Tried]:
    """Each candidate's changes, the first of each before the second of any."""
    tried: list[_Tried] = []
    most = max(len(symptom.changes) for _, symptom in candidates)
    for turn in range(most if first else 1):
        for cause, symptom in candidates:
            if turn >= len(symptom.changes):
                continue
            if turn and any(one.cause is cause and one.effect.gain > 0.5 for one in tried):
                continue  # it has shown itself already
            try:
                changed = setup.changed(symptom.changes[turn])
            except DownslopeError:  # it does not suit what was changed before
                continue
            trial = trials.train(changed)
            tell()  # pyright: ignore[reportCallIssue] - a function without arguments
            if trial is not None:
                change = symptom.changes[turn]
                tried.append(_Tried(cause, symptom, change, trial, effect_of(before, trial)))
    return tried


def _best(tried: list[_Tried]) -> _Tried | None:
    """The change to make first: one that helps nearly as much as any, of the surest symptom."""
    helping = [one for one in tried if one.effect.helps]
    if not helping:
        return None
    most = max(one.effect.gain for one in helping)

    def rank(one: _Tried) -> float:
        return one.effect.gain / most + one.symptom.strength

    return max(helping, key=rank)


def _unproved(found: Found, named: list[Finding], tried: set[str]) -> list[Finding]:
    """Symptoms that no training speaks for: the surest, and those that no setting changes."""
    explained = {one.cause for one in named}
    for cause, _ in found:
        if cause.name in {one.cause for one in named}:
            explained |= {*cause.explains}
    more = []
    for cause, symptom in found:
        if cause.level not in ("fault", "warning") or cause.name in explained:
            continue
        least = SURE if cause.name in tried or named else NAMED
        if cause.level == "warning":
            least = NAMED
        if symptom.strength >= least:
            more.append(cause.finding(symptom))
            explained |= {*cause.explains}
    faults = [one for one in more if one.level == "fault"]
    kept = faults[: max(0, MOST_FAULTS - len(named))]
    return [one for one in more if one.level != "fault" or one in kept]


def _ordered(named: list[Finding], found: Found, run: Run) -> tuple[Finding, ...]:
    """Faults as they are, then the verdicts and what is normal, by level."""
    told = {one.cause for one in named}
    normal = [
        cause.finding(symptom) for cause, symptom in found if cause.level in ("note", "normal")
    ]
    same = {"overfits": "overfitting", "still_falling": "too_few_steps", "non_finite": ""}
    verdicts = [one for one in run.findings if same.get(one.cause, one.cause) not in told | {""}]
    if not told and any(one.cause == "non_finite" for one in run.findings):
        verdicts = [one for one in run.findings if one.cause == "non_finite"]
    everything = [*named, *verdicts, *normal]
    return tuple(sorted(everything, key=lambda one: LEVELS.index(one.level)))
