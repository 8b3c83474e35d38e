"""A network in NumPy alone: the arithmetic of each layer in a line or two."""

from __future__ import annotations

from downslope.exporting.chain import Words, chain_lines
from downslope.exporting.model import Model
from downslope.exporting.source import Body, Source, assemble
from downslope.nn.activations import activation
from downslope.nn.dense import Dense, Dropout, Flatten
from downslope.nn.embedding import Embedding
from downslope.nn.images import AveragePool2D, Conv2D, MaxPool2D, Upsample2D
from downslope.nn.layer import Layer, Shape
from downslope.nn.normalization import GroupNorm, LayerNorm, Standardize


def numpy_source(model: Model, stem: str) -> Source:
    """The file for NumPy.

    Args:
        model: What is exported.
        stem: The file's name without its suffix.
    """
    words = Words(_lines, "{} + x", "np.concatenate([{}], axis=-1)")
    lines = chain_lines(words, model.network.layers, model.input_shape)
    body = Body(
        library="NumPy and nothing else",
        imports=(),
        arrays="dict(np.load(WEIGHTS))",
        suffix=".npz",
        definition="\n".join(
            [
                "def network(x):",
                '    """The layers, one after another, from scaled inputs to outputs."""',
                *[f"    {line}" for line in lines],
                "    return x",
            ]
        ),
        call=("x = network(x)",),
        weights=model.named_parameters,
    )
    return assemble(model, body, stem)


def _lines(layer: Layer, shape: Shape, place: str) -> list[str]:
    match layer:
        case Dense():
            return [_activated(layer, f"x @ {_own(place, 'weights')}", place)]
        case Conv2D():
            settings = {"stride": layer.stride, "dilation": layer.dilation}
            words = [f", {name}={value}" for name, value in settings.items() if value != 1]
            words += [', padding="valid"'] * (layer.padding == "valid")
            sums = f"convolve(x, {_own(place, 'weights')}{''.join(words)})"
            return [_activated(layer, sums, place)]
        case MaxPool2D():
            return [f"x = windows(x, {layer.size}).max(axis=(2, 4))"]
        case AveragePool2D():
            return [f"x = windows(x, {layer.size}).mean(axis=(2, 4))"]
        case Upsample2D():
            return [f"x = upsample(x, {layer.factor})"]
        case Flatten():
            return ["x = x.reshape(len(x), -1)"]
        case Embedding():
            return [f"x = embed(x, {_own(place, 'weights')})"]
        case LayerNorm():
            return [_rescaled("standardize(x, -1)", place)]
        case GroupNorm():
            return [_rescaled(f"standardize_groups(x, {layer.groups})", place)]
        case Standardize():
            return [f"x = standardize(x, {tuple(range(1, len(shape) + 1))})"]
        case Dropout():
            return []  # it silences in training only
    raise AssertionError(layer)


def _own(place: str, name: str) -> str:
    return f'ARRAYS["{place}.{name}"]'


def _activated(layer: Dense | Conv2D, product: str, place: str) -> str:
    sums = f"{product} + {_own(place, 'biases')}"
    name = activation(layer.activation).name
    return f"x = {sums}" if name == "identity" else f"x = {name}({sums})"


def _rescaled(normal: str, place: str) -> str:
    return f"x = {normal} * {_own(place, 'scale')} + {_own(place, 'offset')}"
