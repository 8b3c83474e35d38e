"""What the causes look at: what a run recorded, its data, and its layers at start and end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from downslope.data.checks.check_data import findings_in
from downslope.data.checks.findings import DataFinding
from downslope.data.dataset import Dataset, Samples
from downslope.diagnosis.networks import WEIGHTED
from downslope.engine.backpropagation import backpropagate
from downslope.engine.compilation import compiled
from downslope.engine.evaluation import Evaluator
from downslope.engine.scales import Units
from downslope.errors import RunError
from downslope.nn.activations import Activation
from downslope.nn.layer import activation_of, learned_arrays
from downslope.nn.members import GroupedDense
from downslope.nn.network import NetworkParameters
from downslope.runs.finding import Finding
from downslope.runs.replay import replay
from downslope.runs.run import Run

MOST_PROBED = 256  # training samples whose activations and gradients are looked at
MOST_NUMBERS = 1 << 21  # of their inputs: of large images fewer are looked at,
FEWEST_PROBED = 16  # but no fewer
MOST_KNOWN = 2000  # training samples that the simple methods learn from
FLAT = 0.05  # of an activation's largest slope, below which it counts as saturated
MOST_IN_KERNEL = 1000  # of these that kernel ridge regression learns from
NARROW = (1.0, 3.0)  # how fast its kernel falls, with 1 for e at the median distance
STEADY = 0.5  # of the slope of the first third of a training, which its last third still has
NEIGHBOURS = (5, 25)
VOTERS = 11  # neighbours that say which class a sample should have
FOLDS = 5  # parts, each left out of a fit in turn


@dataclass(frozen=True)
class LayerLook:
    """One layer with learnt weights, for the probed samples at one point of the training.

    Attributes:
        index: Its index in the network, from 0.
        name: Its number and kind, such as "1 Dense".
        activation: Its activation.
        gradient: Length of the gradient by its weights and biases.
        weight_length: Length of its weights and biases.
        weight_std: Standard deviation of its weights without the biases; NaN of a single unit,
            and of layers that are neither dense nor convolutions.
        delta: Root mean square of the gradient with respect to its pre-activations.
        dead: Fraction of its units that are 0 for all samples; NaN unless it is flat below 0.
        saturated: Fraction of its activations on flat ends; NaN unless it has two.
        spread: Root mean square of how far its activations differ from sample to sample.
        fan_in: How many inputs a unit has.
        weights: How many weights it has, without the biases.
    """

    index: int
    name: str
    activation: Activation
    gradient: float
    weight_length: float
    weight_std: float
    delta: float
    dead: float
    saturated: float
    spread: float
    fan_in: int
    weights: int


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a run, computed when a cause first asks for it.

    Attributes:
        run: The run, with its data.
    """

    run: Run

    @property
    def dataset(self) -> Dataset:
        """The data that it was trained on."""
        assert self.run.dataset is not None
        return self.run.dataset

    @property
    def task(self) -> str:
        """What is learnt."""
        return self.run.data.task

    @property
    def steps_per_epoch(self) -> int:
        """How many steps an epoch has."""
        samples = len(self.dataset.train)
        return -(-samples // self.run.settings.samples_per_step(samples))

    @cached_property
    def verdicts(self) -> Mapping[str, Finding]:
        """The verdicts on its course, by cause."""
        return {one.cause: one for one in self.run.findings}

    @property
    def is_no_better(self) -> bool:
        """Whether it predicts no better than the best constant, or failed."""
        return bool({"no_better_than_baseline", "non_finite"} & {*self.verdicts})

    @cached_property
    def baseline(self) -> dict[str, float]:
        """The metrics of the best constant predictions on the validation part."""
        return self.run.measure_baseline(self.dataset.validation)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The metrics of the run on the validation part."""
        return self.run.measure(self.dataset.validation)

    @cached_property
    def train_metrics(self) -> dict[str, float]:
        """Its metrics on (some of) the training part."""
        return self.run.measure(_some(self.dataset.train, MOST_KNOWN))

    @cached_property
    def train_baseline(self) -> dict[str, float]:
        """The metrics of the best constant predictions on the same samples."""
        return self.run.measure_baseline(_some(self.dataset.train, MOST_KNOWN))

    def score_of(self, metrics: Mapping[str, float], baseline: Mapping[str, float]) -> float:
        """How much better than the best constant, from 0 to 1; below 0 where worse."""
        if "accuracy" in metrics:
            room = 1 - baseline["accuracy"]
            return (metrics["accuracy"] - baseline["accuracy"]) / room if room > 0 else 0.0
        name = "rmse" if "rmse" in metrics else "loss"
        power = 2 if name == "rmse" else 1
        usual = baseline[name] ** power
        return 1 - metrics[name] ** power / usual if usual > 0 else 0.0

    @cached_property
    def score(self) -> float:
        """How much better than the best constant it is on the validation part."""
        return self.score_of(self.metrics, self.baseline)

    @cached_property
    def train_score(self) -> float:
        """Likewise on the training part."""
        return self.score_of(self.train_metrics, self.train_baseline)

    @cached_property
    def simple_score(self) -> float:
        """How much better than the best constant simple methods are on the validation part.

        Those are a linear fit with a small penalty, kernel ridge regression, and the nearest
        neighbours, whichever is best; NaN where the data does not suit them.
        """
        known = _some(self.dataset.train, MOST_KNOWN)
        return _simple_score(self.dataset, known, _some(self.dataset.validation, MOST_KNOWN))

    @cached_property
    def simple_score_within(self) -> float:
        """The same learnt from two thirds of the training part, on its last third."""
        part = _some(self.dataset.train, MOST_KNOWN)
        order = np.random.default_rng(0).permutation(len(part))
        third = max(1, len(part) // 3)
        return _simple_score(self.dataset, part.take(order[third:]), part.take(order[:third]))

    def simple_score_without(self, column: str) -> float:
        """Theirs on the validation part where a column of the inputs tells nothing.

        NaN where it is not among the inputs, or where it is all of them.
        """
        data = self.dataset
        names = data.input_names or [f"input {at + 1}" for at in range(data.input_shape[0])]
        parts = tuple(f"{column}{mark}" for mark in (" = ", ", ", " (", " is missing"))
        own = [one == column or one.startswith(parts) for one in names]
        if not any(own) or all(own) or len(data.input_shape) != 1:
            return float("nan")
        known, unseen = (
            replace(part, inputs=np.where(own, data.train.inputs.mean(axis=0), part.inputs))
            for part in (_some(data.train, MOST_KNOWN), _some(data.validation, MOST_KNOWN))
        )
        return _simple_score(data, known, unseen)

    def simple_score_shifted(self, by: int) -> float:
        """The same where each sample has the target of the one `by` samples on."""
        part = self.dataset.train
        part = part.take(np.arange(min(len(part), MOST_KNOWN)))  # neighbours stay neighbours
        part = replace(part, targets=np.roll(part.targets, -by, axis=0))
        order = np.random.default_rng(0).permutation(len(part))
        third = max(1, len(part) // 3)
        return _simple_score(self.dataset, part.take(order[third:]), part.take(order[:third]))

    @cached_property
    def votes(self) -> Votes | None:
        """What the nearest neighbours of training samples say; None where there are no classes."""
        part = _some(self.dataset.train, MOST_KNOWN)
        if self.task != "classification" or part.targets.ndim > 1 or len(part) <= 5 * VOTERS:
            return None
        if part.targets.max() == 0:
            return None
        inputs = _plain(self.dataset, part)
        return None if inputs is None else Votes.among(inputs, part.targets)

    @cached_property
    def data_findings(self) -> tuple[DataFinding, ...]:
        """What the data checks find."""
        known = self.dataset.findings
        return findings_in(self.dataset) if known is None else known

    @cached_property
    def moved(self) -> dict[int, float]:
        """How far each layer's weights went, as a fraction of their first length, by its index.

        Empty where the first weights are not known.
        """
        if self.start is None:
            return {}
        return {
            index: _distance(first, own)
            for index, (first, own) in enumerate(zip(self.start, self.run.parameters, strict=True))
            if jax.tree.leaves(learned_arrays(own))
        }

    @property
    def is_behind(self) -> bool:
        """Whether a simple method predicts the validation part clearly better."""
        margin = max(0.1, 1.5 / len(self.dataset.validation) ** 0.5)
        return bool(self.simple_score > max(0.0, self.score) + margin)

    @property
    def is_suspicious(self) -> bool:
        """Whether something seems to keep the network from learning what there is to learn."""
        if self.is_no_better or self.is_behind or self.score < 0.5:
            return True
        verdict = self.verdicts.get("still_falling")
        return verdict is not None and verdict.level == "warning"

    @property
    def falls_steadily(self) -> bool:
        """Whether the training loss still falls about as fast as it did, and much is left to learn.

        So it does at a far too low rate, and where a training ends far too early.
        """
        losses = self.run.trace.train_loss
        third = len(losses) // 3
        if third < 2 or not np.isfinite(losses).all() or losses.min() < losses[-2:].min():
            return False
        first, last = losses[0] - losses[third], losses[-1 - third] - losses[-1]
        return bool(first > 0 and last > STEADY * first and (self.is_behind or self.is_no_better))

    @cached_property
    def train_losses(self) -> np.ndarray:
        """The loss of each step's batch, (steps,)."""
        return self.run.trace.batch_loss

    @cached_property
    def start(self) -> NetworkParameters | None:
        """The weights before the first step; None where they are not known any more."""
        try:
            return replay(self.run).state(0).parameters
        except RunError:
            return None

    @cached_property
    def units(self) -> Units:
        """Between the units of the data and those of the engine."""
        return Units(self.run.scaling, self.run.target_scaling)

    @cached_property
    def probe(self) -> tuple[Array, np.ndarray]:
        """Some training samples as the network takes them: inputs and targets."""
        numbers = int(np.prod(self.dataset.input_shape))
        most = min(MOST_PROBED, max(FEWEST_PROBED, MOST_NUMBERS // numbers))
        part = _some(self.dataset.train, most)
        inputs = jnp.asarray(self.units.inputs.apply(part.inputs))
        return inputs, self.units.scaled_targets(part.targets)

    @cached_property
    def layers_at_start(self) -> tuple[LayerLook, ...]:
        """The layers with weights before the first step; empty where they are not known."""
        return () if self.start is None else self._look(self.start)

    @cached_property
    def layers(self) -> tuple[LayerLook, ...]:
        """The layers with the trained weights."""
        return self._look(self.run.parameters)

    @property
    def hidden(self) -> tuple[LayerLook, ...]:
        """The trained layers but the last."""
        return self.layers[:-1]

    @cached_property
    def outputs(self) -> np.ndarray:
        """The network's outputs for the validation part, (N, outputs)."""
        part = _some(self.dataset.validation, MOST_KNOWN)
        found = self.run.outputs(part if self.task == "counting" else part.inputs)
        return np.asarray(found).reshape(len(found), -1)

    @cached_property
    def wanted_outputs(self) -> np.ndarray:
        """What the outputs should be for the training targets, in the engine's units, (N, ...)."""
        targets = _some(self.dataset.train, MOST_KNOWN).targets
        return np.asarray(self.units.scaled_targets(targets), np.float64).reshape(len(targets), -1)

    def _look(self, parameters: NetworkParameters) -> tuple[LayerLook, ...]:
        inputs, targets = self.probe
        evaluator = self.run.model.evaluator
        arguments = (parameters, inputs, targets)
        table = np.asarray(compiled(_looked, evaluator, *arguments)(*arguments), np.float64)
        network = self.run.network
        at = [index for index, own in enumerate(parameters) if jax.tree.leaves(own)]
        found = []
        for row, index in zip(table, at, strict=True):
            weights = np.asarray(parameters[index].get("weights", np.zeros(1)), np.float64)
            is_usual, units = isinstance(network.layers[index], WEIGHTED), weights.shape[-1]
            is_grouped = isinstance(network.layers[index], GroupedDense)  # each has its own weights
            gradient, length, delta, dead, saturated, spread = map(float, row)
            found.append(
                LayerLook(
                    index=index,
                    name=network.layer_name(index),
                    activation=activation_of(network.layers[index]),
                    gradient=gradient,
                    weight_length=length,
                    weight_std=float(weights.std()) if is_usual and units > 1 else float("nan"),
                    delta=delta,
                    dead=dead,
                    saturated=saturated,
                    spread=spread,
                    fan_in=int(np.prod(weights.shape[is_grouped:-1])),
                    weights=weights.size,
                )
            )
        return tuple(found)


@dataclass(frozen=True)
class Votes:
    """What simple methods say of the class of samples that they have not learnt from.

    Attributes:
        margin: How clear the most probable class is, (N,).
        wrong: Whether that is not the sample's own class, (N,).
        usual_wrong: How often the most frequent class of all is wrong.
    """

    margin: np.ndarray
    wrong: np.ndarray
    usual_wrong: float

    @staticmethod
    def among(inputs: np.ndarray, classes: np.ndarray) -> Votes:
        """Those of the nearest neighbours, a linear fit or kernel ridge regression.

        Whichever is least often wrong.

        Args:
            inputs: Scaled, (N, inputs).
            classes: From 0, (N,).
        """
        each = np.eye(int(classes.max()) + 1)[classes]
        squares = (inputs**2).sum(axis=1) - 2 * inputs @ inputs.T
        np.fill_diagonal(squares, np.inf)
        nearest = np.argpartition(squares, VOTERS - 1, axis=1)[:, :VOTERS]
        fitted, curved = np.empty_like(each), np.empty_like(each)
        fold = np.random.default_rng(0).permutation(len(inputs)) % FOLDS
        for one in range(FOLDS):
            known = fold != one
            fitted[~known] = _linear(inputs[known], each[known], inputs[~known])
            curved[~known] = _kernel(inputs[known], each[known], inputs[~known], NARROW[0])
        all_of_them = (each[nearest].mean(axis=1), fitted, curved)
        said = min(all_of_them, key=lambda votes: (votes.argmax(axis=1) != classes).sum())
        second, first = np.sort(said, axis=1)[:, -2:].T
        usual = float(np.bincount(classes).max() / len(classes))
        return Votes(first - second, said.argmax(axis=1) != classes, 1 - usual)


def _distance(first: Any, own: Any) -> float:
    """How far weights are from the first ones, as a fraction of the length of these."""
    pairs = list(zip(jax.tree.leaves(first), jax.tree.leaves(own), strict=True))
    went, length = (
        math.sqrt(sum(float((np.asarray(one, np.float64) ** 2).sum()) for one in arrays))
        for arrays in (
            [np.asarray(other, np.float64) - np.asarray(one, np.float64) for one, other in pairs],
            [one for one, _ in pairs],
        )
    )
    return went / length if length else went


def _some(part: Samples, most: int) -> Samples:
    """At most so many samples, evenly spread."""
    if len(part) <= most:
        return part
    return part.take(np.linspace(0, len(part) - 1, most).astype(int))


def _looked(
    evaluator: Evaluator, parameters: NetworkParameters, inputs: Array, targets: Array
) -> Array:
    """The columns of `LayerLook` that are computed, a row for each layer with weights."""
    network = evaluator.network
    found = backpropagate(network, parameters, inputs, targets, loss=evaluator.loss)
    rows = []
    for layer, signal, own, gradient, delta in zip(
        network.layers,
        network.signals(parameters, inputs),
        parameters,
        found.gradients,
        found.deltas,
        strict=True,
    ):
        if not jax.tree.leaves(own):
            continue
        function, values = activation_of(layer), signal.activations
        nothing = jnp.float32(jnp.nan)
        silent = (values == 0).all(axis=tuple(range(values.ndim - 1))).mean()
        rows.append(
            [
                _length(gradient),
                _length(own),
                jnp.sqrt((delta**2).mean()) * len(inputs),
                silent if function.is_flat_below else nothing,
                nothing if function.steepest is None else _flat(function, signal.pre_activations),
                jnp.sqrt(values.var(axis=0).mean()),
            ]
        )
    return jnp.asarray(rows)


def _length(arrays: Any) -> Array:
    squares = [
        (one.astype(jnp.float32) ** 2).sum() for one in jax.tree.leaves(learned_arrays(arrays))
    ]
    return jnp.sqrt(jnp.asarray(squares).sum()) if squares else jnp.float32(0)


def _flat(function: Activation, pre_activations: Array) -> Array:
    slopes = jax.vmap(jax.grad(lambda z: function(z)))(pre_activations.ravel())
    assert function.steepest is not None
    return (jnp.abs(slopes) < FLAT * function.steepest).mean()


def _simple_score(dataset: Dataset, known: Samples, unseen: Samples) -> float:
    """How much better than the best constant simple methods predict unseen samples."""
    task = dataset.task
    if task not in ("classification", "regression") or known.targets.ndim > 2:
        return float("nan")
    one, other = (_plain(dataset, part) for part in (known, unseen))
    if one is None or other is None or (known.targets.ndim == 2 and task == "classification"):
        return float("nan")
    if task == "classification":
        wanted = np.eye(len(dataset.class_names))[known.targets]
    else:
        wanted = np.asarray(known.targets, np.float64)
    predicted = (
        _linear(one, wanted, other),
        *(_kernel(one, wanted, other, narrow) for narrow in NARROW),
        *(_nearest(one, wanted, other, count) for count in NEIGHBOURS),
    )
    return max(_score(guess, unseen.targets, wanted, task) for guess in predicted)


def _plain(dataset: Dataset, part: Samples) -> np.ndarray | None:
    """Inputs as simple methods take them, (N, inputs); None where there are too many."""
    scaled = dataset.standardized().scaling.apply(part.inputs).reshape(len(part), -1)
    return None if scaled.shape[1] > 4096 else np.clip(scaled, -10, 10).astype(np.float64)


def _linear(inputs: np.ndarray, wanted: np.ndarray, unseen: np.ndarray) -> np.ndarray:
    """A linear fit with a penalty on its weights, for unseen inputs."""
    mean = wanted.mean(axis=0)
    penalty = 1e-2 * len(inputs) * np.eye(min(inputs.shape))
    if inputs.shape[1] <= len(inputs):
        weights = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ (wanted - mean))
    else:
        weights = inputs.T @ np.linalg.solve(inputs @ inputs.T + penalty, wanted - mean)
    return unseen @ weights + mean


def _kernel(
    inputs: np.ndarray, wanted: np.ndarray, unseen: np.ndarray, narrow: float
) -> np.ndarray:
    """Kernel ridge regression: a weighted sum of bells around training samples, with a penalty."""
    inputs, wanted = inputs[:MOST_IN_KERNEL], wanted[:MOST_IN_KERNEL]
    own, other = _squares(inputs, inputs), _squares(unseen, inputs)
    width = max(float(np.median(own)), 1e-12)
    bells = np.exp(-narrow * own / width) + 0.1 * np.eye(len(inputs))
    mean = wanted.mean(axis=0)
    return np.exp(-narrow * other / width) @ np.linalg.solve(bells, wanted - mean) + mean


def _squares(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances of each to each, (some, others)."""
    own, other = (some**2).sum(axis=1), (others**2).sum(axis=1)
    return np.maximum(own[:, None] + other - 2 * some @ others.T, 0.0)


def _nearest(inputs: np.ndarray, wanted: np.ndarray, unseen: np.ndarray, count: int) -> np.ndarray:
    """The mean over the nearest training samples."""
    squares = (inputs**2).sum(axis=1) - 2 * unseen @ inputs.T  # and a constant for each row
    count = min(count, len(inputs))
    nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
    return wanted[nearest].mean(axis=1)


def _score(guess: np.ndarray, truth: np.ndarray, wanted: np.ndarray, task: str) -> float:
    if task == "classification":
        usual = float((truth == wanted.sum(axis=0).argmax()).mean())
        right = float((truth == guess.argmax(axis=1)).mean())
        spread = (usual * (1 - usual) / len(truth)) ** 0.5
        if usual == 1 or right - usual < 2 * spread:
            return 0.0
        return (right - usual) / (1 - usual)
    usual = ((truth - wanted.mean(axis=0)) ** 2).mean()
    return float(1 - ((truth - guess) ** 2).mean() / usual) if usual > 0 else 0.0
