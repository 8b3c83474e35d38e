"""A network as PyTorch modules, with the weights under the names of its `state_dict`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from downslope.exporting.model import Model
from downslope.exporting.source import Body, Source, assemble, exported
from downslope.nn.forms import TorchModule


def torch_source(model: Model, stem: str) -> Source:
    """The file for PyTorch.

    Args:
        model: What is exported.
        stem: The file's name without its suffix.
    """
    whole = TorchModule("nn.Sequential", inside=tuple(exported(model, "torch")))
    network = "\n".join(_rendered(whole))
    classes = list(dict.fromkeys(_definitions(whole)))
    load = (
        "network.load_state_dict(\n"
        "    {name: torch.from_numpy(ARRAYS[name]) for name in network.state_dict()}\n"
        ")\n"
        "network.eval()  # dropout is for training"
    )
    signals = "torch.from_numpy(x)"
    back = ""
    if len(model.input_shape) == 3:
        signals += ".movedim(-1, 1)"  # PyTorch has the channels first
    if len(model.output_shape) == 3:
        back = ".movedim(1, -1)"
    body = Body(
        library="PyTorch, NumPy and safetensors",
        imports=("import torch", "from safetensors.numpy import load_file", "from torch import nn"),
        arrays="load_file(WEIGHTS)",
        suffix=".safetensors",
        definition="\n\n\n".join([*classes, f"network = {network}\n{load}"]),
        call=("with torch.no_grad():", f"    x = network({signals}){back}.numpy()"),
        weights=_named(whole),
    )
    return assemble(model, body, stem)


def _definitions(module: TorchModule) -> Iterator[str]:
    """The code of all classes that are none of PyTorch's, one for each time it is used."""
    if module.definition:
        yield module.definition
    for one in module.inside:
        yield from _definitions(one)


def _rendered(module: TorchModule, indent: str = "") -> list[str]:
    """The module's code, a line per module."""
    if "(" in module.text:
        return [f"{indent}{module.text}"]
    if module.text != "Parallel":
        lines = [line for one in module.inside for line in _closed(one, f"{indent}    ")]
        return [f"{indent}{module.text}(", *lines, f"{indent})"]
    lines = [line for one in module.inside for line in _closed(one, f"{indent}        ")]
    return [f"{indent}Parallel(", f"{indent}    [", *lines, f"{indent}    ]", f"{indent})"]


def _closed(module: TorchModule, indent: str) -> list[str]:
    *lines, last = _rendered(module, indent)
    return [*lines, f"{last},"]


def _named(module: TorchModule, prefix: str = "") -> dict[str, np.ndarray]:
    """All weights under the names that PyTorch gives them."""
    found = {f"{prefix}{name}": np.ascontiguousarray(one) for name, one in module.weights.items()}
    for index, one in enumerate(module.inside):
        found |= _named(one, f"{prefix}{index}.")
    return found
