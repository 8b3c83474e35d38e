"""Each layer as ONNX operations. Images go channels first, as ONNX has them: (N, C, H, W)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from downslope.exporting.model import same_pads
from downslope.exporting.onnx_graph import Graph
from downslope.nn.activations import activation
from downslope.nn.composite import Parallel, Residual
from downslope.nn.dense import Dense, Dropout, Flatten
from downslope.nn.embedding import Embedding
from downslope.nn.images import AveragePool2D, Conv2D, MaxPool2D, Upsample2D
from downslope.nn.layer import Layer, Parameters, Shape, in_order
from downslope.nn.normalization import EPSILON, GroupNorm, LayerNorm, Standardize

CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class Here(NamedTuple):
    """Where a layer is written.

    Attributes:
        graph: The graph.
        parameters: The layer's.
        shape: Of one sample that goes in, channels last.
        place: What its weights' names begin with, such as "3".
        signals: What goes in, channels first.
    """

    graph: Graph
    parameters: Parameters
    shape: Shape
    place: str
    signals: str

    def constant(self, name: str, *axes: int) -> str:
        """A parameter of the layer, with its axes in this order."""
        values = self.parameters[name]
        return self.graph.constant(values.transpose(axes) if axes else values, self._full(name))

    def per_channel(self, name: str) -> str:
        """A parameter with one number per channel, (C,) or (C, 1, 1)."""
        channels = (-1, *[1] * (len(self.shape) - 1))
        return self.graph.constant(self.parameters[name].reshape(channels), self._full(name))

    def _full(self, name: str) -> str:
        return f"{self.place}.{name}"


def write_chain(
    graph: Graph,
    layers: Sequence[Layer],
    parameters: Sequence[Parameters],
    shape: Shape,
    signals: str,
    place: str = "",
) -> str:
    """Write layers one after another.

    Args:
        graph: Where they are written.
        layers: The layers.
        parameters: Theirs.
        shape: Of one sample that goes in, channels last.
        signals: What goes in, channels first.
        place: What their weights' names begin with: "" or "3.".

    Returns:
        What comes out, channels first.
    """
    for index, layer in enumerate(layers):
        here = Here(graph, parameters[index], shape, f"{place}{index + 1}", signals)
        signals = _WRITERS[type(layer)](here, layer)
        shape = layer.output_shape(shape)
    return signals


def _activated(graph: Graph, layer: Dense | Conv2D, sums: str) -> str:
    write = activation(layer.activation).onnx
    assert write is not None  # as `model_of` has checked
    return write(graph, sums)


def _dense(here: Here, layer: Dense) -> str:
    weights, biases = here.constant("weights"), here.constant("biases")
    sums = here.graph.node("Gemm", here.signals, weights, biases)
    return _activated(here.graph, layer, sums)


def _convolution(here: Here, layer: Conv2D) -> str:
    weights, biases = here.constant("weights", 3, 2, 0, 1), here.constant("biases")
    settings: dict[str, Any] = {}
    if layer.padding == "same" and layer.stride > 1 and layer.dilation == 1:
        settings["auto_pad"] = "SAME_UPPER"  # right for photos of any size
    elif layer.padding == "same":
        (above, below), (left, right) = same_pads(layer, here.shape)
        settings["pads"] = [above, left, below, right]
    steps = {"strides": [layer.stride] * 2, "dilations": [layer.dilation] * 2}
    sums = here.graph.node("Conv", here.signals, weights, biases, **steps, **settings)
    return _activated(here.graph, layer, sums)


def _max_pool(here: Here, layer: MaxPool2D) -> str:
    size = [layer.size] * 2
    return here.graph.node("MaxPool", here.signals, kernel_shape=size, strides=size)


def _average_pool(here: Here, layer: AveragePool2D) -> str:
    size = [layer.size] * 2
    return here.graph.node("AveragePool", here.signals, kernel_shape=size, strides=size)


def _upsample(here: Here, layer: Upsample2D) -> str:
    factors = np.array([1, 1, layer.factor, layer.factor], np.float32)
    return here.graph.node(
        "Resize",
        here.signals,
        "",  # no region of interest
        here.graph.constant(factors, "factors"),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _flatten(here: Here, layer: Flatten) -> str:
    signals = here.signals
    if len(here.shape) == 3:  # the order that the weights behind it were trained for
        signals = here.graph.node("Transpose", signals, perm=CHANNELS_LAST)
    return here.graph.node("Flatten", signals, axis=1)


def _dropout(here: Here, layer: Dropout) -> str:
    return here.signals  # it silences in training only


def _embedding(here: Here, layer: Embedding) -> str:
    graph, signals = here.graph, here.signals
    last = graph.node("Gather", signals, graph.constant(np.array([-1]), "last"), axis=1)
    last = graph.node("Squeeze", last, graph.constant(np.array([1]), "axis"))
    most = graph.scalar(float(layer.values - 1))
    nearest = graph.node("Clip", graph.node("Round", last), graph.scalar(0.0), most)
    found = graph.node("Gather", here.constant("weights"), graph.cast(nearest, "int64"), axis=0)
    if here.shape == (1,):  # there are no others
        return found
    ends = (graph.constant(np.array([one]), name) for one, name in ((0, "first"), (-1, "last")))
    others = graph.node("Slice", signals, *ends, graph.constant(np.array([1]), "axis"))
    return graph.node("Concat", found, others, axis=1)


def _standardized(graph: Graph, values: str, axes: Sequence[int]) -> str:
    where = graph.constant(np.array(axes), "axes")
    centred = graph.node("Sub", values, graph.node("ReduceMean", values, where))
    variance = graph.node("ReduceMean", graph.node("Mul", centred, centred), where)
    spread = graph.node("Sqrt", graph.node("Add", variance, graph.scalar(EPSILON)))
    return graph.node("Div", centred, spread)


def _rescaled(here: Here, normal: str) -> str:
    scaled = here.graph.node("Mul", normal, here.per_channel("scale"))
    return here.graph.node("Add", scaled, here.per_channel("offset"))


def _standardize(here: Here, layer: Standardize) -> str:
    return _standardized(here.graph, here.signals, range(1, len(here.shape) + 1))


def _layer_norm(here: Here, layer: LayerNorm) -> str:
    return _rescaled(here, _standardized(here.graph, here.signals, [1]))


def _group_norm(here: Here, layer: GroupNorm) -> str:
    graph = here.graph
    groups = graph.constant(np.array([0, layer.groups, -1]), "groups")  # 0: as many samples
    normal = _standardized(graph, graph.node("Reshape", here.signals, groups), [2])
    return _rescaled(here, graph.node("Reshape", normal, graph.node("Shape", here.signals)))


def _residual(here: Here, layer: Residual) -> str:
    made = _inner_chain(here, layer.layers, here.parameters, "")
    return here.graph.node("Add", here.signals, made)


def _parallel(here: Here, layer: Parallel) -> str:
    made = [
        _inner_chain(here, branch, here.parameters[str(number)], f"{number}.")
        for number, branch in enumerate(layer.branches, start=1)
    ]
    return here.graph.node("Concat", *made, axis=1)


def _inner_chain(here: Here, layers: Sequence[Layer], parameters: Parameters, place: str) -> str:
    own = in_order(parameters)
    return write_chain(here.graph, layers, own, here.shape, here.signals, f"{here.place}.{place}")


_WRITERS: Mapping[type[Layer], Callable[..., str]] = {
    Dense: _dense,
    Conv2D: _convolution,
    MaxPool2D: _max_pool,
    AveragePool2D: _average_pool,
    Upsample2D: _upsample,
    Flatten: _flatten,
    Dropout: _dropout,
    Embedding: _embedding,
    LayerNorm: _layer_norm,
    GroupNorm: _group_norm,
    Standardize: _standardize,
    Residual: _residual,
    Parallel: _parallel,
}
