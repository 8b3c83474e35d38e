"""What the page shows of a network at one moment, as arrays; drawing them is the page's work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import numpy as np

from downslope.data.dataset import Dataset, Samples
from downslope.engine.backpropagation import backpropagate
from downslope.engine.compilation import compiled
from downslope.engine.metrics import chosen_class
from downslope.engine.model import Model
from downslope.insight.pixels import image_shape
from downslope.lab.looking import in_grey
from downslope.lab.messages import LayerShape, Plane
from downslope.nn import notation
from downslope.nn.layer import learned_by_name
from downslope.nn.losses import Loss
from downslope.nn.members import loss_while_learning, while_learning
from downslope.nn.network import Network, NetworkParameters

SIDE = 40  # points of the plane along each axis
MARGIN = 0.15  # of the plane beyond the samples, as a fraction of their spread
MOST_POINTS = 1000  # samples that are drawn
MOST_UNITS = 32  # of a layer whose responses are drawn
MOST_NUMBERS = 20_000  # of a layer whose weights are sent
MOST_CLASSES = 20  # of a confusion matrix
MOST_MEASURED = 1000  # samples that the results and the gradient are of
MOST_PRODUCTS = 200_000_000  # multiplications for the gradient, forward
MOST_IMAGES = 24  # validation images that are shown with their predictions
LINE = 200  # points of a curve over one input


def gradients(
    program: tuple[Network, Loss], parameters: NetworkParameters, inputs: Any, targets: Any
) -> NetworkParameters:
    """The gradient of the mean loss over samples as the network takes them."""
    network, loss = program
    return backpropagate(network, parameters, inputs, targets, loss=loss).gradients


def responses(network: Network, parameters: NetworkParameters, inputs: Any) -> list[Any]:
    """Each layer's activations for inputs as the network takes them."""
    return [signal.activations for signal in network.signals(parameters, inputs)]


@dataclass(frozen=True, eq=False)
class View:
    """What is shown of networks that are trained on one data set.

    Attributes:
        dataset: The data set.
        network: The network.
    """

    dataset: Dataset
    network: Network

    @cached_property
    def plane(self) -> Plane | None:
        """The plane of two inputs, if there are two."""
        if self.dataset.input_shape != (2,):
            return None
        points = np.asarray(self.dataset.train.inputs, np.float64)
        low, high = points.min(axis=0), points.max(axis=0)
        margin = MARGIN * np.where(high > low, high - low, 1.0)
        (left, bottom), (right, top) = low - margin, high + margin
        return Plane(float(left), float(right), float(bottom), float(top), SIDE)

    @cached_property
    def _grid(self) -> np.ndarray | None:
        """Raw inputs all over the plane, from the top left, line by line; or along one input."""
        plane = self.plane
        if plane is not None:
            across = np.linspace(plane.left, plane.right, SIDE)
            down = np.linspace(plane.top, plane.bottom, SIDE)
            return np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        if self.dataset.input_shape == (1,):
            values = np.asarray(self.dataset.train.inputs, np.float64)
            return np.linspace(values.min(), values.max(), LINE)[:, None]
        return None

    def layers(self) -> tuple[LayerShape, ...]:
        """The layers as the page draws them."""
        network = self.network
        shapes = network.shapes(self.dataset.input_shape)
        drawn = jax.eval_shape(lambda: network.init(self.dataset.input_shape))
        return tuple(
            LayerShape(
                name=network.layer_name(index),
                text=notation.describe(Network([layer])),
                shape=shapes[index],
                activation=str(getattr(layer, "activation", "") or ""),
                numbers=sum(one.size for one in learned_by_name(drawn[index]).values()),
            )
            for index, layer in enumerate(network.layers)
        )

    @cached_property
    def _drawn(self) -> np.ndarray:
        """Indices of the training samples that are drawn."""
        count = len(self.dataset.train)
        return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))

    def samples(self) -> dict[str, np.ndarray]:
        """The samples that are drawn: sent once."""
        train = self.dataset.train
        found = {}
        if self._grid is not None:
            found["points"] = np.asarray(train.inputs, np.float64)[self._drawn]
            targets = np.asarray(train.targets)[self._drawn]
            found["point_targets"] = targets if targets.ndim == 1 else targets[:, 0]
        if self.plane is None and self._grid is not None:
            found["line"] = self._grid[:, 0]
        images = self._images
        if images is not None:
            found["images"] = images
            if self.dataset.task == "classification":
                targets = np.asarray(self._seen.targets)
                found["image_targets"] = targets if targets.ndim == 1 else targets.argmax(axis=1)
        return found

    @cached_property
    def _seen(self) -> Samples:
        """The validation samples that are shown one by one: of photos a single one."""
        most = 1 if self.dataset.task == "counting" else MOST_IMAGES
        part = self.dataset.validation
        return part.take(np.arange(min(most, len(part))))

    @cached_property
    def _images(self) -> np.ndarray | None:
        """These as images (N, height, width, channels) from 0 to 1; None where they are none."""
        shape = image_shape(self.dataset.input_shape, self.dataset.input_names)
        if shape is None or not len(self._seen):
            return None
        return in_grey(np.asarray(self._seen.inputs, np.float32).reshape(-1, *shape))

    def weights(self, model: Model) -> dict[str, np.ndarray]:
        """The weights and biases of layers that are small enough to be drawn."""
        found = {}
        for index, layer in enumerate(model.parameters):
            arrays = {name: np.asarray(one) for name, one in learned_by_name(layer).items()}
            if sum(one.size for one in arrays.values()) <= MOST_NUMBERS:
                found |= {f"{name}.{index}": one for name, one in arrays.items()}
        return found

    @cached_property
    def probed(self) -> Samples:
        """The training samples, evenly spread, that the gradient is of: as many as it may cost."""
        train = self.dataset.train
        each = max(1, self.network.multiplications(self.dataset.input_shape))
        count = min(len(train), MOST_MEASURED, max(8, MOST_PRODUCTS // each))
        return train.take(np.linspace(0, len(train) - 1, count).astype(int))

    def gradients(self, model: Model) -> dict[str, np.ndarray]:
        """The gradient of the training loss by the weights that are drawn as connections."""
        if self.dataset.task == "counting":  # photos of many sizes
            return {}
        network, loss = while_learning(model.network), loss_while_learning(self.network, model.loss)
        inputs = model.scaling.apply(self.probed.inputs)
        targets = model.units.scaled_targets(self.probed.targets)
        arguments = (model.parameters, inputs, targets)
        found = compiled(gradients, (network, loss), *arguments)(*arguments)
        named = {index: learned_by_name(one).get("weights") for index, one in enumerate(found)}
        return {
            f"gradients.{index}": np.asarray(one)
            for index, one in named.items()
            if one is not None and one.ndim == 2 and one.size <= MOST_NUMBERS
        }

    def responses(self, model: Model) -> dict[str, np.ndarray]:
        """What each unit responds to over the plane, and what is predicted there."""
        if self._grid is None:
            return {}
        scaled = model.scaling.apply(self._grid)
        arguments = (model.parameters, scaled)
        signals = compiled(responses, self.network, *arguments)(*arguments)
        found = {}
        for index, signal in enumerate(signals[:-1]):
            if signal.ndim == 2 and signal.shape[1] <= MOST_UNITS:
                found[f"responses.{index}"] = np.asarray(signal).T
        outputs = np.asarray(signals[-1])
        if model.target_scaling is not None:
            outputs = model.units.predictions_of(outputs)
        shown = model.linked(outputs)
        found["predicted"] = np.asarray(shown).reshape(len(shown), -1).T
        return found

    @cached_property
    def _measured(self) -> Any:
        part = self.dataset.validation
        count = len(part)
        if count <= MOST_MEASURED:
            return part
        return part.take(np.linspace(0, count - 1, MOST_MEASURED).astype(int))

    def results(self, model: Model) -> dict[str, np.ndarray]:
        """Of the validation part: which class was taken for which, or predicted and true.

        And of the images that are shown: their classes, or where people are seen.
        """
        found = self._metrics(model)
        if self._images is None:
            return found
        if self.dataset.task == "counting":
            return found | {"density": np.asarray(model.outputs(self._seen))[0, :, :, 0]}
        if self.dataset.task == "classification":
            found["image_classes"] = np.asarray(model.predict(self._seen), np.float64)
        return found

    def _metrics(self, model: Model) -> dict[str, np.ndarray]:
        part = self._measured
        if not len(part) or self.dataset.task == "multilabel":
            return {}
        if self.dataset.task == "classification":
            classes = len(self.dataset.class_names)
            if classes > MOST_CLASSES:
                return {}
            outputs = model.outputs(part)
            targets = np.asarray(part.targets)
            true = targets if targets.ndim == 1 else targets.argmax(axis=1)
            table = np.zeros((classes, classes))
            np.add.at(table, (true.astype(int), chosen_class(outputs).astype(int)), 1)
            return {"confusion": table}
        predicted = np.asarray(model.predict(part), np.float64)
        true = part.counts if self.dataset.task == "counting" else np.asarray(part.targets)
        pairs = [true.reshape(len(part), -1)[:, 0], predicted.reshape(len(part), -1)[:, 0]]
        return {"pairs": np.stack(pairs)}
