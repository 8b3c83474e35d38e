"""The chain rule written out: the factors whose product is the slope of the loss at one weight.

A weight moves the weighted sum of its unit, that sum moves the unit's activation, and that moves
the sums of the next layer, each by a local derivative of its own; where there are several ways to
the loss, they add up. So dL/dw = x f'(z) dL/da, and dL/da is the sum over the units of the next
layer of w f'(z) dL/da of those, and so on to the loss.

Source: Rumelhart, Hinton and Williams, Learning representations by back-propagating errors, 1986.
"""

from __future__ import annotations

import heapq
import math
import re
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from downslope.insight.one_sample import LayerWay, Way
from downslope.insight.weight import Spot, Weight, local_slopes, slopes_of_weight, spot_of
from downslope.nn.layer import Layer, activation_of, is_ours
from downslope.nn.network import Network, NetworkParameters

TERMS = 5  # of a sum that are told one by one
PATHS = 5  # from the weight to the loss that are told
BEAM = 8  # paths that are followed at a time


@dataclass(frozen=True)
class Factor:
    """One factor of a product.

    Attributes:
        symbol: Such as "f'(z2[3])": behind the letter the layer, in brackets the unit.
        value: Its value.
        worked_out: Of the derivative of an activation its formula with numbers, such as
            "da/dz = 1 − a² = 1 − 0.6² = 0.64"; else empty.
    """

    symbol: str
    value: float
    worked_out: str = ""

    @property
    def words(self) -> str:
        """What it is, in words."""
        for pattern, words in _WORDS:
            if found := re.fullmatch(pattern, self.symbol):
                return words.format(*found.groups())
        return ""


_WORDS = (
    (r"1", "the input of every bias"),
    (r"x\[(.+)\]", "input {0} of the network"),
    (r"a(\d+)\[(.+)\]", "activation of unit {1} in layer {0}"),
    (r"w(\d+)\[(.+),(.+)\]", "weight in layer {0} from unit {1} to unit {2}"),
    (r"f'\(z(\d+)\[(.+)\]\)", "slope of the activation of unit {1} in layer {0}"),
    (r"dL/dy\[(.+)\]", "slope of the loss at output {0}"),
    (r"dL/da(\d+)\[(.+)\]", "slope of the loss at the activation of unit {1} in layer {0}"),
    (r"dL/dz(\d+)\[(.+)\]", "slope of the loss at the pre-activation of unit {1} in layer {0}"),
    (r"dz(\d+)\[(.+)\]/dw", "what the weight is multiplied by, for unit {1} of layer {0}"),
    (
        r"dz(\d+)\[(.+)\]/da(\d+)\[(.+)\]",
        "how unit {1} of layer {0} grows with unit {3} of layer {2}",
    ),
    (
        r"da(\d+)\[(.+)\]/dz\d+\[(.+)\]",
        "how activation {1} of layer {0} grows with pre-activation {2}",
    ),
)


@dataclass(frozen=True)
class Product:
    """Factors that are multiplied."""

    factors: tuple[Factor, ...]

    @property
    def value(self) -> float:
        """Their product."""
        return math.prod(one.value for one in self.factors)


@dataclass(frozen=True)
class Sum:
    """A slope that comes together from several positions or units.

    Attributes:
        symbol: What the sum is, such as "dL/da1[3]".
        terms: Its largest terms, the largest first.
        count: How many terms are not 0.
        value: All of them together.
    """

    symbol: str
    terms: tuple[Product, ...]
    count: int
    value: float

    @property
    def rest(self) -> float:
        """What the terms that are not told add up to."""
        return self.value - sum(one.value for one in self.terms)


@dataclass(frozen=True)
class Chain:
    """How one weight moves the loss.

    Attributes:
        weight: Which weight.
        gradient: The slope of the sample's loss, as backpropagation found it in float32.
        start: The same as a sum over the positions where the weight acts (one for a dense layer,
            many for a convolution), each a product of local derivative, f'(z) and dL/da.
        links: dL/da of the strongest position's unit as a sum over the units of the next layer,
            then that of the strongest of these, and so on to the last layer; shorter where a
            layer hands back so many slopes that they are not told apart.
        paths: The strongest paths from the weight to the loss, each a product.
        has_all_paths: Whether there are no others.
    """

    weight: Weight
    gradient: float
    start: Sum
    links: tuple[Sum, ...]
    paths: tuple[Product, ...]
    has_all_paths: bool

    @property
    def worked_out(self) -> dict[str, str]:
        """The derivatives of the activations along the strongest path, by their symbols."""
        strongest = (one.terms[0] for one in (self.start, *self.links) if one.terms)
        factors = (factor for term in strongest for factor in term.factors)
        return {one.symbol: one.worked_out for one in factors if one.worked_out}

    @property
    def product(self) -> float:
        """What the factors multiply to; the gradient, up to rounding."""
        return self.start.value


class _Node(NamedTuple):
    """A slope on the way: at the activations ("a") or the sums ("z") of a layer's unit."""

    kind: str
    layer: int  # from 1
    unit: tuple[int, ...]


class _Hop(NamedTuple):
    """A term of a slope: factors, and the slope that they are multiplied with."""

    factors: tuple[Factor, ...]
    node: _Node


def chain_of(network: Network, parameters: NetworkParameters, way: Way, weight: Weight) -> Chain:
    """Write the slope of a sample's loss at one weight as products and sums.

    Args:
        network: The network.
        parameters: Its weights and biases.
        way: The sample's way through it.
        weight: Which weight.
    """
    walker = _Walker(network, parameters, way)
    spot = spot_of(network.layers[weight.layer - 1], parameters, way, weight)
    hops = walker.first_hops(weight, spot)
    start = walker.sum(f"dL/d{weight}", hops)
    links = []
    strongest = max(hops, key=walker.strength)
    while further := walker.further(strongest.node):
        links.append(walker.sum(walker.symbol(strongest.node), further))
        strongest = max(further, key=walker.strength)
    paths, is_all = walker.paths(hops)
    gradient = weight.of(tuple(one.gradients for one in way.layers))
    return Chain(weight, gradient, start, tuple(links), paths, is_all)


class _Walker:
    """Follows slopes from a weight towards the loss."""

    def __init__(self, network: Network, parameters: NetworkParameters, way: Way) -> None:
        self.network, self.parameters, self.way = network, parameters, way
        self._rates = [
            _rates(layer, own) for layer, own in zip(network.layers, way.layers, strict=True)
        ]
        self._inner = np.zeros(0)  # slopes inside of a layer that is made of layers

    def slope(self, node: _Node) -> float:
        """The slope of the loss at a node."""
        own = self.way.layers[node.layer - 1]
        if node.kind == "inner":
            return float(self._inner[node.unit])
        return float((own.slope if node.kind == "a" else own.delta)[node.unit])

    def symbol(self, node: _Node) -> str:
        """What that slope is called."""
        if node.kind == "a" and node.layer == len(self.network.layers):
            return f"dL/dy{_position(node.unit)}"
        letter = "z" if node.kind == "inner" else node.kind
        return f"dL/d{letter}{node.layer}{_position(node.unit)}"

    def strength(self, hop: _Hop) -> float:
        """How much a term gives, without its sign."""
        return abs(self._value(hop))

    def _value(self, hop: _Hop) -> float:
        return math.prod(one.value for one in hop.factors) * self.slope(hop.node)

    def _product(self, hop: _Hop) -> Product:
        return Product((*hop.factors, Factor(self.symbol(hop.node), self.slope(hop.node))))

    def sum(self, symbol: str, hops: list[_Hop]) -> Sum:
        """Terms put together."""
        told = heapq.nlargest(TERMS, hops, key=self.strength)
        values = [self._value(one) for one in hops]
        return Sum(
            symbol,
            tuple(self._product(one) for one in told if len(told) == 1 or self._value(one)),
            sum(value != 0 for value in values),
            float(sum(values)),
        )

    def first_hops(self, weight: Weight, spot: Spot) -> list[_Hop]:
        """From the weight to the activation, at each position where it acts."""
        slopes = slopes_of_weight(spot, weight)
        layer = weight.layer
        self._inner = spot.delta
        positions = [tuple(map(int, one)) for one in np.argwhere(slopes)]
        if not positions:  # an input of 0: one term that says so
            positions = [(*(0 for _ in slopes.shape[:-1]), weight.unit)]
        hops = []
        for position in positions:
            value = float(slopes[position])
            if spot.is_inner:
                factor = Factor(f"dz{layer}{_position(position)}/dw", value)
                hops.append(_Hop((factor,), _Node("inner", layer, position)))
                continue
            factor = Factor(_local_symbol(spot, weight, position), value)
            hops.append(self._through_activation((factor,), layer, position))
        return hops

    def _through_activation(
        self, factors: tuple[Factor, ...], layer: int, unit: tuple[int, ...]
    ) -> _Hop:
        rates = self._rates[layer - 1]
        if rates is None:
            return _Hop(factors, _Node("z", layer, unit))
        own = self.network.layers[layer - 1]
        if is_ours(own) and hasattr(own, "activation"):
            function, way = activation_of(own), self.way.layers[layer - 1]
            numbers = {"z": float(way.pre_activations[unit]), "a": float(way.activations[unit])}
            told = function.equation.slope(numbers, float(rates[unit]), 4)
            told = f"{function.name}, {told}" if function.derivative not in ("", "1") else ""
            factors = (*factors, Factor(f"f'(z{layer}{_position(unit)})", float(rates[unit]), told))
        return _Hop(factors, _Node("a", layer, unit))

    def further(self, node: _Node) -> list[_Hop]:
        """The terms that make up the slope at a node; none at the loss, or where too many are."""
        if node.kind == "inner":
            return []
        if node.kind == "z":
            return self._within_activation(node)
        if node.layer == len(self.network.layers):
            return []
        layer, own = self.network.layers[node.layer], self.parameters[node.layer]
        way = self.way.layers[node.layer]
        slopes = local_slopes(layer, own, way, node.unit)
        if slopes is None:
            return []
        hops = []
        for position in map(tuple, np.argwhere(slopes)):
            unit = tuple(map(int, position))
            symbol = f"dz{node.layer + 1}{_position(unit)}/da{node.layer}{_position(node.unit)}"
            if layer.word == "dense":
                symbol = f"w{node.layer + 1}[{node.unit[0]},{unit[0]}]"
            factor = Factor(symbol, float(slopes[unit]))
            hops.append(self._through_activation((factor,), node.layer + 1, unit))
        return hops

    def _within_activation(self, node: _Node) -> list[_Hop]:
        """Of an activation in which each unit depends on all sums, such as softmax."""
        layer = self.network.layers[node.layer - 1]
        pre_activations = jnp.asarray(self.way.layers[node.layer - 1].pre_activations)
        flat = int(np.ravel_multi_index(node.unit, pre_activations.shape))
        direction = jnp.zeros(pre_activations.size).at[flat].set(1).reshape(pre_activations.shape)
        _, slopes = jax.jvp(layer.activate, (pre_activations[None],), (direction[None],))
        return [
            _Hop(
                (
                    Factor(
                        f"da{node.layer}{_position(tuple(unit))}/dz{node.layer}{_position(node.unit)}",
                        float(slopes[0][tuple(unit)]),
                    ),
                ),
                _Node("a", node.layer, tuple(map(int, unit))),
            )
            for unit in np.argwhere(np.asarray(slopes[0]))
        ]

    def paths(self, hops: list[_Hop]) -> tuple[tuple[Product, ...], bool]:
        """The strongest products from the weight to the loss, and whether these are all."""
        alive, done = heapq.nlargest(BEAM, hops, key=self.strength), []
        is_all = len(alive) == len(hops)
        while alive:
            following: list[_Hop] = []
            for hop in alive:
                further = self.further(hop.node)
                if not further:
                    done.append(hop)
                following += [_Hop((*hop.factors, *one.factors), one.node) for one in further]
            alive = heapq.nlargest(BEAM, following, key=self.strength)
            is_all = is_all and len(alive) == len(following)
        told = heapq.nlargest(PATHS, done, key=self.strength)
        return tuple(self._product(one) for one in told), is_all and len(told) == len(done)


def _rates(layer: Layer, way: LayerWay) -> np.ndarray | None:
    """f'(z) of each sum; None where an activation depends on other sums as well."""
    function = activation_of(layer)
    if not function.is_elementwise:
        return None
    pre_activations = jnp.asarray(way.pre_activations)
    _, pullback = jax.vjp(function.function, pre_activations)
    return np.asarray(pullback(jnp.ones_like(pre_activations))[0])


def _position(unit: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, unit))}]"


def _local_symbol(spot: Spot, weight: Weight, position: tuple[int, ...]) -> str:
    """What the derivative of a sum by a weight is called: for a dense layer, the input."""
    if spot.layer.word == "dense":
        if weight.name == "biases":
            return "1"
        before = "x" if weight.layer == 1 else f"a{weight.layer - 1}"
        return f"{before}[{weight.index[0]}]"
    return f"dz{weight.layer}{_position(position)}/dw"
