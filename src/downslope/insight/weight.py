"""Which weight is meant: its layer, its array, its place in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import numpy as np

from downslope.errors import NetworkError
from downslope.nn.network import Network, NetworkParameters
from downslope.storage.arrays import flatten

PLURAL = {"bias": "biases", "weight": "weights"}


@dataclass(frozen=True)
class Weight:
    """One number that is learnt.

    Attributes:
        layer: Number of its layer, from 1.
        name: Of its array, such as "weights" or "biases"; inside of a residual or parallel layer
            with the inner layers' numbers before it, from 1, such as "1.weights".
        index: Its place in the array, from 0.
    """

    layer: int
    name: str
    index: tuple[int, ...]

    def __str__(self) -> str:
        """Return it as it is typed: weights[3,5]."""
        return f"{self.name}[{','.join(map(str, self.index))}]"

    @property
    def unit(self) -> int:
        """The unit that it leads to: in all our layers the last number of its place."""
        return self.index[-1]

    def of(self, parameters: NetworkParameters) -> float:
        """Its value among parameters, or its slope among gradients."""
        return float(arrays_of(parameters, self.layer)[self.name][self.index])

    def with_value(self, parameters: NetworkParameters, value: float) -> NetworkParameters:
        """The same parameters but for this weight."""
        array = np.array(arrays_of(parameters, self.layer)[self.name])
        array[self.index] = value
        *path, last = self.name.split(".")
        copies = jax.tree.map(lambda leaf: leaf, parameters[self.layer - 1])  # new dictionaries
        own = copies
        for step in path:
            own = own[step]
        own[last] = array
        return (*parameters[: self.layer - 1], copies, *parameters[self.layer :])


def arrays_of(parameters: NetworkParameters, layer: int) -> dict[str, np.ndarray]:
    """The arrays of layer `layer`, from 1, by their names; none for a layer without weights."""
    return flatten(parameters[layer - 1])


def checked_layer(network: Network, layer: int) -> int:
    """A layer's number, if there is such a layer.

    Raises:
        NetworkError: There is none.
    """
    if not 1 <= layer <= len(network.layers):
        names = [network.layer_name(place) for place in range(len(network.layers))]
        raise NetworkError(
            f"Layer {layer} was asked for, and the network has {len(names)}.",
            f"one of: {', '.join(names)}",
            "Layers are counted from 1.",
        )
    return layer


def find_weight(
    network: Network,
    gradients: NetworkParameters,
    layer: int | None = None,
    unit: int | None = None,
    text: str | None = None,
) -> Weight:
    """The weight that is meant; what is left open is chosen by the largest gradient.

    Args:
        network: The network.
        gradients: A slope for each weight.
        layer: Its layer, from 1.
        unit: The unit that it leads to, from 0: the last number of its place.
        text: The rest of its place, such as "3" (the input that it comes from) or "1,2,0"; "bias"
            or another array's name; or name and whole place, such as "weights[3,5]".

    Raises:
        NetworkError: There is no such weight.
    """
    with_weights = [place for place, own in enumerate(gradients, start=1) if jax.tree.leaves(own)]
    if not with_weights:
        raise NetworkError(
            "The network has no weights.", "a network that learns", "Choose another run."
        )
    if layer is None:
        layer = max(with_weights) if unit is not None or text is not None else with_weights[0]
    arrays = arrays_of(gradients, checked_layer(network, layer))
    if not arrays:
        raise NetworkError(
            f"Layer {network.layer_name(layer - 1)} has no weights.",
            "one of: " + ", ".join(network.layer_name(place - 1) for place in with_weights),
            "Choose another layer.",
        )
    if text is None:
        return _steepest(layer, arrays, unit)
    return _named(layer, arrays, unit, text.replace(" ", ""))


def _steepest(layer: int, arrays: Mapping[str, np.ndarray], unit: int | None) -> Weight:
    """The weight with the largest gradient, of the arrays that hold weights if there are such."""
    kept = {name: one for name, one in arrays.items() if name.split(".")[-1] == "weights"}
    found: tuple[float, str, tuple[int, ...]] | None = None
    for name, array in (kept or arrays).items():
        _check_unit(layer, name, array, unit)
        part = np.abs(array if unit is None else array[..., unit])
        part = np.nan_to_num(part, nan=np.inf)
        index = tuple(map(int, np.unravel_index(int(part.argmax()), part.shape)))
        if found is None or part[index] > found[0]:
            found = part[index], name, index if unit is None else (*index, unit)
    assert found is not None
    return Weight(layer, found[1], found[2])


def _named(layer: int, arrays: Mapping[str, np.ndarray], unit: int | None, text: str) -> Weight:
    """What a text says of a weight."""
    matched = re.fullmatch(r"([a-z0-9_.]*[a-z_])?\[?((?:\d+(?:,\d+)*)?)\]?", text.lower())
    if matched is None:
        raise _unknown(layer, arrays, text)
    name = matched[1] or ("weights" if "weights" in arrays else next(iter(arrays)))
    *path, last = name.split(".")
    name = ".".join([*path, PLURAL.get(last, last)])
    if name not in arrays:
        raise _unknown(layer, arrays, text)
    array = arrays[name]
    index = tuple(int(one) for one in matched[2].split(",") if one)
    if len(index) == array.ndim - 1:
        if unit is None and array.ndim:
            raise NetworkError(
                f"The weight {text!r} of layer {layer} leaves open to which unit it leads.",
                f"a unit from 0 to {array.shape[-1] - 1}",
                "Name the unit as well.",
            )
        assert unit is not None
        _check_unit(layer, name, array, unit)
        index = (*index, unit)
    if len(index) != array.ndim or any(
        one >= side for one, side in zip(index, array.shape, strict=True)
    ):
        raise _unknown(layer, arrays, text)
    return Weight(layer, name, index)


def _check_unit(layer: int, name: str, array: np.ndarray, unit: int | None) -> None:
    if unit is not None and not 0 <= unit < array.shape[-1]:
        raise NetworkError(
            f"Unit {unit} of layer {layer} was asked for, and its {name} lead to "
            f"{array.shape[-1]} units.",
            f"a unit from 0 to {array.shape[-1] - 1}",
            "Choose another unit.",
        )


def _unknown(layer: int, arrays: Mapping[str, np.ndarray], text: str) -> NetworkError:
    shapes = ", ".join(
        f"{name}[{','.join(f'0-{side - 1}' for side in one.shape)}]"
        for name, one in sorted(arrays.items())
    )
    return NetworkError(
        f"Layer {layer} has no weight {text!r}.",
        f"a place in {shapes}",
        "Name the array and the place, such as weights[0,0], or the unit and the input.",
    )
