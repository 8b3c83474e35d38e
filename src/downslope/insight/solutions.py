"""Solutions of one network from many starts: what they answer, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from downslope.data.dataset import Dataset, Samples
from downslope.data.progress import OnProgress
from downslope.engine import metrics
from downslope.engine.losses_at import losses_at, losses_between
from downslope.engine.model import Model
from downslope.errors import SettingError
from downslope.insight.barriers import root_mean_square, total_variation, weights_apart
from downslope.insight.matching import hidden_layers, matched
from downslope.nn.network import NetworkParameters
from downslope.runs.train_many import SideBySide

POINTS = 25  # on each line
MOST_ON_LINES = 2000  # training samples that a line's losses are measured on
MOST_MEASURED = 20_000  # and each start's training loss


@dataclass(frozen=True, eq=False)
class Solutions:
    """The trainings that ended in finite numbers, the one with the lowest training loss first.

    Attributes:
        found: All trainings.
        dataset: What they learnt from.
        members: Their indices among all.
        train_loss: Their training losses, on at most `MOST_MEASURED` samples.
    """

    found: SideBySide
    dataset: Dataset
    members: np.ndarray
    train_loss: np.ndarray

    @staticmethod
    def of(found: SideBySide, dataset: Dataset) -> Solutions:
        """Those of some trainings.

        Raises:
            SettingError: There are fewer than two.
        """
        whole = Solutions(found, dataset, np.arange(len(found)), np.empty(0))
        losses = losses_at(whole._first.at(found.parameters), some_of(dataset.train, MOST_MEASURED))
        is_whole = np.array([one.reason != "non_finite" for one in found.outcomes])
        is_whole &= np.isfinite(losses)
        if is_whole.sum() < 2:
            raise SettingError(
                f"Of {len(found)} trainings {int(is_whole.sum())} ended in finite numbers.",
                "at least two",
                "Try a tenth of the learning rate.",
            )
        members = np.array([one for one in np.argsort(losses, kind="stable") if is_whole[one]])
        return Solutions(found, dataset, members, losses[members].astype(np.float64))

    @cached_property
    def _first(self) -> Model:
        return self.found.model(0, self.dataset)

    def model(self, index: int) -> Model:
        """One of them as a model."""
        return self._first.at(self.parameters(index))

    def parameters(self, index: int) -> NetworkParameters:
        """The weights and biases of one of them."""
        return self.found.parameters_of(int(self.members[index]))

    def losses_between(
        self, start: NetworkParameters, end: NetworkParameters, along: np.ndarray, samples: Samples
    ) -> Float[np.ndarray, " points"]:
        """The mean losses of training samples on the line between two; see `losses_between`."""
        return losses_between(self._first.at(start), end, along, [samples], samples)[0]

    def measured(self, samples: Samples) -> Float[np.ndarray, "starts 2"]:
        """The loss and the task's first metric of each."""
        rows = [
            metrics.average(self.dataset.task, self.model(index).values(samples), samples.weights)
            for index in range(len(self.members))
        ]
        return np.array([list(one.values())[:2] for one in rows])

    def outputs(self, index: int, inputs: np.ndarray) -> np.ndarray:
        """What the loss sees of one of them: logits, numbers, density maps."""
        return self.model(index).outputs(inputs)

    @property
    def spread(self) -> np.ndarray | None:
        """The standard deviation of each of several numbers in training; None where there is one.

        A target without any has 1.
        """
        targets = self.dataset.train.targets
        if self.dataset.task != "regression" or len(self.dataset.target_names) < 2:
            return None
        spread = targets.std(axis=0, dtype=np.float64)
        return np.where(spread > 0, spread, 1.0)

    def functions_apart(self, outputs: list[np.ndarray]) -> Float[np.ndarray, "starts starts"]:
        """How far each two lie apart as functions."""
        predictions = np.stack(
            [np.asarray(self.found.loss.link(jnp.asarray(one))) for one in outputs]
        )
        predictions = predictions.astype(np.float64)
        if self.dataset.task == "classification":
            if predictions.shape[-1] == 1:
                predictions = np.concatenate([1 - predictions, predictions], axis=-1)
            return total_variation(predictions)
        if self.dataset.task == "counting":
            predictions = predictions.sum(axis=(2, 3))
        if self.spread is not None:
            predictions = predictions / self.spread
        return root_mean_square(predictions.reshape(*predictions.shape[:2], -1))

    def baseline(self) -> float:
        """The training loss of the best answer that ignores its input."""
        loss, samples = self.found.loss, some_of(self.dataset.train, MOST_MEASURED)
        width = self.found.network.shapes(self.dataset.input_shape)[-1][-1]
        prediction = metrics.baseline_output(self.dataset, loss, width)
        values = self._first.constant_values(prediction, samples)
        return metrics.average(self.dataset.task, values, samples.weights)["loss"]


class Lines(NamedTuple):
    """The lines from the lowest to each other, with units as they are and in order."""

    losses: np.ndarray
    apart: np.ndarray
    matched_losses: np.ndarray | None
    matched_apart: np.ndarray | None


def lines_from_lowest(solutions: Solutions, tell: OnProgress) -> Lines:
    """Walk the straight lines from the lowest to each other.

    Args:
        solutions: All of them.
        tell: Called with (lines done, lines in all).
    """
    network, count = solutions.found.network, len(solutions.members)
    samples = some_of(solutions.dataset.train, MOST_ON_LINES)
    lowest, fraction = solutions.parameters(0), np.linspace(0, 1, POINTS)
    can_match = hidden_layers(network) is not None
    rows: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    apart: tuple[list[float], list[float]] = ([0.0], [0.0])
    for index in range(1, count):
        other = solutions.parameters(index)
        ends = [other, matched(network, other, lowest)] if can_match else [other]
        for number, end in enumerate(ends):
            rows[number].append(solutions.losses_between(lowest, end, fraction, samples))
            apart[number].append(weights_apart(lowest, end))
        tell(index, count - 1)
    losses, distances = ([np.array(one, np.float64) for one in some] for some in (rows, apart))
    if not can_match:
        return Lines(losses[0], distances[0], None, None)
    return Lines(losses[0], distances[0], losses[1], distances[1])


def some_of(samples: Samples, most: int) -> Samples:
    """At most so many samples, the same each time."""
    if len(samples) <= most:
        return samples
    return samples.take(np.sort(np.random.default_rng(0).permutation(len(samples))[:most]))
