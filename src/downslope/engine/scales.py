"""Between the units of the data and those of the engine.

Outside, numbers are float64 in the data's own units. Inside, they are float32 of size 1: inputs
and targets with their mean subtracted and divided by their deviation. Pixels and other small whole
numbers, which float32 holds exactly, stay as they are in memory and are scaled inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from downslope.data.dataset import Dataset, Task, check_finite
from downslope.data.scaling import Scaling, known_spread
from downslope.nn.activations import identity
from downslope.nn.losses import Loss


class Scales(NamedTuple):
    """What compiled code needs to know of units.

    Attributes:
        inputs: Mean and standard deviation of raw pixels; None where inputs come scaled.
        targets: Mean and standard deviation of the targets, or None where outputs are not scaled.
    """

    inputs: tuple[Array, Array] | None
    targets: tuple[Array, Array] | None

    def scale_inputs(self, inputs: Array) -> Array:
        """Inputs as `Units.seen` left them, as the network wants them."""
        inputs = inputs.astype(jnp.float32)
        return inputs if self.inputs is None else (inputs - self.inputs[0]) / self.inputs[1]

    def predictions_of(self, outputs: Array) -> Array:
        """Outputs in the units of the targets, to the digits of float32."""
        return outputs if self.targets is None else outputs * self.targets[1] + self.targets[0]

    @property
    def fractions(self) -> Array | None:
        """Each target's deviation as a fraction of the largest one; None where there is but one."""
        if self.targets is None or not self.targets[1].ndim:
            return None
        return self.targets[1] / self.targets[1].max()


@dataclass(frozen=True, eq=False)
class Units:
    """How inputs are scaled, and outputs scaled back.

    Attributes:
        inputs: Mean and standard deviation of the training inputs.
        targets: Mean and standard deviation of the training targets; None where
            outputs are not scaled.
    """

    inputs: Scaling
    targets: Scaling | None = None

    def seen(self, inputs: np.ndarray) -> np.ndarray:
        """Raw inputs (N, ...) as compiled code takes them: pixels as they are, numbers scaled."""
        return inputs if _is_exact(inputs.dtype) else self.inputs.apply(inputs)

    def scales(self, inputs: np.ndarray) -> Scales:
        """What compiled code needs for such inputs."""
        own = self.inputs if _is_exact(inputs.dtype) else None
        is_needed = own is not None and (np.any(own.mean) or np.any(own.std != 1))
        return Scales(_arrays(own) if is_needed else None, _arrays(self.targets))

    def scaled_targets(self, targets: np.ndarray) -> np.ndarray:
        """Targets (N, ...) as the network's outputs should be."""
        if self.targets is not None:
            return self.targets.apply(targets)
        return targets.astype(np.float32) if targets.dtype.kind == "f" else targets

    def predictions_of(self, outputs: np.ndarray) -> np.ndarray:
        """The network's outputs in the units of the targets, float64; logits as they are."""
        return outputs if self.targets is None else self.targets.undo(outputs)

    def outputs_for(self, predictions: np.ndarray) -> np.ndarray:
        """The outputs of these predictions, float32; the reverse of `predictions_of`."""
        predictions = np.asarray(predictions, np.float64)
        return (
            predictions.astype(np.float32)
            if self.targets is None
            else self.targets.apply(predictions)
        )

    def of_loss(self, loss: Loss) -> float:
        """How large a loss of 1 inside is in the targets' own units.

        With several targets, each in units of its own, the loss is that of the scaled ones.
        """
        if self.targets is None or self.targets.std.ndim:
            return 1.0
        return float(self.targets.std) ** (loss.degree or 0)

    def of_metrics(self, task: Task, loss: Loss) -> np.ndarray:
        """How large the loss and each metric of 1 inside are outside, float64 (metrics,)."""
        if task in ("classification", "multilabel"):
            return np.ones(2 if task == "classification" else 3)
        size = 1.0
        if self.targets is not None and loss.link is identity:
            size = float(self.targets.std.max())
        return np.array([self.of_loss(loss), size, size**2])


def target_scaling(dataset: Dataset, loss: Loss) -> Scaling | None:
    """How a network's outputs become numbers in the targets' units; None where they are.

    Targets far from size 1 would make every learning rate too large or too small. Each of
    several targets (N, outputs) has a deviation of its own, images one for all pixels; densities
    keep their zero. A loss of differences alone without a rule for units has targets centred;
    several targets, which have no unit in common, are scaled for it as well. Of a data set that
    is not to be scaled, they are as they are.

    Raises:
        DataError: A target is not finite any more, which all would be scaled by.

    Warns:
        UserWarning: The targets lie so close together that their type lost what they tell.
    """
    targets = dataset.train.targets
    if not dataset.is_scaled:
        return None
    if dataset.task in ("classification", "multilabel") or targets.dtype.kind not in "biuf":
        return None
    is_scaled = loss.degree is not None or loss.is_of_differences
    if is_scaled:
        check_finite("target", targets)
    near = targets[0].astype(np.float64)
    mean = near + (targets - near).mean(axis=0, dtype=np.float64)
    if dataset.task == "counting":
        mean = np.zeros(1)
    has_columns = dataset.task != "counting" and targets.ndim == 2 and targets.shape[1] > 1
    axes = 0 if has_columns else None
    std = np.sqrt(((targets - mean) ** 2).mean(axis=axes, dtype=np.float64))
    if dataset.task != "counting":
        kind = targets.dtype if is_scaled else np.dtype(np.float32)
        size = mean if has_columns else np.abs(mean).max(initial=0.0)
        std = known_spread("target", size, std, kind)
    if loss.degree is not None or (loss.is_of_differences and has_columns):
        return Scaling(mean, np.asarray(np.where(std > 0, std, 1.0)))
    return Scaling(mean, np.ones(())) if loss.is_of_differences else None


def _is_exact(dtype: np.dtype) -> bool:
    """Whether values are small whole numbers, such as pixels."""
    return dtype.kind == "b" or (dtype.kind in "iu" and dtype.itemsize <= 2)


def _arrays(scaling: Scaling | None) -> tuple | None:
    if scaling is None:
        return None
    with np.errstate(over="ignore"):
        return scaling.mean.astype(np.float32), scaling.std.astype(np.float32)
