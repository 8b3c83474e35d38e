"""The campaign at a small size: one training, killed a few times."""

import pytest

from tests.campaigns.kill import campaign, start_up, summary
from tests.campaigns.killed import CASES

TABLE = 0


@pytest.mark.campaign
@pytest.mark.slow
def test_a_killed_training_ends_with_the_bits_of_one_that_was_not(tmp_path, monkeypatch):
    for name in ("DOWNSLOPE_CACHE", "JAX_ENABLE_COMPILATION_CACHE"):
        monkeypatch.setenv(name, "")  # the campaign sets both; here they are what they were after
    # with this seed each kill waits for progress, so that none comes too late
    found = summary(campaign(tmp_path, kills=2, seed=13, cases=(TABLE,), most=3))
    assert found["kills"] >= 2
    assert found["kills of trainings that ended equal"] == found["kills"]
    assert found["by case"] == {CASES[TABLE].name: found["kills"]}
    assert not found["different"]


@pytest.mark.campaign
@pytest.mark.slow
def test_a_training_that_is_killed_while_it_starts_ends_with_the_same_bits(tmp_path, monkeypatch):
    for name in ("DOWNSLOPE_CACHE", "JAX_ENABLE_COMPILATION_CACHE"):
        monkeypatch.setenv(name, "")
    found = start_up(tmp_path, kills=4, seed=1)
    assert sum(found["left"].values()) == found["kills"] == 4
    assert not found["different"]
