"""An ONNX graph while it is written: nodes, constants, and names that nobody else has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "uint8": TensorProto.UINT8,
    "int64": TensorProto.INT64,
    "text": TensorProto.STRING,
}
SAMPLES = "samples"  # the axis whose length is free


class Graph:
    """A graph that grows; each method gives back the name of what it added.

    Attributes:
        nodes: The operations, in order.
        constants: Weights and other arrays that are known beforehand.
        inputs: What goes in.
        outputs: What comes out.
    """

    def __init__(self, reserved: Sequence[str] = ()) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []
        self._taken = set(reserved)

    def unique(self, name: str) -> str:
        """`name`, or if that is taken, with a number behind it."""
        free, number = name, 1
        while free in self._taken:
            number += 1
            free = f"{name} {number}"
        self._taken.add(free)
        return free

    def input(self, name: str, kind: str, shape: Sequence[str | int], note: str) -> str:
        """An input, whose name was reserved."""
        info = helper.make_tensor_value_info(name, TYPES[kind], list(shape), note)
        self.inputs.append(info)
        return name

    def output(self, value: str, name: str, kind: str, shape: Sequence[str | int]) -> str:
        """Let `value` come out under a name that was reserved."""
        self.nodes.append(helper.make_node("Identity", [value], [name], name=name))
        info = helper.make_tensor_value_info(name, TYPES[kind], list(shape))
        self.outputs.append(info)
        return name

    def node(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """An operation with one output."""
        name = self.unique(operation.lower())
        self.nodes.append(helper.make_node(operation, inputs, [name], name=name, **attributes))
        return name

    def constant(self, values: Any, name: str = "constant") -> str:
        """An array; texts as an array of objects."""
        name = self.unique(name)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def scalar(self, value: float, kind: str = "float32") -> str:
        """A number."""
        name = self.unique(f"{value:g}")
        self.constants.append(numpy_helper.from_array(np.array(value, kind), name))
        return name

    def cast(self, value: str, kind: str) -> str:
        """The same as another type."""
        return self.node("Cast", value, to=TYPES[kind])

    def columns(self, value: str, first: int, last: int) -> str:
        """Those of (samples, columns) from `first` up to, and without, `last`."""
        ends = [
            self.constant(np.array([one]), name) for one, name in ((first, "first"), (last, "last"))
        ]
        return self.node("Slice", value, *ends, self.constant(np.array([1]), "axis"))

    def as_column(self, value: str) -> str:
        """(samples,) as (samples, 1)."""
        return self.node("Unsqueeze", value, self.constant(np.array([1]), "axis"))
