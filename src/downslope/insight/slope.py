"""The slope of a curve: how a function of one number changes when that number changes.

A loss, an activation, or any function; the derivative is JAX's, exact to the rounding of float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from downslope.errors import DownslopeError, SettingError
from downslope.insight.expression import FUNCTIONS, parse_expression
from downslope.insight.one_sided import sides_at
from downslope.names import look_up
from downslope.nn.activations import ACTIVATIONS, Activation
from downslope.nn.equations import Equation, explained
from downslope.nn.losses import LOSSES, Loss, resolve
from downslope.numerals import rounded
from downslope.result import Part, Result
from downslope.text import Table

Function = Callable[..., Any]

ARTICLE_TARGET = 500.0  # people in the photo of Figure 3,
ARTICLE_POINTS = (350.0, 600.0)  # and the two answers that the article looks at
CURVE_POINTS = 401
_FARTHEST = 2.0**-6  # the largest distance of a finite difference, as a fraction of the point;
_FARTHEST_FROM_ZERO = 1.0  # and that from 0; the others are an eighth of the one before each
_DISTANCES, _DISTANCES_FROM_ZERO = 15, 22
_STEADY = 0.01  # a difference that changes by less than this fraction depends on it no more
_HALF = 4e307  # a curve ends at twice that: the way between its ends has to be a number
_ROOM = 0.35  # of the points' own width, to each side of them


@dataclass(frozen=True)
class Tangent:
    """A function at one point.

    Attributes:
        at: The point.
        value: The function's value there.
        slope: Its derivative there; at a kink or a jump what automatic differentiation gives,
            which is what a training uses, and NaN if that is no number.
        difference: The same by a finite difference, for comparison.
        kink: The slopes just before and just after the point, where it has two; else None.
        jump: The values just before and just after the point, where it has two; else None.
        automatic: What automatic differentiation gives.
        one_more: How much the function's value changes when its number grows by 1.
    """

    at: float
    value: float
    slope: float
    difference: float
    kink: tuple[float, float] | None = None
    jump: tuple[float, float] | None = None
    automatic: float = math.nan
    one_more: float = math.nan

    def height(self, x: float) -> float:
        """The tangent line's value at `x`."""
        return self.value + self.slope * (x - self.at)

    def sentence(self, variable: str = "x", result: str = "f", digits: int = 12) -> str:
        """What the slope says, in words."""

        def say(value: float) -> str:
            return number(value, digits)

        index = f"At {variable} = {say(self.at)}, {result} is {say(self.value)}"
        used = f"Automatic differentiation, and so a training, uses {say(self.automatic)}."
        if math.isnan(self.automatic):
            used = "Automatic differentiation gets 0/0 or the like, which would end a training."
        if self.jump is not None:
            before, after = map(say, self.jump)
            return (
                f"{index}; the curve jumps there, from {before} on its left to {after} on its "
                f"right, and has no slope. {used}"
            )
        if self.kink is not None:
            before, after = map(say, self.kink)
            return (
                f"{index}; the curve has a kink there: its slope is {before} on the left and "
                f"{after} on the right. {used}"
            )
        aside = "" if self.slope == self.automatic else f" {used}"
        if self.slope == 0:
            return f"{index} and the curve is level.{aside}"
        way = "rises" if self.slope > 0 else "falls"
        times = "" if abs(self.slope) == 1 else f"{say(abs(self.slope))} times "
        told = f"{index} and {way} {times}as fast as {variable} grows"
        if result == "L":
            told += f": a {'smaller' if self.slope > 0 else 'larger'} {variable} lowers it"
        return f"{told}.{aside}"


@dataclass(frozen=True, eq=False)
class Slope(Result):
    """A function of one number with its tangents.

    Attributes:
        name: Its name, or the text that it was written as.
        variable: Name of its number: "y" for a prediction, "z" for a pre-activation, else "x".
        result: Name of its value: "L" for a loss, "a" for an activation, else "f".
        target: The target of a loss; None for other functions.
        tangents: The tangents, in the order of the points.
        x: Points to draw the curve at, (N,), float64.
        y: Its values there; NaN where it has none.
        note: A remark in a sentence; may be empty.
        formula: A loss or an activation as an expression of its variable; empty where it is not
            known.
        derivative: Its derivative, likewise.
        unit: What a prediction counts, in the singular, such as "person"; may be empty.
    """

    name: str
    variable: str
    result: str
    target: float | None
    tangents: tuple[Tangent, ...]
    x: Float[np.ndarray, " n"]
    y: Float[np.ndarray, " n"]
    note: str = ""
    formula: str = ""
    derivative: str = ""
    unit: str = ""

    @property
    def title(self) -> str:
        """The function in words."""
        words = self.name.replace("_", " ") if self.result != "f" else self.name
        return words if self.target is None else f"{words} for the target {number(self.target)}"

    @property
    def summary(self) -> str:
        """What each slope says, a line for each."""
        return "\n".join(self.told(digits=12))

    @property
    def equation(self) -> Equation:
        """The function and its derivative as formulas."""
        return Equation(self.result, self.variable, self.formula, self.derivative)

    def slope_worked_out(self, one: Tangent, digits: int = 12) -> str:
        """The derivative with the numbers of a point put in; empty at a kink or a jump."""
        if not self.derivative or one.kink is not None or one.jump is not None:
            return ""
        numbers = {self.variable: one.at, "a": one.value}
        return self.equation.slope(numbers, one.slope, digits, short=True)

    def parts(self) -> Iterator[Part]:
        """The function, its value and slope at each point, what they say, and the note."""
        yield self.title
        yield ""
        if self.formula:
            yield from self.equation.lines
            yield ""
        rows = [
            [number(one.at), number(one.value), number(one.slope), number(one.difference, 7)]
            for one in self.tangents
        ]
        head = (self.variable, self.result, "slope", "finite difference")
        yield Table(head, rows, numeric=range(4))
        yield ""
        for one, told in zip(self.tangents, self.told(digits=12), strict=True):
            yield told
            if worked_out := self.slope_worked_out(one):
                yield f"  {worked_out}"
                yield from self.told_one_more(one)
        if self.note:
            yield self.note

    def told(self, digits: int) -> tuple[str, ...]:
        """What each slope says, in numbers of so many digits."""
        return tuple(one.sentence(self.variable, self.result, digits) for one in self.tangents)

    def told_one_more(self, one: Tangent) -> Iterator[str]:
        """What one more of the unit does to the loss: about the slope; nothing without a unit."""
        if self.unit:
            yield (
                f"  one more {self.unit}: about {number(one.slope)} "
                f"(from {number(one.at)} to {number(one.at + 1)} exactly {number(one.one_more)})"
            )


def number(value: float, digits: int = 12) -> str:
    """A number with up to so many digits, without those that rounding made: "22,500"."""
    return rounded(value + 0.0, digits).replace("e+", "e").replace("-", "\N{MINUS SIGN}")


def slope(
    function: str | Function | Loss | None = None,
    *,
    at: float | Sequence[float] | np.ndarray | None = None,
    target: float | None = None,
    span: tuple[float, float] | None = None,
) -> Slope:
    """Find value and derivative of a function of one number, and its tangents.

        tangent at a:  y = f(a) + f'(a) (x - a)

    Without a function: the squared error of predictions for a photo of 500 people, at the
    predictions 350 and 600 (Figure 3 of the article How Neural Networks Learn); another number of
    people may be the target.

    Args:
        function: The name of a loss or an activation, an expression of x such as "x**2 - 3*x",
            a function of one number written with jax.numpy, or, with a target, a loss:
            `loss(prediction, target) -> (N,)`.
        at: One or more points; some that suit the function if left out.
        target: The target of a loss; for a loss of classes, class 0 or 1.
        span: Where the curve begins and ends; around the points if left out.

    Returns:
        The tangents in the order of `at`, with the curve to draw them on.

    Raises:
        SettingError: The name is unknown, the expression cannot be read, a loss has no target or
            something else has one, or the function has no value or derivative at a point.

    Example:
        >>> found = ds.insight.slope("squared_error", at=(350, 600), target=500)
        >>> [(tangent.value, tangent.slope) for tangent in found.tangents]
        [(22500.0, -300.0), (10000.0, 200.0)]
    """
    is_count = function is None
    if function is None:
        function = "squared_error"
        target = ARTICLE_TARGET if target is None else target
    subject = _subject(function, target)
    points = _points(subject, at)
    low, high = _span(subject, points, span)
    x = np.linspace(low, high, CURVE_POINTS)
    with jax.enable_x64(True):
        tangents = tuple(_tangent(subject, point) for point in points)
        y = _values(subject, x)
    y[~np.isfinite(y)] = np.nan
    return replace(subject.about, tangents=tangents, x=x, y=y, unit="person" if is_count else "")


@dataclass(frozen=True)
class _Subject:
    """The function, and what is known of it before it is computed."""

    about: Slope
    function: Function
    usual: tuple[float, ...]  # points, where none are asked for


def _subject(function: str | Function | Loss, target: float | None) -> _Subject:
    if isinstance(function, Loss) or (isinstance(function, str) and function in LOSSES):
        return _loss(resolve(function), target)
    if target is not None and not isinstance(function, str):
        return _loss(resolve(function), target)
    if target is not None:
        raise SettingError(
            f"{function} was given the target {target!r}.",
            "a target for a loss alone",
            f"Leave it out, or choose one of {', '.join(LOSSES)}.",
        )
    empty = np.empty(0)
    if isinstance(function, str) and function in ACTIVATIONS:
        found = ACTIVATIONS[function]
        about = Slope(function, "z", "a", None, (), empty, empty, _note(found))
        # of two classes, the softmax is the sigmoid
        like = (found if found.is_elementwise else ACTIVATIONS["sigmoid"]).equation
        about = replace(about, formula=like.formula, derivative=like.derivative)
        return _Subject(about, _activation(function), (-2.0, 1.0))
    if isinstance(function, str):
        known = {**LOSSES, **ACTIVATIONS, **FUNCTIONS}
        if function.isidentifier() and function not in ("x", "e", "pi"):
            names = {**LOSSES.synonyms, **ACTIVATIONS.synonyms}
            look_up(function, known, "loss, activation or function", SettingError, names)
        about = Slope(" ".join(function.split()), "x", "f", None, (), empty, empty)
        return _Subject(about, parse_expression(function), (-1.0, 1.0))
    name = getattr(function, "__name__", "function").replace("<lambda>", "function")
    return _Subject(Slope(name, "x", "f", None, (), empty, empty), function, (-1.0, 1.0))


def _note(found: Activation) -> str:
    if found.is_elementwise:
        return f"{words}." if (words := explained(found.formula)) else ""
    return "Of two classes: z is the sum of one of them, that of the other being 0."


def _activation(name: str) -> Function:
    found = ACTIVATIONS[name]
    if found.is_elementwise:
        return found.function
    return lambda z: found(jnp.stack([z, jnp.zeros_like(z)]))[0]


def _loss(loss: Loss, target: float | None) -> _Subject:
    """A loss as a function of the one output of a network, for a true answer."""
    is_number = isinstance(target, int | float | np.number) and not isinstance(target, bool)
    if target is None or not is_number or not math.isfinite(target):
        raise SettingError(
            f"The loss {loss.name} was given the target {target!r}.",
            "the true answer as a number",
            "Name it, e.g. target=500 (on the command line --target 500).",
        )
    if loss.takes_classes and target not in (0, 1):
        raise SettingError(
            f"The loss {loss.name} was given the class {number(target)}.",
            "0 or 1",
            "A function of one number can tell two classes apart, and no more.",
        )
    note, usual = "", (target - 1.0, target + 2.0)
    if loss.takes_classes:
        usual = (-2.0, 1.0)
        note = "y is the network's output before it becomes a probability: the logit of class 1."
    elif loss.built_in == "poisson":
        usual = (0.0, 2.0)
        note = "y is the logarithm of the rate that the network answers."
    if (loss.built_in, target) == ("squared_error", ARTICLE_TARGET):
        usual = ARTICLE_POINTS

    def of_output(y: Any) -> Any:
        if loss.built_in == "cross_entropy":
            return loss.per_sample(
                jnp.stack([jnp.zeros_like(y), y])[None], jnp.array([int(target)])
            )
        return loss.per_sample(y.reshape(1, 1), jnp.full((1, 1), target))

    empty = np.empty(0)
    about = Slope(loss.name, "y", "L", float(target), (), empty, empty, note)
    # of two classes, cross-entropy is that of one logit
    like = LOSSES["binary_cross_entropy"] if loss.built_in == "cross_entropy" else loss
    formulas = like.equation.put({"t": target})
    about = replace(about, formula=formulas.formula, derivative=formulas.derivative)
    return _Subject(about, of_output, usual)


def _points(subject: _Subject, at: float | Sequence[float] | np.ndarray | None) -> list[float]:
    if at is None:
        return list(subject.usual)
    try:
        points = np.asarray(at, np.float64).ravel().tolist()
    except (TypeError, ValueError):
        points = []
    if not points or not all(map(math.isfinite, points)):
        raise SettingError(
            f"The points are {at!r}.", "one or more finite numbers", "Write e.g. at=(350, 600)."
        )
    return points


def _span(
    subject: _Subject, points: list[float], span: tuple[float, float] | None
) -> tuple[float, float]:
    """Where the curve begins and ends."""
    if span is not None:
        try:
            low, high = map(float, span)
        except (TypeError, ValueError):
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SettingError(
                f"The curve is to be drawn over {span!r}.",
                "two finite numbers, the smaller one first",
                "Leave them out to draw it around the points.",
            )
        return low, high
    about, ends = subject.about, list(points)
    if about.target is not None and about.note == "":  # the answer is in the target's own units
        ends.append(about.target)
    if about.result != "f" and about.note:
        ends += [-4.0, 4.0]
    if about.result == "a":
        ends += [-3.0, 3.0]
    low, high = min(ends), max(ends)
    width = high - low or max(1.0, abs(high))
    ends = np.clip([low / 2 - _ROOM * width / 2, high / 2 + _ROOM * width / 2], -_HALF, _HALF)
    return float(2 * ends[0]), float(2 * ends[1])


def _values(subject: _Subject, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The function's values at many points: all at once, or where it has an `if` one by one."""
    function = _scalar(subject.function)
    try:
        return np.array(jax.vmap(function)(jnp.asarray(x, jnp.float64)))
    except Exception:  # said of a single point, if it fails there as well
        return np.array(
            [_computed(subject, lambda at=at: function(jnp.float64(at)), at) for at in x.tolist()],
            np.float64,
        )


def _scalar(function: Function) -> Function:
    """The function with a float64 of shape () as its result."""

    def of_number(x: Any) -> Any:
        result = jnp.asarray(function(x))
        if result.size != 1:
            raise ValueError(f"its result has the shape {result.shape}")
        return result.reshape(()).astype(jnp.float64)

    return of_number


def _computed(subject: _Subject, compute: Callable[[], Any], x: float) -> Any:
    """The result of the user's function; whatever goes wrong inside is said in one message.

    Raises:
        SettingError: It cannot be computed or differentiated.
    """
    try:
        return compute()
    except DownslopeError:
        raise
    except Exception as error:  # a function of the user's own may raise anything
        reason = next(iter(str(error).splitlines()), "")[:160].rstrip(".") or type(error).__name__
        raise SettingError(
            f"{subject.about.name} cannot be computed at {number(x)}: {reason}.",
            "a function from one number to one number, written with jax.numpy",
            "Write e.g. lambda x: jnp.sin(x) ** 2.",
        ) from error


def _tangent(subject: _Subject, at: float) -> Tangent:
    function = _scalar(subject.function)
    both = jax.value_and_grad(function)
    value, automatic = map(float, _computed(subject, lambda: both(jnp.float64(at)), at))
    sides = sides_at(function, at) if math.isfinite(value) else None
    found, kink, jump = automatic, None, None
    if sides is not None and sides.jumps:
        jump = (sides.left.value, sides.right.value)
    elif sides is not None and sides.slopes_differ:
        kink = (sides.left.slope, sides.right.slope)
    elif sides is not None and not sides.have(automatic):
        found = sides.right.slope
    if not (math.isfinite(value) and (math.isfinite(found) or kink or jump)):
        what = f"the value {value}" if not math.isfinite(value) else f"the slope {found}"
        raise SettingError(
            f"{subject.about.name} has {what} at {number(at)}.",
            "a point where value and slope are finite",
            "Choose another point.",
        )
    difference = math.nan if jump else _difference(subject, at, value)
    one_more = float(_values(subject, np.array([at + 1.0]))[0]) - value
    return Tangent(at, value, found, difference, kink, jump, automatic, one_more)


def _difference(subject: _Subject, at: float, value: float) -> float:
    """The slope by finite differences, at the distance where it depends on the distance least.

    Where the function has values on one side alone, between the point and that side.
    """
    step, count = _FARTHEST_FROM_ZERO, _DISTANCES_FROM_ZERO
    if at:
        step, count = _FARTHEST * 2.0 ** (math.frexp(at)[1] - 1), _DISTANCES
    steps = step * 8.0 ** -np.arange(count)
    ends = np.stack([at - steps, at + steps])
    values = _values(subject, ends.ravel()).reshape(ends.shape)
    has_none = ~np.isfinite(values)
    ends, values = np.where(has_none, at, ends), np.where(has_none, value, values)
    with np.errstate(invalid="ignore", over="ignore"):
        found = (values[1] - values[0]) / (ends[1] - ends[0])
    rounding = (np.abs(values) / 2).sum(axis=0) * np.finfo(np.float64).eps / steps
    errors = []
    for index in range(1, count):
        change, size = abs(found[index] - found[index - 1]), np.abs(found[index - 1 :][:2]).max()
        if math.isfinite(change):
            is_steady = change <= _STEADY * size
            error = (change + rounding[index]) / (size if is_steady and size else 1.0)
            errors.append((not is_steady, error, index))
    return float(found[min(errors)[2]]) if errors else math.nan
