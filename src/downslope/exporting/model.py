"""What every format needs to know of a run: what goes in, what happens to it, what comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from downslope.data.dataset import Task
from downslope.data.tables.encoding import Encoding
from downslope.errors import NetworkError, SettingError
from downslope.nn import notation
from downslope.nn.activations import Activation, identity, softmax
from downslope.nn.composite import Parallel, Residual
from downslope.nn.fusion import outside_of_training
from downslope.nn.layer import Layer, Parameters, Shape, layer_kind, numbered
from downslope.nn.losses import LOSSES
from downslope.nn.network import Network
from downslope.runs.run import Run
from downslope.storage.arrays import flatten

Link = Literal["identity", "softmax", "sigmoid", "exp"]
_LINKS: dict[Any, Link] = {
    identity: "identity",
    softmax: "softmax",
    LOSSES["binary_cross_entropy"].link: "sigmoid",
    LOSSES["poisson"].link: "exp",
    jax.nn.sigmoid: "sigmoid",
    jnp.exp: "exp",
}
_MOST_OFFSET = 1000  # deviations from 0: float32 still tells apart a ten-thousandth of one


@dataclass(frozen=True, eq=False)
class Scale:
    """Two numbers, or arrays that broadcast against one sample, float64.

    Attributes:
        mean: What is subtracted.
        std: What is divided by.
    """

    mean: np.ndarray
    std: np.ndarray

    @property
    def needs_double(self) -> bool:
        """Whether numbers of 32 bits would lose what the values tell."""
        return bool((np.abs(self.mean) > _MOST_OFFSET * self.std).any())


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with what stands before and behind it.

    Attributes:
        name: Of the data set.
        task: What was learnt.
        network: The layers.
        parameters: Their weights and biases as NumPy arrays.
        mirrors: Whether the outputs for each image and for its mirror image are averaged.
        input_shape: Of one sample; height and width of photos may be others.
        input_scale: How inputs are scaled; None where they are used as they are.
        target_scale: How outputs are scaled back; None where they are predictions already.
        link: The function behind that, which makes the prediction a person reads.
        class_names: One per class.
        input_names: One per input of the network, where they have names.
        target_names: One per target, where they have names.
        encoding: How a table's columns become inputs; None for anything else.
        has_pixels: Whether the inputs are the bytes of images.
    """

    name: str
    task: Task
    network: Network
    parameters: tuple[Parameters, ...]
    mirrors: bool
    input_shape: Shape
    input_scale: Scale | None
    target_scale: Scale | None
    link: Link
    class_names: tuple[str, ...]
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    encoding: Encoding | None
    has_pixels: bool

    @property
    def takes_any_size(self) -> bool:
        """Whether photos may have another height and width than those that were trained on."""
        return self.task == "counting"

    @property
    def activation_names(self) -> dict[Activation, str]:
        """What the user's own activations are called in a file: no other function is."""
        own = notation.own_parts(self.network)["activations"]
        return {one: f"activation_{name}" for name, one in own.items()}

    @property
    def keras_names(self) -> dict[str, Mapping[str, str]]:
        """What Keras calls the parameters of each layer, by the layer's index."""
        return dict(_keras_names(self.network.layers))

    @property
    def output_shape(self) -> Shape:
        """Shape of the network's output for one sample of `input_shape`."""
        return self.network.shapes(self.input_shape)[-1]

    @property
    def named_parameters(self) -> dict[str, np.ndarray]:
        """All weights and biases by the run's names for them, such as "1.weights"."""
        return flatten(numbered(self.parameters))

    @property
    def named_scales(self) -> dict[str, np.ndarray]:
        """Those scales that are there: "scaling.mean" and so on for inputs, "targets.mean"."""
        scales = {"scaling": self.input_scale, "targets": self.target_scale}
        return {
            f"{name}.{part}": getattr(scale, part)
            for name, scale in scales.items()
            if scale is not None
            for part in ("mean", "std")
        }

    @property
    def named_hashes(self) -> dict[str, np.ndarray]:
        """The hashes of each column of texts, by the column's number: "hashes.1"."""
        columns = () if self.encoding is None else self.encoding.columns
        return {
            f"hashes.{number}": np.array(code.hashes, np.int64)
            for number, code in enumerate(columns, start=1)
            if code.kind == "text"
        }

    @property
    def identifier(self) -> str:
        """The name as Python could have it: letters, digits and underscores."""
        name = re.sub(r"\W+", "_", self.name, flags=re.ASCII).strip("_").lower()
        return name if name.isidentifier() else f"run_{name}".rstrip("_")


def model_of(run: Run, *, is_folded: bool = True) -> Model:
    """What is exported of a run.

    Args:
        run: The run.
        is_folded: Whether each batch normalisation is folded into the layer before it where that
            can be, so that a program runs fewer layers; else all weights are the run's own.

    Raises:
        SettingError: The loss is a user's own, with a link that is none of ours.
    """
    if run.loss.link not in _LINKS:
        raise SettingError(
            f"The loss {run.loss.name} reads outputs with a link of its own.",
            "the link of one of Downslope's losses",
            "Leave the link of the Loss out, and apply it behind the exported network.",
        )
    data = run.data
    network, parameters = run.network, run.parameters
    if is_folded:
        network, parameters = outside_of_training(network, parameters)
    return Model(
        name=data.name,
        task=data.task,
        network=network,
        parameters=jax.tree.map(np.asarray, parameters),
        mirrors=run.model.mirrors,
        input_shape=tuple(data.input_shape),
        input_scale=_scale(run.scaling),
        target_scale=_scale(run.target_scaling),
        link=_LINKS[run.loss.link],
        class_names=data.class_names,
        input_names=data.input_names,
        target_names=data.target_names,
        encoding=data.encoding,
        # whoever makes a data set of arrays may have scaled them to fractions
        has_pixels=len(data.input_shape) == 3 and bool(data.source),
    )


def check_forms(model: Model, form: str, to: str) -> None:
    """Check that each layer and each activation has the form that a format needs.

    Raises:
        NetworkError: One of the user's own has not.
    """
    if not form:
        return
    for layer in _all(model.network.layers):
        if not layer.has_form(form):
            raise NetworkError(
                f"The layer {layer_kind(layer)} has no form for {to}.",
                f"a layer with the method to_{form}",
                f"Write to_{form} in its class, or write safetensors.",
            )
    for one in model.activation_names:
        if not getattr(one, form):
            raise NetworkError(
                f"The activation {one.name} has no form for {to}.",
                f"an Activation with {form}=",
                f'Give Activation("{one.name}", function, {form}=...) for the function, in '
                "training or in open_run(folder, activations=...), or write safetensors.",
            )


def _inner(layer: Layer) -> list[tuple[Layer, ...]]:
    """The chains of layers inside of a layer."""
    if isinstance(layer, Residual):
        return [layer.layers]
    return list(layer.branches) if isinstance(layer, Parallel) else []


def _all(layers: Sequence[Layer]) -> list[Layer]:
    """All layers, those inside of others too."""
    found: list[Layer] = []
    for layer in layers:
        found += [layer, *(one for inner in _inner(layer) for one in _all(inner))]
    return found


def _keras_names(
    layers: Sequence[Layer], index: str = ""
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for number, layer in enumerate(layers, start=1):
        own = f"{index}{number}"
        yield own, layer.keras_names
        for branch, inner in enumerate(_inner(layer), start=1):
            yield from _keras_names(
                inner, f"{own}.{branch}." if isinstance(layer, Parallel) else f"{own}."
            )


def _scale(scaling: Any) -> Scale | None:
    if scaling is None:
        return None
    mean = np.asarray(scaling.mean, np.float64)
    std = np.asarray(scaling.std, np.float64)
    return Scale(mean, std) if mean.any() or (std != 1).any() else None
