"""Networks that differ from a run's in what a cause suspects: their notation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from difflib import SequenceMatcher

from downslope.nn.dense import Activate, Dense, Dropout
from downslope.nn.images import Conv2D
from downslope.nn.layer import Layer
from downslope.nn.members import GroupedDense
from downslope.nn.network import Network
from downslope.nn.notation import describe

WEIGHTED = (Dense, Conv2D, GroupedDense)


def weighted(network: Network) -> list[int]:
    """The indices of the dense and convolution layers, those of members among them."""
    return [index for index, one in enumerate(network.layers) if isinstance(one, WEIGHTED)]


def _changed(network: Network, change: Callable[[int, Layer], Layer | None]) -> str:
    """The notation of the network with each layer changed; None leaves it out."""
    made = [change(index, one) for index, one in enumerate(network.layers)]
    return describe(Network([one for one in made if one is not None]))


def with_hidden_activation(network: Network, name: str) -> str:
    """Every hidden dense or convolution layer with that activation, and the usual start."""
    hidden = weighted(network)[:-1]

    def change(index: int, layer: Layer) -> Layer | None:
        if index in hidden:
            return replace(layer, activation=name, initializer="auto")
        return layer

    return _changed(network, change)


def with_activations(network: Network, wanted: dict[int, str]) -> str:
    """The layers at these indices with other activations, and the usual start."""
    return _changed(
        network,
        lambda index, layer: (
            replace(layer, activation=wanted[index], initializer="auto")
            if index in wanted
            else layer
        ),
    )


def with_last_identity(network: Network) -> str:
    """Without the activation behind the last layer with weights."""
    last = weighted(network)[-1]

    def change(index: int, layer: Layer) -> Layer | None:
        if index == last:
            return replace(layer, activation="identity", initializer="auto")
        return None if index > last and isinstance(layer, Activate) else layer

    return _changed(network, change)


def with_usual_start(network: Network) -> str:
    """All first weights drawn as usual for their activations."""
    return _changed(
        network,
        lambda _, layer: (
            replace(layer, initializer="auto") if isinstance(layer, WEIGHTED) else layer
        ),
    )


def without_dropout(network: Network, most: float = 0.0) -> str:
    """Without dropout, or with less of it."""

    def change(_: int, layer: Layer) -> Layer | None:
        if not isinstance(layer, Dropout):
            return layer
        return replace(layer, rate=min(most, layer.rate)) if most else None

    return _changed(network, change)


def wider(network: Network, least: int) -> str:
    """Every hidden dense layer with at least so many units."""
    hidden = weighted(network)[:-1]

    def change(index: int, layer: Layer) -> Layer | None:
        if index in hidden and isinstance(layer, Dense):
            return replace(layer, units=max(least, layer.units))
        return layer

    return _changed(network, change)


def with_changes_of(network: Network, before: Network, after: Network) -> Network:
    """The network with what differs between two others, each a change of the same first one.

    Args:
        network: That with some changes already.
        before: The first one.
        after: The first one with the change to make.
    """
    if network == before:
        return after
    found, wanted = _pairs(before, network), _pairs(before, after)
    new = {at: one for at, one in enumerate(after.layers) if at not in wanted.values()}
    layers: dict[int, list[Layer]] = {}  # from the index of a layer of `network`
    for index, own in enumerate(network.layers):
        first = next((at for at, other in found.items() if other == index), None)
        if first is None:
            layers[index] = [own]
        elif first in wanted:
            layers[index] = [_with_fields(own, before.layers[first], after.layers[wanted[first]])]
            at = wanted[first] + 1
            while at in new:  # what the change put behind this layer
                layers[index].append(new.pop(at))
                at += 1
    return Network([one for index in sorted(layers) for one in layers[index]])


def _pairs(one: Network, other: Network) -> dict[int, int]:
    """The index of each layer of one network in another that was made of it."""
    kinds = [[type(layer).__name__ for layer in network.layers] for network in (one, other)]
    blocks = SequenceMatcher(None, *kinds, autojunk=False).get_matching_blocks()
    return {a + step: b + step for a, b, size in blocks for step in range(size)}


def _with_fields(own: Layer, before: Layer, after: Layer) -> Layer:
    """A layer with the fields of another kind that differ between two states of it."""
    if not (is_dataclass(own) and is_dataclass(before) and type(before) is type(after)):
        return after
    changed = {
        one.name: getattr(after, one.name)
        for one in fields(before)
        if getattr(before, one.name) != getattr(after, one.name)
    }
    return replace(own, **changed) if changed else own
