"""The linear model of a run's data: what a network has to be better than."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax
from threadpoolctl import threadpool_limits

from downslope.data.dataset import Dataset
from downslope.engine.model import Model
from downslope.nn.dense import Dense
from downslope.nn.network import Network
from downslope.runs.run_value import RunValue

PULL = 1.0  # of the squared weights, beside the sum of the losses, as in other libraries
MOST_ROWS, MOST_INPUTS = 20_000, 2_000  # more tell a linear model nothing new, or take long
MOST_STEPS = 200
NUMBERS = ("squared_error", "absolute_error", "huber")
CLASSES = ("cross_entropy", "binary_cross_entropy")


def linear_model(run: RunValue) -> Model | None:
    """The linear model that is fitted to the run's training part.

    Of numbers it is ridge regression, of classes and labels logistic regression:

        min_(W, b) sum_n l(x_n W + b, t_n) + |W|^2 / 2

    Its inputs are those of the network as they are scaled, without ranks, and without categories
    and words that the network looks up.

    Source: Hoerl and Kennard, Ridge regression, 1970; Cox, The regression analysis of binary
    sequences, 1958.

    Args:
        run: The run, with its data set in memory.

    Returns:
        None where there is none: for images, photos, very wide data, texts alone, and other losses.
    """
    dataset, loss = run.dataset, run.loss
    if dataset is None or len(dataset.input_shape) != 1 or dataset.input_shape[0] > MOST_INPUTS:
        return None
    if loss.name not in (*NUMBERS, *CLASSES) or not len(dataset.train):
        return None
    used = _is_linear(dataset)
    if not used.any():  # nothing but texts and categories of many values
        return None
    chosen = np.random.default_rng(0).permutation(len(dataset.train))[:MOST_ROWS]
    samples = dataset.train.take(np.sort(chosen))
    inputs = run.model.scaling.apply(samples.inputs).astype(np.float64) * used
    weights = np.ones(len(samples)) if samples.weights is None else np.asarray(samples.weights)
    if loss.name in NUMBERS:
        targets = run.model.units.scaled_targets(samples.targets).astype(np.float64)
        found = ridge(inputs, targets.reshape(len(targets), -1), weights)
    else:
        found = logistic(inputs, _fractions(dataset, samples.targets, loss.name), weights)
    own = {"weights": found[:-1].astype(np.float32), "biases": found[-1].astype(np.float32)}
    return replace(run.model, network=Network([Dense(found.shape[1])]), parameters=(own,))


def _is_linear(dataset: Dataset) -> np.ndarray:
    """1 for each input of the linear model, 0 for ranks and the indices of categories and words."""
    used = np.ones(dataset.input_shape[0])
    if dataset.encoding is not None:
        used[: len(dataset.encoding.ranked)] = 0
        used[dataset.encoding.is_embedded] = 0
    return used


def _fractions(dataset: Dataset, targets: np.ndarray, loss: str) -> np.ndarray:
    """The fraction of each class, or how likely each label is, (N, outputs)."""
    if targets.ndim == 1 and loss == "cross_entropy":
        return np.eye(len(dataset.class_names))[targets]
    return targets.reshape(len(targets), -1).astype(np.float64)


def ridge(
    inputs: Float[np.ndarray, "n inputs"],
    targets: Float[np.ndarray, "n outputs"],
    weights: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "inputs+1 outputs"]:
    """Weights and, in the last row, biases of ridge regression: half the squared errors are added.

    Args:
        inputs: Scaled.
        targets: Numbers.
        weights: How much each sample counts.
    """
    total = weights.sum()
    means = weights @ inputs / total, weights @ targets / total
    centred, aims = inputs - means[0], targets - means[1]
    weighted = centred * weights[:, None]
    matrix = centred.T @ weighted + PULL * np.eye(inputs.shape[1])
    found = np.linalg.solve(matrix, weighted.T @ aims)
    return np.concatenate([found, (means[1] - means[0] @ found)[None]])


def logistic(
    inputs: Float[np.ndarray, "n inputs"],
    fractions: Float[np.ndarray, "n outputs"],
    weights: Float[np.ndarray, " n"],
) -> Float[np.ndarray, "inputs+1 outputs"]:
    """Weights and, in the last row, biases of logistic regression.

    Args:
        inputs: Scaled.
        fractions: The fraction of each class, whose sum is 1; or of one output, or of several
            labels, how likely each is by itself.
        weights: How much each sample counts.
    """
    rows = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    shape = rows.shape[1], fractions.shape[1]
    are_classes = shape[1] > 1 and bool(np.allclose(fractions.sum(axis=1), 1))
    pull = np.full((shape[0], 1), PULL)
    pull[-1] = 0

    def value(flat: np.ndarray) -> tuple[float, np.ndarray]:
        found = flat.reshape(shape)
        logits = rows @ found
        if are_classes:
            losses, predicted = -(fractions * log_softmax(logits, axis=1)), softmax(logits, axis=1)
        else:
            losses, predicted = np.logaddexp(0, logits) - fractions * logits, expit(logits)
        gradient = rows.T @ ((predicted - fractions) * weights[:, None]) + pull * found
        total = (losses.sum(axis=1) @ weights) + (pull * found**2).sum() / 2
        return float(total), gradient.ravel()

    start, options = np.zeros(shape).ravel(), {"maxiter": MOST_STEPS}
    with threadpool_limits(1):  # on a busy machine, threads for small matrices wait for each other
        made = minimize(value, start, jac=True, method="L-BFGS-B", options=options)
    return made.x.reshape(shape)
