"""What a layer tells exporters: where it is in the network, and its modules in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from downslope.nn.activations import Activation, activation


@dataclass(frozen=True, eq=False)
class Spot:
    """A layer's position in a network that is exported.

    Attributes:
        number: The layer's number, from 1; "3.1" for the first layer inside of the third.
        parameters: Its parameters by their names, as NumPy arrays.
        shape: Shape of one sample that goes in; images are (height, width, channels).
        export: Exports layers one after another: from the layers, their parameters, the shape of
            one sample that goes in, and what their numbers begin with, to what the layers' own
            method gives: lines, or modules; for ONNX it takes the name of x as well.
        names: What activations of the user's own are called in a file.
    """

    number: str
    parameters: Mapping[str, Any]
    shape: tuple[int, ...]
    export: Callable[..., Any]
    names: Mapping[Activation, str] = field(default_factory=dict)

    @property
    def is_image(self) -> bool:
        """Whether images go in."""
        return len(self.shape) == 3

    @property
    def suffix(self) -> str:
        """The number as a part of a variable's name: "3_1"."""
        return self.number.replace(".", "_")

    @property
    def keras_name(self) -> str:
        """What a Keras layer with weights is told, so that its weights are found."""
        return f'name="layer_{self.suffix}"'

    def array(self, name: str) -> str:
        """A parameter in a Python file."""
        return f'ARRAYS["{self.number}.{name}"]'

    def inner(self, layers: Sequence[Any], parameters: Any, number: str = "", *more: str) -> Any:
        """Layers inside of this one, exported; `number` tells branches apart, such as "2."."""
        return self.export(layers, parameters, self.shape, f"{self.number}.{number}", *more)

    def numpy_activated(self, given: Any, z: str) -> list[str]:
        """The line of NumPy that makes x of the pre-activations `z`."""
        own = activation(given)
        name = self.names.get(own, own.name)
        return [f"x = {z}" if own.name == "identity" else f"x = {name}({z})"]

    def keras_activated(self, given: Any, start: str) -> list[str]:
        """Lines of Keras for a layer whose call begins with `start`, and its activation."""
        own = activation(given).keras
        if "(" in own:  # a layer by itself
            return [f"x = layers.{start}, {self.keras_name})(x)", *self.keras_activation(given)]
        words = "" if own == "linear" else f', activation="{own}"'
        return [f"x = layers.{start}{words}, {self.keras_name})(x)"]

    def keras_activation(self, given: Any) -> list[str]:
        """The line of Keras for an activation that is a layer by itself; none for the identity."""
        own = activation(given).keras
        made = own if "(" in own else f'layers.Activation("{own}")'
        return [] if own == "linear" else [f"x = {made}(x)"]


@dataclass(frozen=True)
class TorchModule:
    """A PyTorch module as code.

    Attributes:
        text: The call that makes it; the class alone where it has modules inside.
        weights: Its own weights, by PyTorch's names.
        inside: The modules in it.
        definition: The code of its class, where it is none of PyTorch's.
    """

    text: str
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    inside: tuple[TorchModule, ...] = ()
    definition: str = ""


def torch_activation(given: Any) -> list[TorchModule]:
    """The module of an activation; none for the identity."""
    own = activation(given)
    return [] if own.name == "identity" else [TorchModule(own.torch)]
