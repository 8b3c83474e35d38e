"""The raw columns of a table as ONNX inputs, and what becomes of them there.

Each column is an input of its own, (samples,). Numbers are of 64 bits until they are encoded, as
in `data/tables/encoding.py`, so that dates and large numbers lose nothing.
"""

from __future__ import annotations

import numpy as np

from downslope.data.tables.column_types import NO, YES
from downslope.data.tables.dates import TIMES
from downslope.data.tables.encoding import CYCLES, DAY, ColumnCode, Encoding
from downslope.data.tables.numbers import DURATIONS, PLAIN, parts
from downslope.exporting.onnx_graph import SAMPLES, Graph

_MARKS = ("", "?", "NA", "missing", "(missing)")


def missing_mark(code: ColumnCode) -> str:
    """The text that stands for a missing category or yes/no: one that is no value."""
    return next(mark for mark in _MARKS if mark not in code.values)


def is_text(code: ColumnCode) -> bool:
    """Whether a column goes in as texts; yes/no of 0 and 1 goes in as numbers."""
    return code.kind == "category" or (
        code.kind == "yes/no" and not {"0", "1"}.issuperset(code.values)
    )


def wanted(code: ColumnCode) -> str:
    """In words, what goes in for a column."""
    if code.kind == "text":
        return (
            f"the numbers of its words, (samples, {code.size}): what word_indices makes of the "
            "texts in the file that export --to numpy writes"
        )
    if is_text(code):
        mark = missing_mark(code)
        return f"text, without spaces around it; {mark!r} where it is not known"
    if code.kind == "date":
        is_time = code.form.removesuffix(" %z") in TIMES
        since = "time: seconds since midnight" if is_time else "date: seconds since 1970-01-01"
        return f"{since} as a number; NaN where it is not known"
    unit = "seconds" if code.form in DURATIONS else parts(code.form or PLAIN)[2]
    kind = f"number{f' in {unit}' if unit else ''}" if code.kind == "number" else "yes/no: 1 or 0"
    return f"{kind}; NaN where it is not known"


def write_columns(graph: Graph, encoding: Encoding) -> str:
    """An input for each column, and all of them encoded: float64 (samples, inputs)."""
    columns = [_column(graph, code) for code in encoding.columns]
    ranks = [
        _rank(graph, code, inputs[0])
        for code, inputs in zip(encoding.columns, columns, strict=True)
        if code.quantiles
    ]
    return graph.node("Concat", *ranks, *(one for inputs in columns for one in inputs), axis=1)


def _rank(graph: Graph, code: ColumnCode, number: str) -> str:
    """The rank among quantiles: how far into each interval between two of them it is, added up."""
    quantiles = np.array(code.quantiles)
    below = graph.node("Sub", number, graph.constant(quantiles[:-1], f"{code.name} quantiles"))
    widths = graph.constant(np.diff(quantiles), f"{code.name} widths")
    ends = graph.scalar(0.0, "float64"), graph.scalar(1.0, "float64")
    within = graph.node("Clip", graph.node("Div", below, widths), *ends)
    return graph.node("ReduceSum", within, graph.constant(np.array([1]), "axis"))


def _column(graph: Graph, code: ColumnCode) -> list[str]:
    if code.kind == "text":
        return [graph.input(code.name, "float64", [SAMPLES, code.size], wanted(code))]
    kind = "text" if is_text(code) else "float64"
    raw = graph.as_column(graph.input(code.name, kind, [SAMPLES], wanted(code)))
    if code.numbers:
        return [_index(graph, code, raw)]
    if code.kind == "category":
        return _category(graph, code, raw)
    if is_text(code):
        missing = _is_missing(graph, code, raw)
        yes = graph.node("RegexFullMatch", raw, pattern=_pattern(YES))
        no = graph.node("RegexFullMatch", raw, pattern=_pattern(NO))
        numbers = _yes_no(graph, yes, no)
    else:
        missing = graph.node("Or", graph.node("IsNaN", raw), graph.node("IsInf", raw))
        numbers = raw
        if code.kind == "yes/no":
            yes, no = (graph.node("Equal", raw, graph.scalar(one, "float64")) for one in (1.0, 0.0))
            numbers = _yes_no(graph, yes, no)
    numbers = graph.node("Where", missing, graph.scalar(code.fill, "float64"), numbers)
    inputs = _date(graph, code, numbers) if code.kind == "date" else [numbers]
    return [*inputs, *[graph.cast(missing, "float64")] * code.says_missing]


def _yes_no(graph: Graph, yes: str, no: str) -> str:
    """1 for yes, 0 for no, and NaN for anything else: such a row has no answer."""
    neither = graph.node("Where", no, graph.scalar(0.0, "float64"), graph.scalar(np.nan, "float64"))
    return graph.node("Where", yes, graph.scalar(1.0, "float64"), neither)


def _pattern(words: tuple[str, ...]) -> str:
    """What matches these words in large or small letters, with spaces around them."""
    return rf"(?is)\s*({'|'.join(words)})\s*"


def _is_missing(graph: Graph, code: ColumnCode, texts: str) -> str:
    mark = graph.constant(np.array([missing_mark(code)], object), "missing")
    return graph.node("Equal", texts, mark)


def _index(graph: Graph, code: ColumnCode, texts: str) -> str:
    """The index of the value: 0 for values never seen, 1 for none, 2 and on for the others."""
    values = graph.constant(np.array([code.values], object), f"{code.name} values")
    is_value = graph.cast(graph.node("Equal", texts, values), "float64")
    indices = np.arange(2, code.indices, dtype=np.float64)[:, None]
    index = graph.node("MatMul", is_value, graph.constant(indices, f"{code.name} places"))
    return graph.node("Add", index, graph.cast(_is_missing(graph, code, texts), "float64"))


def _category(graph: Graph, code: ColumnCode, texts: str) -> list[str]:
    """One input per value; then one for all other values; then whether there was none."""
    missing = graph.cast(_is_missing(graph, code, texts), "float64")
    parts, others = [], graph.node("Sub", graph.scalar(1.0, "float64"), missing)
    if code.values:
        values = graph.constant(np.array([code.values], object), f"{code.name} values")
        parts = [graph.cast(graph.node("Equal", texts, values), "float64")]
        known = graph.node("ReduceSum", parts[0], graph.constant(np.array([1]), "axis"))
        others = graph.node("Sub", others, known)
    return [*parts, *[others] * code.has_others, *[missing] * code.says_missing]


def _date(graph: Graph, code: ColumnCode, seconds: str) -> list[str]:
    """Days since 1970, and where in each cycle that is."""
    inputs = [graph.node("Div", seconds, graph.scalar(DAY, "float64"))]
    for cycle in code.cycles:
        turn = graph.node("Mul", graph.scalar(2 * np.pi, "float64"), seconds)
        wave = graph.node("Div", turn, graph.scalar(CYCLES[cycle], "float64"))
        inputs += [graph.node("Sin", wave), graph.node("Cos", wave)]
    return inputs
