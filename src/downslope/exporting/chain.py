"""A network as lines of code that change `x`, one layer after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from downslope.nn.composite import Parallel, Residual
from downslope.nn.layer import Layer, Shape


class Words(NamedTuple):
    """How a library says what is done to `x`.

    Attributes:
        plain: Lines for a layer that holds no others, given the shape that goes in and the
            layer's place, such as "3.0".
        add: The expression for the sum of a variable and `x`.
        join: The expression for variables joined along the channels.
    """

    plain: Callable[[Layer, Shape, str], list[str]]
    add: str
    join: str


def chain_lines(words: Words, layers: Sequence[Layer], shape: Shape, place: str = "") -> list[str]:
    """Lines for layers one after another.

    Args:
        words: How the library says it.
        layers: The layers.
        shape: Of one sample that goes in.
        place: What the places of these layers begin with: "" or "3.".
    """
    lines: list[str] = []
    for number, layer in enumerate(layers, start=1):
        own = f"{place}{number}"
        before = f"before_{own.replace('.', '_')}"
        if isinstance(layer, Residual):
            inner = chain_lines(words, layer.layers, shape, f"{own}.")
            lines += [f"{before} = x", *inner, f"x = {words.add.format(before)}"]
        elif isinstance(layer, Parallel):
            lines += _branches(words, layer, shape, own, before)
        else:
            lines += words.plain(layer, shape, own)
        shape = layer.output_shape(shape)
    return lines


def _branches(words: Words, layer: Parallel, shape: Shape, own: str, before: str) -> list[str]:
    lines, made = [f"{before} = x"], []
    for number, branch in enumerate(layer.branches, start=1):
        made.append(f"branch_{own.replace('.', '_')}_{number}")
        start = [f"x = {before}"] if number > 1 else []
        inner = chain_lines(words, branch, shape, f"{own}.{number}.")
        lines += [*start, *inner, f"{made[-1]} = x"]
    return [*lines, f"x = {words.join.format(', '.join(made))}"]
