"""The campaign at a small size: two of its pairs, each training in a process of its own."""

import numpy as np
import pytest

from tests.campaigns.determinism import STEPS_PER_PAIR, again, checksum, steps_of, summary
from tests.campaigns.pairs import LOOKED_AT, PAIRS


def numbered(name: str) -> int:
    (found,) = (place for place, one in enumerate(PAIRS) if one.name == name)
    return found


@pytest.mark.slow
def test_the_same_training_again_is_the_same_bits(tmp_path):
    found = again(numbered("shops: looked-up categories and gaps"), tmp_path)
    assert (found["again"], found["folder and other chunks"]) == (True, True), found["differ"]
    assert found["steps"] == 240


@pytest.mark.slow
def test_any_step_is_gone_back_to(tmp_path):
    counts = {"saved": 2, "stored": 2, "resumed": 3, "forked": 3}
    found = steps_of(numbered("iris, batches that do not divide it"), tmp_path, True, counts)
    assert (found["asked"], found["wrong"]) == (10, [])
    assert summary({"steps": [found]}) == "steps: 10 of 10 as recorded"


def test_the_campaign_is_as_large_as_it_says():
    assert len({one.name for one in PAIRS}) == 30
    assert len(set(LOOKED_AT)) * sum(STEPS_PER_PAIR.values()) == 200


def test_a_checksum_sees_every_bit_shape_and_order():
    weights = {"a": np.arange(6, dtype=np.float32), "b": np.ones(2, np.float32)}
    same = {"b": weights["b"].copy(), "a": weights["a"][::1]}
    assert checksum(weights) == checksum(same)
    near = {**weights, "a": np.nextafter(weights["a"], np.float32(9))}
    signed = {**weights, "a": weights["a"] * np.array([-1, 1, 1, 1, 1, 1], np.float32)}
    other = [
        near,
        signed,
        {**weights, "a": weights["a"].reshape(2, 3)},
        list(weights.values())[::-1],
    ]
    assert len({checksum(one) for one in (weights, *other)}) == 5
