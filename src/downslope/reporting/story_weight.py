"""One weight in the story: its slope's factors, its step, its neuron; and the whole network."""

from __future__ import annotations

from collections.abc import Iterator

from downslope.errors import InputError
from downslope.insight.chain_rule import Chain, Product, Sum
from downslope.insight.network import network
from downslope.insight.neuron import neuron
from downslope.insight.step_trace import (
    INDENT,
    number,
    tell_activations,
    tell_change,
    tell_weight,
)
from downslope.plots.network import network_figure
from downslope.plots.neuron import neuron_figure
from downslope.reporting.material import Material
from downslope.reporting.pieces import Picture, Piece, Words
from downslope.text import Table

_TIMES = " \N{MULTIPLICATION SIGN} "
Row = tuple[str, str, str, str]


def the_factors(material: Material) -> Iterator[Piece]:
    """The chain rule for one weight, one sample and the first step, with all its numbers."""
    traced = material.traced
    if traced is None or material.furthest is None:
        return
    told = [line for line in tell_weight(traced.weight) if not line.startswith(INDENT)]
    unit = (
        ""
        if traced.loss_unit == 1
        else " Its loss is that of targets minus their mean, divided by their standard deviation."
    )
    yield Words(
        "The chain rule, written out for one weight. The sample is the one above with the largest "
        f"loss of the untrained network, with the target {material.truths[material.furthest]}. The "
        "weight is the one in the first layer with the largest gradient of this sample's loss."
        f"{unit}"
    )
    yield Words(told[0])
    yield Table(
        ("derivative", "formula", "numbers", "value"),
        rows_of(traced.weight.chain),
        numeric=(3,),
        caption="The factors of one derivative, from the weight to the loss",
    )
    yield Words(" ".join(told[1:]))
    if worked_out := " ".join(tell_activations(traced.weight.chain)):
        yield Words(worked_out)
    yield Words(
        "x: inputs, w: weights, z: pre-activations, a: activations, y: outputs, L: loss, f': "
        "derivative of the activation function. The number after a letter is the layer, the number "
        "in brackets the unit."
    )


def the_change(material: Material) -> Iterator[Piece]:
    """What the first step did to that weight."""
    if material.traced is not None:
        told = " ".join(tell_change(material.traced))
        yield Words(f"The weight from the table above: {told}")


def the_network(material: Material) -> Iterator[Piece]:
    """The whole network, untrained and trained, with the signals of the first sample."""
    found = network(material.run, int(material.chosen[0]))
    yield Words(found.summary)
    yield Picture("network", network_figure(found))


def the_neuron(material: Material) -> Iterator[Piece]:
    """The neuron that this weight leads to, with the trained weights."""
    traced = material.traced
    if traced is None:
        return
    weight, index = traced.weight.weight, traced.sample.index
    try:
        found = neuron(material.run, weight.layer, weight.unit, index)
    except InputError:  # it leads to no neuron, as in a norm, or deeper into a residual layer
        return
    yield Words("The neuron that this weight leads to, after the training, for the same sample:")
    yield Picture("neuron", neuron_figure(found))


def rows_of(chain: Chain) -> list[Row]:
    """A chain as a table: each slope, and what it is a product or a sum of."""
    return [row for one in (chain.start, *chain.links) for row in _rows(one)]


def _rows(one: Sum) -> Iterator[Row]:
    if len(one.terms) == 1 and one.count <= 1:
        yield (one.symbol, *_multiplied(one.terms[0]), number(one.value))
        return
    yield one.symbol, f"the sum of {one.count:,} terms", "", number(one.value)
    for index, term in enumerate(one.terms, start=1):
        yield (f"term {index}", *_multiplied(term), number(term.value))
    if one.count > len(one.terms):
        yield "the others", f"{one.count - len(one.terms):,} terms", "", number(one.rest)


def _multiplied(product: Product) -> tuple[str, str]:
    return (
        _TIMES.join(factor.symbol for factor in product.factors),
        _TIMES.join(number(factor.value) for factor in product.factors),
    )
