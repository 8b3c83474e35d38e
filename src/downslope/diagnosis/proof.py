"""Counterfactual trainings: the same training with a change and without, over several seeds."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import stats

from downslope.data.dataset import Dataset
from downslope.diagnosis.cause import Change
from downslope.engine.metrics import average
from downslope.engine.optimizers import optimizer_of
from downslope.engine.settings import LARGEST_SEED, Stop
from downslope.errors import DownslopeError
from downslope.nn.notation import own_parts, parse
from downslope.runs.finding import Proof
from downslope.runs.run import Run
from downslope.runs.train_many import train_side_by_side
from downslope.runs.train_options import TrainOptions

SEEDS = 4
MATERIAL = 0.1  # of what separates the metric from perfect: less is no help worth a change
OF_OPTIMIZER = ("clip_norm", "weight_decay", "momentum")
COMPILING = 2.0  # seconds: a guess until the first training has shown it


@dataclass(frozen=True, eq=False)
class Setup:
    """How a training is made: its options and its data.

    Attributes:
        options: All options.
        dataset: The data.
        changes: What was changed so far.
        own: The user's own parts that its network's notation names.
    """

    options: TrainOptions
    dataset: Dataset
    changes: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @staticmethod
    def of(run: Run) -> Setup:
        """That of a run."""
        assert run.dataset is not None
        options = TrainOptions.of(run.network, run.loss, run.settings).replace(freeze=0)
        dataset = run.dataset
        if run.scaling is not dataset.scaling and dataset.is_scaled:
            dataset = replace(dataset, scaling=run.scaling)
        return Setup(options, dataset, own=own_parts(run.network))

    def changed(self, change: Change) -> Setup:
        """With these settings changed.

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
        if "network" in own:
            own["network"] = parse(own["network"], self.own)
        if "batch_size" in own:
            own["batch_size"] = min(own["batch_size"], len(dataset.train))
        return Setup(options.replace(**own), dataset, {**self.changes, **change}, self.own)


@dataclass(frozen=True, eq=False)
class Trial:
    """What trainings with several seeds came to.

    Attributes:
        setup: How they were trained.
        metrics: Each metric on the validation part, (seeds,).
        steps: How many steps each had.
        seconds: How long all took.
    """

    setup: Setup
    metrics: Mapping[str, np.ndarray]
    steps: int
    seconds: float


class Trials:
    """Trainings within a time.

    Args:
        run: The run whose changes are tried.
        seconds: How long they may take.
    """

    def __init__(self, run: Run, seconds: float) -> None:
        self.began, self.seconds = time.monotonic(), seconds
        self.run = run
        self.baseline = run.measure_baseline(run.dataset.validation)  # pyright: ignore[reportOptionalMemberAccess] - it has its data
        per_step = run.seconds.training / max(1, run.outcome.step)
        self.cost = max(per_step, 1e-6) * SEEDS / 2  # seconds for a step of all seeds
        self.count = 0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def train(self, setup: Setup) -> Trial | None:
        """Train with each seed; None where there is no time, or it cannot be trained."""
        samples = len(setup.dataset.train)
        options = setup.options
        try:
            per_epoch = -(
                -samples // options.plan(setup.dataset).settings.samples_per_step(samples)
            )
            steps = per_epoch * int(options.epochs or 1)
            if self.left < COMPILING / 2 + steps * self.cost:
                return None
            seeds = [(options.seed + one) % (LARGEST_SEED + 1) for one in range(SEEDS)]
            began = time.monotonic()
            found = train_side_by_side(None, setup.dataset, seeds=seeds, options=options)
            lasted = time.monotonic() - began
            self.count += SEEDS
        except DownslopeError:
            return None
        if any(one.reason == "interrupted" for one in found.outcomes):
            raise KeyboardInterrupt
        self.cost = max(1e-7, found.seconds.training / max(1, steps))
        part = setup.dataset.validation
        rows = []
        for member in range(SEEDS):
            with np.errstate(all="ignore"):
                values = found.model(member, setup.dataset).values(part)
                rows.append(average(setup.dataset.task, values, part.weights))
        metrics = {name: self._finite(name, [row[name] for row in rows]) for name in rows[0]}
        return Trial(setup, metrics, max(one.step for one in found.outcomes), lasted)

    def _finite(self, name: str, values: list[float]) -> np.ndarray:
        """What diverged counts as ten times as bad as the best constant."""
        worst = 0.0 if name in ("accuracy", "f1") else 10 * abs(self.baseline[name])
        found = np.asarray(values, float)
        if name not in ("accuracy", "f1"):
            return np.where(np.isfinite(found), np.minimum(found, max(worst, 1e-12)), worst)
        return np.where(np.isfinite(found), found, worst)


def metric_of(before: Trial, after: Trial) -> str:
    """The metric that both have in the same unit and that tells most."""
    task = before.setup.dataset.task
    if task in ("regression", "counting"):
        is_absolute = "mae" in before.metrics and "absolute_error" in (
            _loss_name(before), _loss_name(after)
        )  # fmt: skip
        return "mae" if is_absolute else "rmse" if "rmse" in before.metrics else "loss"
    return "loss" if _loss_name(before) == _loss_name(after) else "accuracy"


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

    The interval is that of the mean difference by Student's distribution.
    """
    name = metric_of(before, after)
    one, other = before.metrics[name], after.metrics[name]
    difference = other - one
    count = len(difference)
    spread = float(difference.std(ddof=1)) / math.sqrt(count)
    margin = float(stats.t.ppf(0.975, count - 1)) * spread
    mean = float(difference.mean())
    is_rising = name in ("accuracy", "f1")
    fall = mean if is_rising else -mean
    room = float((1 - one).mean() if is_rising else np.abs(one).mean())
    gain = fall / room if room > 0 else 0.0
    better = int(((difference > 0) if is_rising else (difference < 0)).sum())
    is_sure = better >= count - 1 and (fall - margin > 0 or better == count)
    proof = Proof(
        name, float(one.mean()), float(other.mean()), (mean - margin, mean + margin), count, better,
        after.steps,
    )  # fmt: skip
    return Effect(proof, gain, bool(is_sure and gain > MATERIAL))
