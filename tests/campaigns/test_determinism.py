"""The campaign at a small size: two of its pairs, each training in a process of its own."""

import numpy as np
import pytest

from tests.campaigns import determinism
from tests.campaigns.determinism import STEPS_PER_PAIR, again, checksum, steps_of, summary
from tests.campaigns.pairs import LOOKED_AT, PAIRS


def numbered(name: str) -> int:
    (found,) = (index for index, one in enumerate(PAIRS) if one.name == name)
    return found


@pytest.mark.campaign
@pytest.mark.slow
def test_the_same_training_again_is_the_same_bits(tmp_path):
    found = again(numbered("shops: looked-up categories and gaps"), tmp_path)
    assert (found["again"], found["folder and other chunks"]) == (True, True), found["differ"]
    assert found["steps"] == 240


@pytest.mark.campaign
@pytest.mark.peers
@pytest.mark.slow
def test_any_step_is_gone_back_to(tmp_path):
    pytest.importorskip("sklearn")
    counts = {"saved": 2, "stored": 2, "resumed": 3, "forked": 3}
    found = steps_of(numbered("iris, batches that do not divide it"), tmp_path, True, counts)
    assert (found["asked"], found["wrong"]) == (10, [])
    assert summary({"steps": [found]}) == "steps: 10 of 10 as recorded"


def test_a_single_other_weight_would_be_told(tmp_path, monkeypatch):
    recorded = {"saved": {str(step): f"sum {step}" for step in range(9)}}

    def elsewhere(job, number, folder, asked):
        if job == "watch":
            return recorded
        return {"saved": {str(step): f"sum {step}" for step in asked["saved"]} | {"4": "other"}}

    monkeypatch.setattr(determinism, "elsewhere", elsewhere)
    found = steps_of(0, tmp_path, False, {"saved": 9})
    assert (found["asked"], found["right"], found["wrong"]) == (9, 8, [("saved", 4)])
    assert summary({"steps": [found]}) == "steps: 8 of 9 as recorded"


def test_other_bits_would_be_told(tmp_path, monkeypatch):
    left = iter([{"steps": "5", "weights": "a"}, {"steps": "5", "weights": "a"},
                 {"steps": "5", "weights": "b"}])  # fmt: skip
    monkeypatch.setattr(determinism, "elsewhere", lambda *_: next(left))
    found = again(0, tmp_path)
    assert (found["again"], found["folder and other chunks"]) == (True, False)
    assert found["differ"] == ["weights"]
    assert summary({"again": [found]}).splitlines() == [
        "again: 1 of 1 pairs equal in every bit",
        "folder and other chunks: 0 of 1 pairs equal in every bit",
    ]


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
