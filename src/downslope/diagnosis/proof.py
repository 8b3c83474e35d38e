"""Counterfactual trainings: the same training with a change and without, over several seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from downslope.data.dataset import Dataset, Task
from downslope.diagnosis.cause import Change
from downslope.diagnosis.networks import with_changes_of
from downslope.engine.metrics import average
from downslope.engine.optimizers import optimizer_of
from downslope.engine.settings import LARGEST_SEED, Stop
from downslope.errors import DownslopeError
from downslope.nn.network import Network
from downslope.nn.notation import describe, own_parts, parse
from downslope.runs.finding import Proof
from downslope.runs.run import Run
from downslope.runs.train_many import train_side_by_side
from downslope.runs.train_options import TrainOptions

SEEDS = 4
MATERIAL = 0.1  # of what separates the metric from perfect: less is no help worth a change
LEAST_ROOM = 0.3  # of what separates the best constant from perfect: nearer, and little is left
LEARNT = 0.1  # of the same: better by so much, and the accuracy tells more than the loss
BETTER = 0.99  # of what the best constant has: a change that ends above it only undoes harm
RATES = ("accuracy", "all_right", "balanced_accuracy")  # metrics of which more is better
OF_OPTIMIZER = ("clip_norm", "weight_decay", "momentum")
WORST = 10.0  # times the best constant's loss: more, or no number at all, counts as that
FEWEST_STEPS = 100  # in fewer steps, what is no step takes most of the time
COMPILING = 2.0  # seconds: a guess until the first training has shown it
now = time.monotonic  # the clock that a budget is measured with


@dataclass(frozen=True, eq=False)
class Setup:
    """How a training is made: its options and its data.

    Attributes:
        options: All options.
        dataset: The data.
        changes: What was changed so far.
        first: The network before any change.
        is_short: Whether it has fewer epochs than the run, to fit into the time.
    """

    options: TrainOptions
    dataset: Dataset
    changes: Mapping[str, Any] = field(default_factory=dict)
    first: Network | None = None
    is_short: bool = False

    @staticmethod
    def of(run: Run) -> Setup:
        """That of a run."""
        assert run.dataset is not None
        options = TrainOptions.of(run.network, run.loss, run.settings).replace(freeze=0)
        dataset = run.dataset
        if run.scaling is not dataset.scaling and dataset.is_scaled:
            dataset = replace(dataset, scaling=run.scaling)
        return Setup(options, dataset, first=run.network)

    def changed(self, change: Change) -> Setup:
        """With these settings changed; of a network, only what the change differs in.

        Raises:
            DownslopeError: A value does not fit.
        """
        own = dict(change)
        dataset, options = self.dataset, self.options
        if own.pop("scaling", None) == "standard":
            dataset = dataset.standardized()
        patience = own.pop("patience", None)
        if patience is not None:
            own["stop"] = Stop(patience=patience)
        optimizer = {name: own.pop(name) for name in OF_OPTIMIZER if name in own}
        if optimizer:
            assert options.optimizer is not None
            own["optimizer"] = replace(optimizer_of(options.optimizer), **optimizer)
        told = dict(change)
        if "network" in own:
            network, first = options.network, self.first
            assert isinstance(network, Network)
            assert first is not None
            wanted = parse(own["network"], own_parts(first))
            own["network"] = with_changes_of(network, first, wanted)
            told["network"] = describe(own["network"])
        if "batch_size" in own:
            own["batch_size"] = min(own["batch_size"], len(dataset.train))
        return replace(
            self, options=options.replace(**own), dataset=dataset, changes={**self.changes, **told}
        )

    def shortened(self, epochs: int) -> Setup:
        """With so many epochs."""
        return replace(self, options=self.options.replace(epochs=epochs), is_short=True)


@dataclass(frozen=True, eq=False)
class Trial:
    """What trainings with several seeds came to.

    Attributes:
        setup: How they were trained.
        metrics: Each metric on the validation part, (seeds,).
        steps: How many steps each had.
        seconds: How long all took.
        usual: The metrics of the best constant prediction.
    """

    setup: Setup
    metrics: Mapping[str, np.ndarray]
    steps: int
    seconds: float
    usual: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Measured:
    """What trainings of one setup came to, before anything is made of it.

    Attributes:
        metrics: Each metric on the validation part, (seeds,); not finite where it diverged.
        steps: How many steps the longest had.
        training: Seconds for the steps.
        seconds: Seconds in all, with what was compiled.
    """

    metrics: Mapping[str, np.ndarray]
    steps: int
    training: float
    seconds: float


def measure(setup: Setup, seeds: Sequence[int]) -> Measured:
    """Train with each seed, side by side, and measure on the validation part.

    Raises:
        DownslopeError: It cannot be trained.
        KeyboardInterrupt: It was ended by Ctrl-C.
    """
    began = now()
    found = train_side_by_side(None, setup.dataset, seeds=seeds, options=setup.options)
    if any(one.reason == "interrupted" for one in found.outcomes):
        raise KeyboardInterrupt
    part, rows = setup.dataset.validation, []
    for member in range(len(seeds)):
        with np.errstate(all="ignore"):
            values = found.model(member, setup.dataset).values(part)
            row = metrics_of(setup.dataset.task, values, part.targets, part.weights)
        if found.outcomes[member].reason == "non_finite":  # its weights are those of before
            row = dict.fromkeys(row, math.nan)
        rows.append(row)
    return Measured(
        metrics={name: np.array([row[name] for row in rows], float) for name in rows[0]},
        steps=max(one.step for one in found.outcomes),
        training=found.seconds.training,
        seconds=now() - began,
    )


def metrics_of(
    task: Task, values: np.ndarray, targets: np.ndarray, weights: np.ndarray | None
) -> dict[str, float]:
    """The metrics of values of each sample, (N, metrics), and the mean accuracy of the classes."""
    found = average(task, values, weights)
    if task == "classification" and targets.ndim == 1:
        right = [values[targets == one, 1] for one in np.unique(targets)]
        found["balanced_accuracy"] = float(np.mean([one.mean() for one in right]))
    return found


class Trials:
    """Trainings within a time.

    Args:
        run: The run whose changes are tried.
        seconds: How long they may take.
    """

    def __init__(self, run: Run, seconds: float) -> None:
        self.seconds, self.spent = seconds, 0.0
        self.run = run
        self.baseline = run.measure_baseline(run.dataset.validation)  # pyright: ignore[reportOptionalMemberAccess] - it has its data
        per_step = run.seconds.training / max(FEWEST_STEPS, run.outcome.step)
        self.cost = max(per_step, 1e-6) * SEEDS / 2  # seconds for a step of all seeds
        self.beside = COMPILING  # seconds for what is no step
        self.count = 0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - self.spent

    def train(self, setup: Setup, seeds: Sequence[int] | None = None) -> Trial | None:
        """Train with each seed; None where there is no time, or it cannot be trained."""
        samples, options = len(setup.dataset.train), setup.options
        if seeds is None:
            seeds = [(options.seed + one) % (LARGEST_SEED + 1) for one in range(SEEDS)]
        try:
            size = options.plan(setup.dataset).settings.samples_per_step(samples)
            steps = -(-samples // size) * int(options.epochs or 1)
            if self.left < self.beside / 2 + steps * self.cost:
                return None
            found = measure(setup, seeds)
        except DownslopeError:
            return None
        self.count += len(seeds)
        self.spent += found.seconds
        self.cost = max(1e-7, found.training / max(1, steps))
        self.beside = found.seconds - found.training
        metrics = {name: self._finite(name, values) for name, values in found.metrics.items()}
        return Trial(setup, metrics, found.steps, found.seconds, self.baseline)

    def fitted(self, setup: Setup, trainings: int) -> Setup:
        """The setup, with fewer epochs where so many trainings would not fit into the time."""
        samples, options = len(setup.dataset.train), setup.options
        size = options.plan(setup.dataset).settings.samples_per_step(samples)
        per_epoch, epochs = -(-samples // size), int(options.epochs or 1)
        steps = (self.left / max(1, trainings) - self.beside) / self.cost
        if steps >= per_epoch * epochs:
            return setup
        return setup.shortened(max(1, min(epochs, int(steps / per_epoch))))

    def _finite(self, name: str, found: np.ndarray) -> np.ndarray:
        """What diverged counts as so many times as bad as the best constant."""
        if name in RATES:
            return np.where(np.isfinite(found), found, 0.0)
        worst = WORST * abs(self.baseline[name])
        return np.where(np.isfinite(found), np.minimum(found, max(worst, 1e-12)), worst)


def metric_of(before: Trial, after: Trial) -> str:
    """The metric that both have in the same unit and that tells most."""
    one, other = before.setup.options, after.setup.options
    if "rmse" in before.metrics:
        return "mae" if "absolute_error" in (_loss_name(before), _loss_name(after)) else "rmse"
    if "accuracy" not in before.metrics:
        return "loss"
    if one.class_weights != other.class_weights and "balanced_accuracy" in before.metrics:
        return "balanced_accuracy"
    usual = before.usual.get("accuracy", 1.0)
    known = max(float(own.metrics["accuracy"].mean()) for own in (before, after))
    is_learnt = known > usual + LEARNT * (1 - usual)
    return "accuracy" if is_learnt or _loss_name(before) != _loss_name(after) else "loss"


def _loss_name(trial: Trial) -> str:
    loss = trial.setup.options.loss
    return loss if isinstance(loss, str) else getattr(loss, "name", "")


@dataclass(frozen=True)
class Effect:
    """What a change did.

    Attributes:
        proof: The measured effect.
        gain: The mean fall of what separates the metric from perfect, as a fraction of it.
        helps: Whether it does, for sure and by an amount that matters.
    """

    proof: Proof
    gain: float
    helps: bool


def effect_of(before: Trial, after: Trial) -> Effect:
    """The effect of a change, seed by seed.

    The interval is that of the mean difference by Student's distribution. Where the validation part
    is so small that the accuracy rises, but not for sure, the loss may be sure of it.
    """
    name = metric_of(before, after)
    found = _effect(before, after, name)
    is_alike = _loss_name(before) == _loss_name(after)
    if name != "accuracy" or found.helps or found.gain <= MATERIAL or not is_alike:
        return found
    by_loss = _effect(before, after, "loss")
    is_certain = by_loss.helps and by_loss.proof.better == by_loss.proof.seeds
    return replace(by_loss, gain=found.gain) if is_certain else found


def _effect(before: Trial, after: Trial, name: str) -> Effect:
    one, other = before.metrics[name], after.metrics[name]
    difference = other - one
    count = len(difference)
    spread = float(difference.std(ddof=1)) / math.sqrt(count)
    margin = float(stats.t.ppf(0.975, count - 1)) * spread
    mean = float(difference.mean())
    is_rising = name in RATES
    usual = before.usual.get("accuracy" if is_rising else name, 1.0 if is_rising else 0.0)
    fall = mean if is_rising else -mean
    room = float((1 - one).mean() if is_rising else np.abs(one).mean())
    room = max(room, LEAST_ROOM * abs(1 - usual if is_rising else usual))
    gain = fall / room if room > 0 else 0.0
    better = int(((difference > 0) if is_rising else (difference < 0)).sum())
    is_sure = better >= count - 1 and (fall - margin > 0 or better == count)
    is_saved = float(one.min()) >= WORST * usual and float(other.max()) < 2 * usual
    is_better = is_rising or not usual or is_saved or float(other.mean()) < BETTER * usual
    proof = Proof(
        name, float(one.mean()), float(other.mean()), (mean - margin, mean + margin), count, better,
        after.steps,
    )  # fmt: skip
    return Effect(proof, gain, bool(is_sure and gain > MATERIAL and is_better))
