"""Numbers as people read them: no exponent between 1e-4 and 1e15, and never another number."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from downslope.numerals import rounded

READ = re.compile(r"-?\d{1,3}(,\d{3})*(\.\d+)?$")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (23561.7, 4, "23,560"),
        (9999.6, 4, "10,000"),
        (999.96, 4, "1,000"),
        (2200, 2, "2,200"),
        (1.7e9, 4, "1,700,000,000"),
        (-49040.5, 4, "-49,040"),
        (0.5, 4, "0.5"),
        (0.00012345, 4, "0.0001234"),
        (1.5e-7, 4, "1.5e-07"),
        (-1e-30, 2, "-1e-30"),
        (2e15, 4, "2e+15"),
        (-0.0, 4, "0"),
        (7, 4, "7"),
        (math.nan, 4, "nan"),
        (-math.inf, 4, "-inf"),
    ],
)
def test_by_hand(value, digits, text):
    assert rounded(value, digits) == text


@given(st.floats(1e-4, 9e14), st.integers(1, 9), st.sampled_from((-1, 1)))
def test_between_small_and_large_there_is_no_exponent(size, digits, sign):
    text = rounded(sign * size, digits)
    assert READ.match(text)
    near = float(text.replace(",", ""))
    assert near == pytest.approx(sign * size, rel=0.5000001 * 10.0 ** (1 - digits))


@given(st.floats(-1e300, 1e300), st.integers(1, 17))
def test_it_is_always_the_number(value, digits):
    near = float(rounded(value, digits).replace(",", ""))
    assert near == pytest.approx(value, rel=0.5000001 * 10.0 ** (1 - digits), abs=0)
