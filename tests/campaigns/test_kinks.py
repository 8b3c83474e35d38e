"""The campaign at a small size, and that its cases are of all kinds."""

import math

import pytest

from tests.campaigns.kinks import KINKED, SMOOTH, drawn, measure


@pytest.mark.campaign
def test_no_false_kink_and_none_missed():
    found = measure(50)
    assert found["faults"] == []
    assert found["kinked"] > 10 and found["smooth"] > 20


def test_the_cases_are_of_all_kinds_and_scales():
    cases = [drawn(number) for number in range(1000)]
    assert {one.kind for one in cases if one.kink} == set(KINKED)
    assert {one.kind for one in cases if not one.kink} == set(SMOOTH) | {
        f"beside: {kind}" for kind in KINKED
    }
    scales = [round(math.log10(abs(one.at))) for one in cases if one.at]
    assert min(scales) <= -5 and max(scales) >= 11 and any(one.at == 0 for one in cases)
