"""How good predictions are, in the units that a person cares about.

A measure gives one value per sample, to be averaged; "rmse" is the root of the averaged squares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.data.dataset import Dataset, Task
from downslope.engine.scales import Scales, Units
from downslope.nn.activations import identity
from downslope.nn.losses import LOSSES, Loss

FEWEST_FOR_INTERVAL = 10  # samples
MOST_DRAWS, LEAST_DRAWS = 1000, 200  # of the bootstrap
MOST_DRAWN = 20_000_000  # samples in all draws, which takes about a second

MEASURES: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("accuracy",),
        "multilabel": ("accuracy", "all_right"),
        "regression": ("mae", "rmse"),
        "counting": ("mae", "rmse"),
    }
)

OF_OUTPUTS = ("classification", "multilabel")  # measured on logits, whose link changes no choice


def chosen_class(outputs: Any) -> Any:
    """The class with the largest output; with a single output (a logit), whether it is above 0.

    Args:
        outputs: Shape (N, classes), NumPy or JAX.

    Returns:
        Whole numbers (N,), of the same kind.
    """
    return (outputs[..., 0] > 0).astype(np.int32) if outputs.shape[-1] == 1 else outputs.argmax(-1)


def columns(
    task: Task, loss: Loss, outputs: Float[Array, "n ..."], targets: Array, scales: Scales
) -> Float[Array, "n measures"]:
    """The loss, then each measure of the task, of every sample, in scaled units; compiled.

    Args:
        task: What is learnt.
        loss: The loss.
        outputs: The network's, which are those of scaled targets.
        targets: The scaled targets.
        scales: How they are scaled. Each of several targets is weighed by its deviation.
    """
    values = [loss.per_sample(outputs, targets)]
    if task in OF_OUTPUTS or loss.link is identity:
        predictions, truth = outputs, targets
    else:
        predictions, truth = (
            loss.link(scales.predictions_of(outputs)),
            scales.predictions_of(targets),
        )
    values += _measured(
        task, predictions, truth, scales.fractions if loss.link is identity else None
    )
    return jnp.stack(values, axis=1)


def values_of(
    task: Task,
    loss: Loss,
    losses: Float[np.ndarray, " n"],
    outputs: np.ndarray,
    targets: np.ndarray,
    units: Units,
) -> Float[np.ndarray, "n measures"]:
    """The same in the data's own units, float64.

    Args:
        task: What is learnt.
        loss: The loss.
        losses: Of each sample, in own units.
        outputs: The network's.
        targets: As they were read.
        units: How outputs become predictions.
    """
    predictions = outputs
    if task not in OF_OUTPUTS:
        predictions = units.predictions_of(outputs)
        if loss.link is not identity:
            predictions = np.asarray(loss.link(jnp.asarray(predictions, jnp.float32)))
        predictions, targets = predictions.astype(np.float64), targets.astype(np.float64)
    measured = _measured(task, predictions, targets, None)
    return np.stack([losses, *measured], axis=1, dtype=np.float64)


def _measured(task: Task, predictions: Any, targets: Any, fractions: Any) -> list[Any]:
    """The measures of the task, each (N,), of arrays of NumPy or JAX."""
    if task == "classification":
        truth = targets if targets.ndim == 1 else chosen_class(targets)
        return [(chosen_class(predictions) == truth).astype(np.float32)]
    if task == "multilabel":  # of each label whether it holds; then whether all are right
        right = (predictions > 0) == (targets > 0.5)
        return [right.mean(axis=1), right.all(axis=1) * 1.0]
    if task == "counting":
        miss = predictions.sum(axis=(1, 2, 3)) - targets.sum(axis=(1, 2, 3))
        return [abs(miss), miss**2]
    miss = predictions - targets.reshape(predictions.shape)
    miss = (miss if fractions is None else miss * fractions).reshape(len(targets), -1)
    return [abs(miss).mean(axis=1), (miss**2).mean(axis=1)]


def names(task: Task) -> tuple[str, ...]:
    """The names of what `columns` gives."""
    return ("loss", *MEASURES[task])


def average(
    task: Task, values: Float[np.ndarray, "n measures"], weights: np.ndarray | None = None
) -> dict[str, float]:
    """Average what `columns` gave for all samples; their weights count in the loss alone."""
    means = values.mean(axis=0)
    if weights is not None:
        means[0] = np.average(values[:, 0], weights=weights) if weights.any() else np.nan
    return finish(task, means)


def intervals(
    task: Task, values: Float[np.ndarray, "n measures"], weights: np.ndarray | None = None
) -> dict[str, tuple[float, float]]:
    """Between which values each figure lies with 95 % confidence, had other samples been drawn.

    As many samples are drawn from these, with repeats, again and again; the figures of 95 % of
    the draws lie between the two. The draws are the same each time.

    Source: Efron, Bootstrap Methods: Another Look at the Jackknife, 1979 (percentile interval).

    Args:
        task: What was learnt.
        values: What `columns` gave for all samples.
        weights: How much each sample counts in the loss, (N,).

    Returns:
        The ends for each figure; none for fewer than `FEWEST_FOR_INTERVAL` samples, which say
        too little of what others would be like.
    """
    count = len(values)
    if count < FEWEST_FOR_INTERVAL:
        return {}

    def averaged(drawn: np.ndarray) -> list[float]:
        own = None if weights is None else weights[drawn]
        return [*average(task, values[drawn], own).values()]

    low, high = bootstrap(count, averaged)
    found = dict(zip(names(task), zip(low.tolist(), high.tolist(), strict=True), strict=True))
    if "accuracy" in found and np.ptp(values[:, 1]) == 0:
        found["accuracy"] = _of_fraction(float(values[0, 1]), count)
    return found


def gain(
    task: Task, values: Float[np.ndarray, "n measures"], usual: Float[np.ndarray, "n measures"]
) -> tuple[float, float] | None:
    """The 95 % interval of how much better samples are predicted than by a constant.

    Of accuracies it is the difference of their means, of numbers the difference of the mean
    absolute errors. As it compares the same samples, it is narrower than two intervals.

    Args:
        task: What was learnt.
        values: What `columns` gave for all samples.
        usual: The same of the constant prediction.

    Returns:
        Its ends; None for fewer than `FEWEST_FOR_INTERVAL` samples.
    """
    sign = 1 if task in OF_OUTPUTS else -1
    differences = sign * (values[:, 1] - usual[:, 1])
    count = len(differences)
    if count < FEWEST_FOR_INTERVAL:
        return None
    low, high = bootstrap(count, lambda drawn: [differences[drawn].mean()])
    return float(low[0]), float(high[0])


def bootstrap(count: int, figures: Callable[[np.ndarray], Any]) -> np.ndarray:
    """The 2.5 % and 97.5 % quantiles of figures over draws of so many samples, (2, figures)."""
    draws = min(MOST_DRAWS, max(LEAST_DRAWS, MOST_DRAWN // count))
    random = np.random.default_rng(0)
    rows = [figures(random.integers(0, count, count)) for _ in range(draws)]
    # nearest: between two infinite losses lies no number
    return np.quantile(np.array(rows), [0.025, 0.975], axis=0, method="nearest")


@dataclass(frozen=True, eq=False)
class TargetMetrics:
    """Metrics of each target of numbers on some samples, in the target's own units.

    Attributes:
        names: The targets.
        mae: The mean absolute error of each, (targets,).
        rmse: The root of the mean squared error.
        r2: 1 - SSE / SST with the sum of squared errors and that of the squared distances to the
            mean of these samples; nan where a target is constant.
        baseline_mae: The MAE of always predicting the training median.
        baseline_rmse: The RMSE of always predicting the training mean.
        mae_interval: Ends of the 95 % interval of each MAE, (2, targets); None for fewer than 10
            samples.
        rmse_interval: Likewise of each RMSE.
    """

    names: tuple[str, ...]
    mae: Float[np.ndarray, " targets"]
    rmse: Float[np.ndarray, " targets"]
    r2: Float[np.ndarray, " targets"]
    baseline_mae: Float[np.ndarray, " targets"]
    baseline_rmse: Float[np.ndarray, " targets"]
    mae_interval: Float[np.ndarray, "2 targets"] | None = None
    rmse_interval: Float[np.ndarray, "2 targets"] | None = None

    def plain(self) -> list[dict[str, Any]]:
        """The metrics as JSON has them: a dictionary for each target."""
        names = ("mae", "rmse", "r2", "baseline_mae", "baseline_rmse", "mae_interval",
                 "rmse_interval")  # fmt: skip
        return plain_rows("target", self.names, {name: getattr(self, name) for name in names})


def plain_rows(
    what: str, names: Sequence[str], columns: Mapping[str, np.ndarray | None]
) -> list[dict[str, Any]]:
    """Columns of metrics as a dictionary for each name.

    Args:
        what: The key of the name.
        names: The classes or targets.
        columns: Arrays by key, (names,) or (..., names); None for a column that is left out.
    """
    known = {key: values for key, values in columns.items() if values is not None}
    return [
        {what: name, **{key: values[..., index].tolist() for key, values in known.items()}}
        for index, name in enumerate(names)
    ]


def target_metrics(
    names: Sequence[str],
    predicted: Float[np.ndarray, "n targets"],
    truth: Float[np.ndarray, "n targets"],
    median: Float[np.ndarray, " targets"],
    mean: Float[np.ndarray, " targets"],
) -> TargetMetrics:
    """Compare predicted numbers with the true ones, each target by itself.

    Args:
        names: The targets.
        predicted: What the network predicts, in the targets' units.
        truth: The true values.
        median: The training median of each target, which is its baseline for the MAE.
        mean: The training mean, which is that for the RMSE.

    Example:
        >>> truth = np.array([[0.0, 100.0], [2.0, 300.0]])
        >>> found = target_metrics(("a", "b"), truth + [[1, 0]], truth, truth[0], truth.mean(0))
        >>> found.mae.tolist(), found.r2.tolist(), found.baseline_rmse.tolist()
        ([1.0, 0.0], [0.0, 1.0], [1.0, 100.0])
    """
    predicted, truth = predicted.astype(np.float64), truth.astype(np.float64)
    misses, squares = np.abs(predicted - truth), (predicted - truth) ** 2
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(total > 0, 1 - squares.sum(axis=0) / total, np.nan)
    ends: list[np.ndarray] | list[None] = [None, None]
    if len(truth) >= FEWEST_FOR_INTERVAL:
        both = np.concatenate([misses, squares], axis=1)
        ends = np.hsplit(bootstrap(len(both), lambda drawn: both[drawn].mean(axis=0)), 2)
    return TargetMetrics(
        names=tuple(names),
        mae=misses.mean(axis=0),
        rmse=squares.mean(axis=0) ** 0.5,
        r2=r2,
        baseline_mae=np.abs(median - truth).mean(axis=0),
        baseline_rmse=((mean - truth) ** 2).mean(axis=0) ** 0.5,
        mae_interval=ends[0],
        rmse_interval=None if ends[1] is None else ends[1] ** 0.5,
    )


def _of_fraction(fraction: float, count: int) -> tuple[float, float]:
    """The interval of a fraction of 0 or 1, of which all draws are alike.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    width = 1.96**2 / (count + 1.96**2)
    return (1 - width, 1.0) if fraction else (0.0, width)


def finish(task: Task, means: np.ndarray) -> dict[str, float]:
    """Turn averaged columns, shape (measures,), into named figures."""
    figures = dict(zip(names(task), (float(mean) for mean in means), strict=True))
    if "rmse" in figures:
        figures["rmse"] = figures["rmse"] ** 0.5
    return figures


def baseline_output(dataset: Dataset, loss: Loss, outputs: int) -> np.ndarray:
    """The outputs that ignore the input and have the lowest loss or RMSE, float64 (outputs,).

    Classes: the fractions of the classes among the training samples, as logits, so that the most
    frequent class is chosen. Numbers: the training mean. People: the training mean, as a count.

    Args:
        dataset: Whose training samples are averaged.
        loss: Whose outputs are meant.
        outputs: How many outputs the network has for classes or numbers.
    """
    targets = dataset.train.targets
    if dataset.task == "classification":
        fractions = targets.mean(axis=0, dtype=np.float64)
        if targets.ndim == 1:
            fractions = np.bincount(targets, minlength=len(dataset.class_names)) / len(targets)
        logs = np.log(np.maximum(fractions, 1e-12))
        prediction = logs[1:] - logs[:1] if outputs == 1 else logs
        return prediction
    if dataset.task == "counting":
        return np.array([dataset.train.counts.mean()])
    return _outputs_for(targets.mean(axis=0, dtype=np.float64), loss)


def baseline_median(dataset: Dataset, loss: Loss) -> np.ndarray | None:
    """Likewise those with the lowest MAE: the training median; None for classes.

    The mean has the lowest RMSE, and of skewed targets a larger MAE than the median.
    """
    if dataset.task in ("classification", "multilabel"):
        return None
    if dataset.task == "counting":
        return np.array([np.median(dataset.train.counts)])
    return _outputs_for(np.median(dataset.train.targets.astype(np.float64), axis=0), loss)


def _outputs_for(prediction: np.ndarray, loss: Loss) -> np.ndarray:
    """The outputs that stand for an answer, whose link gives it back."""
    if loss.link in (jax.nn.sigmoid, LOSSES["binary_cross_entropy"].link):  # its outputs are logits
        fractions = np.clip(prediction, 1e-12, 1 - 1e-12)
        return np.log(fractions / (1 - fractions))
    if loss.link in (jnp.exp, LOSSES["poisson"].link):  # its outputs are logarithms of the answer
        return np.log(np.maximum(prediction, 1e-12))
    return prediction
