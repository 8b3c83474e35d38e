"""The two slopes of a function of one number at a point: just before it, and just after it.

A function is followed one operation at a time, with three numbers for each result: its value, how
fast it changes in one direction, and a bound on its rounding error. Where an operation takes one
of two branches (abs, maximum, where ...) and rounding cannot tell which, the point lies on the
border, and the branch is the one that the direction leads to. So the slopes of a smooth function
agree to the last digits, however steep its bends are and whatever its scale is; those of a kink
do not.

Functions that cannot be followed, and points where this gives no number, as sqrt(x**2) at 0, are
probed instead: at distances in a geometric sequence, scaled by the point. A kink is a difference
between both sides that does not shrink with the distance.

Source: Griewank and Walther, Evaluating Derivatives, 2008, chapter 14 (directional derivatives of
functions that are smooth piece by piece); Higham, Accuracy and Stability of Numerical Algorithms,
2002, section 3.3 (running error bounds).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

_EPS = float(np.finfo(np.float64).eps)
_SAME = 1e-9  # slopes that differ by less than this fraction are the same but for rounding
_FIRST, _WINDOW = 3, 4  # probes begin at 8 units in the last place; so many in a row are compared
# operations that take one of several ways inside, or a program more than once: probed instead
_PROBED = frozenset(
    [
        "scan",
        "while",
        "cond",
        "sort",
        "top_k",
        "approx_top_k",
        "argmax",
        "argmin",
        "rem",
        "cummax",
        "cummin",
        "reduce_window",
        "reduce_window_max",
        "reduce_window_min",
        "select_and_gather_add",
        "select_and_scatter_add",
        "nextafter",
        "pure_callback",
        "io_callback",
    ]
)
_STARTS_AT_ZERO = (-400, -200, -100, -48)  # powers of two: 0 has no last place


class Side(NamedTuple):
    """A function on one side of a point, as the distance goes to 0.

    Attributes:
        value: Its value.
        slope: Its slope, toward larger numbers on either side.
        error: A bound on the rounding error of the value.
        slope_error: How far the slope may be off, beside rounding, where it was probed.
    """

    value: float
    slope: float
    error: float
    slope_error: float = 0.0


class Sides(NamedTuple):
    """A function on both sides of a point."""

    left: Side
    right: Side

    @property
    def are_finite(self) -> bool:
        """Whether both sides have a value and a slope."""
        return all(math.isfinite(one) for side in self for one in side[:2])

    @property
    def jumps(self) -> bool:
        """Whether the values differ by more than rounding."""
        gap = abs(self.right.value - self.left.value)
        return gap > 4 * (self.left.error + self.right.error)

    @property
    def slopes_differ(self) -> bool:
        """Whether there are two slopes."""
        return not math.isclose(self.left.slope, self.right.slope, rel_tol=_SAME)

    def have(self, slope: float) -> bool:
        """Whether both sides have this slope."""
        slack = self.left.slope_error + self.right.slope_error
        return math.isclose(self.right.slope, slope, rel_tol=_SAME, abs_tol=slack)


def sides_at(function: Callable[[Any], Any], at: float) -> Sides | None:
    """Find value and slope on both sides of a point, with 64-bit floats enabled.

    Args:
        function: From a float64 of shape () to another.
        at: The point.

    Returns:
        Both sides; None where neither way finds finite numbers on both.
    """
    try:
        traced = jax.make_jaxpr(function)(jnp.float64(at))
        found = Sides(_followed(traced, at, -1.0), _followed(traced, at, 1.0))
    except (
        Exception
    ):  # undecided, Python's own if on a number, or an operation that cannot be followed
        found = None
    if found is not None and found.are_finite:
        return found
    return _probed(function, at)


class _UndecidedError(Exception):
    """What an operation does beside the point cannot be told from its inputs."""


class _Moving(NamedTuple):
    """A result on the way: its value, its change in the direction, a bound on its error.

    What does not depend on the point has no change, and whole numbers have no error either.
    """

    value: Any
    change: Any
    error: Any


def _followed(traced: ClosedJaxpr, at: float, direction: float) -> Side:
    start = _Moving(np.float64(at), np.float64(direction), np.float64(np.spacing(abs(at)) / 2))
    constants = [_constant(one) for one in traced.consts]
    (end,) = _follow(traced.jaxpr, constants, [start])
    slope, error = (0.0 if part is None else float(part) for part in (end.change, end.error))
    return Side(float(end.value), slope * direction + 0.0, error)  # no minus before 0


def _constant(value: Any) -> _Moving:
    value = np.asarray(value)
    if not np.issubdtype(value.dtype, np.floating):
        return _Moving(value, None, None)
    is_exact = (value == np.round(value)) | ~np.isfinite(value)
    return _Moving(value, None, np.where(is_exact, 0.0, _EPS / 2 * np.abs(value)))


def _follow(
    program: Jaxpr, constants: Sequence[_Moving], inputs: Sequence[_Moving]
) -> list[_Moving]:
    """All operations of a program, one after another."""
    known = dict(zip([*program.constvars, *program.invars], [*constants, *inputs], strict=True))

    def read(one: Any) -> _Moving:
        return _constant(one.val) if isinstance(one, Literal) else known[one]

    for operation in program.eqns:
        results = _operated(operation, [read(one) for one in operation.invars])
        known.update(zip(operation.outvars, results, strict=True))
    return [read(one) for one in program.outvars]


def _operated(operation: Any, inputs: list[_Moving]) -> list[_Moving]:
    name, settings = operation.primitive.name, operation.params
    if name in _PROBED and any(one.change is not None for one in inputs):
        raise _UndecidedError(name)
    inner = settings.get("call_jaxpr", settings.get("jaxpr"))
    if isinstance(inner, ClosedJaxpr) and name not in _PROBED:
        return _follow(inner.jaxpr, [_constant(one) for one in inner.consts], inputs)
    if inputs and all(one.change is None for one in inputs):
        return _smooth(operation, inputs)
    match name:
        case "max":
            return [_larger(*inputs)]
        case "min":
            return [_negative(_larger(*map(_negative, inputs)))]
        case "abs":
            return [_larger(inputs[0], _negative(inputs[0]))]
        case "clamp":
            low, middle, high = inputs
            return [_negative(_larger(_negative(_larger(middle, low)), _negative(high)))]
        case "reduce_max":
            return [_largest(inputs[0], settings["axes"])]
        case "reduce_min":
            return [_negative(_largest(_negative(inputs[0]), settings["axes"]))]
        case "lt" | "le" | "gt" | "ge" | "eq" | "ne":
            return [_compared(name, *inputs)]
        case "select_n":
            return [_selected(*inputs)]
        case "sign":
            zero = _constant(np.zeros_like(inputs[0].value))
            up, down = _compared("gt", inputs[0], zero), _compared("lt", inputs[0], zero)
            return [_constant(1.0 * up.value - 1.0 * down.value)]
        case "floor" | "ceil" | "round":
            return [_stepped(name, inputs[0])]
        case _:
            return _smooth(operation, inputs)


def _smooth(operation: Any, inputs: list[_Moving]) -> list[_Moving]:
    """An operation without branches: its own derivative, by JAX."""

    def changed(indices: list[int], changes: list[Any]) -> tuple[list[Any], list[Any]]:
        """The results, and their change with that of some inputs."""

        def compute(*given: Any) -> list[Any]:
            values = [one.value for one in inputs]
            for index, value in zip(indices, given, strict=True):
                values[index] = value
            result = operation.primitive.bind(*values, **operation.params)
            return list(result) if operation.primitive.multiple_results else [result]

        values = [jnp.asarray(inputs[index].value) for index in indices]
        return jax.jvp(compute, values, [jnp.asarray(one) for one in changes])

    moving = [index for index, one in enumerate(inputs) if one.change is not None]
    results, changes = changed(moving, [inputs[index].change for index in moving])
    errors: list[Any] = [0.0] * len(results)
    for index, one in enumerate(inputs):
        if one.error is not None and np.any(one.error):
            parts = changed([index], [one.error])[1]
            errors = [whole + np.abs(part) for whole, part in zip(errors, parts, strict=True)]
    return [
        _Moving(np.asarray(value), np.asarray(change), _bound(np.asarray(value), error))
        if moving and np.issubdtype(value.dtype, np.floating)
        else _constant(value)
        for value, change, error in zip(results, changes, errors, strict=True)
    ]


def _bound(value: np.ndarray, error: Any) -> np.ndarray:
    """What came in, and the operation's own rounding; 0 where there is no number."""
    error = error + _EPS * np.abs(value)
    return np.where(np.isfinite(error), error, 0.0)


def _negative(one: _Moving) -> _Moving:
    return _Moving(-one.value, None if one.change is None else -one.change, one.error)


def _moving(one: _Moving, shape: tuple[int, ...]) -> _Moving:
    """Three arrays of one shape."""
    return _Moving(*(np.broadcast_to(0.0 if part is None else part, shape) for part in one))


def _are_tied(one: _Moving, other: _Moving) -> np.ndarray:
    """Whether rounding cannot tell which is larger."""
    with np.errstate(invalid="ignore"):  # of two infinities
        return np.abs(one.value - other.value) <= one.error + other.error


def _larger(one: _Moving, other: _Moving) -> _Moving:
    shape = np.broadcast_shapes(np.shape(one.value), np.shape(other.value))
    one, other = _moving(one, shape), _moving(other, shape)
    tied = _are_tied(one, other)
    is_first = np.where(tied, one.change >= other.change, one.value >= other.value)
    is_first = is_first | np.isnan(one.value)  # as maximum has it: what is not a number stays
    chosen = [np.where(is_first, mine, its) for mine, its in zip(one, other, strict=True)]
    return _Moving(chosen[0], chosen[1], np.where(tied, one.error + other.error, chosen[2]))


def _largest(one: _Moving, axes: Sequence[int]) -> _Moving:
    one = _moving(one, np.shape(one.value))
    parts = [np.moveaxis(part, axes, range(len(axes))) for part in one]
    flat = [part.reshape(-1, *part.shape[len(axes) :]) for part in parts]
    found = _Moving(*(part[0] for part in flat))
    for row in range(1, len(flat[0])):
        found = _larger(found, _Moving(*(part[row] for part in flat)))
    return found


_WITHOUT_TIES: dict[str, Callable[[Any, Any], Any]] = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}


def _compared(name: str, one: _Moving, other: _Moving) -> _Moving:
    """What a comparison says just beside the point."""
    shape = np.broadcast_shapes(np.shape(one.value), np.shape(other.value))
    is_same = one is other
    is_constant = one.change is None and other.change is None
    one, other = _moving(one, shape), _moving(other, shape)
    compare = _WITHOUT_TIES[name]
    tied = _are_tied(one, other)
    if not (is_same or is_constant) and np.any(tied & (one.change == other.change)):
        raise _UndecidedError(name)  # they touch, as x**2 and 0 at 0
    said = np.where(tied, compare(one.change, other.change), compare(one.value, other.value))
    return _Moving(said, None, None)


def _selected(which: _Moving, *cases: _Moving) -> _Moving:
    """One of several results, element by element; what is not chosen does not count."""
    index = np.asarray(which.value).astype(int)
    cases = tuple(_moving(one, np.shape(one.value)) for one in cases)
    index = np.broadcast_to(index, np.shape(cases[0].value))
    return _Moving(*(np.choose(index, parts) for parts in zip(*cases, strict=True)))


def _stepped(name: str, one: _Moving) -> _Moving:
    """Steps are level but where they end."""
    shift = 0.5 if name == "round" else 0.0
    value = np.asarray(one.value) + shift
    border = np.round(value)
    is_tied = np.abs(value - border) <= one.error
    is_above = np.where(is_tied, np.asarray(one.change) >= 0, value > border)
    low = np.where(is_above, border, border - 1)
    return _constant(low + 1 if name == "ceil" else low)


def _probed(function: Callable[[Any], Any], at: float) -> Sides | None:
    """Both sides by the slopes at some distances, from the smallest ones that have numbers."""
    both = jax.value_and_grad(function)
    unit = math.log2(np.spacing(abs(at))) if at else 0
    starts = [unit + _FIRST + 3 * index for index in range(3)] if at else _STARTS_AT_ZERO

    def pairs(start: float, direction: int) -> np.ndarray:
        """Value and slope at growing distances, (window, 2)."""
        points = [at + direction * 2.0 ** (start + 3 * index) for index in range(_WINDOW)]
        return np.array([[float(one) for one in both(jnp.float64(x))] for x in points])

    for start in starts:
        left, right = pairs(start, -1), pairs(start, 1)
        if np.isfinite(left).all() and np.isfinite(right).all():
            return _limits(left, right)
    return None


def _limits(left: np.ndarray, right: np.ndarray) -> Sides | None:
    """What both sides come to; None where the slopes grow without end."""
    gaps = np.abs(right - left)[:, 1]
    spread = np.ptp(left, axis=0) + np.ptp(right, axis=0)
    sides = [Side(*map(float, (*one[0], *spread))) for one in (left, right)]
    if gaps[0] > 4 * spread[1]:  # it does not shrink with the distance
        return Sides(*sides)
    if gaps[0] > 1.01 * gaps[-1]:
        return None
    middle = sides[0].slope / 2 + sides[1].slope / 2
    if abs(middle) <= spread[1]:  # a slope of 0, as far as can be told
        middle = 0.0
    return Sides(*(one._replace(slope=middle) for one in sides))
