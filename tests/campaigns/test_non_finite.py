"""The campaign at a small size: each kind of planting once, and what the drawn cases are."""

import pytest

from tests.campaigns.non_finite import PLANTED, drawn, is_good, measure

SMALL = (10, 27, 17, 18, 22, 46, 53, 67, 135, 147, 151)  # those that are quickly compiled


@pytest.mark.parametrize("number", SMALL, ids=lambda number: drawn(number).planted)
def test_what_is_planted_is_caught_at_its_step_and_named(number):
    case = drawn(number)  # where layers or losses are spoilt, the weights cost a second program
    compares = case.planted in ("input", "target", "weight", "scaling", "loss")
    found = measure(case, compares=compares)
    assert is_good(found), found


def test_the_small_size_has_all_kinds():
    assert {drawn(number).planted for number in SMALL} == set(PLANTED)


def test_the_cases_are_of_all_kinds():
    cases = [drawn(number) for number in range(200)]
    assert {case.planted for case in cases} == set(PLANTED)
    assert {case.value for case in cases} == {"nan", "inf", "-inf"}
    assert {case.kind for case in cases} == {"classes", "numbers", "places", "images", "photos"}
    assert {case.batch_size for case in cases} == {1, 7, 8, 16, "full"}
    assert len({case.optimizer for case in cases}) == 8
    assert {case.epoch for case in cases} == {1, 2, 3}
    assert max(case.step for case in cases) > 40
