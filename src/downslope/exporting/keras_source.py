"""A network as Keras layers (version 3, any of its engines)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from downslope.exporting.chain import Words, chain_lines
from downslope.exporting.model import Model
from downslope.exporting.padding import same_pads
from downslope.exporting.source import Body, Source, assemble
from downslope.nn.activations import activation
from downslope.nn.dense import Dense, Dropout, Flatten
from downslope.nn.embedding import Embedding
from downslope.nn.images import AveragePool2D, Conv2D, MaxPool2D, Upsample2D
from downslope.nn.layer import Layer, Shape
from downslope.nn.normalization import EPSILON, GroupNorm, LayerNorm, Standardize

_NAMES = {"weights": "kernel", "biases": "bias", "scale": "gamma", "offset": "beta"}


def keras_source(model: Model, stem: str) -> Source:
    """The file for Keras.

    Args:
        model: What is exported.
        stem: The file's name without its suffix.
    """
    words = Words(_lines, "layers.Add()([{}, x])", "layers.Concatenate()([{}])")
    lines = chain_lines(words, model.network.layers, model.input_shape)
    sides: Sequence[int | None] = model.input_shape
    if model.takes_any_size:
        sides = (None, None, model.input_shape[-1])
    code = [
        "def build():",
        '    """The layers, one after another."""',
        f"    inputs = x = keras.Input({tuple(sides)})",
        *[f"    {line}" for line in lines],
        "    return keras.Model(inputs, x)",
        "",
        "",
        "network = build()",
        "for layer in network.layers:",
        '    layer.set_weights([ARRAYS[f"{layer.name}.{one.name}"] for one in layer.weights])',
    ]
    body = Body(
        library="Keras 3, NumPy and safetensors",
        imports=(
            "import keras",
            "from keras import layers",
            "from safetensors.numpy import load_file",
        ),
        arrays="load_file(WEIGHTS)",
        suffix=".safetensors",
        definition="\n".join(code),
        call=("x = keras.ops.convert_to_numpy(network(x, training=False))",),
        weights=_keras_weights(model),
    )
    return assemble(model, body, stem)


def _keras_weights(model: Model) -> dict[str, np.ndarray]:
    """All weights by Keras' names: `3.1.weights` is `layer_3_1.kernel` there."""
    own = model.named_parameters
    found = {}
    for name, array in own.items():
        *place, last = name.split(".")
        is_embedding = last == "weights" and ".".join([*place, "biases"]) not in own
        called = "embeddings" if is_embedding else _NAMES[last]
        found[f"layer_{'_'.join(place)}.{called}"] = array
    return found


def _lines(layer: Layer, shape: Shape, place: str) -> list[str]:
    name = f'name="layer_{place.replace(".", "_")}"'
    match layer:
        case Dense():
            return _activated(layer, f"Dense({layer.units}", name)
        case Conv2D():
            return _convolution(layer, shape, name)
        case MaxPool2D():
            return [_call(f"MaxPooling2D({layer.size})")]
        case AveragePool2D():
            return [_call(f"AveragePooling2D({layer.size})")]
        case Upsample2D():
            return [_call(f"UpSampling2D({layer.factor})")]
        case Flatten():
            return [_call("Flatten()")]
        case Dropout():
            return [_call(f"Dropout({layer.rate})")]
        case Embedding():
            return _embedding(layer, shape, name)
        case LayerNorm():
            return [_call(f"LayerNormalization(epsilon={EPSILON}, {name})")]
        case GroupNorm():
            return [_call(f"GroupNormalization({layer.groups}, epsilon={EPSILON}, {name})")]
        case Standardize():
            plain = f"GroupNormalization(1, epsilon={EPSILON}, center=False, scale=False)"
            return [_call(plain)]
    raise AssertionError(layer)


def _call(made: str) -> str:
    return f"x = layers.{made}(x)"


def _embedding(layer: Embedding, shape: Shape, name: str) -> list[str]:
    made = f"layers.Embedding({layer.values}, {layer.numbers}, {name})"
    last = f"keras.ops.clip(keras.ops.round(x[:, -1]), 0, {layer.values - 1})"
    found = f'{made}(\n    keras.ops.cast({last}, "int32")\n)'
    if shape == (1,):  # there are no others
        return f"x = {found}".split("\n")
    return [*f"found = {found}".split("\n"), "x = layers.Concatenate()([found, x[:, :-1]])"]


def _activated(layer: Dense | Conv2D, start: str, name: str) -> list[str]:
    """A layer whose call begins with `start`, and its activation."""
    own = activation(layer.activation).keras
    if "(" in own:  # a layer by itself
        return [_call(f"{start}, {name})"), f"x = {own}(x)"]
    own = "" if own == "linear" else f', activation="{own}"'
    return [_call(f"{start}{own}, {name})")]


def _convolution(layer: Conv2D, shape: Shape, name: str) -> list[str]:
    start = f"Conv2D({layer.channels}, {layer.size}"
    if layer.dilation > 1:
        start += f", dilation_rate={layer.dilation}"
    if layer.stride > 1 and layer.dilation > 1:
        return _strided_and_dilated(layer, shape, start, name)
    if layer.stride > 1:
        start += f", strides={layer.stride}"
    if layer.padding == "same":
        start += ', padding="same"'
    return _activated(layer, start, name)


def _strided_and_dilated(layer: Conv2D, shape: Shape, start: str, name: str) -> list[str]:
    """Keras refuses both at once: every output is computed, and some are taken."""
    lines = []
    if layer.padding == "same":
        pads = same_pads(layer, shape)
        if np.any(pads):
            lines.append(_call(f"ZeroPadding2D({pads})"))
    taken = _call(f"MaxPooling2D(1, strides={layer.stride})")  # each stride-th pixel
    return [*lines, *_activated(layer, start, name), taken]
