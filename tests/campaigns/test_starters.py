"""The campaign of several starters in one folder, at a small size."""

import pytest

from downslope.storage import lock
from tests.campaigns.starters import FAILED, REFUSED, WON, campaign


@pytest.mark.skipif(lock.fcntl is None, reason="the system has no such locks")
def test_a_folder_has_one_winner_however_many_start_in_it(tmp_path):
    found = campaign(tmp_path, rounds=12)
    assert found["wrong"] == {}
    assert found[WON] + found[FAILED] + found[REFUSED] == 48
    assert min(found[WON], found[FAILED], found[REFUSED]) > 0
