"""`diagnose`: why a training did not learn, most important cause first, proved by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from downslope.data.progress import OnProgress
from downslope.diagnosis import proof
from downslope.diagnosis.cause import NAMED, Cause, Change, Symptom
from downslope.diagnosis.causes import causes
from downslope.diagnosis.evidence import Evidence
from downslope.diagnosis.proof import MATERIAL, Effect, Setup, Trial, Trials, effect_of
from downslope.errors import DownslopeError, RunError, SettingError, quoted
from downslope.result import PROGRAM_ONLY, Part, Result
from downslope.runs.finding import LEVELS, Finding
from downslope.runs.run import Run

USUAL_SECONDS = 30.0
TRIED = 0.2  # a symptom at least so strong is worth a training
ROUNDS = 4  # changes one after another
MOST_TRIALS = 8  # that the time is planned for
SHOWN = 0.5  # a cause's change that gains so much has shown it: its other changes are not tried
PAIRED = 2  # leading changes that are tried with each other one, where none helps alone
SURE = 0.7  # symptoms so strong are mended together where none of them helps alone
HARM = 0.05  # of what separates the metric from perfect: a change that loses more does harm
NEAR = 0.8  # of the largest gain: then the surer symptom is told first
NEXT = 0.3  # of what is left: a further change that takes away less is a warning
FAR = 2.0  # times as much as the best change alone: then changes are made together
SLIGHT = 0.15  # of what is left: a further change that takes away less is not named
ENOUGH = 0.9  # of what separates the metric from perfect: more need not be sought
FURTHER = 3  # times that a rate or the epochs are changed once more
CERTAIN = 0.85  # a symptom so strong is named although its change did not help
NEARLY = 0.1  # of strength: a symptom so much weaker may still be where another comes from
MOST_FAULTS = 2  # beside those that are proved


@dataclass(frozen=True, eq=False)
class Diagnosis(Result):
    """Why a training did not learn, or that it did.

    Attributes:
        data: Name of the data set.
        findings: What was found, most important first: faults in the order in which to change
            them, then warnings, notes, and what is normal.
        trainings: How many trainings were made to prove them.
        seconds: How long it could take, with them.
        score: How much better than the best constant prediction the run is on the validation part:
            1 is perfect, 0 no better.
        simple_score: The same of simple methods (a linear fit, kernel ridge regression, the
            nearest neighbours); None where the data does not suit them.
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
            else "; the best of a linear fit, kernel ridge regression and the nearest neighbours: "
            f"{_percent(simple)}"
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
        budget: Seconds for all of it, the looking and the trainings, but that the last training may
            take a little longer to be compiled; None for 30, or for what the training itself took,
            if that is more; 0 for no trainings: then causes are guesses, as they are of a run that
            went on from another one's weights.
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
    began = proof.now()
    run = run.with_data()
    evidence = Evidence(run)
    found = [(cause, symptom) for cause in causes() if (symptom := cause.look(evidence))]
    found.sort(key=lambda pair: -pair[1].strength)
    trials, left = None, seconds - (proof.now() - began)
    if seconds > 0 and left > 0 and run.origin is None:  # from other weights it is another training
        trials = Trials(run, left)
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
    sure = [
        (cause, symptom) for cause, symptom in found
        if cause.level in ("fault", "warning") and symptom.strength >= NAMED
    ]  # fmt: skip
    return _without_explained(sure, set(), MOST_FAULTS)


def _without_explained(found: Found, explained: set[str], faults: int) -> list[Finding]:
    """The findings of symptoms, but of those that follow from another one that is nearly as sure.

    Args:
        found: Causes with their symptoms, the surest first.
        explained: Causes that follow from what is named already.
        faults: How many of them may be faults.
    """
    explained = explained | {
        one[0].name for one in found if any(_follows(one, other) for other in found)
    }
    named: list[Finding] = []
    for cause, symptom in found:
        if cause.name not in explained:
            named.append(cause.finding(symptom))
            explained |= {*cause.explains}
    kept = [one for one in named if one.level == "fault"][:faults]
    return [one for one in named if one.level != "fault" or one in kept]


@dataclass(frozen=True, eq=False)
class _Tried:
    """A change of a cause that was tried."""

    cause: Cause
    symptom: Symptom
    change: Change
    trial: Trial
    effect: Effect


class _Search:
    """Change after change, each the best of those that help, until none does.

    Args:
        trials: The trainings.
        candidates: The causes to try, with their symptoms, the surest first.
        tell: Called after each training.
    """

    def __init__(self, trials: Trials, candidates: Found, tell: Callable[[], None]) -> None:
        self.trials, self.candidates, self.tell = trials, candidates, tell
        self.tried: set[str] = set()
        self.made: dict[str, Trial | None] = {}

    def run(self, start: Setup) -> list[Finding]:
        """The findings that trainings prove, in the order in which to make the changes."""
        trainings = 1 + sum(len(symptom.changes) for _, symptom in self.candidates)
        first = self._train(self.trials.fitted(start, min(trainings, MOST_TRIALS)))
        if first is None:
            return []
        tried = self._first_round(first)
        self.tried = {  # with all its changes: of the others no training has spoken
            cause.name
            for cause, symptom in self.candidates
            if sum(one.cause is cause for one in tried) == len(symptom.changes)
        }
        # of each cause's changes the best one, for what comes after
        best_of = {one.cause.name: one for one in sorted(tried, key=lambda one: one.effect.gain)}
        named: list[Finding] = []
        base, least = first, 0.0
        while len(named) < ROUNDS:
            best = _best(tried, least)
            steps = [] if named else self._joint(first, best_of.values(), best)
            if not steps and best is not None:
                steps = [best]
            if not steps:
                break
            effect = effect_of(base, steps[0].trial)
            made, effect = self._further(base, steps[0].trial, effect)
            named += [
                self._finding(one, made, effect, len(named) + at, is_joint=len(steps) > 1)
                for at, one in enumerate(steps)
            ]
            for one in steps:
                best_of.pop(one.cause.name)
            base, least = made, SLIGHT
            tried = self._round(base, base, best_of.values())
        return named

    def _finding(
        self, one: _Tried, made: Trial, effect: Effect, at: int, *, is_joint: bool
    ) -> Finding:
        """What a change proves; its network has the changes before it as well."""
        found = one.cause.finding(one.symptom)
        names = made.setup.changes if is_joint else one.change
        seen = f"{found.seen} Its change helps only together with others." if is_joint else ""
        is_fault = at == 0 or (at < MOST_FAULTS and (is_joint or effect.gain > NEXT))
        return replace(
            found,
            level=found.level if is_fault else "warning",
            seen=seen or found.seen,
            change={name: made.setup.changes[name] for name in names},
            proof=effect.proof,
        )

    def _first_round(self, first: Trial) -> list[_Tried]:
        """Each candidate's changes, the first of each before the second of any."""
        tried: list[_Tried] = []
        most = max(len(symptom.changes) for _, symptom in self.candidates)
        for turn in range(most):
            for cause, symptom in self.candidates:
                own = [one.effect.gain for one in tried if one.cause is cause]
                if turn >= len(symptom.changes) or max(own, default=0.0) > SHOWN:
                    continue
                tried += self._try(cause, symptom, symptom.changes[turn], first, first)
        return tried

    def _round(self, base: Trial, before: Trial, others: Iterable[_Tried]) -> list[_Tried]:
        """What further changes do on top of a training, measured from another one."""
        return [
            made
            for one in others
            for made in self._try(one.cause, one.symptom, one.change, base, before)
        ]

    def _try(
        self, cause: Cause, symptom: Symptom, change: Change, base: Trial, before: Trial
    ) -> list[_Tried]:
        """One change; nothing where it does not suit what was changed before, or there is no time.

        A setting that was changed is not changed again; networks are changed layer by layer.
        """
        setup, own = base.setup, {*change} - {"network"}
        if own & {*setup.changes} or (setup.is_short and "epochs" in own):
            return []
        try:
            trial = self._train(setup.changed(change))
        except DownslopeError:
            return []
        if trial is None:
            return []
        return [_Tried(cause, symptom, change, trial, effect_of(before, trial))]

    def _train(self, setup: Setup) -> Trial | None:
        key = repr(sorted(setup.changes.items()))  # causes may ask for the same change
        if key not in self.made:
            self.made[key] = self.trials.train(setup)
            self.tell()
        return self.made[key]

    def _further(self, base: Trial, made: Trial, effect: Effect) -> tuple[Trial, Effect]:
        """The same once more, as long as it helps, where a rate or the epochs were changed."""
        for name in ("learning_rate", "epochs"):
            before, now = (getattr(one.setup.options, name) for one in (base, made))
            if before == now or made.setup.is_short or effect.gain > ENOUGH:
                continue
            times = now / before
            for _ in range(FURTHER):
                value = getattr(made.setup.options, name) * times
                change = {name: round(value) if name == "epochs" else float(f"{value:.3g}")}
                try:
                    trial = self._train(made.setup.changed(change))
                except DownslopeError:
                    break
                if trial is None or not effect_of(made, trial).helps:
                    break
                made, effect = trial, effect_of(base, trial)
        return made, effect

    def _joint(self, first: Trial, tried: Iterable[_Tried], best: _Tried | None) -> list[_Tried]:
        """Changes that help only together, as one fault may hide what mending another does.

        Those of the surest symptoms, where they help more than the best change alone; where that
        one helps little or not at all, those of all.
        """
        every = list(tried)
        sure = [one for one in every if one.symptom.strength >= SURE]
        if len(sure) > 1 and (best is None or best.symptom.strength < SURE):
            steps = self._together(first, sure)
            least = 0.0 if best is None else best.effect.gain
            if steps and effect_of(first, steps[0].trial).gain > least:
                return steps
        harmless = [one for one in every if one.effect.gain > -HARM]
        if best is None:
            return self._together(first, harmless) or self._pair(first, every)
        if best.effect.gain > NEXT:
            return []
        steps = self._together(first, harmless)
        is_far_better = steps and effect_of(first, steps[0].trial).gain > FAR * best.effect.gain
        return steps if is_far_better else []

    def _together(self, first: Trial, changes: Iterable[_Tried]) -> list[_Tried]:
        """All changes at once, and of these the ones that it does not go without.

        Returns:
            Them, the one that matters most first, each with the training with all of them.
        """
        chosen = sorted(changes, key=lambda one: -one.symptom.strength)
        made = self._all(first, chosen)
        while made is not None and len(chosen) > 1:
            whole = effect_of(first, made)
            if not whole.helps:
                return []
            without = {
                one.cause.name: self._all(first, [own for own in chosen if own is not one])
                for one in chosen
            }
            lost = {
                name: whole.gain - (0.0 if own is None else effect_of(first, own).gain)
                for name, own in without.items()
            }
            least = min(lost, key=lambda name: lost[name])
            if lost[least] > MATERIAL:
                chosen = sorted(chosen, key=lambda one: -lost[one.cause.name])[:ROUNDS]
                return [replace(one, trial=made) for one in chosen]
            chosen = [one for one in chosen if one.cause.name != least]
            made = without[least]
        return []

    def _all(self, first: Trial, changes: Sequence[_Tried]) -> Trial | None:
        """A training with all of these changes; of two for the same setting, the first."""
        setup = first.setup
        for one in changes:
            if not ({*one.change} - {"network"}) & {*setup.changes}:
                try:
                    setup = setup.changed(one.change)
                except DownslopeError:
                    continue
        return self._train(setup)

    def _pair(self, first: Trial, every: Sequence[_Tried]) -> list[_Tried]:
        """Two changes that help together, the surer first."""
        leading = sorted(every, key=lambda one: -one.effect.gain)[:PAIRED]
        found: list[tuple[_Tried, _Tried]] = []
        for at, one in enumerate(leading):
            done = leading[: at + 1]
            others = [own for own in every if own not in done]
            found += [(one, own) for own in self._round(one.trial, first, others)]
        best = _best([own for _, own in found], 0.0)
        if best is None:
            return []
        pair = next((one, own) for one, own in found if own is best)
        ordered = sorted(pair, key=lambda one: -one.symptom.strength)
        return [replace(one, trial=best.trial) for one in ordered]


def _best(tried: list[_Tried], least: float) -> _Tried | None:
    """The change to make first: of those that help nearly as much as any, the surest symptom's.

    Of two causes that ask for the same change, that is the one from which the other follows.
    """
    helping = [one for one in tried if one.effect.helps and one.effect.gain > least]
    most = max((one.effect.gain for one in helping), default=0.0)
    near = [one for one in helping if one.effect.gain >= NEAR * most]
    roots = [
        one
        for one in near
        if not any(own.change == one.change and _explains(own, one) for own in near)
    ]
    return max(roots, key=lambda one: (one.symptom.strength, one.effect.gain), default=None)


def _explains(one: _Tried, other: _Tried) -> bool:
    return _follows((other.cause, other.symptom), (one.cause, one.symptom))


def _follows(one: tuple[Cause, Symptom], other: tuple[Cause, Symptom]) -> bool:
    """Whether a symptom follows from another one, which is nearly as sure."""
    is_explained = one[0].name in other[0].explains and other[0].name not in one[0].explains
    return is_explained and other[1].strength >= one[1].strength - NEARLY


def _proved(
    run: Run, found: Found, trials: Trials, on_progress: OnProgress | None
) -> list[Finding]:
    """What trainings prove, then what they do not speak for."""

    def tell() -> None:
        if on_progress is not None:
            on_progress(min(999, int(1000 * (1 - trials.left / trials.seconds))), 1000)

    candidates = [pair for pair in found if pair[1].changes and pair[1].strength >= TRIED]
    search = _Search(trials, candidates, tell)
    named = search.run(Setup.of(run)) if candidates else []
    if on_progress is not None:
        on_progress(1000, 1000)
    return named + _unproved(found, named, search.tried)


def _unproved(found: Found, named: list[Finding], tried: set[str]) -> list[Finding]:
    """Symptoms that no training speaks for: the surest, and those that no setting changes.

    A fault whose change was tried in vain is named only where nothing is proved and its symptom
    leaves no doubt: then another fault, or too few samples to measure with, may hide what it does.
    """
    explained = {one.cause for one in named}
    for cause, _ in found:
        if cause.name in {one.cause for one in named}:
            explained |= {*cause.explains}
    more = []
    for cause, symptom in found:
        least = NAMED
        if cause.level == "fault" and (cause.name in tried or named):
            least = CERTAIN if not named else 1.0
        if cause.level in ("fault", "warning") and symptom.strength >= least:
            more.append((cause, symptom))
    return _without_explained(more, explained, max(0, MOST_FAULTS - len(named)))


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
