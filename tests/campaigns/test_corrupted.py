"""A small size of the campaign of corrupted run folders, and whether it would notice anything."""

import os
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.campaigns.corrupted import KINDS, campaign, spoilt
from tests.campaigns.corruptions import Bases
from tests.campaigns.watched import Memory, Watch

CASES = 6 * len(KINDS)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads /proc")


@pytest.mark.campaign
@linux
def test_a_few_corrupted_folders():
    results = campaign(0, CASES, workers=1, is_small=True)
    assert [(one["number"], one["wrong"]) for one in results if one["wrong"]] == []
    became = Counter(one["became"] for one in results)
    assert sum(became.values()) == CASES
    assert became["refused"] > CASES / 4
    assert became["a whole run"] > 0


def test_a_case_is_always_the_same():
    whole = {"run.json": b'{"a": 1}' * 99, "manifest.json": b"{}" * 99, "trace/x": b"x" * 99}
    bases = Bases({"one": whole, "two": whole}, "/outside")
    damage = [number for number in range(30) if sorted(KINDS)[number % len(KINDS)] == "cut off"]
    assert damage
    for number in damage:
        assert spoilt(bases, number) == spoilt(bases, number)
        assert spoilt(bases, number)[2] != whole


@pytest.fixture(scope="module")
def watch():
    return Watch()


def test_what_lies_outside_is_seen(watch, tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "link").symlink_to(outside)
    (inside / "file").write_text("own")
    watch.seen.clear()
    with watch.only(inside):
        (inside / "file").read_text()
        os.listdir(inside)
    assert watch.seen == []
    with watch.only(inside):
        (inside / "link").read_text()
        os.listdir(tmp_path)
        exec("1 + 1")
    (tmp_path / "unwatched").write_text("")
    events = [one.split()[0] for one in watch.seen]
    assert events == ["open", "os.listdir", "compile", "exec"]
    assert watch.seen[0] == f"open {outside}"


@linux
def test_memory_that_is_given_back_was_taken():
    memory = Memory()
    before = memory.taken()
    many = np.ones(12_000_000 + random.Random(0).randrange(9))
    del many
    assert memory.taken() - before > 90e6
    assert Path("/proc/self/clear_refs").exists()
