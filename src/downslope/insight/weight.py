"""Which weight is meant: its layer, its array, its index in it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from downslope.errors import NetworkError
from downslope.insight.one_sample import LayerWay, Way
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Dense
from downslope.nn.images import MaxPool2D
from downslope.nn.layer import RUNNING, Layer, Parameters, in_order, is_ours
from downslope.nn.network import Network, NetworkParameters
from downslope.storage.arrays import flatten, unflatten

PLURAL = {"bias": "biases", "weight": "weights"}


@dataclass(frozen=True)
class Weight:
    """One number that is learnt.

    Attributes:
        layer: Number of its layer, from 1.
        name: Of its array, such as "weights" or "biases"; inside of a residual or parallel layer
            with the inner layers' numbers before it, from 1, such as "1.weights".
        index: Its index in the array, from 0.
    """

    layer: int
    name: str
    index: tuple[int, ...]

    def __str__(self) -> str:
        """Return it as it is typed: weights[3,5]."""
        return f"{self.name}[{','.join(map(str, self.index))}]"

    @property
    def unit(self) -> int:
        """The unit that it leads to: in all our layers the last number of its index."""
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
        names = [network.layer_name(index) for index in range(len(network.layers))]
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
        unit: The unit that it leads to, from 0: the last number of its index.
        text: The rest of its index, such as "3" (the input that it comes from) or "1,2,0"; "bias"
            or another array's name; or name and whole index, such as "weights[3,5]".

    Raises:
        NetworkError: There is no such weight.
    """
    with_weights = [index for index, own in enumerate(gradients, start=1) if jax.tree.leaves(own)]
    if not with_weights:
        raise NetworkError(
            "The network has no weights.", "a network that learns", "Choose another run."
        )
    if layer is None:
        layer = max(with_weights) if unit is not None or text is not None else with_weights[0]
    arrays = arrays_of(gradients, checked_layer(network, layer))
    arrays = {name: one for name, one in arrays.items() if RUNNING not in name}
    if not arrays:
        raise NetworkError(
            f"Layer {network.layer_name(layer - 1)} has no weights.",
            "one of: " + ", ".join(network.layer_name(index - 1) for index in with_weights),
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
        f"an index in {shapes}",
        "Name the array and the index, such as weights[0,0], or the unit and the input.",
    )


LINEAR = (  # in inputs
    *("dense", "conv", "average_pool", "global_average_pool", "upsample", "flatten", "dropout"),
    *("activation", "embed"),
)
MOST_SLOPES = 1 << 20  # of all sums by all inputs, where they cannot be told apart otherwise


@dataclass(frozen=True, eq=False)
class Spot:
    """The layer that holds a weight; inside of a residual or parallel layer, the inner one.

    Attributes:
        layer: The layer.
        parameters: Its weights and biases.
        inputs: What comes into it, without a sample axis.
        delta: d loss / d its pre-activations, likewise.
        is_inner: Whether it lies inside of another layer.
    """

    layer: Layer
    parameters: Parameters
    inputs: np.ndarray
    delta: np.ndarray
    is_inner: bool


def spot_of(layer: Layer, parameters: NetworkParameters, way: Way, weight: Weight) -> Spot:
    """Find the layer that holds a weight, and the slopes there."""
    own = way.layers[weight.layer - 1]
    spot = Spot(layer, parameters[weight.layer - 1], own.inputs, own.delta, is_inner=False)
    path = weight.name.split(".")[:-1]
    while path:
        if isinstance(spot.layer, Residual):
            spot = _inner(spot, spot.layer.layers, spot.parameters, path.pop(0))
        elif isinstance(spot.layer, Parallel):
            number = path.pop(0)
            spot = _inner(_branch(spot, int(number) - 1), *_chain_of(spot, number), path.pop(0))
        else:  # a layer of the user's own, whose parameters nest
            break
    return spot


def _chain_of(spot: Spot, number: str) -> tuple[Sequence[Layer], Parameters]:
    assert isinstance(spot.layer, Parallel)
    return spot.layer.branches[int(number) - 1], spot.parameters[number]


def _branch(spot: Spot, number: int) -> Spot:
    """A parallel layer with the slopes of one branch: its part of the last axis."""
    assert isinstance(spot.layer, Parallel)
    widths = []
    for branch in spot.layer.branches:
        shape = spot.inputs.shape
        for layer in branch:
            shape = layer.output_shape(shape)
        widths.append(shape[-1])
    first = sum(widths[:number])
    delta = spot.delta[..., first : first + widths[number]]
    return Spot(spot.layer, spot.parameters, spot.inputs, delta, is_inner=True)


def _inner(spot: Spot, layers: Sequence[Layer], parameters: Parameters, number: str) -> Spot:
    """One layer of a chain inside of another layer, whose outputs have the slope `spot.delta`."""
    chain, index = Network(layers), int(number) - 1
    own = tuple(in_order(parameters))
    inputs = jnp.asarray(spot.inputs)[None]
    signals = chain.signals(own, inputs)
    before = [inputs, *(one.activations for one in signals)]

    def outputs(pre_activations: Array) -> Array:
        """What the chain gives where this layer has these pre-activations."""
        activations = layers[index].activate(pre_activations)
        for layer, its in zip(layers[index + 1 :], own[index + 1 :], strict=True):
            activations = layer.forward(its, activations)
        return activations

    _, pullback = jax.vjp(outputs, signals[index].pre_activations)
    (delta,) = pullback(jnp.asarray(spot.delta)[None])
    return Spot(
        layers[index], own[index], np.asarray(before[index])[0], np.asarray(delta)[0], is_inner=True
    )


def slopes_of_weight(spot: Spot, weight: Weight) -> np.ndarray:
    """How each sum of the layer moves with the weight, in the shape of its sums."""
    if not is_ours(spot.layer):
        return _own_slopes(spot, weight)
    name = weight.name.split(".")[-1]
    nothing = {
        key: np.asarray(one) if key.startswith(RUNNING) else np.zeros_like(np.asarray(one))
        for key, one in spot.parameters.items()
    }
    alone = np.zeros_like(nothing[name])
    alone[weight.index] = 1
    inputs = jnp.asarray(spot.inputs)[None]
    moved = spot.layer.weighted_sum({**nothing, name: alone}, inputs)
    return np.asarray(moved - spot.layer.weighted_sum(nothing, inputs))[0]


def _own_slopes(spot: Spot, weight: Weight) -> np.ndarray:
    """The same for a layer of the user's own, which need not be linear in its weights."""
    named = flatten(spot.parameters)
    name = next(one for one in named if f".{weight.name}".endswith(f".{one}"))
    tangents = {one: np.zeros_like(np.asarray(array)) for one, array in named.items()}
    tangents[name][weight.index] = 1
    _, slopes = jax.jvp(
        lambda parameters: spot.layer.weighted_sum(parameters, jnp.asarray(spot.inputs)[None]),
        (spot.parameters,),
        (unflatten(tangents, spot.parameters),),
    )
    return np.asarray(slopes)[0]


def local_slopes(
    layer: Layer, parameters: Parameters, way: LayerWay, unit: tuple[int, ...]
) -> np.ndarray | None:
    """How each sum of a layer moves with one of its inputs, in the shape of its sums.

    None where that would take the slopes of very many sums by very many inputs.
    """
    if type(layer) is Dense:
        return np.asarray(parameters["weights"])[unit[0]]
    inputs = jnp.asarray(way.inputs)
    if layer.word in LINEAR and is_ours(layer):
        own = {
            name: one if name == "weights" and layer.word == "conv" else np.zeros_like(one)
            for name, one in parameters.items()
        }
        alone = np.zeros_like(way.inputs)
        alone[unit] = 1
        if layer.word == "embed":  # the last input is looked up: it has no slope
            if unit[0] == len(alone) - 1:
                return np.zeros_like(way.pre_activations)
            alone[-1] = 0
        return np.asarray(layer.weighted_sum(own, jnp.asarray(alone)[None]))[0]
    if type(layer) is MaxPool2D:
        return _of_window(layer, way, unit)
    if math.prod(way.pre_activations.shape) * math.prod(way.inputs.shape) > MOST_SLOPES:
        return None
    _, pullback = jax.vjp(lambda x: layer.weighted_sum(parameters, x[None])[0], inputs)
    each = np.eye(way.pre_activations.size, dtype=way.pre_activations.dtype).reshape(
        -1, *way.pre_activations.shape
    )
    slopes = jax.vmap(pullback)(each)[0]
    return np.asarray(slopes[(slice(None), *unit)]).reshape(way.pre_activations.shape)


def _of_window(layer: MaxPool2D, way: LayerWay, unit: tuple[int, ...]) -> np.ndarray:
    """How each maximum moves with one pixel: only that of its own window can."""
    slopes = np.zeros_like(way.pre_activations)
    row, column, channel = unit
    index = row // layer.size, column // layer.size, channel
    if all(one < side for one, side in zip(index, slopes.shape, strict=True)):  # no cut off rest
        top, left = index[0] * layer.size, index[1] * layer.size
        window = way.inputs[top : top + layer.size, left : left + layer.size, channel]
        window = jnp.asarray(window)[None, :, :, None]
        maximum, pullback = jax.vjp(lambda x: layer.weighted_sum({}, x), window)
        slopes[index] = pullback(jnp.ones_like(maximum))[0][0, row - top, column - left, 0]
    return slopes
