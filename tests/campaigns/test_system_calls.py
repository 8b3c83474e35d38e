"""The campaign at a small size: one checkpoint by the wrapper, and a few of its calls by strace."""

import os
from collections import Counter
from itertools import islice

import pytest

from tests.campaigns.saves import operations
from tests.campaigns.system_calls import Bench, can_trace, summary, traced, wrapped

CHECKPOINT, END = 0, 2


def test_every_operation_of_a_checkpoint_may_fail_or_be_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # nobody cuts the power here
    trials = list(wrapped(Bench(operations()[CHECKPOINT], tmp_path / "bench")))
    found = summary(trials)
    assert not found["problems"]
    assert found["well"] == found["trials"]
    calls = Counter(one.how for one in trials)
    assert calls["kill"] == calls["ENOSPC"] == calls["EIO"] > 20
    assert calls["short"] == calls["half, then kill"] == calls["half, then ENOSPC"] == 2
    assert {one.found for one in trials} == {"old", "new"}  # it is disturbed early and late
    assert {one.end.status for one in trials} == {0, 1, -9}


@pytest.mark.skipif(not can_trace(), reason="needs strace, and its permission")
def test_system_calls_of_the_end_of_a_run_may_fail_or_be_the_last(tmp_path):
    trials = list(islice(traced(Bench(operations()[END], tmp_path / "bench")), 24))
    found = summary(trials)
    assert not found["problems"]
    assert {one.end.status for one in trials} >= {1, -9}
