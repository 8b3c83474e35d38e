"""Formulas of losses and activations: what is written of them is what the engine computes."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser
from scipy.special import expit, ndtr, softmax

from downslope.nn.activations import ACTIVATIONS, Activation
from downslope.nn.equations import Equation, mathtext, put, written
from downslope.nn.losses import LOSSES, Loss

NAMES = {
    "exp": np.exp, "log": np.log, "sign": np.sign, "sigmoid": expit, "softmax": softmax,
    "Phi": ndtr, "phi": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
}  # fmt: skip
ELEMENTWISE = [one for one in ACTIVATIONS.values() if one.is_elementwise]
OF_ONE = [one for one in LOSSES.values() if one.name != "cross_entropy"]
POINTS = (-3.7, -1.3, -0.6, 0.35, 0.8, 2.9)


def value(formula, **numbers):
    """What a formula comes to, by Python and NumPy in float64."""
    return float(eval(formula, {**NAMES, **numbers}))


def difference(formula, name, at, **numbers):
    step = 1e-5
    ends = (value(formula, **{name: at + sign * step}, **numbers) for sign in (1, -1))
    return (next(ends) - next(ends)) / (2 * step)


@pytest.mark.parametrize("one", ELEMENTWISE, ids=lambda one: one.name)
def test_each_activation_and_its_derivative(one):
    for z in POINTS:
        a = value(one.formula, z=z)
        slope = value(one.derivative, z=z, a=a)
        assert slope == pytest.approx(difference(one.formula, "z", z), rel=1e-8, abs=1e-9)
        with jax.enable_x64(True):
            own, slope_of_engine = jax.value_and_grad(one.function)(jnp.float64(z))
        assert (float(own), float(slope_of_engine)) == pytest.approx((a, slope), rel=1e-12)


def test_softmax_and_its_derivative():
    one, z = ACTIVATIONS["softmax"], np.array([0.3, -1.2, 2.0])
    units = range(3)
    a = np.array([value(one.formula, z=z, i=i, units=units) for i in units])
    slopes = [[value(one.derivative, a=a, i=i, j=j) for j in units] for i in units]
    with jax.enable_x64(True):
        np.testing.assert_allclose(one(jnp.asarray(z)), a, rtol=1e-14)
        np.testing.assert_allclose(jax.jacobian(one.function)(jnp.asarray(z)), slopes, rtol=1e-12)


@pytest.mark.parametrize("one", OF_ONE, ids=lambda one: one.name)
@pytest.mark.parametrize("t", [0.0, 1.0, 0.25])
def test_each_loss_of_one_output_and_its_derivative(one, t):
    for y in POINTS:
        numbers = {"y": y, "z": y}
        told, slope = (value(text, **numbers, t=t) for text in (one.formula, one.derivative))
        name = "z" if "z" in one.formula else "y"
        assert slope == pytest.approx(difference(one.formula, name, y, t=t), rel=1e-8, abs=1e-9)
        with jax.enable_x64(True):
            of_engine = jax.value_and_grad(
                lambda y: one.per_sample(y.reshape(1, 1), jnp.full((1, 1), t))[0]
            )
            own = [float(found) for found in of_engine(jnp.float64(y))]
        assert own == pytest.approx([told, slope], rel=1e-12, abs=1e-14)
        # the equation has the same with y for z, and what is put in and left out changes nothing
        with_target = one.equation.put({"t": t})
        assert value(with_target.formula, y=y) == pytest.approx(told, rel=1e-14)
        assert value(with_target.derivative, y=y) == pytest.approx(slope, rel=1e-14)
        assert value(put(with_target.derivative, {"y": y})) == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize("t", [0, 2])
def test_cross_entropy_and_its_derivative(t):
    one, z = LOSSES["cross_entropy"], np.array([0.3, -1.2, 2.0])
    with jax.enable_x64(True):
        of_engine = jax.value_and_grad(lambda z: one.per_sample(z[None], jnp.array([t]))[0])
        own, slopes = of_engine(jnp.asarray(z))
    assert float(own) == pytest.approx(value(one.formula, z=z, t=t), rel=1e-14)
    told = [value(one.derivative, z=z, t=t, i=i) for i in range(3)]
    np.testing.assert_allclose(slopes, told, rtol=1e-12)
    assert one.equation.slope_name == "dL/dy_i"


def test_they_are_written_as_people_write_them():
    square = LOSSES["squared_error"].equation.put({"t": 500})
    assert str(square) == "L = (y − 500)²,  dL/dy = 2 (y − 500)"
    assert square.slope({"y": 350}, -300) == "dL/dy = 2 (y − 500) = 2 (350 − 500) = −300"
    assert square.mathtext == (
        r"$L = \left(y − 500\right)^{2}$",
        r"$\dfrac{dL}{dy} = 2\,\left(y − 500\right)$",
    )
    huber = LOSSES["huber"].equation.put({"t": -3})
    assert huber.lines[1] == "dL/dy = y + 3 for |y + 3| ≤ 1, else sign(y + 3)"
    assert huber.slope({"y": 5}, 1, short=True) == "dL/dy = sign(5 + 3) = 1"
    logs = LOSSES["binary_cross_entropy"].equation
    assert logs.lines[0] == "L = −t log(sigmoid(y)) − (1 − t) log(1 − sigmoid(y))"
    assert logs.put({"t": 1}).lines == ("L = −log(sigmoid(y))", "dL/dy = sigmoid(y) − 1")
    assert logs.put({"t": 0}).lines == ("L = −log(1 − sigmoid(y))", "dL/dy = sigmoid(y)")
    gelu = ACTIVATIONS["gelu"].equation
    assert gelu.slope({"z": -2}, -0.0852, 3, short=True) == ("da/dz = Φ(−2) − 2 φ(−2) = −0.0852")
    assert written("2 * (z - (1 - z)) / (3 * z)") == "2 (z − (1 − z)) / (3 z)"
    assert written("exp(z[i]) / sum(exp(z[j]) for j in units)") == "exp(z_i) / Σ_j exp(z_j)"
    assert written(-0.00012345, 3) == "−0.000123"


@pytest.mark.parametrize("one", [*ACTIVATIONS.values(), *LOSSES.values()], ids=lambda one: one.name)
def test_each_has_formulas_that_a_figure_can_show(one):
    assert len(one.equation.mathtext) == 2
    for text in one.equation.mathtext:
        MathTextParser("path").parse(text)


def test_a_formula_of_the_users_own_is_shown_as_it_is():
    assert written("z / (1 + |z|)") == "z / (1 + |z|)"
    for text in ("z / (1 + |z|)", "import os", "x.y", "lambda: 1", "[1][0]", "z if z else 0", ""):
        assert written(text) == text and put(text, {"z": 1}) == text
        assert mathtext(text) == ""
    own = Loss("own", lambda y, t: y[:, 0], formula="the first output")
    assert own.equation.lines == ("L = the first output",)
    assert Activation("own", jnp.sin).equation.lines == ()
    assert Equation("a", "z", "", "").slope({}, 2.0) == "da/dz = 2"
