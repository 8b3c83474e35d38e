"""What the page is shown of one sample, one unit and one weight; of layers, and of rates.

The numbers are those of `downslope neuron`, `trace`, `layers` and `rate`: found by the same
functions, for the network as it is on the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from downslope.data.dataset import Dataset
from downslope.engine.model import Model
from downslope.errors import DataError, printable
from downslope.insight.chain_rule import Chain, Factor, Product, Sum, chain_of
from downslope.insight.layers import LayersOverTime
from downslope.insight.learning_rate import FoundRate
from downslope.insight.neuron import Weighed, names_of, weigh, with_units
from downslope.insight.one_sample import Way, by_itself, walk
from downslope.insight.pixels import image_shape
from downslope.insight.step_trace import StepTrace, exactly, tell_change
from downslope.insight.weight import find_weight
from downslope.lab.messages import (
    Layers,
    Look,
    Looked,
    OneFactor,
    OneProduct,
    OneSum,
    Rated,
    Told,
)
from downslope.nn.activations import Activation, activation
from downslope.nn.members import loss_while_learning, while_learning

MOST_MAPS = 12  # channels of a layer that are sent
MAP_SIDE = 48  # pixels of a map's side; of larger ones some are left out
MOST_ROWS = 24  # inputs of a unit that are listed
MOST_UNITS = 256  # of a layer whose activations are sent
MOST_NUMBERS = 20_000  # of a layer whose gradients are sent

Arrays = dict[str, np.ndarray]


def look(
    model: Model, dataset: Dataset, asked: Look, sample: int, at: int
) -> tuple[Looked, Arrays]:
    """Follow a training sample through a network, into the unit and weight that are asked for.

    Raises:
        DataError: There is no such sample.
        NetworkError: There is no such unit or weight.
    """
    samples = dataset.train
    if not 0 <= sample < len(samples):
        raise DataError(
            f"Sample {sample:,} was asked for, and {dataset.name} has {len(samples):,} training "
            "samples.", f"a number from 0 to {len(samples) - 1:,}", "Choose another sample.",
        )  # fmt: skip
    network, loss = while_learning(model.network), loss_while_learning(model.network, model.loss)
    inputs, targets = by_itself(samples, sample, model.units)
    way = walk(network, model.parameters, inputs, targets, loss)
    target, said = _target(dataset, sample), exactly(way.loss)
    told: dict[str, Any] = {"at": at, "sample": sample, "target": target, "loss": said}
    arrays = _signals(way)
    picture = picture_of(dataset, sample)
    if picture is not None:
        arrays["image"] = _few(picture)
    if asked.layer is None:
        return Looked(**told), arrays
    layer = with_units(network, asked.layer, asked.unit, dataset.input_shape)
    own = way.layers[asked.layer - 1]
    found = weigh(
        layer, model.parameters[asked.layer - 1], own.inputs, own.pre_activations, asked.unit
    )
    where = (*(found.position or ()), asked.unit)
    function = activation(layer.activation)
    told |= _unit(network.layer_name(asked.layer - 1), found, asked, dataset, function)
    told["numbers"] += (
        ("dL/da, the gradient at its activation", exactly(own.slope[where])),
        ("δ = dL/dz, its error", exactly(own.delta[where])),
    )
    arrays |= _maps(found, dataset, asked.layer)
    if asked.weight is not None:
        gradients = tuple(one.gradients for one in way.layers)
        weight = find_weight(network, gradients, asked.layer, asked.unit, asked.weight)
        chain = chain_of(network, model.parameters, way, weight)
        told |= {
            "weight": str(weight),
            "value": exactly(weight.of(model.parameters)),
            "gradient": exactly(chain.gradient),
            "chain": tuple(_chain(chain)),
        }
    return Looked(**told), arrays


def _target(dataset: Dataset, sample: int) -> str:
    target = np.asarray(dataset.train.targets[sample])
    if dataset.task == "counting":
        return f"{exactly(float(dataset.train.counts[sample]))} people"
    if dataset.task == "classification" and target.ndim == 0:
        return printable(dataset.class_names[int(target)])
    return ", ".join(map(exactly, target.ravel()[:12]))


def picture_of(dataset: Dataset, sample: int) -> np.ndarray | None:
    """A training sample's inputs as an image (height, width, channels); None if they are none."""
    shape = image_shape(dataset.input_shape, dataset.input_names)
    if shape is None:
        return None
    return in_grey(np.asarray(dataset.train.inputs[sample], np.float32).reshape(shape))


def in_grey(values: np.ndarray) -> np.ndarray:
    """Pixels of any range from 0 to 1."""
    low, high = (0, 255) if values.max() > 17 else (values.min(), values.max())
    return np.clip((values - low) / max(high - low, 1e-9), 0, 1)


def _signals(way: Way) -> Arrays:
    """A sample's inputs and its activations in each layer that is small enough to be shown."""
    named = {"inputs": way.layers[0].inputs}
    named |= {f"signals.{index}": one.activations for index, one in enumerate(way.layers)}
    return {name: few for name, one in named.items() if (few := _shown(one)) is not None}


def _shown(values: np.ndarray) -> np.ndarray | None:
    """Units as they are, maps with the channels first and few enough pixels; None of others."""
    if values.ndim == 1:
        return values if values.size <= MOST_UNITS else None
    return np.moveaxis(_few(values[..., :MOST_MAPS]), -1, 0) if values.ndim == 3 else None


def _few(image: np.ndarray) -> np.ndarray:
    """Every so many pixels of (height, width, channels)."""
    stride = -(-max(image.shape[:2]) // MAP_SIDE)
    return image[::stride, ::stride]


def _unit(
    name: str, found: Weighed, asked: Look, dataset: Dataset, function: Activation
) -> dict[str, Any]:
    """What a unit makes of its inputs, with everything that is added up."""
    layer, unit = asked.layer, asked.unit
    assert layer is not None
    names = names_of(layer, found.inputs.shape, dataset.input_names, found.first_channel)
    inputs, weights = found.inputs.ravel(), found.weights.ravel()
    products = inputs * weights
    strongest = np.argsort(-np.abs(products), kind="stable")[:MOST_ROWS]
    listed = range(len(products)) if len(products) <= MOST_ROWS else np.sort(strongest)
    rest = products.sum(dtype=np.float64) - products[listed].sum(dtype=np.float64)
    where = "" if found.position is None else " at row {}, column {}".format(*found.position)
    return {
        "layer": layer,
        "unit": unit,
        "title": f"{name}, unit {unit}{where}",
        "rows": tuple(
            (
                ",".join(map(str, np.unravel_index(one, found.inputs.shape))),
                printable(names[one]),
                *map(exactly, (inputs[one], weights[one], products[one])),
            )
            for one in listed
        ),
        "others": (len(products) - len(listed), exactly(rest)),
        "numbers": (
            ("bias", exactly(found.bias)),
            ("z, the pre-activation", exactly(found.sum)),
            (f"a = {function.name}(z), the activation", exactly(found.output)),
            ("f'(z), its derivative", exactly(found.slope)),
        ),
        "worked_out": tuple(_worked_out(found, function)),
    }


def _worked_out(found: Weighed, function: Activation) -> Iterator[str]:
    """The activation and its derivative with their numbers; nothing without a formula."""
    equation = function.equation
    if function.name == "identity" or not equation.formula:
        return
    z, a = found.sum, found.output
    yield f"{equation.lines[0]} = {exactly(a)}"
    yield equation.slope({"z": z, "a": a, "a[i]": a, "a[j]": a, "i == j": 1}, found.slope, 6)


def _maps(found: Weighed, dataset: Dataset, layer: int) -> Arrays:
    """Of a unit that sees pixels: what it sees, its weights, and their products, as maps."""
    shape = found.inputs.shape
    if len(shape) == 1:
        image = image_shape(dataset.input_shape, dataset.input_names)
        if layer != 1 or image is None or len(dataset.input_shape) != 1:
            return {}
        shape = image
    products = found.inputs * found.weights
    named = {"seen": found.inputs, "filter": found.weights, "products": products}
    return {
        name: np.moveaxis(one.reshape(shape)[..., :MOST_MAPS], -1, 0) for name, one in named.items()
    }


def _chain(chain: Chain) -> Iterator[OneSum]:
    for one in (*_with_error(chain), *chain.links):
        terms = tuple(
            OneProduct(
                tuple(
                    OneFactor(factor.symbol, factor.words, exactly(factor.value), factor.worked_out)
                    for factor in term.factors
                ),
                exactly(term.value),
            )
            for term in one.terms
        )
        yield OneSum(one.symbol, terms, one.count, exactly(_rest(one)), exactly(one.value))


def _with_error(chain: Chain) -> tuple[Sum, ...]:
    """The start of a chain; of one product as signal times error, and how that error comes."""
    start = chain.start
    if len(start.terms) != 1 or start.count > 1 or len(start.terms[0].factors) != 3:
        return (start,)
    signal, *rest = start.terms[0].factors
    inside = Product(tuple(rest))
    symbol = f"dL/dz{chain.weight.layer}[{chain.weight.unit}]"
    error = Factor(symbol, inside.value)
    return (
        Sum(start.symbol, (Product((signal, error)),), start.count, start.value),
        Sum(symbol, (inside,), 1, inside.value),
    )


def _rest(one: Sum) -> float:
    return one.rest if one.count > len(one.terms) else 0.0


def six_steps(traced: StepTrace) -> tuple[tuple[str, str], ...]:
    """The six steps of one step of learning: the head of each, and what it tells."""
    parts: list[tuple[str, list[str]]] = []
    lines = list(traced.parts())
    for before, part in zip(["", *map(str, lines)], lines, strict=False):
        text = str(part)
        if before == "" and text[:1].isdigit():
            parts.append((text, []))
        elif parts:
            parts[-1][1].append(text)
    return tuple((head, "\n".join(told).strip("\n")) for head, told in parts)


def tell_steps(traced: StepTrace) -> tuple[Told, Arrays]:
    """One step of a training as the six steps of learning, with what is drawn of it."""
    parts = six_steps(traced)
    lines = [text.split("\n") for _, text in parts]
    short = (
        f"{lines[0][0]} {lines[0][-1]}",
        lines[1][-1],
        f"Loss of this sample: {exactly(traced.way.loss)}. Loss of the whole batch: "
        f"{exactly(traced.batch_loss)}.",
        "From the last layer to the first: a connection's gradient is the signal before it times "
        "the error after it.",
        next(iter(tell_change(traced))) if traced.is_made else traced.failure,
        lines[5][0],
    )
    arrays = _signals(traced.way)
    for index, layer in enumerate(traced.layers):
        error = _shown(layer.way.delta)
        if error is not None:
            arrays[f"deltas.{index}"] = error
        own = {"weights": layer.before, "gradients": layer.batch_gradients}
        for name, named in {**own, "changes": layer.changes}.items():
            found = named.get("weights")
            if found is not None and found.ndim == 2 and found.size <= MOST_NUMBERS:
                arrays[f"{name}.{index}"] = found
    stripped = tuple(" ".join(one.split()) for one in short)
    return Told(traced.step, traced.sample.index, traced.summary, parts, stripped), arrays


def layers_of(found: LayersOverTime) -> tuple[Layers, Arrays]:
    """The layers over a training, as curves."""
    names = ("gradient_length", "weight_length", "update_fraction", "dead", "saturated")
    arrays = {name: np.stack([getattr(one, name) for one in found.layers]) for name in names}
    told = Layers(found.summary, tuple(one.name for one in found.layers))
    return told, {"steps": found.steps, **arrays}


def rates_of(found: FoundRate) -> tuple[Rated, Arrays]:
    """A search for a learning rate, as curves and borders."""
    low, high = found.good
    told = Rated(
        text=f"{found.summary} {found.how}",
        learning_rate=found.learning_rate,
        low=low,
        high=high,
        overshoots=found.overshoots,
        too_slow=found.too_slow,
        start_loss=found.start_loss,
        loss=found.settings.loss,
        proof=tuple((one.name, one.rate) for one in found.proof),
    )
    arrays = {
        name: np.stack([one.rates, one.validation_loss.mean(axis=1)], axis=1)
        for name, one in (("wide", found.first_look), ("near", found.second_look))
    }
    return told, arrays | {
        f"proof.{index}": one.batch_loss for index, one in enumerate(found.proof)
    }
