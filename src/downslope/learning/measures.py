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
from downslope.network.losses import Loss

MEASURES: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        "classification": ("accuracy",),
        "regression": ("mae", "rmse"),
        "counting": ("mae", "rmse"),
    }
)


def chosen_class(outputs: Any) -> Any:
    """The class with the largest output; with a single output (a logit), whether it is above 0.

    Args:
        outputs: Shape (N, classes), NumPy or JAX.

    Returns:
        Whole numbers (N,), of the same kind.
    """
    return (outputs[..., 0] > 0).astype(np.int32) if outputs.shape[-1] == 1 else outputs.argmax(-1)


def columns(
    task: Task, loss: Loss, outputs: Float[Array, "n ..."], targets: Array
) -> Float[Array, "n measures"]:
    """The loss, then each measure of the task, of every sample."""
    values = [loss.per_sample(outputs, targets)]
    if task == "classification":
        truth = targets if targets.ndim == 1 else chosen_class(targets)
        values.append((chosen_class(outputs) == truth).astype(outputs.dtype))
    else:
        answers = loss.link(outputs)
        if task == "counting":
            miss = answers.sum(axis=(1, 2, 3)) - targets.sum(axis=(1, 2, 3))
            values += [jnp.abs(miss), miss**2]
        else:
            miss = (answers - targets).reshape(len(targets), -1)
            values += [jnp.abs(miss).mean(axis=1), (miss**2).mean(axis=1)]
    return jnp.stack(values, axis=1)


def names(task: Task) -> tuple[str, ...]:
    """The names of what `columns` gives."""
    return ("loss", *MEASURES[task])


def finish(task: Task, means: np.ndarray) -> dict[str, float]:
    """Turn averaged columns, shape (measures,), into named figures."""
    figures = dict(zip(names(task), (float(mean) for mean in means), strict=True))
    if "rmse" in figures:
        figures["rmse"] = figures["rmse"] ** 0.5
    return figures


def baseline_answer(dataset: Dataset, loss: Loss, outputs: int) -> np.ndarray:
    """The best outputs that ignore the input, float32 of shape (outputs,).

    Classes: the shares of the classes among the training samples, as logits, so that the most
    frequent class is chosen. Numbers: the training mean. People: the training mean, as a count.

    Args:
        dataset: Whose training samples are averaged.
        loss: Whose outputs are meant.
        outputs: How many outputs the network has for classes or numbers.
    """
    targets = dataset.train.targets
    if dataset.task == "classification":
        shares = np.bincount(targets, minlength=len(dataset.class_names)) / len(targets)
        logs = np.log(np.maximum(shares, 1e-12))
        answer = logs[1:] - logs[:1] if outputs == 1 else logs
    elif dataset.task == "counting":
        return np.array([dataset.train.counts.mean()], np.float32)
    else:
        answer = targets.mean(axis=0, dtype=np.float64)
    if loss.name == "poisson":  # its outputs are logarithms of the answer
        answer = np.log(np.maximum(answer, 1e-12))
    return answer.astype(np.float32)
