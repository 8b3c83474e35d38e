"""A function of one number, written as people type it: "x**2 - 3*x", "exp(-x) * sin(3*x)".

The text is read into a tree, and only what is listed here is ever computed; nothing of it is run
as Python.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.errors import SettingError
from downslope.names import look_up

Function = Callable[[Float[Array, ""]], Float[Array, ""]]
LONGEST = 1000  # letters
_LARGEST_WHOLE_POWER = 100  # above, x**n is computed as for any other power
_ADVICE = "Write e.g. x**2 - 3*x, or exp(-x) * sin(3*x)."

FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int]] = MappingProxyType(
    {  # each with the number of its arguments
        "abs": (jnp.abs, 1),
        "arctan": (jnp.arctan, 1),
        "cos": (jnp.cos, 1),
        "cosh": (jnp.cosh, 1),
        "elu": (jax.nn.elu, 1),
        "exp": (jnp.exp, 1),
        "log": (jnp.log, 1),
        "log1p": (jnp.log1p, 1),
        "maximum": (jnp.maximum, 2),
        "minimum": (jnp.minimum, 2),
        "relu": (jax.nn.relu, 1),
        "sigmoid": (jax.nn.sigmoid, 1),
        "sin": (jnp.sin, 1),
        "sinh": (jnp.sinh, 1),
        "softplus": (jax.nn.softplus, 1),
        "sqrt": (jnp.sqrt, 1),
        "tan": (jnp.tan, 1),
        "tanh": (jnp.tanh, 1),
        "where": (jnp.where, 3),
    }
)
_CONSTANTS = {"pi": math.pi, "e": math.e}
_OPERATORS: Mapping[type, Callable[..., Any]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: operator.pow,
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
    }
)


def parse_expression(text: str) -> Function:
    """Read a function of x.

    Args:
        text: Numbers, x, pi, e, + - * / **, comparisons inside of `where`, brackets, and the
            names in `FUNCTIONS`.

    Returns:
        A function of one number that JAX can differentiate.

    Raises:
        SettingError: It is not such a text.
    """
    if len(text) > LONGEST:
        raise _error(f"The function has {len(text):,} letters.", f"at most {LONGEST:,}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        compute = _read(tree, text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _error(f"{_short(text)} is not a function of x.") from None
    return lambda x: compute(x)


def _error(received: str, expected: str = "a formula of x", advice: str = _ADVICE) -> SettingError:
    return SettingError(received, expected, advice)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _read(node: ast.expr, text: str) -> Callable[[Array], Any]:
    """The computation that a part of the tree stands for."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _constant(value)
        case ast.Name(id="x"):
            return lambda x: x
        case ast.Name(id=name) if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        case ast.BinOp(left=left, op=ast.Pow(), right=right) if (
            power := _whole(right)
        ) is not None:
            base = _read(left, text)
            return lambda x: base(x) ** power
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _combine(_OPERATORS[type(sign)], [left, right], text)
        case ast.UnaryOp(op=sign, operand=inner) if type(sign) in _OPERATORS:
            return _combine(_OPERATORS[type(sign)], [inner], text)
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _OPERATORS:
            return _combine(_OPERATORS[type(sign)], [left, right], text)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments, text)
        case ast.Name(id=name):
            raise _unknown(name)
        case ast.BinOp(op=ast.BitXor()):
            raise _error(f"{_short(text)} has a ^.", "** for powers", "Write x**2 for a square.")
    part = ast.get_source_segment(text.strip(), node) or text
    raise _error(f"{_short(part)} is not a part that a function of x can have.")


def _constant(value: float) -> Callable[[Array], Array]:
    number = float(min(max(value, -1e308), 1e308)) if isinstance(value, int) else value
    return lambda x: jnp.full_like(x, number)  # an array, so that 9**9**9 is infinite and no more


def _whole(node: ast.expr) -> int | None:
    """The whole number that a power is, if it is one: its slope at 0 is then exact."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            return sign * value if value <= _LARGEST_WHOLE_POWER else None
    return None


def _combine(
    function: Callable[..., Any], parts: list[ast.expr], text: str
) -> Callable[[Array], Any]:
    inner = [_read(part, text) for part in parts]
    return lambda x: function(*(one(x) for one in inner))


def _call(name: str, arguments: list[ast.expr], text: str) -> Callable[[Array], Any]:
    if name not in FUNCTIONS:
        raise _unknown(name)
    function, count = FUNCTIONS[name]
    if len(arguments) != count:
        raise _error(
            f"{name} was given {len(arguments)} arguments in {_short(text)}.",
            f"{count}",
            "Write where(x < 0, 0, x) for a choice." if name == "where" else _ADVICE,
        )
    return _combine(function, arguments, text)


def _unknown(name: str) -> SettingError:
    try:
        look_up(name, {**FUNCTIONS, **_CONSTANTS, "x": None}, "function", SettingError)
    except SettingError as error:
        return error
    return _error(f"{name} is a function.", "a number or x in its place", f"Write {name}(x).")
