"""The campaign at a small size; and that the disks it builds are as bad as they are meant to be."""

import os
from dataclasses import replace

import numpy as np
import pytest

from tests.campaigns.power_loss import Recording, campaign, lose_power, recordings, summary


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """The disks are simulated: nothing has to wait for the real one."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def test_no_loss_of_power_loses_what_was_stored(tmp_path):
    found = summary(campaign(tmp_path, 40))
    assert not found["problems"]
    assert found["recovered"] == found["disks"] == 40
    assert set(found["found"]) == {"the newest", "the one being stored", "nothing was stored yet"}


def without(recording: Recording, is_left_out) -> Recording:
    """The same life by a store that does not make some of the calls."""
    kept = [not is_left_out(call) for call in recording.calls]
    return replace(
        recording,
        calls=tuple(call for call, keep in zip(recording.calls, kept, strict=True) if keep),
        stored=tuple((sum(kept[:count]), state) for count, state in recording.stored),
    )


@pytest.mark.parametrize("of_files", [True, False])
def test_a_store_that_syncs_less_would_be_found_out(tmp_path, of_files):
    draw = np.random.default_rng(0)
    careless = [
        without(
            one,
            lambda call: call.name == "fsync" and (call.path.suffix == ".unfinished") == of_files,
        )
        for one in recordings(tmp_path, draw)
    ]
    assert summary(lose_power(careless, 40, tmp_path, draw))["problems"]
