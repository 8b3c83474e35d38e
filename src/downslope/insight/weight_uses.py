"""Where a weight acts, and how the sums of a layer move with one weight or one input.

In all layers of ours but those made of layers, the sums are linear in the weights, and in most of
them in the inputs: the local derivative is then what the layer makes of a single 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from downslope.engine.backpropagation import run_forward
from downslope.insight.one_sample import LayerWay, Way
from downslope.insight.weight import Weight
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Dense
from downslope.nn.images import MaxPool2D
from downslope.nn.layer import Layer, Parameters, in_order
from downslope.nn.network import Network, NetworkParameters

LINEAR = ("dense", "conv", "average_pool", "upsample", "flatten", "dropout", "embed")  # in inputs
MOST_SLOPES = 1 << 20  # of all sums by all inputs, where they cannot be told apart otherwise


@dataclass(frozen=True, eq=False)
class Spot:
    """The layer that holds a weight; inside of a residual or parallel layer, the inner one.

    Attributes:
        layer: The layer.
        parameters: Its weights and biases.
        inputs: What comes into it, without a sample axis.
        delta: d loss / d its sums, likewise.
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
        else:
            assert isinstance(spot.layer, Parallel)
            number = path.pop(0)
            spot = _inner(_branch(spot, int(number) - 1), *_chain_of(spot, number), path.pop(0))
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
    chain, place = Network(layers), int(number) - 1
    own = tuple(in_order(parameters))
    inputs = jnp.asarray(spot.inputs)[None]
    before = [inputs, *(one.activations for one in chain.signals(own, inputs))]
    _, pullbacks = run_forward(chain, own, inputs)
    slope = delta = jnp.asarray(spot.delta)[None]
    for pullback in reversed(pullbacks[place:]):
        (delta,) = pullback.activation(slope)
        _, slope = pullback.weighted_sum(delta)
    return Spot(
        layers[place], own[place], np.asarray(before[place])[0], np.asarray(delta)[0], is_inner=True
    )


def slopes_of_weight(spot: Spot, weight: Weight) -> np.ndarray:
    """How each sum of the layer moves with the weight, in the shape of its sums."""
    name = weight.name.split(".")[-1]
    nothing = {key: np.zeros_like(np.asarray(one)) for key, one in spot.parameters.items()}
    alone = np.zeros_like(nothing[name])
    alone[weight.index] = 1
    inputs = jnp.asarray(spot.inputs)[None]
    moved = spot.layer.weighted_sum({**nothing, name: alone}, inputs)
    return np.asarray(moved - spot.layer.weighted_sum(nothing, inputs))[0]


def local_slopes(
    layer: Layer, parameters: Parameters, way: LayerWay, unit: tuple[int, ...]
) -> np.ndarray | None:
    """How each sum of a layer moves with one of its inputs, in the shape of its sums.

    None where that would take the slopes of very many sums by very many inputs.
    """
    if isinstance(layer, Dense):
        return np.asarray(parameters["weights"])[unit[0]]
    inputs = jnp.asarray(way.inputs)
    if layer.word in LINEAR:
        own = {
            name: one if name == "weights" and layer.word == "conv" else np.zeros_like(one)
            for name, one in parameters.items()
        }
        alone = np.zeros_like(way.inputs)
        alone[unit] = 1
        if layer.word == "embed":  # the last input is looked up: it has no slope
            if unit[0] == len(alone) - 1:
                return np.zeros_like(way.sums)
            alone[-1] = 0
        return np.asarray(layer.weighted_sum(own, jnp.asarray(alone)[None]))[0]
    if isinstance(layer, MaxPool2D):
        return _of_window(layer, way, unit)
    if math.prod(way.sums.shape) * math.prod(way.inputs.shape) > MOST_SLOPES:
        return None
    _, pullback = jax.vjp(lambda x: layer.weighted_sum(parameters, x[None])[0], inputs)
    each = np.eye(way.sums.size, dtype=way.sums.dtype).reshape(-1, *way.sums.shape)
    slopes = jax.vmap(pullback)(each)[0]
    return np.asarray(slopes[(slice(None), *unit)]).reshape(way.sums.shape)


def _of_window(layer: MaxPool2D, way: LayerWay, unit: tuple[int, ...]) -> np.ndarray:
    """How each maximum moves with one pixel: only that of its own window can."""
    slopes = np.zeros_like(way.sums)
    row, column, channel = unit
    place = row // layer.size, column // layer.size, channel
    if all(one < side for one, side in zip(place, slopes.shape, strict=True)):  # no cut off rest
        top, left = place[0] * layer.size, place[1] * layer.size
        window = way.inputs[top : top + layer.size, left : left + layer.size, channel]
        window = jnp.asarray(window)[None, :, :, None]
        maximum, pullback = jax.vjp(lambda x: layer.weighted_sum({}, x), window)
        slopes[place] = pullback(jnp.ones_like(maximum))[0][0, row - top, column - left, 0]
    return slopes
