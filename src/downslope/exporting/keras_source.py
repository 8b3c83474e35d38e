"""A network as Keras layers (version 3, any of its engines)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from downslope.exporting.model import Model
from downslope.exporting.source import Body, Source, assemble, exported


def keras_source(model: Model, stem: str) -> Source:
    """The file for Keras.

    Args:
        model: What is exported.
        stem: The file's name without its suffix.
    """
    lines = exported(model, "keras")
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
    names = model.keras_names
    found = {}
    for name, array in model.named_parameters.items():
        *index, last = name.split(".")
        called = names[".".join(index)].get(last, last)
        found[f"layer_{'_'.join(index)}.{called}"] = array
    return found
