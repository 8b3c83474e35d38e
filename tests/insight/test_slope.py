"""Slopes of losses, activations and functions, beside closed forms in float64."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax, nn

import downslope as ds
from downslope.insight.slope import number, slope
from downslope.nn.activations import ACTIVATIONS


def pairs(found):
    return [(one.at, one.value, one.slope) for one in found.tangents]


def test_figure_3_of_the_article():
    found = slope()
    assert pairs(found) == [(350, 22500, -300), (600, 10000, 200)]
    assert found.title == "squared error for the target 500"
    assert tuple(found.summary.split("\n")) == (
        "At y = 350, L is 22,500 and falls 300 times as fast as y grows: a larger y lowers it.",
        "At y = 600, L is 10,000 and rises 200 times as fast as y grows: a smaller y lowers it.",
    )
    np.testing.assert_allclose(found.y, (found.x - 500) ** 2, rtol=1e-14)
    assert found.x[0] < 350 and found.x[-1] > 600


def test_it_is_reached_from_the_package():
    assert ds.insight.slope("squared_error", at=350, target=500).tangents[0].slope == -300


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


CLOSED = {  # value and slope at z
    "identity": lambda z: (z, 1),
    "sigmoid": lambda z: (sigmoid(z), sigmoid(z) * (1 - sigmoid(z))),
    "tanh": lambda z: (math.tanh(z), 1 - math.tanh(z) ** 2),
    "relu": lambda z: (max(z, 0), float(z > 0)),
    "leaky_relu": lambda z: (z if z > 0 else z / 100, 1 if z > 0 else 0.01),
    "elu": lambda z: (z, 1) if z > 0 else (math.expm1(z), math.exp(z)),
    "gelu": lambda z: (
        z * (1 + math.erf(z / 2**0.5)) / 2,
        (1 + math.erf(z / 2**0.5)) / 2 + z * math.exp(-z * z / 2) / (2 * math.pi) ** 0.5,
    ),
    "silu": lambda z: (z * sigmoid(z), sigmoid(z) * (1 + z * (1 - sigmoid(z)))),
    "softplus": lambda z: (math.log1p(math.exp(z)), sigmoid(z)),
    "softmax": lambda z: (sigmoid(z), sigmoid(z) * (1 - sigmoid(z))),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_in_float64(name):
    for one in slope(name, at=(-1.3, 0.4, 2.5)).tangents:
        value, derivative = CLOSED[name](one.at)
        assert one.value == pytest.approx(value, rel=1e-13)
        assert one.slope == pytest.approx(derivative, rel=1e-13)
        assert one.difference == pytest.approx(derivative, rel=1e-7, abs=1e-12)
        assert one.kink is None


@pytest.mark.parametrize(
    ("name", "target", "closed"),
    [
        ("squared_error", 3, lambda y: ((y - 3) ** 2, 2 * (y - 3))),
        ("absolute_error", 3, lambda y: (abs(y - 3), math.copysign(1, y - 3))),
        ("huber", 3, lambda y: (abs(y - 3) - 0.5, math.copysign(1, y - 3))),
        ("cross_entropy", 1, lambda y: (math.log1p(math.exp(-y)), sigmoid(y) - 1)),
        ("cross_entropy", 0, lambda y: (math.log1p(math.exp(y)), sigmoid(y))),
        ("binary_cross_entropy", 1, lambda y: (math.log1p(math.exp(-y)), sigmoid(y) - 1)),
        ("poisson", 3, lambda y: (math.exp(y) - 3 * y, math.exp(y) - 3)),
    ],
)
def test_every_loss_in_float64(name, target, closed):
    for one in slope(name, at=(-0.7, 1.5), target=target).tangents:
        assert (one.value, one.slope) == pytest.approx(closed(one.at), rel=1e-13)


def test_functions_of_the_users_own():
    assert pairs(slope(lambda x: jnp.sin(x) ** 2, at=1))[0][1:] == pytest.approx(
        (math.sin(1) ** 2, math.sin(2)), rel=1e-14
    )
    assert pairs(slope(lambda x: x**3 if x > 0 else 0 * x, at=2)) == [(2, 8, 12)]
    own = slope(lambda y, t: (jnp.abs(y - t) ** 3).mean(axis=1), at=4, target=2)
    assert (own.result, pairs(own)) == ("L", [(4, 8, 12)])
    assert pairs(slope("x**2 - 3*x", at=[1, 2])) == [(1, -2, -1), (2, -2, 1)]
    assert pairs(slope("7", at=0)) == [(0, 7, 0)]


def test_kinks_are_told():
    (one,) = slope("relu", at=0).tangents
    assert (one.slope, one.kink) == (0, (0, 1))
    assert one.sentence("z", "a") == (
        "At z = 0, a is 0; the curve has a kink there: its slope is 0 on the left and 1 on the "
        "right. Automatic differentiation, and so a training, uses 0."
    )
    assert slope("x**2", at=0).tangents[0].kink is None
    assert slope("x**2", at=0).summary == "At x = 0, f is 0 and the curve is level."


@pytest.mark.parametrize(
    ("function", "at", "target"),
    [
        ("squared_error", 500, 500),
        ("squared_error", 260, 260),
        ("squared_error", 1e12, 1e12),
        ("squared_error", -3e-6, -3e-6),
        ("huber", 3, 3),
        ("huber", 4, 3),
        ("poisson", 0, 1),
        ("(x-500)**2", 500, None),
        ("x**2 - 1000*x + 250000", 500, None),
        ("where(x < 1, x**2, 2*x - 1)", 1, None),
        ("softplus((x - 1e12)*1e6)", 1e12, None),  # its bend is narrower than a float there
        ("sqrt((x - 3)**2 + 1e-30)", 3, None),
        ("elu", 0, None),
        ("gelu", 0, None),
        (lambda x: x**3 if x > 0 else -(x**3), 0, None),  # JAX cannot trace an if
        ("x", 1e308, None),
        ("x*1e-3", -1e308, None),
    ],
)
def test_a_smooth_function_has_no_kink_at_any_scale(function, at, target):
    (one,) = slope(function, at=at, target=target).tangents
    assert (one.kink, one.jump) == (None, None)
    assert one.slope == one.automatic
    assert one.difference == pytest.approx(one.slope, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(
    ("function", "at", "kink"),
    [
        ("abs(x - 1e12)*1e-6", 1e12, (-1e-6, 1e-6)),
        ("relu(3*x - 0.3)", 0.1, (0, 3)),  # 3 * 0.1 is not 0.3 in floats
        ("abs(sin(x))", math.pi, (-1, 1)),
        ("abs(sin(x + pi))", 0, (-1, 1)),
        ("sqrt((x - 3)**2)", 3, (-1, 1)),  # 0 / 0 for automatic differentiation
        ("minimum(x*1e6, 1)", 1e-6, (1e6, 0)),
        ("x**2 + 1e-5*abs(x - 7)", 7, (14 - 1e-5, 14 + 1e-5)),
        (lambda x: 2 * x if x > 5 else 3 * x - 5, 5, (3, 2)),
        (lambda x: jnp.sort(jnp.stack([x, -x]))[0], 0, (1, -1)),
        (lambda x: jnp.stack([x, 2 * x, -x]).max(), 0, (-1, 2)),
        (lambda x: lax.cond(x > 0, lambda y: y, lambda y: -y, x), 0, (-1, 1)),
        (lambda x: jnp.clip(x, 0, 7), 7, (1, 0)),
        (lambda x: jnp.interp(x, jnp.array([0.0, 1, 2]), jnp.array([0.0, 1, 0])), 1, (1, -1)),
        (lambda x: nn.selu(x), 0, (1.7580993408473766, 1.0507009873554805)),
    ],
)
def test_a_kink_is_found_at_any_scale(function, at, kink):
    (one,) = slope(function, at=at).tangents
    assert one.kink == pytest.approx(kink, rel=1e-12)
    assert one.jump is None


def test_what_automatic_differentiation_takes_otherwise_is_told():
    (one,) = slope("relu(x) - relu(-x)", at=0).tangents  # which is x
    assert (one.slope, one.automatic, one.kink) == (1, 0, None)
    assert one.sentence() == (
        "At x = 0, f is 0 and rises as fast as x grows. Automatic differentiation, and so a "
        "training, uses 0."
    )
    (one,) = slope("where(x**2 > 0, 2*x, 0)", at=0).tangents  # x**2 touches 0
    assert (one.slope, one.automatic, one.kink) == (2, 0, None)
    (one,) = slope("abs(x)*sqrt(abs(x))", at=0).tangents
    assert one.slope == 0 and math.isnan(one.automatic)
    (one,) = slope("where(x > 0, sqrt(x), 0)", at=-1).tangents  # nan * 0 in the other branch
    assert one.slope == 0 and math.isnan(one.automatic)


@pytest.mark.parametrize("function", ["where(x < 0, 0, 1)", lambda x: 0 * x + (1 if x >= 0 else 0)])
def test_a_jump_is_told(function):
    (one,) = slope(function, at=0).tangents
    assert (one.jump, one.kink) == ((0, 1), None)
    assert math.isnan(one.difference)
    assert one.sentence() == (
        "At x = 0, f is 1; the curve jumps there, from 0 on its left to 1 on its right, and has "
        "no slope. Automatic differentiation, and so a training, uses 0."
    )


def test_a_slope_without_bounds_is_no_kink():
    with pytest.raises(ds.SettingError, match=r"abs\(x\)\*\*0.5 has the slope inf at 0"):
        slope("abs(x)**0.5", at=0)


def test_the_finite_difference_suits_the_scale():
    for text, at, derivative in (
        ("tanh(x/1e-6)", 0, 1e6),
        ("sin(x)", 1e12, math.cos(1e12)),
        ("log(x)", 1e-300, 1e300),
        ("1e12*x**2", 1e-6, 2e6),
    ):
        (one,) = slope(text, at=at).tangents
        assert one.slope == pytest.approx(derivative, rel=1e-12)
        assert one.difference == pytest.approx(derivative, rel=1e-5)


def test_where_there_is_no_value_the_curve_has_a_gap():
    found = slope("log(x)", at=0.5, span=(-1, 1))
    assert np.isnan(found.y[found.x <= 0]).all() and np.isfinite(found.y[found.x > 0]).all()
    assert (found.x[0], found.x[-1]) == (-1, 1)


def test_numbers_show_what_float64_knows():
    assert [number(one) for one in (-0.0, 1e-9, -3.5, 0.1 + 0.2, 1e20)] == [
        "0", "1e−09", "−3.5", "0.3", "1e20",
    ]  # fmt: skip


def numpy_only(x):
    return np.linalg.norm([x, x])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"function": "squared_error"},
            "The loss squared_error was given the target None. Expected the true answer as a "
            "number. Name it, e.g. target=500 (on the command line --target 500).",
        ),
        (
            {"function": "cross_entropy", "target": 2},
            "The loss cross_entropy was given the class 2. Expected 0 or 1. A function of one "
            "number can tell two classes apart, and no more.",
        ),
        (
            {"function": "tanh", "target": 2},
            "tanh was given the target 2. Expected a target for a loss alone. Leave it out, or "
            "choose one of squared_error, absolute_error, huber, cross_entropy, "
            "binary_cross_entropy, poisson.",
        ),
        (
            {"function": "tanh", "at": "here"},
            "The points are 'here'. Expected one or more finite numbers. Write e.g. at=(350, 600).",
        ),
        (
            {"function": "log(x)", "at": -1},
            "log(x) has the value nan at −1. Expected a point where value and slope are finite. "
            "Choose another point.",
        ),
        (
            {"function": "sqrt(x)", "at": 0},
            "sqrt(x) has the slope inf at 0. Expected a point where value and slope are finite. "
            "Choose another point.",
        ),
        (
            {"function": "x", "span": (2, 1)},
            "The curve is to be drawn over (2, 1). Expected two finite numbers, the smaller "
            "one first. Leave them out to draw it around the points.",
        ),
        (
            {"function": lambda x: jnp.stack([x, x]), "at": 1},
            "function cannot be computed at 1: its result has the shape (2,). Expected a function "
            "from one number to one number, written with jax.numpy. Write e.g. "
            "lambda x: jnp.sin(x) ** 2.",
        ),
    ],
)
def test_messages(arguments, message):
    with pytest.raises(ds.SettingError) as caught:
        slope(**arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize("span", [(1,), (1, 2, 3), "ab", 5, (0, float("inf"))])
def test_a_span_that_is_none(span):
    with pytest.raises(ds.SettingError, match="The curve is to be drawn over"):
        slope("x", span=span)


def test_unknown_names_and_functions_that_jax_cannot_follow():
    with pytest.raises(ds.SettingError, match="no loss, activation or function called 'sigmiod'"):
        slope("sigmiod")
    with pytest.raises(ds.SettingError, match=r"numpy_only cannot be computed at 1: .*jax.numpy"):
        slope(numpy_only, at=1)
