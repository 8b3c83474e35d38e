"""Functions as people type them: what is computed, and what is never run."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import downslope as ds
from downslope.insight.expression import FUNCTIONS, LONGEST, parse_expression


def at(text, x):
    with jax.enable_x64(True):
        return float(parse_expression(text)(jnp.float64(x)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", 0.7),
        (" -x + 2 * 3 ", 5.3),
        ("x**2 - 3*x", 0.7**2 - 2.1),
        ("x ** -2", 0.7**-2),
        ("2 ** x", 2**0.7),
        ("exp(-x) * sin(3*x)", np.exp(-0.7) * np.sin(2.1)),
        ("where(x < 0, 0, sqrt(x))", np.sqrt(0.7)),
        ("maximum(x, 1) + minimum(x, 1)", 1.7),
        ("log(x) / pi - e", np.log(0.7) / np.pi - np.e),
        ("tanh(x) + sigmoid(x)", np.tanh(0.7) + 1 / (1 + np.exp(-0.7))),
    ],
)
def test_values_are_those_of_numpy(text, value):
    assert at(text, 0.7) == pytest.approx(value, rel=1e-14)


def test_a_whole_power_has_an_exact_slope_at_0():
    with jax.enable_x64(True):
        slopes = [float(jax.grad(parse_expression(f"x**{n}"))(jnp.float64(0))) for n in (1, 2, 3)]
    assert slopes == [1, 0, 0]


def test_huge_numbers_are_infinite_and_take_no_time():
    assert at("9**9**9", 0) == np.inf
    assert at("1" + "0" * 400, 0) == 1e308


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "x.real", "(lambda: x)()", "[x]", "x if x else x", "'x'", "True",
        "x(1)", "x and x", "1 < x < 2", "f'{x}'", "exp(x=1)", "exp(*x)", "x @ x", "~x", "y",
        "x := 2", "", "1j", "not x", "x; x",
    ],
)  # fmt: skip
def test_nothing_else_is_read(text):
    with pytest.raises(ds.SettingError):
        parse_expression(text)


def message_of(text):
    """What is said of a text that is no function; nothing of one that is."""
    try:
        return None if callable(parse_expression(text)) else "not callable"
    except ds.SettingError as error:
        return str(error)


@given(st.text(max_size=60))
def test_any_text_is_a_function_or_a_plain_message(text):
    message = message_of(text)
    assert message is None or " Expected " in message


@pytest.mark.parametrize("text", ["-" * 900 + "x", "(" * 300 + "x" + ")" * 300, "x+" * 400 + "x"])
def test_deep_nesting_ends_in_a_message_or_a_function(text):
    message = message_of(text)
    assert message is None or "is not a function of x." in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x^2", "'x^2' has a ^. Expected ** for powers. Write x**2 for a square."),
        (
            "sin(x, 2)",
            "sin was given 2 arguments in 'sin(x, 2)'. Expected 1. "
            "Write e.g. x**2 - 3*x, or exp(-x) * sin(3*x).",
        ),
        ("2*sin", "sin is a function. Expected a number or x in its place. Write sin(x)."),
        (
            "x.real",
            "'x.real' is not a part that a function of x can have. Expected a formula of x. "
            "Write e.g. x**2 - 3*x, or exp(-x) * sin(3*x).",
        ),
        (
            "f(",
            "'f(' is not a function of x. Expected a formula of x. "
            "Write e.g. x**2 - 3*x, or exp(-x) * sin(3*x).",
        ),
        (
            "sine(x)",
            "There is no function called 'sine'. Expected one of "
            f"{', '.join(FUNCTIONS)}, pi, e, x. Did you mean 'sin'?",
        ),
        (
            "x" * (LONGEST + 1),
            "The function has 1,001 letters. Expected at most 1,000. "
            "Write e.g. x**2 - 3*x, or exp(-x) * sin(3*x).",
        ),
    ],
)
def test_messages(text, message):
    with pytest.raises(ds.SettingError) as caught:
        parse_expression(text)
    assert str(caught.value) == message
