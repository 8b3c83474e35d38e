"""A network as PyTorch modules, with the weights under the names of its `state_dict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from downslope.exporting.model import Model
from downslope.exporting.source import Body, Source, assemble
from downslope.nn.activations import activation
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Dense, Dropout, Flatten
from downslope.nn.embedding import Embedding
from downslope.nn.images import AveragePool2D, Conv2D, MaxPool2D, Upsample2D
from downslope.nn.layer import Layer, Parameters, Shape, in_order
from downslope.nn.normalization import GroupNorm, LayerNorm, Standardize

_CLASSES = {
    "Embed": '''\
class Embed(nn.Embedding):
    """The last input, the place of a value, looked up and put in front of the others."""

    def forward(self, x):
        places = x[:, -1].round().clamp(0, self.num_embeddings - 1).long()
        return torch.cat([super().forward(places), x[:, :-1]], dim=1)''',
    "Residual": '''\
class Residual(nn.Sequential):
    """The inputs added to what the layers make of them."""

    def forward(self, x):
        return x + super().forward(x)''',
    "Parallel": '''\
class Parallel(nn.ModuleList):
    """Branches that see the same inputs, joined along the channels."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], dim=1)''',
    "FlattenPixels": '''\
class FlattenPixels(nn.Module):
    """Pixel after pixel, each with all of its channels, as the weights behind it want them."""

    def forward(self, x):
        return x.movedim(1, -1).flatten(1)''',
    "PixelNorm": '''\
class PixelNorm(nn.LayerNorm):
    """Each pixel by itself, over its channels."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)''',
    "StridedConv2d": '''\
class StridedConv2d(nn.Conv2d):
    """Padding "same" with a stride: the odd zero goes below and to the right."""

    def forward(self, x):
        pads = []
        for length in (x.shape[3], x.shape[2]):
            span = (self.kernel_size[0] - 1) * self.dilation[0] + 1
            zeros = max((-(-length // self.stride[0]) - 1) * self.stride[0] + span - length, 0)
            pads += [zeros // 2, zeros - zeros // 2]
        return super().forward(nn.functional.pad(x, pads))''',
}


@dataclass(frozen=True)
class _Module:
    """A module as code.

    Attributes:
        text: The call that makes it; the class alone where it has modules inside.
        weights: Its own weights, by PyTorch's names.
        inside: The modules in it.
    """

    text: str
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
    inside: tuple[_Module, ...] = ()


def torch_source(model: Model, stem: str) -> Source:
    """The file for PyTorch.

    Args:
        model: What is exported.
        stem: The file's name without its suffix.
    """
    whole = _Module(
        "nn.Sequential",
        inside=_chain(model.network.layers, model.parameters, model.input_shape),
    )
    network = "\n".join(_rendered(whole))
    classes = [code for name, code in _CLASSES.items() if f"{name}(" in network]
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


def _chain(
    layers: Sequence[Layer], parameters: Sequence[Parameters], shape: Shape
) -> tuple[_Module, ...]:
    modules: list[_Module] = []
    for layer, own in zip(layers, parameters, strict=True):
        modules += _modules(layer, own, shape)
        shape = layer.output_shape(shape)
    return tuple(modules)


def _modules(layer: Layer, own: Parameters, shape: Shape) -> list[_Module]:
    is_image = len(shape) == 3
    match layer:
        case Dense():
            weights = {"weight": own["weights"].T, "bias": own["biases"]}
            linear = _Module(f"nn.Linear({shape[0]}, {layer.units})", weights)
            return [linear, *_activation(layer)]
        case Conv2D():
            return [_convolution(layer, own, shape), *_activation(layer)]
        case MaxPool2D():
            return [_Module(f"nn.MaxPool2d({layer.size})")]
        case AveragePool2D():
            return [_Module(f"nn.AvgPool2d({layer.size})")]
        case Upsample2D():
            return [_Module(f"nn.Upsample(scale_factor={layer.factor})")]
        case Flatten():
            return [_Module("FlattenPixels()" if is_image else "nn.Flatten()")]
        case Dropout():
            return [_Module(f"nn.Dropout({layer.rate})")]
        case Embedding():
            made = f"Embed({layer.values}, {layer.numbers})"
            return [_Module(made, {"weight": own["weights"]})]
        case LayerNorm():
            norm = "PixelNorm" if is_image else "nn.LayerNorm"
            return [_Module(f"{norm}({shape[-1]})", _norm(own))]
        case GroupNorm():
            return [_Module(f"nn.GroupNorm({layer.groups}, {shape[-1]})", _norm(own))]
        case Standardize():
            return [_Module(f"nn.GroupNorm(1, {shape[-1]}, affine=False)")]
        case Residual():
            return [_Module("Residual", inside=_chain(layer.layers, in_order(own), shape))]
        case Parallel():
            branches = [
                _Module("nn.Sequential", inside=_chain(branch, in_order(weights), shape))
                for branch, weights in zip(layer.branches, in_order(own), strict=True)
            ]
            return [_Module("Parallel", inside=tuple(branches))]
    raise AssertionError(layer)


def _activation(layer: Dense | Conv2D) -> list[_Module]:
    own = activation(layer.activation)
    return [] if own.name == "identity" else [_Module(own.torch)]


def _norm(own: Parameters) -> dict[str, np.ndarray]:
    return {"weight": own["scale"], "bias": own["offset"]}


def _convolution(layer: Conv2D, own: Parameters, shape: Shape) -> _Module:
    words = [str(shape[-1]), str(layer.channels), str(layer.size)]
    for name in ("stride", "dilation"):
        if getattr(layer, name) != 1:
            words.append(f"{name}={getattr(layer, name)}")
    is_strided = layer.padding == "same" and layer.stride > 1
    if layer.padding == "same" and not is_strided:
        words.append('padding="same"')
    weights = {"weight": own["weights"].transpose(3, 2, 0, 1), "bias": own["biases"]}
    kind = "StridedConv2d" if is_strided else "nn.Conv2d"
    return _Module(f"{kind}({', '.join(words)})", weights)


def _rendered(module: _Module, indent: str = "") -> list[str]:
    """The module's code, a line per module."""
    if "(" in module.text:
        return [f"{indent}{module.text}"]
    if module.text != "Parallel":
        lines = [line for one in module.inside for line in _closed(one, f"{indent}    ")]
        return [f"{indent}{module.text}(", *lines, f"{indent})"]
    lines = [line for one in module.inside for line in _closed(one, f"{indent}        ")]
    return [f"{indent}Parallel(", f"{indent}    [", *lines, f"{indent}    ]", f"{indent})"]


def _closed(module: _Module, indent: str) -> list[str]:
    *lines, last = _rendered(module, indent)
    return [*lines, f"{last},"]


def _named(module: _Module, place: str = "") -> dict[str, np.ndarray]:
    """All weights under the names that PyTorch gives them."""
    found = {f"{place}{name}": np.ascontiguousarray(one) for name, one in module.weights.items()}
    for index, one in enumerate(module.inside):
        found |= _named(one, f"{place}{index}.")
    return found
