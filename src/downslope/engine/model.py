"""A network with its weights, its loss and its scaling: what it predicts, and how well.

A `Model` is one value, and a pytree whose leaves are the weights and the scaling.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Dataset, Samples, Task
from downslope.data.scaling import Scaling
from downslope.engine.compilation import check_process
from downslope.engine.evaluation import Evaluator, constant_values, sample_values
from downslope.engine.metrics import chosen_class
from downslope.engine.predictions import linked, outputs_of
from downslope.engine.scales import Units, target_scaling
from downslope.nn.activations import identity
from downslope.nn.losses import Loss, PerSample, resolve
from downslope.nn.members import members_of, while_learning
from downslope.nn.network import Network, NetworkParameters
from downslope.nn.padded import nothing


def _unscaled() -> Scaling:
    return Scaling(np.zeros(()), np.ones(()))


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its weights, its loss and its scaling: all that is needed to predict.

    Attributes:
        network: The network.
        loss: The loss: a name, a function, or a `Loss`, which it becomes.
        parameters: Its weights and biases, one dictionary per layer.
        task: "classification", "multilabel", "regression" or "counting".
        scaling: How its inputs are scaled; by default not at all.
        target_scaling: How its outputs become numbers in the units of the targets; None where
            they already are.
        mirrors: Whether the outputs for each image and for its mirror image are averaged.

    Raises:
        SettingError: There is no loss of that name.

    Example:
        >>> network = ds.parse_network("dense 1")
        >>> model = ds.Model(network, "squared_error", network.init((3,)))
        >>> model.predict(np.zeros((5, 3))).shape
        (5, 1)
    """

    network: Network
    loss: Loss
    parameters: NetworkParameters
    task: Task = "regression"
    scaling: Scaling = field(default_factory=_unscaled)
    target_scaling: Scaling | None = None
    mirrors: bool = False

    def __post_init__(self) -> None:
        own: str | PerSample | Loss = self.loss
        object.__setattr__(self, "loss", resolve(own))

    @staticmethod
    def on(
        dataset: Dataset,
        network: Network,
        loss: Loss,
        parameters: NetworkParameters,
        mirrors: bool = False,
    ) -> Model:
        """Make a model that scales inputs and targets as training on the data set does."""
        scaling = target_scaling(dataset, loss)
        return Model(network, loss, parameters, dataset.task, dataset.scaling, scaling, mirrors)

    def at(self, parameters: NetworkParameters) -> Model:
        """The same model with other weights."""
        return replace(self, parameters=parameters)

    @property
    def units(self) -> Units:
        """The conversion between the units of the data and those of the engine."""
        return Units(self.scaling, self.target_scaling)

    @property
    def evaluator(self) -> Evaluator:
        """The evaluator: computes the metrics of samples for any weights."""
        return Evaluator(self.network, self.loss, self.task, self.mirrors)

    @cached_property
    def _held(self) -> NetworkParameters:
        """The weights where compiled code can reach them: put there once."""
        check_process()
        return jax.device_put(self.parameters)

    def outputs(self, inputs: np.ndarray | Samples) -> np.ndarray:
        """The outputs for raw inputs (N, *input_shape): logits, numbers, density maps.

        Numbers are float64, in the units of the targets. Photos fill their arrays, unless they
        come as `Samples`, which know their sizes.
        """
        sizes = None
        if isinstance(inputs, Samples):
            sizes = inputs.sizes if self.task == "counting" else None
            inputs = inputs.inputs
        return outputs_of(
            self.network, self._held, self.units, inputs, sizes, nothing(self.loss), self.mirrors
        )

    def linked(self, outputs: np.ndarray) -> np.ndarray:
        """Predictions from outputs: probabilities, numbers, maps."""
        return outputs if self.loss.link is identity else linked(self.loss, outputs)

    def predict(self, inputs: np.ndarray | Samples) -> np.ndarray:
        """The predictions for raw inputs (N, *input_shape).

        Returns:
            Classes as integers (N,), 0 or 1 for each label (N, labels), numbers (N, outputs), or
            numbers of people (N,).
        """
        outputs = self.outputs(inputs)
        if self.task == "classification":
            return chosen_class(outputs).astype(np.int32)
        if self.task == "multilabel":
            return (outputs > 0).astype(np.int32)
        found = self.linked(outputs)
        return found.sum(axis=(1, 2, 3), dtype=np.float64) if self.task == "counting" else found

    def probabilities(self, inputs: np.ndarray | Samples) -> np.ndarray:
        """The probability of each class, or of each label, (N, classes)."""
        found = self.linked(self.outputs(inputs))
        is_one = self.task == "classification" and found.shape[1] == 1
        return np.concatenate([1 - found, found], axis=1) if is_one else found

    def disagreement(self, inputs: np.ndarray | Samples) -> Float[np.ndarray, "n outputs"] | None:
        """The standard deviation of the members' predictions; None of a network without members.

        Of classes and labels it is that of their probabilities, (N, classes); of numbers that of
        the numbers, in the units of the targets, (N, outputs).
        """
        members = members_of(self.network)
        if members == 1:
            return None
        inputs = inputs.inputs if isinstance(inputs, Samples) else inputs
        unscaled = Units(self.scaling)
        found = outputs_of(while_learning(self.network), self._held, unscaled, inputs)
        each = found.reshape(len(found) * members, -1)
        answers = self.linked(self.units.predictions_of(each)).astype(np.float64)
        if self.task == "classification" and answers.shape[1] == 1:
            answers = np.concatenate([1 - answers, answers], axis=1)
        return answers.reshape(len(found), members, -1).std(axis=1)

    def values(self, samples: Samples) -> Float[np.ndarray, "n metrics"]:
        """The loss and the metrics of each sample, in the units of the data, float64."""
        return sample_values(self.evaluator, self.parameters, samples, self.units)

    def losses(self, samples: Samples) -> Float[np.ndarray, " n"]:
        """The loss of each sample, float64."""
        return self.values(samples)[:, 0]

    def constant_values(self, output: np.ndarray, samples: Samples) -> np.ndarray:
        """`values` of a network whose outputs are always `output`; see `constant_values`."""
        return constant_values(self.evaluator, output, samples, self.units)


def _flatten(model: Model) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    own, other = model.scaling, model.target_scaling
    targets = None if other is None else (other.mean, other.std)
    leaves = (model.parameters, own.mean, own.std, targets)
    return leaves, (model.network, model.loss, model.task, model.mirrors)


def _unflatten(fixed: tuple[Any, ...], leaves: tuple[Any, ...]) -> Model:
    (network, loss, task, mirrors), (parameters, mean, std, targets) = fixed, leaves
    own = None if targets is None else Scaling(*targets)
    return Model(network, loss, parameters, task, Scaling(mean, std), own, mirrors)


jax.tree_util.register_pytree_node(Model, _flatten, _unflatten)
