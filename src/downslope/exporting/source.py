"""Python files that answer as a run does, without Downslope: what all of them have in common.

Each library has its own way to write the network (`numpy_source.py`, `torch_source.py`,
`keras_source.py`). What stands before it (reading, encoding, scaling) and behind it (class names,
units) is the same NumPy in all of them.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from downslope.data.tables import words
from downslope.data.tables.dates import in_words, pattern
from downslope.data.tables.encoding import ColumnCode, Encoding
from downslope.data.tables.numbers import DURATIONS, MONEY, PLAIN, parts
from downslope.exporting import numpy_functions, table_functions
from downslope.exporting.model import Model
from downslope.nn.activations import ACTIVATIONS, Activation
from downslope.nn.forms import Spot
from downslope.nn.layer import Layer, Parameters, Shape

WIDTH = 96  # letters in a line, at most


@dataclass(frozen=True)
class Body:
    """The network in one library's words.

    Attributes:
        library: What the file needs, such as "PyTorch and safetensors".
        imports: Lines that import it, besides NumPy.
        arrays: The expression that reads the weights' file `WEIGHTS`.
        suffix: Of the weights' file.
        definition: The code that makes the network.
        call: Lines that make the network's outputs x of scaled inputs x, both NumPy.
        weights: What the weights' file holds.
    """

    library: str
    imports: tuple[str, ...]
    arrays: str
    suffix: str
    definition: str
    call: tuple[str, ...]
    weights: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Source:
    """A Python file and the arrays that belong beside it.

    Attributes:
        code: The file's text.
        arrays: The weights and scalings by their names.
        suffix: Of the file that holds them: ".npz" or ".safetensors".
    """

    code: str
    arrays: Mapping[str, np.ndarray]
    suffix: str


def assemble(model: Model, body: Body, stem: str) -> Source:
    """Put a file together.

    Args:
        model: What is exported.
        body: The network.
        stem: The file's name without its suffix.
    """
    own = [body.definition, _outputs(model, body), _predictions(model), _script(model)]
    if model.encoding is not None:
        own.insert(0, _encode(model.encoding))
    whole = "\n".join(own)
    tables = []
    if model.encoding is not None:
        tables = [*_used(table_functions, whole), *_used(words, whole)]
    functions = [*tables, *_activations(model, whole), *_used(numpy_functions, whole)]
    if model.encoding is not None:
        functions.append(own.pop(0))
    head = [
        _docstring(model, body, stem),
        _imports(body, "\n".join(functions)),
        _constants(model, body),
    ]
    code = "\n\n".join(head) + "\n\n\n" + "\n\n\n".join([*functions, *own]) + "\n"
    return Source(code, {**body.weights, **model.named_scales, **model.named_hashes}, body.suffix)


def exported(model: Model, form: str) -> list[Any]:
    """What the layers give, one after another: lines of a library, or modules.

    Args:
        model: What is exported.
        form: "numpy", "torch" or "keras".
    """
    names = model.activation_names

    def export(
        layers: Sequence[Layer], parameters: Sequence[Parameters], shape: Shape, index: str = ""
    ) -> list[Any]:
        found = []
        for number, (layer, own) in enumerate(zip(layers, parameters, strict=True), start=1):
            spot = Spot(f"{index}{number}", own, shape, export, names)
            found += getattr(layer, f"to_{form}")(spot)
            shape = layer.output_shape(shape)
        return found

    return export(model.network.layers, model.parameters, model.input_shape)


def quoted(text: str) -> str:
    """A text as Python has it."""
    return json.dumps(text, ensure_ascii=False)


def in_pieces(text: str, *, indent: str) -> str:
    """A long text as Python has it, in pieces on lines of their own."""
    width = WIDTH - len(indent) - 12  # what is escaped needs two letters
    pieces = [text[start : start + width] for start in range(0, len(text), width)] or [""]
    return f"\n{indent}".join(quoted(one) for one in pieces)


def listed(texts: Sequence[str], *, indent: str = "", around: int = 0) -> str:
    """A list of texts as Python has it, in lines of limited length.

    Args:
        texts: What is listed.
        indent: Of the line in which the list begins.
        around: How many letters stand in that line besides the list.
    """
    cells = [quoted(text) for text in texts]
    in_one = f"[{', '.join(cells)}]"
    if len(indent) + around + len(in_one) <= WIDTH:
        return in_one
    lines = [""]
    for cell in cells:
        if lines[-1] and len(indent) + len(lines[-1]) + len(cell) > WIDTH - 6:
            lines.append("")
        lines[-1] += f"{cell}, "
    inside = "".join(f"{indent}    {line.rstrip()}\n" for line in lines)
    return f"[\n{inside}{indent}]"


def listed_numbers(numbers: Sequence[float], *, indent: str) -> str:
    """A list of numbers as Python has it, on lines of its own."""
    lines = textwrap.wrap(", ".join(map(repr, numbers)), WIDTH - len(indent) - 4)
    return "\n".join(["[", *[f"{indent}    {line}" for line in lines], f"{indent}]"])


def _used(module: ModuleType, code: str) -> list[str]:
    """Those functions of a module that some code calls, and those that these call, in order."""
    sources = {
        name: inspect.getsource(function).rstrip()
        for name, function in vars(module).items()
        if inspect.isfunction(function)
    }
    found: set[str] = set()
    unread = [code]
    while unread:
        text = unread.pop()
        new = {name for name in sources if re.search(rf"\b{name}\(", text)} - found
        found |= new
        unread += [sources[name] for name in new]
    return [source for name, source in sources.items() if name in found]


def _activations(model: Model, code: str) -> list[str]:
    """The activations that some code calls, as functions of NumPy."""
    found = {**ACTIVATIONS, **{name: one for one, name in model.activation_names.items()}}
    return [_function(name, one) for name, one in found.items() if re.search(rf"\b{name}\(", code)]


def _function(name: str, one: Activation) -> str:
    lines = one.numpy.split("\n")
    lines[-1] = f"return {lines[-1].removeprefix('return ')}"
    formula = f'"""{one.formula}."""' if one.formula else f'"""The activation {one.name}."""'
    return "\n".join([f"def {name}(z):", *[f"    {line}" for line in (formula, *lines)]])


def _docstring(model: Model, body: Body, stem: str) -> str:
    shape = ", ".join(map(str, model.input_shape))
    example = "predict(inputs)"
    if model.encoding is not None:
        columns = len(model.encoding.columns)
        takes = f"{columns} columns of a table" if columns > 1 else "a column of a table"
        wants = "A table is anything that gives a column by its name: a dictionary, a frame."
        example, file = "predict(table)", "table.csv"
    elif model.takes_any_size:
        takes, file = f"photos, (n, height, width, {model.input_shape[-1]})", "photos.npy"
        wants = "Photos are pixels of 0 to 255; both sides are multiples of 8."
    else:
        takes, file = (
            f"inputs, (n, {shape})",
            "inputs.npy" if len(model.input_shape) > 1 else "rows.csv",
        )
        wants = "Inputs are pixels of 0 to 255." if model.has_pixels else "Inputs are raw numbers."
    gives = {
        "classification": f"one of {len(model.class_names)} classes",
        "multilabel": f"which of {len(model.class_names)} labels hold",
        "regression": f"{max(1, len(model.target_names))} numbers",
        "counting": "the number of people",
    }[model.task]
    return (
        f'"""From {takes} to {gives}: a network trained with Downslope on {model.identifier}.\n\n'
        f"Needs {body.library}. The weights are in {stem}{body.suffix} beside this file.\n"
        f"{wants}\n\n"
        f"    from {stem} import predict\n"
        f"    {example}\n\n"
        f"or in a shell: python {stem}.py {file}\n"
        '"""'
    )


def _imports(body: Body, functions: str) -> str:
    used = [
        one
        for one in ("csv", "datetime", "gzip", "io", "itertools", "math", "re", "zlib")
        if re.search(rf"\b{one}\.", functions)
    ]
    standard = [*(f"import {one}" for one in used), "import sys", "from pathlib import Path"]
    lines = sorted(["import numpy as np", *body.imports], key=_import_order)
    return "\n".join([*standard, "", *lines])


def _import_order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line


def _constants(model: Model, body: Body) -> str:
    lines = [
        f'WEIGHTS = Path(__file__).with_suffix("{body.suffix}")',
        f"ARRAYS = {body.arrays}",
    ]
    if model.encoding is not None:
        columns = [one.name for one in model.encoding.columns]
        lines.append(f"COLUMNS = {listed(columns, around=10)}")
    if model.task == "classification":
        lines.append(f"CLASSES = {listed(model.class_names, around=10)}")
    elif model.target_names:
        lines.append(f"TARGETS = {listed(model.target_names, around=10)}")
    return "\n".join(lines)


def _encode(encoding: Encoding) -> str:
    lines = [
        "def encode(table):",
        f'    """The columns of a table as numbers, (n, {len(encoding.input_names)})."""',
        "    inputs = [",
        *[
            f"        *{_encoded(code, number)},"
            for number, code in enumerate(encoding.columns, start=1)
        ],
        "    ]",
    ]
    if not encoding.ranked:
        return "\n".join([*lines, "    return np.array(inputs, np.float64).T"])
    ranks = [
        f"        rank(inputs[{at}], {listed_numbers(code.quantiles, indent=' ' * 8)}),"
        for code, at in encoding.firsts
        if code.quantiles
    ]
    lines += ["    ranks = [", *ranks, "    ]"]
    return "\n".join([*lines, "    return np.array([*ranks, *inputs], np.float64).T"])


def _encoded(code: ColumnCode, number: int) -> str:
    column = f"table[{quoted(code.name)}]"
    if code.kind == "text":
        return f'word_indices(texts({column}), ARRAYS["hashes.{number}"], {code.size}).T'
    missing = ", missing=True" if code.says_missing else ""
    if code.numbers:
        around = len(f"*category_index({column}, ),")
        values = listed(code.values, indent=" " * 8, around=around)
        return f"category_index({column}, {values})"
    if code.kind == "category":
        others = ", others=True" if code.has_others else ""
        around = len(f"*category({column}, {others}{missing}),")
        values = listed(code.values, indent=" " * 8, around=around)
        return f"category({column}, {values}{others}{missing})"
    if code.kind == "yes/no":
        return f"yes_no({column}, fill={code.fill!r}{missing})"
    if code.kind == "date":
        cycles = f", cycles={listed(code.cycles)}" if code.cycles else ""
        form = code.form or "%Y-%m-%d"
        written = in_pieces(pattern(form, strict=False), indent=" " * 12)
        return (
            f"date(\n            {column},  # {in_words(form)}\n"
            f"            {written},\n"
            f"            fill={code.fill!r}{cycles}{missing},\n        )"
        )
    if code.form in DURATIONS:
        column = f"durations({column}, seconds={code.form.count(':') == 2})"
        return f"number({column}, fill={code.fill!r}{missing})"
    thousands, decimal, unit = parts(code.form or PLAIN)
    written = f", thousands={quoted(thousands)}" if thousands else ""
    written += f", decimal={quoted(decimal)}" if decimal != "." else ""
    written += f", unit={quoted(unit)}" if unit else ""
    written += ", bare=False" if unit and unit not in MONEY else ""
    return f"number({column}, fill={code.fill!r}{missing}{written})"


def _outputs(model: Model, body: Body) -> str:
    argument = "inputs" if model.encoding is None else "table"
    lines = ["x = np.asarray(inputs)" if model.encoding is None else "x = encode(table)"]
    if model.input_scale is not None:  # float64, until all is of size 1
        lines.append('x = (x - ARRAYS["scaling.mean"]) / ARRAYS["scaling.std"]')
    lines.append("x = x.astype(np.float32)")
    if model.mirrors:
        lines.append("x = np.concatenate([x, x[:, :, ::-1]])  # each image and its mirror image")
    lines += body.call
    if model.mirrors:
        lines.append("x = x.reshape(2, -1, *x.shape[1:]).mean(axis=0)")
    if model.target_scale is not None:
        lines.append('x = x * ARRAYS["targets.std"] + ARRAYS["targets.mean"]')
    if model.link == "exp":
        lines.append("x = np.exp(x)")
    says = {"softmax": "A logit per class.", "sigmoid": "The logit of the second class."}
    if model.task == "multilabel":
        says["sigmoid"] = "The logit of each of TARGETS."
    title = says.get(model.link, "What the network puts out, in the targets' own units.")
    inside = [f'"""{title}"""', *lines, "return x"]
    return "\n".join([f"def outputs({argument}):", *[f"    {line}" for line in inside]])


def _predictions(model: Model) -> str:
    argument = "inputs" if model.encoding is None else "table"
    if model.task == "counting":
        return (
            "def predict(inputs):\n"
            '    """How many people are in each photo; outputs(inputs) says where."""\n'
            "    return outputs(inputs).sum(axis=(1, 2, 3), dtype=np.float64)"
        )
    if model.task == "multilabel":
        fractions = "sigmoid(z)" if model.link == "sigmoid" else "z"
        return (
            f"def probabilities({argument}):\n"
            '    """The probability of each of TARGETS, (n, targets)."""\n'
            f"    z = outputs({argument})\n"
            f"    return {fractions}\n\n\n"
            f"def predict({argument}):\n"
            '    """1 for each of TARGETS that holds and 0 for the others, (n, targets)."""\n'
            f"    return (outputs({argument}) > 0).astype(int)"
        )
    if model.task == "regression":
        each = "a column for each of TARGETS" if model.target_names else "numbers"
        return (
            f"def predict({argument}):\n"
            f'    """The predictions, (n, targets): {each}."""\n'
            f"    return outputs({argument})"
        )
    is_pair = model.output_shape == (1,)
    fractions = "softmax(z)" if model.link == "softmax" else "z"
    if is_pair:
        second = "sigmoid(z)" if model.link == "sigmoid" else "z"
        fractions = f"np.concatenate([1 - {second}, {second}], axis=1)"
    chosen = "(z[:, 0] > 0).astype(int)" if is_pair else "z.argmax(axis=1)"
    return (
        f"def probabilities({argument}):\n"
        '    """The probability of each class, (n, classes)."""\n'
        f"    z = outputs({argument})\n"
        f"    return {fractions}\n\n\n"
        f"def predict({argument}):\n"
        '    """The name of the likeliest class for each sample."""\n'
        f"    z = outputs({argument})\n"
        f"    return [CLASSES[index] for index in {chosen}]"
    )


def _script(model: Model) -> str:
    if model.encoding is not None:
        read = "read_csv(sys.argv[1], COLUMNS)"
    elif len(model.input_shape) == 1:
        read = 'np.loadtxt(sys.argv[1], delimiter=",", ndmin=2)'
    else:
        read = "np.load(sys.argv[1])"
    shown = "*answer" if model.task in ("regression", "multilabel") else "answer"
    return f'if __name__ == "__main__":\n    for answer in predict({read}):\n        print({shown})'
