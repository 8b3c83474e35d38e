"""The whole of a model as one ONNX file: raw inputs go in, predictions come out.

Written with `onnx.helper` alone, and checked by onnx before it leaves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import onnx
from onnx import helper

from downslope.exporting.model import Model
from downslope.exporting.onnx_graph import SAMPLES, Graph
from downslope.exporting.onnx_tables import wanted, write_columns
from downslope.nn.forms import Spot
from downslope.nn.layer import Layer, Parameters, Shape
from downslope.nn.notation import describe

CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
OPSET = 20  # the first with everything that is needed; onnxruntime 1.17 and later read it
IR_VERSION = 9  # the file format that goes with it
INPUTS = "inputs"  # the one input of a model that takes no named columns


def onnx_bytes(model: Model) -> bytes:
    """The content of an ONNX file.

    Raises:
        onnx.checker.ValidationError: The graph is not valid, which a test should have found.
        onnx.shape_inference.InferenceError: Likewise.
    """
    graph = Graph([*input_notes(model), *output_names(model).values()])
    signals = _scaled(graph, model, _inputs(graph, model))
    if len(model.input_shape) == 3:
        signals = graph.node("Transpose", signals, perm=CHANNELS_FIRST)
    outputs = _layers(graph, model, signals)
    if len(model.output_shape) == 3:
        outputs = graph.node("Transpose", outputs, perm=CHANNELS_LAST)
    _predictions(graph, model, outputs)
    return _checked(graph, model).SerializeToString()


def _layers(graph: Graph, model: Model, signals: str) -> str:
    """The layers one after another; what goes in and comes out has its channels first."""

    def export(
        layers: Sequence[Layer], parameters: Sequence[Parameters], shape: Shape, index: str, x: str
    ) -> str:
        for number, (layer, own) in enumerate(zip(layers, parameters, strict=True), start=1):
            x = layer.to_onnx(Spot(f"{index}{number}", own, shape, export), graph, x)
            shape = layer.output_shape(shape)
        return x

    if not model.mirrors:
        return export(model.network.layers, model.parameters, model.input_shape, "", signals)
    last, end, across, back = (
        graph.constant(np.array([one]), name)
        for one, name in ((-1, "last"), (-(2**31), "end"), (3, "across"), (-1, "back"))
    )
    mirrored = graph.node("Slice", signals, last, end, across, back)
    both = graph.node("Concat", signals, mirrored, axis=0)
    both = export(model.network.layers, model.parameters, model.input_shape, "", both)
    pairs = graph.constant(np.array([2, -1, *model.output_shape]), "pairs")
    axis = graph.constant(np.array([0]), "axis")
    return graph.node("ReduceMean", graph.node("Reshape", both, pairs), axis, keepdims=0)


def input_notes(model: Model) -> dict[str, str]:
    """What goes in, in words, by the inputs' names."""
    if model.encoding is not None:
        return {one.name: wanted(one) for one in model.encoding.columns}
    sides = ["height", "width"] if model.takes_any_size else map(str, model.input_shape[:-1])
    shape = ", ".join([SAMPLES, *sides, str(model.input_shape[-1])])
    kind = "pixels of 0 to 255, uint8" if model.has_pixels else f"numbers, {_kind(model)}"
    return {INPUTS: f"{kind}, of shape ({shape})"}


def output_names(model: Model) -> dict[str, str]:
    """What each output is called, by what it is; a column of the table may have that name."""
    plain = {
        "classification": ("prediction", "probabilities"),
        "multilabel": ("prediction",),
        "regression": ("prediction",),
        "counting": ("prediction", "density"),
    }[model.task]
    taken = Graph(list(input_notes(model)))
    return {name: taken.unique(name) for name in plain}


def _inputs(graph: Graph, model: Model) -> str:
    if model.encoding is not None:
        return write_columns(graph, model.encoding)
    shape = model.input_shape
    sides = ("height", "width", shape[-1]) if model.takes_any_size else shape
    kind = "uint8" if model.has_pixels else _kind(model)
    raw = graph.input(INPUTS, kind, [SAMPLES, *sides], input_notes(model)[INPUTS])
    return graph.cast(raw, "float32") if model.has_pixels else raw


def _scaled(graph: Graph, model: Model, signals: str) -> str:
    """Float32 of size 1; tables, and whatever lies far from 0, are centred as float64."""
    scale = model.input_scale
    if scale is None:
        return graph.cast(signals, "float32") if _kind(model) == "float64" else signals
    wide = _kind(model) == "float64" or scale.needs_double
    kind = "float64" if wide else "float32"
    if wide and _kind(model) != "float64":
        signals = graph.cast(signals, "float64")
    mean, std = (np.asarray(one, kind) for one in (scale.mean, scale.std))
    signals = graph.node("Sub", signals, graph.constant(mean, "scaling.mean"))
    signals = graph.node("Div", signals, graph.constant(std, "scaling.std"))
    return graph.cast(signals, "float32") if wide else signals


def _kind(model: Model) -> str:
    """The type of the inputs before they are scaled."""
    if model.encoding is not None:
        return "float64"
    far = model.input_scale is not None and model.input_scale.needs_double
    return "float64" if far and not model.has_pixels else "float32"


def _predictions(graph: Graph, model: Model, outputs: str) -> None:
    """From what the network puts out to what a person reads."""
    kind, scale = "float32", model.target_scale
    if scale is not None:
        if scale.needs_double:
            kind, outputs = "float64", graph.cast(outputs, "float64")
        std = graph.constant(np.asarray(scale.std, kind), "targets.std")
        mean = graph.constant(np.asarray(scale.mean, kind), "targets.mean")
        outputs = graph.node("Add", graph.node("Mul", outputs, std), mean)
    predictions = outputs if model.link == "identity" else _linked(graph, model, outputs)
    names = output_names(model)
    if model.task == "classification":
        _classes(graph, model, outputs, predictions)
    elif model.task == "counting":
        whole = graph.constant(np.array([1, 2, 3]), "axes")
        people = graph.node("ReduceSum", graph.cast(predictions, "float64"), whole, keepdims=0)
        graph.output(graph.cast(people, "float32"), names["prediction"], "float32", [SAMPLES])
        cells = [SAMPLES, "rows of cells", "columns of cells", 1]
        graph.output(predictions, names["density"], "float32", cells)
    else:
        graph.output(predictions, names["prediction"], kind, [SAMPLES, *model.output_shape])


def _linked(graph: Graph, model: Model, outputs: str) -> str:
    if model.link == "softmax":
        return graph.node("Softmax", outputs, axis=-1)
    return graph.node({"sigmoid": "Sigmoid", "exp": "Exp"}[model.link], outputs)


def _classes(graph: Graph, model: Model, outputs: str, predictions: str) -> None:
    """The name of the chosen class, and the probability of each."""
    if model.output_shape == (1,):
        is_second = graph.node("Greater", outputs, graph.scalar(0.0))
        shape = graph.constant(np.array([-1]), "shape")
        chosen = graph.node("Reshape", graph.cast(is_second, "int64"), shape)
        other = graph.node("Sub", graph.scalar(1.0), predictions)
        predictions = graph.node("Concat", other, predictions, axis=1)
    else:
        chosen = graph.node("ArgMax", outputs, axis=1, keepdims=0)
    names = graph.constant(np.array(model.class_names, object), "classes")
    outputs_called = output_names(model)
    chosen_names = graph.node("Gather", names, chosen)
    graph.output(chosen_names, outputs_called["prediction"], "text", [SAMPLES])
    shape = [SAMPLES, len(model.class_names)]
    graph.output(predictions, outputs_called["probabilities"], "float32", shape)


def _checked(graph: Graph, model: Model) -> onnx.ModelProto:
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            model.identifier,
            graph.inputs,
            graph.outputs,
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="downslope",
        producer_version=version("downslope"),
    )
    facts = {
        "task": model.task,
        "network": describe(model.network),
        "classes": json.dumps(model.class_names, ensure_ascii=False),
        "targets": json.dumps(model.target_names, ensure_ascii=False),
        "inputs": json.dumps(input_notes(model), ensure_ascii=False),
    }
    helper.set_model_props(made, facts)
    onnx.checker.check_model(made, full_check=True)
    onnx.shape_inference.infer_shapes(made, check_type=True, strict_mode=True, data_prop=True)
    return made
