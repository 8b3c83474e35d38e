"""How good answers are, in the units that a person cares about.

A measure gives one value per sample, to be averaged; "rmse" is the root of the averaged squares.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.data.dataset import Dataset, Task
from downslope.engine.scales import Scales, Units
from downslope.nn.activations import identity
from downslope.nn.losses import Loss

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
        answers, truth = outputs, targets
    else:
        answers, truth = loss.link(scales.answers_of(outputs)), scales.answers_of(targets)
    values += _measured(task, answers, truth, scales.shares if loss.link is identity else None)
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
        units: How outputs become answers.
    """
    answers = outputs
    if task not in OF_OUTPUTS:
        answers = units.answers_of(outputs)
        if loss.link is not identity:
            answers = np.asarray(loss.link(jnp.asarray(answers, jnp.float32)))
        answers, targets = answers.astype(np.float64), targets.astype(np.float64)
    measured = _measured(task, answers, targets, None)
    return np.stack([losses, *measured], axis=1, dtype=np.float64)


def _measured(task: Task, answers: Any, targets: Any, shares: Any) -> list[Any]:
    """The measures of the task, each (N,), of arrays of NumPy or JAX."""
    if task == "classification":
        truth = targets if targets.ndim == 1 else chosen_class(targets)
        return [(chosen_class(answers) == truth).astype(np.float32)]
    if task == "multilabel":  # of each label whether it holds; then whether all are right
        right = (answers > 0) == (targets > 0.5)
        return [right.mean(axis=1), right.all(axis=1) * 1.0]
    if task == "counting":
        miss = answers.sum(axis=(1, 2, 3)) - targets.sum(axis=(1, 2, 3))
        return [abs(miss), miss**2]
    miss = answers - targets.reshape(answers.shape)
    miss = (miss if shares is None else miss * shares).reshape(len(targets), -1)
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
    draws = min(MOST_DRAWS, max(LEAST_DRAWS, MOST_DRAWN // count))
    random = np.random.default_rng(0)
    rows = []
    for _ in range(draws):
        drawn = random.integers(0, count, count)
        own = average(task, values[drawn], None if weights is None else weights[drawn])
        rows.append(list(own.values()))
    # nearest: between two infinite losses lies no number
    low, high = np.quantile(np.array(rows), [0.025, 0.975], axis=0, method="nearest")
    found = dict(zip(names(task), zip(low.tolist(), high.tolist(), strict=True), strict=True))
    if "accuracy" in found and np.ptp(values[:, 1]) == 0:
        found["accuracy"] = _of_share(float(values[0, 1]), count)
    return found


def _of_share(share: float, count: int) -> tuple[float, float]:
    """The interval of a share of 0 or 1, of which all draws are alike.

    Source: Wilson, Probable Inference, the Law of Succession, and Statistical Inference, 1927.
    """
    width = 1.96**2 / (count + 1.96**2)
    return (1 - width, 1.0) if share else (0.0, width)


def finish(task: Task, means: np.ndarray) -> dict[str, float]:
    """Turn averaged columns, shape (measures,), into named figures."""
    figures = dict(zip(names(task), (float(mean) for mean in means), strict=True))
    if "rmse" in figures:
        figures["rmse"] = figures["rmse"] ** 0.5
    return figures


def baseline_answer(dataset: Dataset, loss: Loss, outputs: int) -> np.ndarray:
    """The outputs that ignore the input and have the lowest loss or RMSE, float64 (outputs,).

    Classes: the shares of the classes among the training samples, as logits, so that the most
    frequent class is chosen. Numbers: the training mean. People: the training mean, as a count.

    Args:
        dataset: Whose training samples are averaged.
        loss: Whose outputs are meant.
        outputs: How many outputs the network has for classes or numbers.
    """
    targets = dataset.train.targets
    if dataset.task == "classification":
        shares = targets.mean(axis=0, dtype=np.float64)
        if targets.ndim == 1:
            shares = np.bincount(targets, minlength=len(dataset.class_names)) / len(targets)
        logs = np.log(np.maximum(shares, 1e-12))
        answer = logs[1:] - logs[:1] if outputs == 1 else logs
        return answer
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


def _outputs_for(answer: np.ndarray, loss: Loss) -> np.ndarray:
    """The outputs that stand for an answer, whose link gives it back."""
    if loss.name == "binary_cross_entropy":  # labels, any number of which may hold
        shares = np.clip(answer, 1e-12, 1 - 1e-12)
        return np.log(shares / (1 - shares))
    if loss.name == "poisson":  # its outputs are logarithms of the answer
        return np.log(np.maximum(answer, 1e-12))
    return answer
